#include "base/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define uthash_fatal(message) abort() // its default ends the process as if nothing had happened
#include <uthash.h>

typedef struct Entry {
    UT_hash_handle hh;
    void *value;
    char key[];
} Entry;

struct Table {
    Entry *entries;
};

Table *table_new(void)
{
    return alloc_zeroed(1, sizeof(Table));
}

static void remove_entry(Table *table, Entry *entry)
{
    HASH_DEL(table->entries, entry);
    free(entry);
}

void table_free(Table *table)
{
    if (table == NULL) {
        return;
    }
    Entry *entry = NULL;
    Entry *next = NULL;
    HASH_ITER(hh, table->entries, entry, next)
    {
        remove_entry(table, entry);
    }
    free(table);
}

void table_free_at(Table **table)
{
    table_free(*table);
}

static Entry *find(const Table *table, const char *key)
{
    Entry *entry = NULL;
    HASH_FIND_STR(table->entries, key, entry);
    return entry;
}

void *table_put(Table *table, const char *key, void *value)
{
    assert(value != NULL);
    Entry *entry = find(table, key);
    if (entry != NULL) {
        void *previous = entry->value;
        entry->value = value;
        return previous;
    }
    size_t key_bytes = strlen(key);
    entry = alloc_zeroed(1, sizeof *entry + key_bytes + 1);
    memcpy(entry->key, key, key_bytes);
    entry->value = value;
    HASH_ADD_KEYPTR(hh, table->entries, entry->key, key_bytes, entry);
    return NULL;
}

void *table_get(const Table *table, const char *key)
{
    Entry *entry = find(table, key);
    return entry == NULL ? NULL : entry->value;
}

void *table_remove(Table *table, const char *key)
{
    Entry *entry = find(table, key);
    if (entry == NULL) {
        return NULL;
    }
    void *value = entry->value;
    remove_entry(table, entry);
    return value;
}

size_t table_count(const Table *table)
{
    return HASH_COUNT(table->entries);
}

void table_each(Table *table, TableVisitor *visit, void *context)
{
    Entry *entry = NULL;
    Entry *next = NULL;
    HASH_ITER(hh, table->entries, entry, next)
    {
        visit(context, entry->key, entry->value);
    }
}
