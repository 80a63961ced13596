/*
 * Any JSON: a message that the scanner accepts and that is written as JSON which reads to the same
 * bytes, or an error with a path. And any message at all can be written.
 */
#include <stdlib.h>

#include "check.h"
#include "contract/allocator.h"
#include "contract/json.h"
#include "contract/wire.h"
#include "kinds.pb-c.h"
#include "provisioning/v1/command.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *write_message(const ProtobufCMessageDescriptor *descriptor, Bytes packed)
{
    ProtobufCAllocator allocator = allocator_zeroing();
    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, &allocator, packed.size, packed.data);
    if (message == NULL) {
        return NULL;
    }
    json_t *json = json_from_message(message);
    char *text = json_dumps(json, 0);
    CHECK(text != NULL);
    free(text);
    allocator_free_message(message);
    return json;
}

static void read_message(const ProtobufCMessageDescriptor *descriptor, const json_t *json)
{
    Buffer packed = {NULL, 0};
    Error err = ERROR_INIT;
    if (!json_to_message(json, descriptor, &packed, &err)) {
        CHECK(err.text[0] != '\0');
        return;
    }
    CHECK(packed.size == 0 || wire_scan(descriptor, buffer_view(&packed), &err));
    json_t *written = write_message(descriptor, buffer_view(&packed));
    CHECK(written != NULL);
    Buffer again = {NULL, 0};
    CHECK(json_to_message(written, descriptor, &again, &err));
    CHECK(bytes_equal(buffer_view(&packed), buffer_view(&again)));
    json_decref(written);
    buffer_clear(&packed);
    buffer_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    if (json != NULL) {
        read_message(&provision__test__kinds__descriptor, json);
        read_message(&provisioning__v1__command__descriptor, json);
        json_decref(json);
    } else {
        json_decref(write_message(&provision__test__kinds__descriptor, (Bytes){data, size}));
    }
    return 0;
}
