#include "run/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER_KEY "101112131415161718191a1b1c1d1e1f000102030405060708090a0b0c0d0e0f"
#define PASSWORD "npg_correct horse"

static const RoleName ROLE = {"shop", "live", "svc_api"};

static bool load(const char *encryption_key, const char *fleet_key, Keys *ret_keys, Error *err)
{
    Settings *settings = settings_new();
    assert_true(settings_set(settings, settings_name(SETTING_KEY_ENCRYPTION_KEY), encryption_key,
                             "test", err));
    assert_true(
        settings_set(settings, settings_name(SETTING_FLEET_PRIVATE_KEY), fleet_key, "test", err));
    bool is_loaded = keys_load(settings, ret_keys, err);
    settings_free(settings);
    return is_loaded;
}

static int begin(void **state)
{
    static Keys keys;
    Error err = ERROR_INIT;
    assert_true(load(KEY, "", &keys, &err));
    *state = &keys;
    return 0;
}

static int end(void **state)
{
    keys_clear(*state);
    return 0;
}

static void seal(const Keys *keys, const RoleName *role, Buffer *ret_sealed)
{
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    secret_set_text(&password, PASSWORD);
    keys_seal_password(keys, role, &password, ret_sealed);
}

static void expect_closed(const Keys *keys, const RoleName *role, Bytes sealed)
{
    CLEANUP(secret_clear) Secret found = SECRET_INIT;
    Error err = ERROR_INIT;
    assert_false(keys_open_password(keys, role, sealed, &found, &err));
    assert_string_equal(err.code, "SECRET_NOT_OPENABLE");
    assert_null(strstr(err.text, PASSWORD));
    assert_true(secret_is_empty(&found));
}

static void a_password_is_opened_as_what_was_sealed(void **state)
{
    CLEANUP(buffer_clear) Buffer sealed = {.data = NULL};
    CLEANUP(secret_clear) Secret found = SECRET_INIT;
    Error err = ERROR_INIT;
    seal(*state, &ROLE, &sealed);
    assert_true(keys_open_password(*state, &ROLE, buffer_view(&sealed), &found, &err));
    assert_string_equal(secret_reveal(&found), PASSWORD);
}

static void no_two_seals_are_the_same(void **state)
{
    CLEANUP(buffer_clear) Buffer one = {.data = NULL};
    CLEANUP(buffer_clear) Buffer two = {.data = NULL};
    seal(*state, &ROLE, &one);
    seal(*state, &ROLE, &two);
    assert_false(bytes_equal(buffer_view(&one), buffer_view(&two)));
}

static void a_seal_is_of_one_role_only(void **state)
{
    // The last three read the same where nothing stands between the names.
    static const RoleName OTHERS[] = {
        {"blog", "live", "svc_api"}, {"shop", "test", "svc_api"}, {"shop", "live", "svc_job"},
        {"shopl", "ive", "svc_api"}, {"shop", "lives", "vc_api"}, {"sho", "plive", "svc_api"},
    };
    CLEANUP(buffer_clear) Buffer sealed = {.data = NULL};
    seal(*state, &ROLE, &sealed);
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        expect_closed(*state, &OTHERS[i], buffer_view(&sealed));
    }
}

static void a_password_is_no_api_key(void **state)
{
    CLEANUP(buffer_clear) Buffer sealed = {.data = NULL};
    CLEANUP(buffer_clear) Buffer sealed_key = {.data = NULL};
    CLEANUP(secret_clear) Secret key = SECRET_INIT;
    Error err = ERROR_INIT;
    seal(*state, &ROLE, &sealed);
    assert_false(
        keys_open(*state, ROLE.application_id, ROLE.role, buffer_view(&sealed), &key, &err));
    assert_string_equal(err.code, "SECRET_NOT_OPENABLE");
    secret_set_text(&key, "napi_x");
    keys_seal(*state, ROLE.application_id, ROLE.role, &key, &sealed_key);
    expect_closed(*state, &(RoleName){ROLE.application_id, "", ROLE.role},
                  buffer_view(&sealed_key));
}

