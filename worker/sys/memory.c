#include "sys/memory.h"

#include <curl/curl.h>
#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *memory_malloc(size_t size)
{
    return malloc(size);
}

void *memory_calloc(size_t count, size_t size)
{
    return calloc(count, size);
}

void memory_free(void *memory)
{
    if (memory != NULL) {
        explicit_bzero(memory, malloc_usable_size(memory));
        free(memory);
    }
}

// Not by realloc, which leaves what it moved in freed memory.
void *memory_realloc(void *memory, size_t size)
{
    void *moved = malloc(size);
    if (moved != NULL && memory != NULL) {
        size_t held = malloc_usable_size(memory);
        memcpy(moved, memory, held < size ? held : size);
        memory_free(memory);
    }
    return moved;
}

char *memory_strdup(const char *text)
{
    return strdup(text);
}

bool memory_install(Error *err)
{
    json_set_alloc_funcs(memory_malloc, memory_free);
    CURLcode code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, memory_malloc, memory_free,
                                         memory_realloc, memory_strdup, memory_calloc);
    if (code != CURLE_OK) {
        return error_set(err, ERROR_INTERNAL, "INTERNAL_ERROR", "libcurl doesn't start: %s",
                         curl_easy_strerror(code));
    }
    return true;
}

void memory_uninstall(void)
{
    curl_global_cleanup();
    json_set_alloc_funcs(malloc, free);
}
