#include "saved_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text.h"

enum {
    SAVED_APPLICATION_ID = 0x4e656f53, /* "NeoS", for file(1) */
    SAVED_LAYOUT = 1,
    SAVED_STATEMENT_BYTES = 128
};

static const char *const TABLES[SAVED_TABLE_COUNT] = {"projects",   "branches", "endpoints",
                                                      "operations", "keys",     "words"};

struct SavedFile {
    char path[PATH_MAX];
    sqlite3 *database;
    sqlite3_stmt *puts[SAVED_TABLE_COUNT];
};

static bool run(SavedFile *file, const char *statement)
{
    return sqlite3_exec(file->database, statement, NULL, NULL, NULL) == SQLITE_OK;
}

/* The first column of the first row, or NULL; the statement is the caller's to finalize. */
static const char *ask(SavedFile *file, const char *query, sqlite3_stmt **ret_statement)
{
    *ret_statement = NULL;
    bool has_row =
        sqlite3_prepare_v2(file->database, query, -1, ret_statement, NULL) == SQLITE_OK &&
        sqlite3_step(*ret_statement) == SQLITE_ROW;
    return has_row ? (const char *)sqlite3_column_text(*ret_statement, 0) : NULL;
}

static long ask_number(SavedFile *file, const char *query)
{
    sqlite3_stmt *statement = NULL;
    const char *text = ask(file, query, &statement);
    long number = text == NULL ? -1 : strtol(text, NULL, 10);
    sqlite3_finalize(statement);
    return number;
}

static bool is_sound(SavedFile *file)
{
    sqlite3_stmt *statement = NULL;
    const char *text = ask(file, "PRAGMA quick_check(1)", &statement);
    bool sound = text != NULL && strcmp(text, "ok") == 0;
    sqlite3_finalize(statement);
    return sound;
}

static bool tell_damage(const SavedFile *file, const char *what, char *ret_error,
                        size_t error_bytes)
{
    text_format(ret_error, error_bytes,
                "%s is damaged (%.200s); put a copy of it back, or remove its folder to begin anew",
                file->path, what);
    return false;
}

static bool make_tables(SavedFile *file)
{
    char statement[SAVED_STATEMENT_BYTES];
    bool made = run(file, "BEGIN");
    for (int i = 0; made && i < SAVED_TABLE_COUNT; i++) {
        text_build(statement, sizeof(statement),
                   "CREATE TABLE %s (row INTEGER PRIMARY KEY, text TEXT NOT NULL)", TABLES[i]);
        made = run(file, statement);
    }
    text_build(statement, sizeof(statement), "PRAGMA application_id = %d; PRAGMA user_version = %d",
               SAVED_APPLICATION_ID, SAVED_LAYOUT);
    return made && run(file, statement) && run(file, "COMMIT");
}

static bool check(SavedFile *file, char *ret_error, size_t error_bytes)
{
    if (!is_sound(file)) {
        return tell_damage(file, sqlite3_errmsg(file->database), ret_error, error_bytes);
    }
    long layout = ask_number(file, "PRAGMA user_version");
    bool is_new = layout == 0 && ask_number(file, "SELECT count(*) FROM sqlite_schema") == 0;
    if (is_new) {
        return make_tables(file) ||
               tell_damage(file, sqlite3_errmsg(file->database), ret_error, error_bytes);
    }
    if (ask_number(file, "PRAGMA application_id") != SAVED_APPLICATION_ID) {
        text_format(ret_error, error_bytes, "%s is not a sandbox's; choose another --state",
                    file->path);
        return false;
    }
    if (layout != SAVED_LAYOUT) {
        text_format(ret_error, error_bytes,
                    "%s has the layout %ld of another neon-sandbox, this one knows %d; start that "
                    "one, or choose another --state",
                    file->path, layout, SAVED_LAYOUT);
        return false;
    }
    return true;
}

static bool prepare(SavedFile *file, char *ret_error, size_t error_bytes)
{
    char statement[SAVED_STATEMENT_BYTES];
    for (int i = 0; i < SAVED_TABLE_COUNT; i++) {
        text_build(statement, sizeof(statement), "INSERT OR REPLACE INTO %s VALUES (?, ?)",
                   TABLES[i]);
        if (sqlite3_prepare_v3(file->database, statement, -1, SQLITE_PREPARE_PERSISTENT,
                               &file->puts[i], NULL) != SQLITE_OK) {
            return tell_damage(file, sqlite3_errmsg(file->database), ret_error, error_bytes);
        }
    }
    return true;
}

