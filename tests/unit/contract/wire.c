#include "contract/wire.h"

#include <string.h>

#include "contract/allocator.h"
#include "kinds.pb-c.h"
#include "kit.h"

typedef struct Case {
    Bytes message;
    const char *code; // NULL: accepted
    const char *field;
} Case;

#define REFUSED(bytes, field)                                                                      \
    {                                                                                              \
        KIT_BYTES(bytes), "RECORD_UNREADABLE", field                                               \
    }
#define ACCEPTED(bytes)                                                                            \
    {                                                                                              \
        KIT_BYTES(bytes), NULL, ""                                                                 \
    }
// Tags by field number and wire type.
#define TAG_INT32 "\x08"
#define TAG_TEXT "\x7a"
#define TAG_INNER "\x8a\x01"
#define TAG_INT32S "\xa2\x01"
#define TAG_CHOICE_TEXT "\xf2\x01"
#define TAG_CHOICE_NUMBER "\xf8\x01"
#define TAG_OTHER_FLAG "\x98\x02"

static const Case CASES[] = {
    // One of each type.
    ACCEPTED(TAG_INT32 "\x01"),
    ACCEPTED("\x10\x03"),
    ACCEPTED("\x1d\x01\x02\x03\x04"),
    ACCEPTED("\x20\x01"),
    ACCEPTED("\x28\x01"),
    ACCEPTED("\x31\x01\x02\x03\x04\x05\x06\x07\x08"),
    ACCEPTED("\x38\x01"),
    ACCEPTED("\x45\x01\x02\x03\x04"),
    ACCEPTED("\x48\x01"),
    ACCEPTED("\x51\x01\x02\x03\x04\x05\x06\x07\x08"),
    ACCEPTED("\x5d\x01\x02\x03\x04"),
    ACCEPTED("\x61\x01\x02\x03\x04\x05\x06\x07\x08"),
    ACCEPTED("\x68\x01"),
    ACCEPTED("\x70\x01"),
    ACCEPTED(TAG_TEXT "\x01x"),
    ACCEPTED(TAG_TEXT "\x00"),
    ACCEPTED("\x82\x01\x02\x00\xff"),
    ACCEPTED(TAG_INNER "\x00"),
    ACCEPTED(TAG_INNER "\x02" TAG_INT32 "\x01"),
    // Repeated ones, packed and one by one.
    ACCEPTED("\xa0\x01\x01\xa0\x01\x02"),
    ACCEPTED(TAG_INT32S "\x00"),
    ACCEPTED(TAG_INT32S "\x03\x01\x80\x01"),
    ACCEPTED("\xaa\x01\x08\x01\x02\x03\x04\x05\x06\x07\x08"),
    ACCEPTED("\xba\x01\x01x\xba\x01\x01y"),
    ACCEPTED("\xca\x01\x00\xca\x01\x00"),
    ACCEPTED(TAG_CHOICE_TEXT "\x01x" TAG_OTHER_FLAG "\x01"),
    // The largest and the smallest numbers.
    ACCEPTED(TAG_INT32 "\xff\xff\xff\xff\x07"),
    ACCEPTED(TAG_INT32 "\x80\x80\x80\x80\xf8\xff\xff\xff\xff\x01"),
    ACCEPTED("\x38\xff\xff\xff\xff\x0f"),
    ACCEPTED("\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),

    {KIT_BYTES(""), "RECORD_EMPTY", ""},
    {KIT_BYTES("\x92\x03\x00"), "FIELD_NOT_SUPPORTED", "#50"},
    {KIT_BYTES(TAG_INNER "\x03\x92\x03\x00"), "FIELD_NOT_SUPPORTED", "inner.#50"},

    // Field numbers.
    REFUSED("\x00\x00", ""),
    REFUSED("\x80", ""),
    REFUSED("\xff\xff\xff\xff\xff\x01", ""),
    REFUSED("\x88\x80\x80\x80\x10\x01", ""),
    REFUSED(TAG_INNER "\x01\x80", "inner"),
    // Wire types: groups and others than declared.
    REFUSED("\x93\x03\x00", ""),
    REFUSED("\x0b", "int32_field"),
    REFUSED("\x0c", "int32_field"),
    REFUSED("\x0e\x01", "int32_field"),
    REFUSED("\x0a\x01\x01", "int32_field"),
    REFUSED("\x0d\x01\x02\x03\x04", "int32_field"),
    REFUSED("\x78\x01", "text"),
    REFUSED("\xa5\x01\x01\x02\x03\x04", "int32s[0]"),
    // Cut off.
    REFUSED(TAG_INT32, "int32_field"),
    REFUSED(TAG_INT32 "\x80", "int32_field"),
    REFUSED("\x1d\x01\x02\x03", "sfixed32_field"),
    REFUSED("\x31\x01\x02\x03\x04\x05\x06\x07", "sfixed64_field"),
    REFUSED(TAG_TEXT, "text"),
    REFUSED(TAG_TEXT "\x02x", "text"),
    REFUSED(TAG_TEXT "\xff\xff\xff\xff\xff\x01", "text"),
    REFUSED(TAG_INNER "\x02" TAG_INT32, "inner"),
    REFUSED(TAG_INNER "\x01" TAG_INT32, "inner.int32_field"),
    REFUSED(TAG_INT32S "\x01\x80", "int32s[0]"),
    REFUSED(TAG_INT32S "\x02\x01", "int32s[0]"),
    REFUSED("\xaa\x01\x07\x01\x02\x03\x04\x05\x06\x07", "fixed64s[0]"),
    // Larger than their type.
    REFUSED(TAG_INT32 "\xff\xff\xff\xff\x0f", "int32_field"),
    REFUSED("\x38\x80\x80\x80\x80\x10", "uint32_field"),
    REFUSED("\x10\x80\x80\x80\x80\x10", "sint32_field"),
    REFUSED("\x70\x80\x80\x80\x80\x10", "colour"),
    REFUSED("\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "uint64_field"),
    REFUSED("\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", "uint64_field"),
    REFUSED(TAG_INT32S "\x06\x01\xff\xff\xff\xff\x0f", "int32s[0]"),
    // Texts.
    REFUSED(TAG_TEXT "\x03x\x00y", "text"),
    REFUSED(TAG_TEXT "\x01\xff", "text"),
    REFUSED(TAG_TEXT "\x02\xc0\x80", "text"),
    REFUSED("\xba\x01\x01x\xba\x01\x01\xff", "texts[1]"),
    REFUSED("\xca\x01\x00\xca\x01\x03" TAG_TEXT "\x01\xff", "inners[1].text"),
    // Twice.
    REFUSED(TAG_INT32 "\x01" TAG_INT32 "\x01", "int32_field"),
    REFUSED(TAG_INNER "\x00" TAG_INNER "\x00", "inner"),
    REFUSED(TAG_CHOICE_TEXT "\x01x" TAG_CHOICE_TEXT "\x01x", "choice_text"),
    REFUSED(TAG_CHOICE_TEXT "\x01x" TAG_CHOICE_NUMBER "\x01", "choice_number"),
    REFUSED(TAG_CHOICE_NUMBER "\x01" TAG_CHOICE_TEXT "\x01x", "choice_text"),
};

static void what_protobuf_c_would_cut_or_drop_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        Error err = ERROR_INIT;
        bool accepted = wire_scan(&provision__test__kinds__descriptor, CASES[i].message, &err);
        if (accepted != (CASES[i].code == NULL)) {
            fail_msg("case %zu: %s %s", i, err.code, err.text);
        }
        if (!accepted) {
            assert_string_equal(err.code, CASES[i].code);
            assert_string_equal(err.field, CASES[i].field);
            assert_int_equal(err.kind, ERROR_INVALID);
        }
    }
}

