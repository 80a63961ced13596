#include "run/locks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/table.h"
#include "base/text.h"

typedef struct Lock {
    char project_id[NAME_NEON_ID_BYTES];
    List entries; // the first one holds it
} Lock;

struct Locks {
    Table *locks;
};

Locks *locks_new(void)
{
    Locks *locks = alloc_zeroed(1, sizeof(*locks));
    locks->locks = table_new();
    return locks;
}

void locks_free(Locks *locks)
{
    if (locks == NULL) {
        return;
    }
    assert(table_count(locks->locks) == 0);
    table_free(locks->locks);
    free(locks);
}

bool locks_acquire(Locks *locks, const char *project_id, LockEntry *entry)
{
    if (entry->lock != NULL && strcmp(entry->lock->project_id, project_id) == 0) {
        return entry->held;
    }
    locks_release(locks, entry);
    Lock *lock = table_get(locks->locks, project_id);
    if (lock == NULL) {
        lock = alloc_zeroed(1, sizeof(*lock));
        bool fits = text_copy(lock->project_id, sizeof lock->project_id, project_id);
        assert(fits);
        (void)fits;
        list_init(&lock->entries);
        table_put(locks->locks, project_id, lock);
    }
    entry->lock = lock;
    entry->held = list_is_empty(&lock->entries);
    list_append(&lock->entries, &entry->link);
    return entry->held;
}

void locks_release(Locks *locks, LockEntry *entry)
{
    Lock *lock = entry->lock;
    if (lock == NULL) {
        return;
    }
    bool was_held = entry->held;
    list_remove(&entry->link);
    entry->lock = NULL;
    entry->held = false;
    ListLink *first = list_first(&lock->entries);
    if (first == NULL) {
        table_remove(locks->locks, lock->project_id);
        free(lock);
    } else if (was_held) {
        LockEntry *next = LIST_ENTRY(first, LockEntry, link);
        next->held = true;
        next->granted(next);
    }
}
