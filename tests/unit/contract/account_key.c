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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(application_and_account_stand_apart_by_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
