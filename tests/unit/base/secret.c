#include "base/secret.h"

#include <string.h>

#include "unit.h"

static void a_secret_is_a_copy(void **state)
{
    (void)state;
    char original[] = "password";
    Secret secret = SECRET_INIT;
    assert_true(secret_is_empty(&secret));
    assert_string_equal(secret_reveal(&secret), "");
    secret_set_text(&secret, original);
    original[0] = 'X';
    assert_false(secret_is_empty(&secret));
    assert_string_equal(secret_reveal(&secret), "password");
    assert_true(bytes_equal(secret_bytes(&secret), bytes_of("password")));
    secret_clear(&secret);
    assert_true(secret_is_empty(&secret));
    assert_null(secret.data);
    secret_clear(&secret);
}

static void setting_again_replaces_even_from_itself(void **state)
{
    (void)state;
    Secret secret = SECRET_INIT;
    secret_set_text(&secret, "0123456789");
    Bytes part = secret_bytes(&secret);
    secret_set(&secret, (Bytes){part.data + 3, 4});
    assert_string_equal(secret_reveal(&secret), "3456");
    secret_set(&secret, (Bytes){NULL, 0});
    assert_true(secret_is_empty(&secret));
    assert_null(secret.data);
}

static void moving_leaves_the_source_empty(void **state)
{
    (void)state;
    Secret from = SECRET_INIT;
    Secret to = SECRET_INIT;
    secret_set_text(&from, "new");
    secret_set_text(&to, "old");
    secret_move(&to, &from);
    assert_string_equal(secret_reveal(&to), "new");
    assert_true(secret_is_empty(&from));
    assert_null(from.data);
    secret_move(&to, &to);
    assert_string_equal(secret_reveal(&to), "new");
    secret_clear(&to);
}

static void zeroing_zeroes(void **state)
{
    (void)state;
    char bytes[] = "secret";
    secret_zero(bytes, 3);
    assert_memory_equal(bytes, "\0\0\0ret", 6);
    secret_zero(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_a_copy),
        cmocka_unit_test(setting_again_replaces_even_from_itself),
        cmocka_unit_test(moving_leaves_the_source_empty),
        cmocka_unit_test(zeroing_zeroes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
