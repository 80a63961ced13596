#include "run/record_copy.h"

#include <string.h>

#include "unit.h"

static void a_copy_outlives_what_it_was_made_of(void **state)
{
    (void)state;
    uint8_t key[] = "shop";
    uint8_t value[] = {0, 1, 2, 0, 3};
    uint8_t text[] = "00-trace";
    char name[] = "traceparent";
    RecordHeader headers[] = {{name, {text, 8}}, {"empty", {NULL, 0}}};
    const Record record = {.topic = "commands",
                           .partition = 3,
                           .offset = 42,
                           .timestamp_ms = 1700000000000,
                           .key = {key, 4},
                           .value = {value, sizeof value},
                           .headers = headers,
                           .header_count = 2};
    RecordCopy copy;
    record_copy_set(&copy, &record);
    memset(key, 'x', sizeof key);
    memset(value, 'x', sizeof value);
    memset(text, 'x', sizeof text);
    memset(name, 'x', sizeof name - 1);
    headers[0] = (RecordHeader){"gone", {NULL, 0}};

    assert_int_equal(copy.record.partition, 3);
    assert_int_equal(copy.record.offset, 42);
    assert_int_equal(copy.record.timestamp_ms, 1700000000000);
    assert_true(bytes_equal(copy.record.key, bytes_of("shop")));
    static const uint8_t EXPECTED[] = {0, 1, 2, 0, 3};
    assert_true(bytes_equal(copy.record.value, (Bytes){EXPECTED, sizeof EXPECTED}));
    assert_int_equal(copy.record.header_count, 2);
    assert_string_equal(copy.record.headers[0].name, "traceparent");
    assert_true(bytes_equal(copy.record.headers[0].value, bytes_of("00-trace")));
    assert_string_equal(copy.record.headers[1].name, "empty");
    assert_int_equal(copy.record.headers[1].value.size, 0);
    record_copy_clear(&copy);
    assert_null(copy.record.value.data);
}

static void a_record_of_nothing_is_copied_and_cleared_twice(void **state)
{
    (void)state;
    RecordCopy copy;
    record_copy_set(&copy, &(Record){.topic = "commands"});
    assert_int_equal(copy.record.key.size, 0);
    assert_int_equal(copy.record.value.size, 0);
    assert_int_equal(copy.record.header_count, 0);
    record_copy_clear(&copy);
    record_copy_clear(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_outlives_what_it_was_made_of),
        cmocka_unit_test(a_record_of_nothing_is_copied_and_cleared_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