static void what_is_accepted_can_be_unpacked(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        if (CASES[i].code != NULL) {
            continue;
        }
        ProtobufCAllocator allocator = allocator_zeroing();
        Provision__Test__Kinds *kinds = provision__test__kinds__unpack(
            &allocator, CASES[i].message.size, CASES[i].message.data);
        assert_non_null(kinds);
        allocator_free_message(&kinds->base);
    }
}

// `depth` messages, each inside the one before.
static size_t nest(uint8_t *bytes, size_t depth)
{
    size_t size = 0;
    for (size_t i = 1; i < depth; i++) {
        bytes[size++] = 0x8a;
        bytes[size++] = 0x01;
        bytes[size++] = (uint8_t)(3 * (depth - 1 - i));
    }
    return size;
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    uint8_t bytes[64];
    Error err = ERROR_INIT;
    assert_true(
        wire_scan(&provision__test__kinds__descriptor, (Bytes){bytes, nest(bytes, 16)}, &err));
    assert_false(
        wire_scan(&provision__test__kinds__descriptor, (Bytes){bytes, nest(bytes, 17)}, &err));
    assert_string_equal(err.code, "RECORD_UNREADABLE");
    assert_non_null(strstr(err.text, "too deeply"));
}

static void elements_are_bounded_in_the_whole_record(void **state)
{
    (void)state;
    enum { MAX = 65536 };
    static uint8_t bytes[3 * (MAX + 1)];
    for (size_t i = 0; i <= MAX; i++) {
        memcpy(bytes + 3 * i, "\xba\x01", 3); // an empty text
    }
    bytes[0] = 0xca; // a message with the three texts behind it
    bytes[2] = 0x09;
    Error err = ERROR_INIT;
    assert_true(wire_scan(&provision__test__kinds__descriptor, (Bytes){bytes, 3UL * MAX}, &err));
    assert_false(
        wire_scan(&provision__test__kinds__descriptor, (Bytes){bytes, sizeof bytes}, &err));
    assert_string_equal(err.code, "RECORD_UNREADABLE");
    assert_string_equal(err.field, "texts[65532]");
}

