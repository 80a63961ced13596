/*
 * Brings the ledger's schema up to what this program knows, and says whether it runs with what is
 * there. Each migration runs in a transaction of its own, all of them under one advisory lock, so
 * that any number of workers may start at once. Blocks: before the loop, and for
 * `provision-worker migrate`.
 *
 * Errors of both: LEDGER_URI_INVALID, LEDGER_UNAVAILABLE, LEDGER_TOO_OLD (server before PostgreSQL
 * 15), LEDGER_NOT_DURABLE (synchronous_commit = off), LEDGER_REFUSED (a right is missing),
 * MIGRATION_CHANGED (an applied migration is not the one that this program holds), SCHEMA_TOO_NEW
 * (made by a later program). No text holds a password.
 */
#ifndef RUN_MIGRATE_H
#define RUN_MIGRATE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/uuid.h"

// Applies what is missing, or with apply = false only says what it would apply; a line for each
// goes to `out` (may be NULL). Also: MIGRATION_FAILED (that one was rolled back, earlier ones
// stay).
bool migrate_run(const char *uri, bool apply, FILE *out, Error *err);

// Whether this program runs with the schema that is there; changes nothing. Also: SCHEMA_TOO_OLD.
bool migrate_check(const char *uri, char ret_installation_id[UUID_TEXT_BYTES], Error *err);

#endif
