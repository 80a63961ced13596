#include "base/bytes.h"

#include "unit.h"

static void a_view_of_a_text_leaves_its_end_out(void **state)
{
    (void)state;
    assert_int_equal(bytes_of("abc").size, 3);
    assert_int_equal(bytes_of("").size, 0);
}

static void views_are_equal_by_content(void **state)
{
    (void)state;
    assert_true(bytes_equal(bytes_of("abc"), bytes_of("abc")));
    assert_false(bytes_equal(bytes_of("abc"), bytes_of("abd")));
    assert_false(bytes_equal(bytes_of("abc"), bytes_of("ab")));
    assert_true(bytes_equal((Bytes){NULL, 0}, bytes_of("")));
    assert_false(bytes_equal((Bytes){NULL, 0}, bytes_of("a")));
}

static void a_buffer_owns_a_copy_and_ends_it(void **state)
{
    (void)state;
    char original[] = "ab\0c";
    Buffer buffer = {NULL, 0};
    buffer_set(&buffer, (Bytes){(uint8_t *)original, 4});
    original[0] = 'x';
    assert_int_equal(buffer.size, 4);
    assert_memory_equal(buffer.data, "ab\0c", 5);
    assert_ptr_equal(buffer_view(&buffer).data, buffer.data);
    assert_int_equal(buffer_view(&buffer).size, 4);
    buffer_clear(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.size, 0);
    buffer_clear(&buffer);
}

static void a_buffer_takes_a_part_of_itself(void **state)
{
    (void)state;
    Buffer buffer = {NULL, 0};
    buffer_set(&buffer, bytes_of("abcdef"));
    buffer_set(&buffer, (Bytes){buffer.data + 2, 3});
    assert_string_equal((const char *)buffer.data, "cde");
    buffer_set(&buffer, (Bytes){NULL, 0});
    assert_string_equal((const char *)buffer.data, "");
    assert_int_equal(buffer.size, 0);
    buffer_clear(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_of_a_text_leaves_its_end_out),
        cmocka_unit_test(views_are_equal_by_content),
        cmocka_unit_test(a_buffer_owns_a_copy_and_ends_it),
        cmocka_unit_test(a_buffer_takes_a_part_of_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
