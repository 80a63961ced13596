/*
 * Memory of protobuf-c messages that may hold a key: zeroed before it is freed, and never NULL (see
 * base/alloc.h).
 */
#ifndef CONTRACT_ALLOCATOR_H
#define CONTRACT_ALLOCATOR_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

// What protobuf-c takes by a non-const pointer: keep it in a local variable.
ProtobufCAllocator allocator_zeroing(void);

// Frees an unpacked message that came from allocator_zeroing(); NULL is ignored.
void allocator_free_message(ProtobufCMessage *message);

// Frees memory of the two below.
void allocator_free(void *memory);

// A copy of `size` bytes with a NUL behind them, and zeroed memory, for messages that are put
// together by hand.
void *allocator_copy(const void *data, size_t size);
void *allocator_zeroed(size_t size);

#endif
