#include "base/name.h"

#include <string.h>

#include "unit.h"

typedef bool Check(const char *name, const char *field, Error *err);

typedef struct Case {
    const char *name;
    bool application;
    bool environment;
    bool neon;
    bool neon_id;
    bool database;
} Case;

#define X60 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256 X60 X60 X60 X60 "xxxxxxxxxxxxxxxx"

static const Case CASES[] = {
    {"a", true, true, true, true, true},
    {"0", true, true, true, true, true},
    {"shop-1.eu_west", true, true, true, false, true},
    {"pr:72", false, true, true, false, true},
    {":a", false, false, true, false, true},
    {"-a", false, false, true, true, true},
    {".a", false, false, true, false, true},
    {"_a", false, false, true, false, true},
    {"Shop", false, false, true, false, true},
    {"a/b", false, false, true, false, true},
    {"a@", false, false, true, false, true},
    {"a`", false, false, true, false, true},
    {"a{", false, false, true, false, true},
    {"", false, false, false, false, false},
    {X60, true, true, true, true, true},
    {X60 "x", true, true, true, false, true},
    {X60 "xxx", true, true, true, false, true},
    {X60 "xxxx", false, false, true, false, false},
    {X256, false, false, true, false, false},
    {X256 "x", false, false, false, false, false},
    {"with space", false, false, true, false, true},
    {" a", false, false, false, false, true},
    {"a ", false, false, false, false, true},
    {" ", false, false, false, false, true},
    {"\xc2\xa0"
     "a",
     false, false, false, false, true},
    {"a\xe3\x80\x80", false, false, false, false, true},
    {"a\xe2\x80\x8a", false, false, false, false, true},
    {"a\xe2\x80\x80", false, false, false, false, true},
    {"a\xe2\x80\x8b", false, false, true, false, true},
    {"a\xe1\x9a\x80", false, false, false, false, true},
    {"gr\xc3\xbc\xc3\x9f", false, false, true, false, true},
    {"gr\xfc", false, false, false, false, false},
    {"a\nb", false, false, false, false, false},
    {"a\x1f", false, false, false, false, false},
    {"a\x7f", false, false, false, false, false},
    {"a\xc2\x9f", false, false, false, false, false},
    {"a\xc2\xa1", false, false, true, false, true},
    {"postgres", true, true, true, true, false},
    {"template0", true, true, true, true, false},
    {"template1", true, true, true, true, false},
    {"template2", true, true, true, true, true},
};

static void check(Check *function, const char *name, bool fits)
{
    Error err = ERROR_INIT;
    bool taken = function(name, "create.name", &err);
    if (taken != fits) {
        print_error("name \"%s\"\n", name);
    }
    assert_int_equal(taken, fits);
    assert_int_equal(err.kind, fits ? ERROR_NONE : ERROR_INVALID);
    assert_string_equal(err.code, fits ? "" : "INVALID_NAME");
    assert_string_equal(err.field, fits ? "" : "create.name");
    assert_int_equal(strncmp(err.text, "create.name must be ", 20) == 0, !fits);
}

static bool is_only_no_database(const char *name)
{
    return strcmp(name, "postgres") == 0 || strcmp(name, "template0") == 0 ||
           strcmp(name, "template1") == 0;
}

static void names_are_taken_whole_or_refused_with_what_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        const Case *c = &CASES[i];
        check(name_check_application, c->name, c->application);
        check(name_check_account, c->name, c->application);
        check(name_check_environment, c->name, c->environment);
        check(name_check_neon, c->name, c->neon);
        check(name_check_neon_id, c->name, c->neon_id);
        check(name_check_database, c->name, c->database);
        check(name_check_role, c->name, c->database || is_only_no_database(c->name));
        check(name_check_service, c->name, c->database || is_only_no_database(c->name));
    }
}

static void a_prefix_begins_no_names_of_others(void **state)
{
    (void)state;
    static const char *const GOOD[] = {"encore", "e",      "shop_2",          "dbx",
                                       "svcs",   "neondb", "a123456789012345"};
    static const char *const BAD[] = {"",    "Encore",  "2shop",   "_e",     "a.b",
                                      "a-b", "db",      "db_main", "svc",    "svc_orders",
                                      "pg",  "pg_read", "neon",    "neon_x", "a1234567890123456"};
    for (size_t i = 0; i < UNIT_COUNT(GOOD); i++) {
        check(name_check_prefix, GOOD[i], true);
    }
    for (size_t i = 0; i < UNIT_COUNT(BAD); i++) {
        check(name_check_prefix, BAD[i], false);
    }
}

static void previews_are_known_by_their_prefix(void **state)
{
    (void)state;
    assert_true(name_is_preview("pr:72"));
    assert_false(name_is_preview("pr"));
    assert_false(name_is_preview("production"));
    assert_false(name_is_preview("xpr:72"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_taken_whole_or_refused_with_what_is_allowed),
        cmocka_unit_test(a_prefix_begins_no_names_of_others),
        cmocka_unit_test(previews_are_known_by_their_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
