/* What a restart keeps of each thing, as JSON: members that are 0, false or empty are left out.
 * Pointers to other things become their ids. */
#pragma once

#include <jansson.h>

#include "keys.h"
#include "store.h"

/* The thing that the mark is part of, as a new object. */
json_t *saved_rows_write(const StoreMark *mark);

/* Read one thing and link it in the store: projects first, then branches, endpoints, operations,
 * each in the order of their rows. False when the object isn't what was written. What belongs to
 * something that is gone is no longer there either: *ret_is_gone, and nothing is linked. */
typedef bool (*SavedRowRead)(Store *store, const json_t *json, int64_t row, bool *ret_is_gone);
bool saved_rows_read_project(Store *store, const json_t *json, int64_t row, bool *ret_is_gone);
bool saved_rows_read_branch(Store *store, const json_t *json, int64_t row, bool *ret_is_gone);
bool saved_rows_read_endpoint(Store *store, const json_t *json, int64_t row, bool *ret_is_gone);
bool saved_rows_read_operation(Store *store, const json_t *json, int64_t row, bool *ret_is_gone);
/* Once all are read: a project's default branch; a branch's parent and source, which may have been
 * made after it. */
bool saved_rows_join_project(Store *store, const json_t *json, int64_t row, bool *ret_is_gone);
bool saved_rows_join_branch(Store *store, const json_t *json, int64_t row, bool *ret_is_gone);

json_t *saved_rows_write_key(const Key *key);
bool saved_rows_read_key(const json_t *json, Key *ret_key);
