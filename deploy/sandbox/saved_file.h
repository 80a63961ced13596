/* The file of saved.h: tables of rows. Errors are sentences that name the file and what to do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct SavedFile SavedFile;

typedef enum SavedTable {
    SAVED_PROJECTS,
    SAVED_BRANCHES,
    SAVED_ENDPOINTS,
    SAVED_OPERATIONS,
    SAVED_KEYS,
    SAVED_WORDS, /* a row a word */
    SAVED_TABLE_COUNT,
} SavedTable;

/* NULL with a sentence in ret_error; what is there stays as it was. */
SavedFile *saved_file_open(const char *dir, char *ret_error, size_t error_bytes);
void saved_file_close(SavedFile *file);
/* Writes belong to a transaction. */
bool saved_file_begin(SavedFile *file);
bool saved_file_put(SavedFile *file, SavedTable table, int64_t row, const char *text);
bool saved_file_remove(SavedFile *file, SavedTable table, int64_t row);
bool saved_file_commit(SavedFile *file);
void saved_file_roll_back(SavedFile *file);
/* What went wrong last. */
const char *saved_file_error(const SavedFile *file);

/* False: the row makes no sense. */
typedef bool (*SavedRowFunction)(void *argument, int64_t row, const char *text);
/* Calls it for every row of the table, in order. False with a sentence in ret_error. */
bool saved_file_each(SavedFile *file, SavedTable table, SavedRowFunction call, void *argument,
                     char *ret_error, size_t error_bytes);
