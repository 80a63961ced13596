/*
 * The heap where running out of it ends the process: the command is redelivered to another worker,
 * which is the one recovery that is tested. Freed with free().
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stddef.h>

// `size` bytes, not initialised; never NULL, not even for 0.
void *alloc_bytes(size_t size);
// `count` elements of `size` bytes, zeroed.
void *alloc_zeroed(size_t count, size_t size);
// As realloc; for memory that never held a secret.
void *alloc_resize(void *memory, size_t size);
char *alloc_text(const char *text);

#endif
