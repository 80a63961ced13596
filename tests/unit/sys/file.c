#include "sys/file_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "scratch.h"
#include "unit.h"

static FileResult read_limited(const char *path, size_t limit_bytes, Buffer *ret_content)
{
    CLEANUP(file_close_at) int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return file_read(fd, limit_bytes, ret_content);
}

static void a_file_is_read_whole_up_to_its_limit(void **state)
{
    const char *path = scratch_write(state, "file", "ab\0cd", 5);
    Buffer content = {NULL, 0};
    assert_int_equal(read_limited(path, 5, &content), FILE_READ);
    assert_true(bytes_equal(buffer_view(&content), (Bytes){(const uint8_t *)"ab\0cd", 5}));
    assert_int_equal(read_limited(path, 4, &content), FILE_TOO_LARGE);
    assert_int_equal(content.size, 5);
    path = scratch_write(state, "empty", "", 0);
    assert_int_equal(read_limited(path, 0, &content), FILE_READ);
    assert_int_equal(content.size, 0);
    buffer_clear(&content);
}

static void what_a_pipe_gives_in_parts_is_put_together(void **state)
{
    (void)state;
    int ends[2];
    Buffer content = {NULL, 0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "one ", 4), 4);
    assert_int_equal(write(ends[1], "two", 3), 3);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(file_read(ends[0], 100, &content), FILE_READ);
    assert_string_equal((const char *)content.data, "one two");
    buffer_clear(&content);
    file_close_at(&ends[0]);
    assert_int_equal(fcntl(ends[0], F_GETFD), -1);
}

static void a_folder_cannot_be_read(void **state)
{
    Buffer content = {NULL, 0};
    assert_int_equal(read_limited(*state, 10, &content), FILE_FAILED);
    assert_int_equal(errno, EISDIR);
    assert_null(content.data);
    file_close_at(&(int){-1});
    assert_int_equal(errno, EISDIR);
}

typedef struct BreakCase {
    const char *text;
    const char *without;
} BreakCase;

static const BreakCase BREAKS[] = {
    {"a\n", "a"},       {"a\r\n", "a"}, {"a", "a"}, {"a\n\n", "a\n"}, {"a\r", "a\r"},
    {"a\nb\n", "a\nb"}, {"\n", ""},     {"", ""},   {"\r\n", ""},
};

static void one_line_break_at_the_end_is_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(BREAKS); i++) {
        assert_true(bytes_equal(file_without_line_break(bytes_of(BREAKS[i].text)),
                                bytes_of(BREAKS[i].without)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_read_whole_up_to_its_limit, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test(what_a_pipe_gives_in_parts_is_put_together),
        cmocka_unit_test_setup_teardown(a_folder_cannot_be_read, scratch_setup, scratch_teardown),
        cmocka_unit_test(one_line_break_at_the_end_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
