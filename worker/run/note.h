/*
 * Notes in the ledger what commands wait for that write nothing meanwhile, so that people can see
 * it (provisionctl status, commands). Lazily: commands are looked through now and then, and one is
 * noted when it has written nothing for ledger.note_after, again only when the wait is another one,
 * and never while the ledger is away. What is in motion costs nothing.
 */
#ifndef RUN_NOTE_H
#define RUN_NOTE_H

#include <stdint.h>

#include "contract/waiting.h"

struct Worker;

// What a flight keeps of its last note.
typedef struct NoteMemory {
    struct Note *under_way; // NULL: none
    Waiting waiting;
    const char *step;
    int64_t noted_boot_ms;
} NoteMemory;

void note_init(struct Worker *worker);
void note_start(struct Worker *worker);
// After the ledger's queue was closed.
void note_clear(struct Worker *worker);
// The flight goes; its note may still be under way.
void note_forget(NoteMemory *memory);

#endif
