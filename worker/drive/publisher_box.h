/*
 * What passes between the loop and the publisher's thread, under the one mutex of the process:
 * outcomes and revocations one way, notes the other way. Used by drive/publisher only.
 */
#ifndef DRIVE_PUBLISHER_BOX_H
#define DRIVE_PUBLISHER_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "base/list.h"

typedef enum NoteKind {
    NOTE_READY,
    NOTE_PUBLISHED,
    NOTE_DROPPED,
    NOTE_REVOKED,
    NOTE_TROUBLE,
    NOTE_FATAL,
    NOTE_CLOSED, // the last one
} NoteKind;

typedef struct Note {
    ListLink link;
    NoteKind kind;
    uint64_t *ids; // of items
    size_t count;
    uint32_t took_ms;
    Error err;
} Note;

typedef struct Revocation {
    ListLink link;
    size_t count;
    uint64_t ids[]; // of assignments
} Revocation;

typedef struct Box {
    uv_mutex_t mutex;
    uv_cond_t wake;    // the thread
    uv_async_t *async; // the loop
    List items;
    List revocations;
    bool closing;
    bool hurrying;
    bool is_told; // of what was told, nothing is new
    List notes;
} Box;

// What the thread took at once.
typedef struct BoxTaken {
    List items;
    List revocations;
    bool closing;
    bool hurrying;
} BoxTaken;

void box_init(Box *box, uv_async_t *async);
void box_clear(Box *box); // frees what is left in it

// On the loop.
void box_put_item(Box *box, ListLink *item);
void box_put_revocation(Box *box, const uint64_t *ids, size_t count);
void box_close(Box *box);
void box_hurry(Box *box);
void box_take_notes(Box *box, List *ret_notes);

// On the thread. Waits until there is something new or `wait_ms` have passed; what was told once
// (closing, hurrying) is told by `ret_taken` each time, but wakes it only once.
void box_take(Box *box, uint64_t wait_ms, BoxTaken *ret_taken);

// On both.
Note *note_new(NoteKind kind, size_t id_count);
void note_free(Note *note);
void box_put_note(Box *box, Note *note);

// Moves all of `from` behind the end of `to`.
void box_move_all(List *to, List *from);

#endif
