#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static void nothing_is_still_memory(void **state)
{
    (void)state;
    void *bytes = alloc_bytes(0);
    void *zeroed = alloc_zeroed(0, 0);
    assert_non_null(bytes);
    assert_non_null(zeroed);
    bytes = alloc_resize(bytes, 0);
    assert_non_null(bytes);
    free(bytes);
    free(zeroed);
}

static void zeroed_memory_is_zero(void **state)
{
    (void)state;
    static const char ZEROES[24];
    char *zeroed = alloc_zeroed(3, 8);
    assert_memory_equal(zeroed, ZEROES, sizeof ZEROES);
    free(zeroed);
}

static void resizing_keeps_the_content(void **state)
{
    (void)state;
    char *memory = alloc_bytes(4);
    memcpy(memory, "abc", 4);
    memory = alloc_resize(memory, 4096);
    memory[4095] = 'x';
    assert_string_equal(memory, "abc");
    free(memory);
}

static void a_text_is_copied_with_its_end(void **state)
{
    (void)state;
    char *text = alloc_text("text");
    assert_string_equal(text, "text");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_still_memory),
        cmocka_unit_test(zeroed_memory_is_zero),
        cmocka_unit_test(resizing_keeps_the_content),
        cmocka_unit_test(a_text_is_copied_with_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
