/*
 * What a command has learnt: facts under stable keys, kept in the ledger as one JSON object (keys
 * that this program doesn't know are kept), and scratch notes of a reading that goes on, which only
 * live in memory: whoever takes over reads again. Changes since the last mutating call are
 * collected as the delta, so that an opener who lost the command can leave what it learnt with its
 * closed intent.
 */
#ifndef SAGA_JOURNAL_H
#define SAGA_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Journal {
    json_t *facts;
    json_t *scratch;
    json_t *delta;
    bool changed;    // since journal_watch
    bool progressed; // since then: a fact that is more than a proof of absence
} Journal;

// Takes over a reference to `facts` (an object), or starts empty when NULL.
void journal_init(Journal *journal, json_t *facts);
void journal_clear(Journal *journal);
void journal_watch(Journal *journal); // from here on `changed` tells
void journal_start_delta(Journal *journal);
// Facts of another's delta; null forgets.
void journal_merge(Journal *journal, const json_t *delta);

// Of an object that is a fact, a note, or a row's details; "": it has no such text.
const char *journal_text_in(const json_t *object, const char *key);
// "" / 0 / false / NULL where the fact isn't there.
const char *journal_text(const Journal *journal, const char *key);
int64_t journal_number(const Journal *journal, const char *key);
bool journal_has(const Journal *journal, const char *key);
const json_t *journal_value(const Journal *journal, const char *key);
void journal_set_text(Journal *journal, const char *key, const char *value);
void journal_set_number(Journal *journal, const char *key, int64_t value);
// As journal_set_value, for what may have to be found out again and again: no progress.
void journal_set_again(Journal *journal, const char *key, json_t *value);
void journal_set_flag(Journal *journal, const char *key); // true
void journal_set_value(Journal *journal, const char *key,
                       json_t *value); // takes over the reference
void journal_append_text(Journal *journal, const char *key, const char *value); // to an array
void journal_forget(Journal *journal, const char *key);

// Scratch notes.
const char *journal_note_text(const Journal *journal, const char *key);
int64_t journal_note_number(const Journal *journal, const char *key);
json_t *journal_note(const Journal *journal, const char *key); // borrowed, may be changed; NULL
void journal_set_note(Journal *journal, const char *key, json_t *value);
void journal_set_note_text(Journal *journal, const char *key, const char *value);
void journal_set_note_number(Journal *journal, const char *key, int64_t value);
void journal_forget_notes(Journal *journal);

// The facts, or the delta, as one line of JSON; the caller frees it.
char *journal_pack(const Journal *journal);
char *journal_pack_delta(const Journal *journal);

#endif
