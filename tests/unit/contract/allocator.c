#include "contract/allocator.h"

#include <string.h>

#include "kit.h"

static void memory_is_zeroed_and_copied_with_an_end(void **state)
{
    (void)state;
    ProtobufCAllocator allocator = allocator_zeroing();
    char *copy = allocator_copy("key", 3);
    assert_string_equal(copy, "key");
    char *nothing = allocator_copy(NULL, 0);
    assert_string_equal(nothing, "");
    uint8_t *zeroed = allocator_zeroed(16);
    const uint8_t zeroes[16] = {0};
    assert_memory_equal(zeroed, zeroes, sizeof zeroes);
    allocator.free(allocator.allocator_data, copy);
    allocator.free(allocator.allocator_data, nothing);
    allocator.free(allocator.allocator_data, zeroed);
    allocator.free(allocator.allocator_data, NULL);
}

static void a_message_is_freed_whole(void **state)
{
    (void)state;
    Buffer packed CLEANUP(buffer_clear) =
        kit_pack_command(KIT_COMMAND("'deleteEnvironment':{'environment':'staging'}"));
    ProtobufCAllocator allocator = allocator_zeroing();
    ProtobufCMessage *message = protobuf_c_message_unpack(&provisioning__v1__command__descriptor,
                                                          &allocator, packed.size, packed.data);
    assert_non_null(message);
    allocator_free_message(message);
    allocator_free_message(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_copied_with_an_end),
        cmocka_unit_test(a_message_is_freed_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
