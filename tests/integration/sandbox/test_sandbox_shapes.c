/* Calls that don't have the shape that Neon's OpenAPI asks for are refused, whatever they are
 * about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "refused.h"

static Box box;
static RefusedPlace place;

static int start(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--no-compute", "--operation-ms", "1", NULL};
    box_start(&box, ARGUMENTS);
    place = refused_make_place(&box);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static void ids_in_paths_have_a_form(void **state)
{
    (void)state;
    static const Refused CASES[] = {
        {"GET", "/projects/UPPER", NULL},
        {"GET", "/projects/a_b", NULL},
        {"GET", "/projects/a1234567890123456789012345678901234567890123456789012345678901", NULL},
        {"DELETE", "$P/branches/br.dot", NULL},
        {"GET", "$P/endpoints/EP", NULL},
        {"GET", "$P/operations/not-a-uuid", NULL},
        {"GET", "$P/operations/00000000-0000-0000-0000-00000000000g", NULL},
        {"GET", "/organizations/Org", NULL},
        {"GET", "$O/members/someone", NULL},
        {"DELETE", "/api_keys/first", NULL},
        {"DELETE", "$O/api_keys/1.5", NULL},
    };
    refused_assert(&place, CASES, sizeof(CASES) / sizeof(CASES[0]));
}

static void queries_have_types_and_limits(void **state)
{
    (void)state;
    static const Refused CASES[] = {
        {"GET", "/regions?org_id=Org", NULL},
        {"GET", "/projects?limit=0", NULL},
        {"GET", "/projects?limit=401", NULL},
        {"GET", "/projects?limit=ten", NULL},
        {"GET", "/projects?limit=", NULL},
        {"GET", "/projects?search=a%00b", NULL},
        {"GET", "/projects?search=%zz", NULL},
        {"GET", "/projects?search=%ff", NULL},
        {"GET", "/projects?timeout=99", NULL},
        {"GET", "/projects?timeout=30001", NULL},
        {"GET", "/projects?org_id=", NULL},
        {"GET", "/projects?recoverable=maybe", NULL},
        {"GET", "/projects/shared?limit=401", NULL},
        {"GET", "/projects/shared?timeout=1", NULL},
        {"GET", "$P/connection_uri?role_name=a", NULL},
        {"GET", "$P/connection_uri?database_name=a", NULL},
        {"GET", "$P/connection_uri?database_name=a&role_name=a&branch_id=B", NULL},
        {"GET", "$P/connection_uri?database_name=a&role_name=a&endpoint_id=B", NULL},
        {"GET", "$P/connection_uri?database_name=a&role_name=a&pooled=2", NULL},
        {"GET", "$P/branches?sort_by=size", NULL},
        {"GET", "$P/branches?sort_order=up", NULL},
        {"GET", "$P/branches?limit=10001", NULL},
        {"GET", "$P/branches?include_deleted=2", NULL},
        {"DELETE", "$B?hard_delete=2", NULL},
        {"GET", "$B/schema", NULL},
        {"GET", "$B/schema?db_name=neondb&timestamp=then", NULL},
        {"GET", "$B/compare_schema", NULL},
        {"GET", "$B/compare_schema?db_name=neondb&base_branch_id=B", NULL},
        {"GET", "$B/compare_schema?db_name=neondb&timestamp=then", NULL},
        {"GET", "$B/compare_schema?db_name=neondb&base_timestamp=then", NULL},
        {"GET", "$P/operations?limit=1001", NULL},
        {"GET", "$O/members?limit=501", NULL},
        {"GET", "$O/members?sort_by=age", NULL},
        {"GET", "$O/members?sort_order=up", NULL},
    };
    refused_assert(&place, CASES, sizeof(CASES) / sizeof(CASES[0]));
}

static void what_a_body_needs_is_asked_for(void **state)
{
    (void)state;
    static const Refused CASES[] = {
        {"POST", "/api_keys", "{}"},
        {"POST", "$O/api_keys", "{}"},
        {"POST", "/projects", ""},
        {"POST", "/projects", "{\"name\":\"x\"}"},
        {"POST", "/projects", "[]"},
        {"POST", "/projects", "{"},
        {"PATCH", "$P", "{}"},
        {"PATCH", "$B", "{}"},
        {"PATCH", "$E", "{}"},
        {"POST", "$B/restore", "{}"},
        {"POST", "$P/endpoints", "{}"},
        {"POST", "$P/endpoints", "{\"endpoint\":{\"type\":\"read_write\"}}"},
        {"POST", "$P/endpoints", "{\"endpoint\":{\"branch_id\":\"br-a\"}}"},
        {"POST", "$P/branches", "{\"endpoints\":[{}]}"},
        {"POST", "$B/roles", "{}"},
        {"POST", "$B/roles", "{\"role\":{}}"},
        {"POST", "$B/databases", "{}"},
        {"POST", "$B/databases", "{\"database\":{\"name\":\"a\"}}"},
        {"POST", "$B/databases", "{\"database\":{\"owner_name\":\"a\"}}"},
        {"PATCH", "$B/databases/neondb", "{}"},
        {"PATCH", "$P", "{\"project\":{\"settings\":{\"maintenance_window\":{\"weekdays\":[1]}}}}"},
    };
    refused_assert(&place, CASES, sizeof(CASES) / sizeof(CASES[0]));
}

/* But a role's name is PostgreSQL's, which counts bytes. */
static void lengths_count_characters(void **state)
{
    (void)state;
    char name[2 * 257 + 1] = "";
    for (size_t i = 0; i < 256; i++) {
        memcpy(name + 2 * i, "\xc3\xa9", 3);
    }
    REPLY made = box_create_project(&box, box_text("{\"project\":{\"name\":\"%s\"}}", name));
    assert_int_equal(made.status, 201);
    assert_string_equal(box_string(made.json, "project.name"), name);
    const char *path = box_text("/projects/%s", box_string(made.json, "project.id"));
    REPLY named = box_call(&box, "POST", box_text("%s/branches", path),
                           box_text("{\"branch\":{\"name\":\"%s\"}}", name));
    assert_int_equal(named.status, 201);
    assert_string_equal(box_string(named.json, "branch.name"), name);
    box_wait(&box, path + sizeof("/projects/") - 1);
    /* What is longest in a cursor: characters that JSON escapes. */
    char escaped[6 * 256 + 1] = "";
    for (size_t i = 0; i < 256; i++) {
        memcpy(escaped + 6 * i, "\\u0001", 7);
    }
    assert_int_equal(box_status(&box, "POST", box_text("%s/branches", path),
                                box_text("{\"branch\":{\"name\":\"%s\"}}", escaped)),
                     201);
    static const char *const ORDERS[] = {"asc", "desc"};
    for (int i = 0; i < 2; i++) {
        REPLY page = box_call(
            &box, "GET",
            box_text("%s/branches?sort_by=name&limit=1&sort_order=%s", path, ORDERS[i]), NULL);
        REPLY rest = box_call(
            &box, "GET",
            box_text("%s/branches?cursor=%s", path, box_string(page.json, "pagination.next")),
            NULL);
        assert_int_equal(json_array_size(box_find(rest.json, "branches")), 2);
    }
    box_wait(&box, path + sizeof("/projects/") - 1);
    memcpy(name + 512, "x", 2);
    assert_int_equal(
        box_status(&box, "PATCH", path, box_text("{\"project\":{\"name\":\"%s\"}}", name)), 400);
    name[64] = '\0';
    const char *role = box_text("{\"role\":{\"name\":\"%s\"}}", name);
    assert_int_equal(box_status(&box, "POST", box_text("%s/roles", place.branch), role), 400);
    name[62] = '\0';
    role = box_text("{\"role\":{\"name\":\"%s\"}}", name);
    assert_int_equal(box_status(&box, "POST", box_text("%s/roles", place.branch), role), 201);
    box_wait(&box, place.project + sizeof("/projects/") - 1);
}

