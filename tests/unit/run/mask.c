#include "run/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

typedef struct MaskCase {
    const char *given;
    const char *secret;
    const char *masked;
} MaskCase;

static void a_secret_is_overwritten_wherever_it_stands(void **state)
{
    (void)state;
    static const MaskCase CASES[] = {
        {"token abc123 is not allowed", "abc123", "token ****** is not allowed"},
        {"abc123abc123", "abc123", "************"},
        {"nothing of it", "abc123", "nothing of it"},
        {"", "abc123", ""},
        {"an empty secret is nowhere", "", "an empty secret is nowhere"},
        {"a ** of * asterisks", "**", "a ** of * asterisks"},
        {"abc12", "abc123", "abc12"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Secret secret = SECRET_INIT;
        Buffer copy = {.data = NULL};
        secret_set_text(&secret, CASES[i].secret);
        Bytes masked = mask_bytes(bytes_of(CASES[i].given), &secret, &copy);
        assert_true(bytes_equal(masked, bytes_of(CASES[i].masked)));
        bool stands = CASES[i].secret[0] != '\0' && strstr(CASES[i].given, CASES[i].secret) != NULL;
        assert_int_equal(mask_finds(bytes_of(CASES[i].given), &secret), stands);
        secret_clear(&secret);
        buffer_clear(&copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_overwritten_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