/* It holds passwords; SQLite gives its journal the same mode. */
static bool touch(const char *path, char *ret_error, size_t error_bytes)
{
    int made = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (made < 0) {
        text_format(ret_error, error_bytes, "%s: %s", path, strerror(errno));
        return false;
    }
    close(made);
    return true;
}

/* What a process wrote is there when it is killed, synced or not: https://sqlite.org/pragma.html
 * #pragma_synchronous. The folder has one sandbox, so no file is shared. */
static bool set_up(SavedFile *file, char *ret_error, size_t error_bytes)
{
    bool opened =
        sqlite3_open_v2(file->path, &file->database, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        run(file, "PRAGMA locking_mode = EXCLUSIVE") && run(file, "PRAGMA journal_mode = WAL") &&
        run(file, "PRAGMA synchronous = OFF");
    if (!opened) {
        return tell_damage(file, sqlite3_errmsg(file->database), ret_error, error_bytes);
    }
    return check(file, ret_error, error_bytes) && prepare(file, ret_error, error_bytes);
}

SavedFile *saved_file_open(const char *dir, char *ret_error, size_t error_bytes)
{
    SavedFile *file = calloc(1, sizeof(*file));
    if (file == NULL) {
        abort();
    }
    text_build(file->path, sizeof(file->path), "%s/sandbox.db", dir);
    if (!touch(file->path, ret_error, error_bytes) || !set_up(file, ret_error, error_bytes)) {
        saved_file_close(file);
        return NULL;
    }
    return file;
}

void saved_file_close(SavedFile *file)
{
    for (int i = 0; i < SAVED_TABLE_COUNT; i++) {
        sqlite3_finalize(file->puts[i]);
    }
    sqlite3_close(file->database);
    free(file);
}

bool saved_file_begin(SavedFile *file)
{
    return run(file, "BEGIN");
}

bool saved_file_put(SavedFile *file, SavedTable table, int64_t row, const char *text)
{
    sqlite3_stmt *statement = file->puts[table];
    bool put = sqlite3_bind_int64(statement, 1, row) == SQLITE_OK &&
               sqlite3_bind_text(statement, 2, text, -1, SQLITE_STATIC) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return put;
}

bool saved_file_remove(SavedFile *file, SavedTable table, int64_t row)
{
    char statement[SAVED_STATEMENT_BYTES];
    text_build(statement, sizeof(statement), "DELETE FROM %s WHERE row = %lld", TABLES[table],
               (long long)row);
    return run(file, statement);
}

bool saved_file_commit(SavedFile *file)
{
    return run(file, "COMMIT");
}

void saved_file_roll_back(SavedFile *file)
{
    run(file, "ROLLBACK");
}

const char *saved_file_error(const SavedFile *file)
{
    return sqlite3_errmsg(file->database);
}

bool saved_file_each(SavedFile *file, SavedTable table, SavedRowFunction call, void *argument,
                     char *ret_error, size_t error_bytes)
{
    char text[SAVED_STATEMENT_BYTES];
    sqlite3_stmt *statement = NULL;
    text_build(text, sizeof(text), "SELECT row, text FROM %s ORDER BY row", TABLES[table]);
    sqlite3_prepare_v2(file->database, text, -1, &statement, NULL);
    int status = SQLITE_ROW;
    bool made_sense = true;
    int64_t row = 0;
    while (made_sense && (status = sqlite3_step(statement)) == SQLITE_ROW) {
        row = sqlite3_column_int64(statement, 0);
        made_sense = call(argument, row, (const char *)sqlite3_column_text(statement, 1));
    }
    sqlite3_finalize(statement);
    text_build(text, sizeof(text), "row %lld of %s", (long long)row, TABLES[table]);
    if (!made_sense) {
        return tell_damage(file, text, ret_error, error_bytes);
    }
    return status == SQLITE_DONE ||
           tell_damage(file, sqlite3_errmsg(file->database), ret_error, error_bytes);
}
