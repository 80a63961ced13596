#include "contract/framing.h"

#include "kit.h"

typedef struct Case {
    Bytes value;
    const char *message; // NULL: refused
} Case;

static void a_value_is_opened_in_either_framing(void **state)
{
    (void)state;
    const Case cases[] = {
        {KIT_BYTES(""), ""},
        {KIT_BYTES("plain"), "plain"},
        {KIT_BYTES("\x00\x00\x00\x01\x02\x00message"), "message"},
        {KIT_BYTES("\x00\x00\x00\x01\x02\x02\x00message"), "message"},
        {KIT_BYTES("\x00\x00\x00\x01\x02\x00"), ""},
        {KIT_BYTES("\x00"), NULL},
        {KIT_BYTES("\x00\x00\x00\x01\x02"), NULL},
        {KIT_BYTES("\x00\x00\x00\x01\x02\x02"), NULL},
        {KIT_BYTES("\x00\x00\x00\x01\x02\x02\x02message"), NULL},
        {KIT_BYTES("\x00\x00\x00\x01\x02\x04\x00\x00message"), NULL},
    };
    for (size_t i = 0; i < KIT_COUNT(cases); i++) {
        Bytes message = {NULL, 0};
        Error err = ERROR_INIT;
        bool opened = framing_open(cases[i].value, &message, &err);
        assert_int_equal(opened, cases[i].message != NULL);
        if (opened) {
            assert_true(bytes_equal(message, bytes_of(cases[i].message)));
        } else {
            assert_string_equal(err.code, "FRAMING_UNREADABLE");
        }
    }
}

static void the_header_names_the_schema(void **state)
{
    (void)state;
    uint8_t header[6] = {0};
    assert_int_equal(framing_header(&(Framing){.confluent = false}, header), 0);
    const Framing framing = {.confluent = true, .schema_id = 0x01020304};
    assert_int_equal(framing_header(&framing, header), 6);
    assert_memory_equal(header, "\x00\x01\x02\x03\x04\x00", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_opened_in_either_framing),
        cmocka_unit_test(the_header_names_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