/* As Neon's server, which decodes a call before it looks for what the call is about. */
static void shapes_come_before_everything_but_the_key(void **state)
{
    (void)state;
    static const char BAD[] = "{\"branch\":{\"name\":1}}";
    assert_int_equal(box_status(&box, "PATCH", "/projects/no-such/branches/br-none", BAD), 400);
    REPLY nobody = box_call_as(&box, "wrong", NULL, "PATCH", place.branch, BAD);
    assert_int_equal(nobody.status, 401);
    /* A call that has no body may bring one. */
    assert_int_equal(box_status(&box, "POST", box_text("%s/set_as_default", place.branch), "[1"),
                     200);
}

/* Neon's list of answers has no 405. */
static void a_path_with_another_method_is_no_route(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        {"PUT", place.project},
        {"OPTIONS", "/projects"},
        {"PATCH", "/projects"},
        {"DELETE", "/auth"},
        {"POST", box_text("%s/compare_schema", place.branch)},
        {"GET", box_text("%s/recover", place.branch)},
        {"GET", box_text("%s/nothing", place.branch)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        REPLY reply = box_call(&box, cases[i][0], cases[i][1], NULL);
        box_assert_error(&reply, 404, "", "this route does not exist");
        REPLY nobody = box_call_as(&box, "wrong", NULL, cases[i][0], cases[i][1], NULL);
        assert_int_equal(nobody.status, 401);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_in_paths_have_a_form),
        cmocka_unit_test(queries_have_types_and_limits),
        cmocka_unit_test(what_a_body_needs_is_asked_for),
        cmocka_unit_test(lengths_count_characters),
        cmocka_unit_test(shapes_come_before_everything_but_the_key),
        cmocka_unit_test(a_path_with_another_method_is_no_route),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
