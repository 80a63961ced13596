/* A database's schema as SQL, as Neon's schema route gives it. PostgreSQL's own pg_dump would do,
 * but builds of newer versions often come without it and an older one refuses them. */
#pragma once

#include <libpq-fe.h>
#include <stddef.h>

/* Schemas, types, sequences, functions, tables, constraints, indexes, views and triggers that
 * aren't an extension's; no rights, no comments. malloc'ed; NULL with a sentence in ret_error. */
char *sql_dump_schema(PGconn *connection, char *ret_error, size_t error_bytes);
