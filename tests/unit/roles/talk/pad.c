#include "script.h"

#include <stdlib.h>

#include "roles/talk_pad.h"

static void assert_covered(const char *role, const char *password, const char *expected)
{
    CLEANUP(secret_clear) Secret pad = SECRET_INIT;
    CLEANUP(secret_clear) Secret plain = SECRET_INIT;
    secret_set_text(&pad, SCRIPT_PAD);
    secret_set_text(&plain, password);
    char *covered = talk_pad_cover(&pad, role, &plain);
    assert_string_equal(covered, expected);
    free(covered);
}

// Expected: Python's hashlib over the formula in roles/talk_pad.h.
static void each_role_has_a_key_of_its_own(void **state)
{
    (void)state;
    assert_covered("svc_a", "Pw0123456789", "4ccf525e4f954155762f7e59");
    assert_covered("svc_b", "Pw0123456789", "f2b5cff4f2eb0c127d55b570");
}

static void a_long_password_has_a_second_block(void **state)
{
    (void)state;
    assert_covered("svc_\xc3\xbc", "0123456789abcdef0123456789abcdefXY",
                   "c42b4734b90cef737ae0fc2de5f1a20748599c8793579cdcb4eb1ae256adfd389d72");
}

static void only_what_the_server_makes_is_a_pad(void **state)
{
    (void)state;
    assert_true(talk_pad_check(SCRIPT_PAD));
    assert_false(talk_pad_check(""));
    assert_false(talk_pad_check(SCRIPT_PAD "00"));
    assert_false(
        talk_pad_check("x0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_has_a_key_of_its_own),
        cmocka_unit_test(a_long_password_has_a_second_block),
        cmocka_unit_test(only_what_the_server_makes_is_a_pad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
