#include "contract/allocator.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/secret.h"

// Stands before each piece of memory: protobuf-c doesn't say the size when it frees.
typedef struct Header {
    alignas(max_align_t) size_t size;
} Header;

static void *take(void *unused, size_t size)
{
    (void)unused;
    Header *header = alloc_zeroed(1, sizeof(Header) + size);
    header->size = size;
    return header + 1;
}

static void give_back(void *unused, void *memory)
{
    (void)unused;
    if (memory == NULL) {
        return;
    }
    Header *header = (Header *)memory - 1;
    secret_zero(memory, header->size);
    free(header);
}

ProtobufCAllocator allocator_zeroing(void)
{
    return (ProtobufCAllocator){.alloc = take, .free = give_back, .allocator_data = NULL};
}

void allocator_free_message(ProtobufCMessage *message)
{
    ProtobufCAllocator allocator = allocator_zeroing();
    protobuf_c_message_free_unpacked(message, &allocator);
}

void allocator_free(void *memory)
{
    give_back(NULL, memory);
}

void *allocator_copy(const void *data, size_t size)
{
    char *copy = take(NULL, size + 1);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

void *allocator_zeroed(size_t size)
{
    return take(NULL, size);
}
