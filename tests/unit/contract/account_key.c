#include "contract/account_key.h"

#include "kit.h"

// Whoever changes this can open no key that is there.
static void application_and_account_stand_apart_by_a_nul(void **state)
{
    (void)state;
    CLEANUP(text_clear) Text text = TEXT_INIT(ACCOUNT_KEY_ASSOCIATED_BYTES);
    account_key_associate("shop", "main", &text);
    assert_int_equal(text.length, 9);
    assert_memory_equal(text_get(&text), "shop\0main", 9);
}

static void so_do_application_environment_and_role(void **state)
{
    (void)state;
    CLEANUP(text_clear) Text text = TEXT_INIT(ROLE_PASSWORD_ASSOCIATED_BYTES);
    role_password_associate("shop", "live", "svc_api", &text);
    assert_int_equal(text.length, 17);
    assert_memory_equal(text_get(&text), "shop\0live\0svc_api", 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(application_and_account_stand_apart_by_a_nul),
        cmocka_unit_test(so_do_application_environment_and_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
