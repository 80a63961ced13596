/*
 * One page of a list. Neon returns a cursor on the last page, too: a list ends with an empty page,
 * or with the cursor that the page was asked with.
 */
#ifndef NEON_PAGE_H
#define NEON_PAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "neon/reply.h"

// `list` and `next`: the names of the array, and of the cursor in {pagination:{…}}.
bool neon_page_read(const json_t *body, const char *list, const char *next, const char *cursor,
                    NeonPage *ret_page, Error *err);

#endif
