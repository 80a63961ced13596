/*
 * The ledger's migrations, built into the program from schemas/ledger/NNN_name.sql, in order;
 * expand/contract, each run once.
 */
#ifndef LEDGER_SCHEMA_H
#define LEDGER_SCHEMA_H

#include <stddef.h>

typedef struct SchemaMigration {
    int version;
    const char *name;
    const char *sql;
    const char *checksum; // SHA-256 of the text, hex
    int runs_with; // version that a program must know at least to run with the schema after it
} SchemaMigration;

const SchemaMigration *schema_migrations(size_t *ret_count);
// Range of schema versions that this program runs with.
int schema_oldest(void);
int schema_newest(void);

#endif