static void another_key_or_a_changed_byte_opens_nothing(void **state)
{
    Keys other;
    Error err = ERROR_INIT;
    CLEANUP(buffer_clear) Buffer sealed = {.data = NULL};
    seal(*state, &ROLE, &sealed);
    assert_true(load(OTHER_KEY, "", &other, &err));
    expect_closed(&other, &ROLE, buffer_view(&sealed));
    keys_clear(&other);
    for (size_t i = 0; i < sealed.size; i++) {
        sealed.data[i] ^= 1;
        expect_closed(*state, &ROLE, buffer_view(&sealed));
        sealed.data[i] ^= 1;
    }
}

// KEY seals; what OTHER_KEY has sealed is opened as well.
static void several_keys_open_and_the_first_seals(void **state)
{
    (void)state;
    Keys old;
    Keys both;
    Keys only_new;
    Error err = ERROR_INIT;
    CLEANUP(buffer_clear) Buffer by_old = {.data = NULL};
    CLEANUP(buffer_clear) Buffer by_both = {.data = NULL};
    CLEANUP(secret_clear) Secret found = SECRET_INIT;
    assert_true(load(OTHER_KEY, OTHER_KEY, &old, &err));
    assert_true(load(KEY ", " OTHER_KEY, KEY "," OTHER_KEY, &both, &err));
    assert_true(load(KEY, KEY, &only_new, &err));
    assert_int_equal(both.fleet_count, 2);
    seal(&old, &ROLE, &by_old);
    seal(&both, &ROLE, &by_both);
    assert_true(keys_open_password(&both, &ROLE, buffer_view(&by_old), &found, &err));
    assert_true(keys_open_password(&both, &ROLE, buffer_view(&by_both), &found, &err));
    assert_true(keys_open_password(&only_new, &ROLE, buffer_view(&by_both), &found, &err));
    secret_clear(&found);
    expect_closed(&only_new, &ROLE, buffer_view(&by_old));
    expect_closed(&old, &ROLE, buffer_view(&by_both));
    keys_clear(&old);
    keys_clear(&both);
    keys_clear(&only_new);
}

static void a_signing_key_is_there_or_is_not(void **state)
{
    Keys keys;
    Error err = ERROR_INIT;
    assert_null(keys_signer(*state));
    Settings *settings = settings_new();
    assert_true(settings_set(settings, settings_name(SETTING_KEY_ENCRYPTION_KEY), KEY, "", &err));
    assert_true(settings_set(settings, settings_name(SETTING_COMMANDS_SIGNING_KEY), KEY, "", &err));
    assert_true(keys_load(settings, &keys, &err));
    assert_non_null(keys_signer(&keys));
    keys_clear(&keys);
    assert_true(settings_set(settings, settings_name(SETTING_COMMANDS_SIGNING_KEY), "x", "", &err));
    assert_false(keys_load(settings, &keys, &err));
    assert_non_null(strstr(err.text, settings_name(SETTING_COMMANDS_SIGNING_KEY)));
    keys_clear(&keys);
    settings_free(settings);
}

static void a_key_that_is_none_is_refused_by_its_name(void **state)
{
    static const char *const BAD[] = {"abc", KEY "00", "z" KEY, KEY "," KEY};
    (void)state;
    for (size_t i = 0; i < sizeof BAD / sizeof BAD[0]; i++) {
        Keys keys;
        Error err = ERROR_INIT;
        assert_false(load(BAD[i], "", &keys, &err));
        assert_string_equal(err.code, "SETTING_INVALID");
        assert_non_null(strstr(err.text, settings_name(SETTING_KEY_ENCRYPTION_KEY)));
        keys_clear(&keys);
        assert_false(load(KEY, BAD[i], &keys, &err));
        assert_non_null(strstr(err.text, settings_name(SETTING_FLEET_PRIVATE_KEY)));
        keys_clear(&keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_is_opened_as_what_was_sealed),
        cmocka_unit_test(no_two_seals_are_the_same),
        cmocka_unit_test(a_seal_is_of_one_role_only),
        cmocka_unit_test(a_password_is_no_api_key),
        cmocka_unit_test(another_key_or_a_changed_byte_opens_nothing),
        cmocka_unit_test(several_keys_open_and_the_first_seals),
        cmocka_unit_test(a_signing_key_is_there_or_is_not),
        cmocka_unit_test(a_key_that_is_none_is_refused_by_its_name),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
