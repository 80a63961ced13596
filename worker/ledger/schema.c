#include "ledger/schema.h"

// MIGRATIONS, made from schemas/ledger/*.sql by embed.cmake.
#include "schema_texts.inc"

// The last one with something that this program's statements name.
enum { SCHEMA_OLDEST = 5 };

const SchemaMigration *schema_migrations(size_t *ret_count)
{
    *ret_count = sizeof(MIGRATIONS) / sizeof(MIGRATIONS[0]);
    return MIGRATIONS;
}

int schema_oldest(void)
{
    return SCHEMA_OLDEST;
}

int schema_newest(void)
{
    return MIGRATIONS[sizeof(MIGRATIONS) / sizeof(MIGRATIONS[0]) - 1].version;
}
