#include "roles/names.h"

#include <string.h>

#include "unit.h"

typedef struct NameCase {
    const char *name;
    const char *database; // its admin role
    const char *service;
} NameCase;

// Computed with Python's hashlib by the rule that the header states.
static const NameCase NAMES[] = {
    {"main", "db_main_admin", "svc_main"},
    {"we\"ird'; DROP ROLE x;--%I$$", "db_we\"ird'; DROP ROLE x;--%I$$_admin",
     "svc_we\"ird'; DROP ROLE x;--%I$$"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcd",
     "db_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcd_admin",
     "svc_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcd"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcde",
     "db_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_649d8c94eb54c841_admin",
     "svc_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcde"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcdefghi",
     "db_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_64c67077618620bd_admin",
     "svc_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcdefghi"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcdefghij",
     "db_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_360c10990d989e42_admin",
     "svc_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcdefghij"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabcdefghijklmn",
     "db_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_2a1c3ac5bcfe837f_admin",
     "svc_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_2a1c3ac5bcfe837f"},
    {"äääääääääääääääääääääääääääääää", "db_ääääääääääääääääää_af5af88292e4900c_admin",
     "svc_äääääääääääääääääääää_af5af88292e4900c"},
    {"xäääääääääääääääääääääääääääääää", "db_xäääääääääääääääää_7ac266e4e90b4dce_admin",
     "svc_xääääääääääääääääääää_7ac266e4e90b4dce"},
    {"main_0123456789abcdef", "db_main_0123456789abcdef_54bf8f76e224d668_admin",
     "svc_main_0123456789abcdef_54bf8f76e224d668"},
    {"main_0123456789abcdeF", "db_main_0123456789abcdeF_admin", "svc_main_0123456789abcdeF"},
    {"main0123456789abcdef", "db_main0123456789abcdef_admin", "svc_main0123456789abcdef"},
    {"_0123456789abcdef", "db__0123456789abcdef_a970a83734f3cbea_admin",
     "svc__0123456789abcdef_a970a83734f3cbea"},
    {"0123456789abcdef", "db_0123456789abcdef_admin", "svc_0123456789abcdef"},
    {"x", "db_x_admin", "svc_x"},
};

static void roles_are_named_after_databases_and_services(void **state)
{
    (void)state;
    char role[ROLES_NAME_BYTES];
    for (size_t i = 0; i < UNIT_COUNT(NAMES); i++) {
        roles_name_database(NAMES[i].name, ROLES_ADMIN, role);
        assert_string_equal(role, NAMES[i].database);
        roles_name_service(NAMES[i].name, role);
        assert_string_equal(role, NAMES[i].service);
    }
    roles_name_database("main", ROLES_READER, role);
    assert_string_equal(role, "db_main_reader");
    roles_name_database("main", ROLES_WRITER, role);
    assert_string_equal(role, "db_main_writer");
}

// All of 53 bytes and their neighbours, cut where PostgreSQL would cut, or looking like a hash.
static void different_names_never_meet(void **state)
{
    (void)state;
    json_t *seen = json_object();
    char name[ROLES_NAME_BYTES];
    char role[ROLES_NAME_BYTES];
    for (size_t size = 1; size < ROLES_NAME_BYTES; size++) {
        memset(name, 'n', size);
        name[size] = '\0';
        for (const char *last = "0123456789"; *last != '\0'; last++) {
            name[size - 1] = *last;
            roles_name_database(name, ROLES_WRITER, role);
            assert_true(strlen(role) < ROLES_NAME_BYTES);
            assert_null(json_object_get(seen, role));
            json_object_set_new(seen, role, json_true());
            // what a role is called as a database: its base, a name of its own
            if (strlen(role) > 10) {
                char base[ROLES_NAME_BYTES] = "";
                memcpy(base, role + 3, strlen(role) - 10);
                if (strcmp(base, name) != 0) {
                    char other[ROLES_NAME_BYTES];
                    roles_name_database(base, ROLES_WRITER, other);
                    assert_string_not_equal(other, role);
                }
            }
        }
    }
    json_decref(seen);
}

static void roles_over_all_databases_begin_with_the_prefix(void **state)
{
    (void)state;
    static const char *const EXPECTED[] = {"acme_reader", "acme_writer", "acme_admin"};
    static const char *const LEVELS[] = {"reader", "writer", "admin"};
    char role[ROLES_NAME_BYTES];
    for (RolesLevel level = ROLES_READER; level <= ROLES_ADMIN; level++) {
        roles_name_global("acme", level, role);
        assert_string_equal(role, EXPECTED[level]);
        assert_string_equal(roles_level_name(level), LEVELS[level]);
    }
    roles_name_platform("acme", role);
    assert_string_equal(role, "acme_platform");
}

static void names_have_1_to_63_bytes_of_utf8(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        "a",
        "$$",
        "\t",
        "\xc3\xa4",
        "123456789012345678901234567890123456789012345678901234567890123",
    };
    static const char *const BAD[] = {
        "",
        "\xff",
        "\xc3",
        "1234567890123456789012345678901234567890123456789012345678901234",
    };
    for (size_t i = 0; i < UNIT_COUNT(GOOD); i++) {
        assert_true(roles_check_name(GOOD[i], "services[0].name", NULL));
    }
    for (size_t i = 0; i < UNIT_COUNT(BAD); i++) {
        Error err = ERROR_INIT;
        assert_false(roles_check_name(BAD[i], "services[0].name", &err));
        assert_string_equal(err.code, "INVALID_NAME");
        assert_string_equal(err.field, "services[0].name");
    }
}

static void names_that_only_we_give_are_reserved(void **state)
{
    (void)state;
    static const char *const OURS[] = {
        "acme_platform", "acme_reader", "acme_writer",     "acme_admin",
        "svc_",          "svc_orders",  "db_main_reader",  "db_main_writer",
        "db_main_admin", "db__admin",   "db_a_b_c_writer",
    };
    static const char *const OTHERS[] = {
        "neondb_owner", "encore_platform", "acme_platforms", "acme_", "svc", "service",
        "db_main",      "db_main_owner",   "main_admin",     "db_",   "",
    };
    for (size_t i = 0; i < UNIT_COUNT(OURS); i++) {
        assert_true(roles_is_reserved("acme", OURS[i]));
    }
    for (size_t i = 0; i < UNIT_COUNT(OTHERS); i++) {
        assert_false(roles_is_reserved("acme", OTHERS[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_are_named_after_databases_and_services),
        cmocka_unit_test(different_names_never_meet),
        cmocka_unit_test(roles_over_all_databases_begin_with_the_prefix),
        cmocka_unit_test(names_have_1_to_63_bytes_of_utf8),
        cmocka_unit_test(names_that_only_we_give_are_reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
