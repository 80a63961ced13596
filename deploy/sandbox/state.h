/* The state folder: one sandbox at a time, ready.json for scripts. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Makes the folder and locks it. One that is kept has sandbox.db (saved.h) beside its clusters, one
 * that goes at the end has none; neither is taken for the other. Returns the lock, or -1 with a
 * sentence in ret_error. */
int state_open(const char *dir, bool is_ephemeral, char *ret_error, size_t error_bytes);
/* Writes DIR/ready.json atomically. */
bool state_write_ready(const char *dir, const json_t *ready, char *ret_error, size_t error_bytes);
/* Takes ready.json away and lets go of the lock; with `remove`, the folder goes too when empty. */
void state_close(const char *dir, int lock, bool remove);