typedef struct FindCase {
    Bytes message;
    const char *found; // NULL: not
} FindCase;

static void a_text_is_found_even_in_a_broken_record(void **state)
{
    (void)state;
    const FindCase cases[] = {
        {KIT_BYTES(TAG_TEXT "\x02xy"), "xy"},
        {KIT_BYTES(TAG_INT32 "\x01" TAG_TEXT "\x02xy"), "xy"},
        {KIT_BYTES("\x1d\x01\x02\x03\x04\x31\x01\x02\x03\x04\x05\x06\x07\x08" TAG_TEXT "\x02xy"),
         "xy"},
        {KIT_BYTES(TAG_TEXT "\x02xy" TAG_TEXT), "xy"},
        {KIT_BYTES(TAG_TEXT "\x02xy\xff\xff\xff\xff\xff\xff"), "xy"},
        {KIT_BYTES(TAG_TEXT "\x02xy\x0b"), "xy"},
        {KIT_BYTES(TAG_TEXT "\x07xxxxxxx"), "xxxxxxx"},
        {KIT_BYTES(TAG_TEXT "\x08xxxxxxxx"), NULL},
        {KIT_BYTES(TAG_TEXT "\x00"), NULL},
        {KIT_BYTES(TAG_TEXT "\x02xy" TAG_TEXT "\x02xy"), NULL},
        {KIT_BYTES(TAG_TEXT "\x02x\x00"), NULL},
        {KIT_BYTES(TAG_TEXT "\x01\xff"), NULL},
        {KIT_BYTES(TAG_TEXT "\x03xy"), NULL},
        {KIT_BYTES("\x78\x01"), NULL},
        {KIT_BYTES("\x0b" TAG_TEXT "\x02xy"), NULL},
        {KIT_BYTES(""), NULL},
    };
    for (size_t i = 0; i < KIT_COUNT(cases); i++) {
        char text[8] = "";
        assert_int_equal(wire_find_text(cases[i].message, 15, text, sizeof text),
                         cases[i].found != NULL);
        assert_string_equal(text, cases[i].found == NULL ? "" : cases[i].found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_protobuf_c_would_cut_or_drop_is_refused),
        cmocka_unit_test(what_is_accepted_can_be_unpacked),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(elements_are_bounded_in_the_whole_record),
        cmocka_unit_test(a_text_is_found_even_in_a_broken_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
