#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void *alloc_check(void *memory)
{
    if (memory == NULL) {
        abort(); // GCOVR_EXCL_LINE: a process that aborts leaves no coverage
    }
    return memory;
}

void *alloc_bytes(size_t size)
{
    return alloc_check(malloc(size == 0 ? 1 : size));
}

void *alloc_zeroed(size_t count, size_t size)
{
    return alloc_check(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *alloc_resize(void *memory, size_t size)
{
    return alloc_check(realloc(memory, size == 0 ? 1 : size));
}

char *alloc_text(const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(alloc_bytes(bytes), text, bytes);
}
