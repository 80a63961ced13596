/*
 * At most one mutation in flight per Neon project, held until its operations end: Neon answers 423
 * otherwise. First come, first served.
 */
#ifndef RUN_LOCKS_H
#define RUN_LOCKS_H

#include <stdbool.h>

#include "base/list.h"
#include "base/name.h"

typedef struct Locks Locks;

// One command's hold on, or wait for, one project; its owner embeds it.
typedef struct LockEntry {
    struct Lock *lock; // NULL: none
    bool held;
    ListLink link;
    void (*granted)(struct LockEntry *entry);
} LockEntry;

Locks *locks_new(void);
void locks_free(Locks *locks); // nothing may be held
// True: held now (or already). False: `entry->granted` is called when it is.
bool locks_acquire(Locks *locks, const char *project_id, LockEntry *entry);
// Releases, or stops waiting; fine when there is none. May call `granted` of the next one.
void locks_release(Locks *locks, LockEntry *entry);

#endif
