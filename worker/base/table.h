/*
 * A hash table from texts to pointers. Keys are copied; what the values point to stays the
 * caller's.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stddef.h>

typedef struct Table Table;

typedef void TableVisitor(void *context, const char *key, void *value);

Table *table_new(void);
// Frees the table and its keys, not what the values point to.
void table_free(Table *table);
void table_free_at(Table **table); // for CLEANUP

// Puts `value` (not NULL) under `key` and returns what stood there, or NULL.
void *table_put(Table *table, const char *key, void *value);
void *table_get(const Table *table, const char *key); // NULL when there is none
void *table_remove(Table *table, const char *key);    // returns what was removed, or NULL
size_t table_count(const Table *table);
// In the order of their first put. `visit` may remove the entry it is called with, and no other.
void table_each(Table *table, TableVisitor *visit, void *context);

#endif
