/*
 * The heap of libraries through whose hands keys go: what they free is zeroed first. Without it
 * libcurl leaves several copies of an API key in freed memory.
 *
 * The functions go together with malloc's own: a library may hand memory to free() and the other
 * way round.
 */
#ifndef SYS_MEMORY_H
#define SYS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

void *memory_malloc(size_t size);
void *memory_calloc(size_t count, size_t size);
void *memory_realloc(void *memory, size_t size);
char *memory_strdup(const char *text);
void memory_free(void *memory);

// Hands them to libcurl (and initialises it) and to jansson. Once, before other threads and before
// either library is used. Error: INTERNAL_ERROR.
bool memory_install(Error *err);
// The reverse, at the very end.
void memory_uninstall(void);

#endif
