#include <string.h>

#include "base/text.h"
#include "contract/wire_format.h"
#include "kit.h"

#define KEY "napi_0123456789abcdefghijklmnopqrstuvwxyz"
#define CONNECT(source) KIT_COMMAND("'connectAccount':{'account':'main'," source "}")

enum { WRAPPED_BYTES_MAX = 4096, LEVELS_READ = 16 };

static void a_command_with_a_key_in_clear_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        bool holds;
    } CASES[] = {
        {CONNECT("'plaintext':'" KEY "'"), true},
        {CONNECT("'plaintext':''"), false},
        {CONNECT("'reference':'env:PLAINTEXT'"), false},
        {CONNECT("'sealed':{'box':'AAAA'}"), false},
        {KIT_COMMAND("'createEnvironment':{'environment':'prod','account':'main',"
                     "'projectName':'" KEY "'}"),
         false},
    };
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        Buffer packed CLEANUP(buffer_clear) = kit_pack_command(CASES[i].command);
        assert_int_equal(command_holds_plaintext(buffer_view(&packed)), CASES[i].holds);
        // behind a Confluent header of the first message, and of another one
        const char *const headers[] = {"\0\0\0\0\7\0", "\0\0\0\0\7\2"};
        for (size_t j = 0; j < KIT_COUNT(headers); j++) {
            Text framed CLEANUP(text_clear) = TEXT_INIT(WRAPPED_BYTES_MAX);
            text_append_bytes(&framed, headers[j], 6);
            text_append_bytes(&framed, packed.data, packed.size);
            bool is_unsure = j == 1 && strstr(CASES[i].command, "connectAccount") != NULL;
            assert_int_equal(command_holds_plaintext(text_bytes(&framed)),
                             CASES[i].holds || is_unsure);
        }
    }
}

static void no_cut_of_a_command_hides_its_key(void **state)
{
    (void)state;
    Buffer packed CLEANUP(buffer_clear) = kit_pack_command(CONNECT("'plaintext':'" KEY "'"));
    const uint8_t *key = memmem(packed.data, packed.size, KEY, strlen(KEY));
    assert_non_null(key);
    for (size_t size = (size_t)(key - packed.data) + 1; size < packed.size; size++) {
        assert_true(command_holds_plaintext((Bytes){packed.data, size}));
    }
    // nor does a broken byte anywhere outside of the field's own number
    for (size_t i = 0; i < (size_t)(key - packed.data); i++) {
        uint8_t was = packed.data[i];
        bool is_tag = memcmp(packed.data + i, "\xaa\x01", 2) == 0 ||
                      (i > 0 && memcmp(packed.data + i - 1, "\xaa\x01", 2) == 0) ||
                      packed.data + i + 2 == key;
        packed.data[i] = 0xff;
        assert_true(is_tag || command_holds_plaintext(buffer_view(&packed)));
        packed.data[i] = was;
    }
}

static void a_command_inside_other_messages_is_found(void **state)
{
    (void)state;
    Buffer value CLEANUP(buffer_clear) = kit_pack_command(CONNECT("'plaintext':'" KEY "'"));
    for (size_t i = 1; i <= LEVELS_READ; i++) {
        Text wrapped CLEANUP(text_clear) = TEXT_INIT(WRAPPED_BYTES_MAX);
        wire_put_length(&wrapped, 1, buffer_view(&value));
        buffer_set(&value, text_bytes(&wrapped));
        // the command is one level more: 16 are read
        assert_int_equal(command_holds_plaintext(buffer_view(&value)), i < LEVELS_READ);
    }
}

static void what_cannot_be_read_is_suspected_by_its_bytes(void **state)
{
    (void)state;
    static const struct {
        Bytes value;
        bool holds;
    } CASES[] = {
        {KIT_BYTES(""), false},
        {KIT_BYTES("\xff\x00garbage"), false},
        {KIT_BYTES("\xff\x00gar\xaa\x01"), true},
        {KIT_BYTES("\xff\x00gar\xaa\x81\x00"), true}, // the same number in three bytes
        {KIT_BYTES("\xff\x00gar\xa8\x01"), false},    // a number's field 21
        {KIT_BYTES("{\"connectAccount\":{\"plaintext\":\"" KEY "\"}}"), true},
        {KIT_BYTES("{\"connectAccount\":{\"reference\":\"env:A\"}}"), false},
        {KIT_BYTES("\xaa\x01\x02\x0a\x05"), true}, // ConnectAccount is cut off inside
        {KIT_BYTES("\x0a\x02\x0a\x05"), false},    // a text that is no message
    };
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        if (command_holds_plaintext(CASES[i].value) != CASES[i].holds) {
            fail_msg("case %zu", i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_with_a_key_in_clear_is_known),
        cmocka_unit_test(no_cut_of_a_command_hides_its_key),
        cmocka_unit_test(a_command_inside_other_messages_is_found),
        cmocka_unit_test(what_cannot_be_read_is_suspected_by_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
