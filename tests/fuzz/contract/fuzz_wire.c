/*
 * What the scanner accepts, protobuf-c unpacks, and nothing of it is cut or dropped: packed again
 * it is accepted, and unpacks to the same.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "check.h"
#include "contract/allocator.h"
#include "contract/wire.h"
#include "kinds.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ProtobufCMessage *unpack(const ProtobufCMessageDescriptor *descriptor, Bytes bytes)
{
    ProtobufCAllocator allocator = allocator_zeroing();
    return protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);
}

static Buffer pack(const ProtobufCMessage *message)
{
    Buffer packed = {NULL, protobuf_c_message_get_packed_size(message)};
    packed.data = alloc_bytes(packed.size);
    protobuf_c_message_pack(message, packed.data);
    return packed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ProtobufCMessageDescriptor *descriptor = &provision__test__kinds__descriptor;
    const Bytes input = {data, size};
    char text[64];
    (void)wire_find_text(input, 15, text, sizeof text);
    Error err = ERROR_INIT;
    if (!wire_scan(descriptor, input, &err)) {
        CHECK(err.kind == ERROR_INVALID && err.code[0] != '\0' && err.text[0] != '\0');
        return 0;
    }
    ProtobufCMessage *message = unpack(descriptor, input);
    CHECK(message != NULL && message->n_unknown_fields == 0);
    Buffer packed = pack(message);
    CHECK(packed.size == 0 || wire_scan(descriptor, buffer_view(&packed), NULL));
    ProtobufCMessage *again = unpack(descriptor, buffer_view(&packed));
    CHECK(again != NULL);
    Buffer repacked = pack(again);
    CHECK(bytes_equal(buffer_view(&packed), buffer_view(&repacked)));
    allocator_free_message(message);
    allocator_free_message(again);
    buffer_clear(&packed);
    buffer_clear(&repacked);
    return 0;
}
