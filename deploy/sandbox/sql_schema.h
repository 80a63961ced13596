/* A database's schema: as SQL, for Neon's schema route, and left alone, without data. PostgreSQL's
 * own pg_dump would do for the first, but builds of newer versions often come without it and an
 * older one refuses them. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

/* Schemas, types, sequences, functions, tables, constraints, indexes, views and triggers that
 * aren't an extension's; no rights, no comments. malloc'ed; NULL with a sentence in ret_error. */
char *sql_dump_schema(PGconn *connection, char *ret_error, size_t error_bytes);
/* Empties all tables and materialized views that aren't an extension's; sequences begin anew. */
bool sql_empty_tables(PGconn *connection, char *ret_error, size_t error_bytes);
