#include "neon/reply.h"
#include "unit.h"

static void a_role_says_whether_it_can_log_in(void **state)
{
    (void)state;
    static const struct {
        const char *item;
        const char *name;
        bool is_protected;
        bool no_login;
    } CASES[] = {
        {"{'name':'owner'}", "owner", false, false},
        {"{'name':'owner','protected':false,'password':'x'}", "owner", false, false},
        {"{'name':'web_access','protected':true}", "web_access", true, false},
        {"{'name':'r','authentication_method':'password'}", "r", false, false},
        {"{'name':'r','authentication_method':'oauth'}", "r", false, false},
        {"{'name':'r','authentication_method':'no_login'}", "r", false, true},
        {"{'name':'r','no_login':true}", "r", false, true},
        {"{'name':'r','no_login':false}", "r", false, false},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *item = unit_json(CASES[i].item);
        NeonRole role;
        assert_true(neon_decode_role_item(item, &role, NULL));
        assert_string_equal(role.name, CASES[i].name);
        assert_int_equal(role.is_protected, CASES[i].is_protected);
        assert_int_equal(role.no_login, CASES[i].no_login);
    }
}

static void a_role_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *item;
        const char *member;
    } CASES[] = {
        {"{}", "name"},
        {"'owner'", "name"},
        {"{'name':'" UNIT_LONG_64 "'}", "name"},
        {"{'name':'r','protected':'no'}", "protected"},
        {"{'name':'r','no_login':1}", "no_login"},
        {"{'name':'r','authentication_method':true}", "authentication_method"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *item = unit_json(CASES[i].item);
        NeonRole role;
        Error err = ERROR_INIT;
        assert_false(neon_decode_role_item(item, &role, &err));
        unit_assert_refused(&err, CASES[i].member);
    }
}

static void a_database_has_an_owner(void **state)
{
    (void)state;
    CLEANUP(unit_free_at)
    json_t *item = unit_json("{'id':39724309,'name':'shop','owner_name':'shop_owner'}");
    NeonDatabase database;
    assert_true(neon_decode_database_item(item, &database, NULL));
    assert_string_equal(database.name, "shop");
    assert_string_equal(database.owner, "shop_owner");
    Error err = ERROR_INIT;
    unit_change(item, (UnitChange){"owner_name", NULL});
    assert_false(neon_decode_database_item(item, &database, &err));
    unit_assert_refused(&err, "owner_name");
    unit_change(item, (UnitChange){"name", "''"});
    assert_false(neon_decode_database_item(item, &database, &err));
    unit_assert_refused(&err, "name");
}

static void lists_are_borrowed_arrays(void **state)
{
    (void)state;
    CLEANUP(unit_free_at) json_t *body = unit_json("{'roles':[{},{}],'databases':[{}]}");
    assert_int_equal(json_array_size(neon_decode_roles(body, NULL)), 2);
    assert_int_equal(json_array_size(neon_decode_databases(body, NULL)), 1);
    CLEANUP(unit_free_at) json_t *empty = unit_json("{'roles':{}}");
    Error err = ERROR_INIT;
    assert_null(neon_decode_roles(empty, &err));
    unit_assert_refused(&err, "roles");
    assert_null(neon_decode_databases(empty, &err));
    unit_assert_refused(&err, "databases");
}

static void a_password_stands_alone_or_in_its_role(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *password;
    } CASES[] = {
        {"{'password':'npg_1'}", "npg_1"},
        {"{'role':{'name':'r','password':'npg_2'},'operations':[]}", "npg_2"},
        {"{'role':{'name':'r'}}", ""},
        {"{'role':{'password':null}}", ""},
        {"{}", ""},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json(CASES[i].body);
        CLEANUP(secret_clear) Secret password = SECRET_INIT;
        secret_set_text(&password, "old");
        assert_true(neon_decode_password(body, &password, NULL));
        assert_string_equal(secret_reveal(&password), CASES[i].password);
    }
}

static void a_password_of_another_type_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *member;
    } CASES[] = {{"{'password':7}", "password"}, {"[]", "body"}};
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        CLEANUP(unit_free_at) json_t *body = unit_json(CASES[i].body);
        CLEANUP(secret_clear) Secret password = SECRET_INIT;
        secret_set_text(&password, "old");
        Error err = ERROR_INIT;
        assert_false(neon_decode_password(body, &password, &err));
        assert_true(secret_is_empty(&password));
        unit_assert_refused(&err, CASES[i].member);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_says_whether_it_can_log_in),
        cmocka_unit_test(a_role_that_does_not_fit_is_refused),
        cmocka_unit_test(a_database_has_an_owner),
        cmocka_unit_test(lists_are_borrowed_arrays),
        cmocka_unit_test(a_password_stands_alone_or_in_its_role),
        cmocka_unit_test(a_password_of_another_type_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
