/* What survives a restart, in DIR/sandbox.db: SQLite keeps a row for each thing, and what a request
 * changed is one transaction, written before its reply is sent. Nothing is synced to the disk: a
 * process that is killed loses nothing that it told, a machine that loses power may. */
#pragma once

#include "sandbox.h"

typedef struct Saved Saved;

/* Opens the file of the state folder, makes it where there is none, and brings what it holds into
 * the sandbox's store and keys. NULL with a sentence in ret_error: then it is as it was. */
Saved *saved_open(Sandbox *sandbox, char *ret_error, size_t error_bytes);
/* Writes what was touched since; NULL keeps nothing. False when that failed: it was logged, and the
 * next call tries again. */
bool saved_flush(Saved *saved);
/* A word about the whole; empty: never set. */
void saved_get(Saved *saved, const char *name, char *ret_value, size_t value_bytes);
bool saved_set(Saved *saved, const char *name, const char *value);
/* Writes the rest and closes the file; the handle is freed when the loop has closed it. */
void saved_close(Saved *saved);
