#include "roles/plan.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

enum { COLUMNS = 5 };

typedef struct Row {
    const char *cells[COLUMNS]; // kind, statement, reason, object, role
} Row;

static PGresult *rows_of(const Row *rows, size_t count, int columns)
{
    static char name[] = "column";
    PGresAttDesc descriptions[COLUMNS] = {
        {.name = name}, {.name = name}, {.name = name}, {.name = name}, {.name = name}};
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    assert_int_equal(PQsetResultAttrs(result, columns, descriptions), 1);
    for (size_t i = 0; i < count; i++) {
        for (int j = 0; j < columns; j++) {
            char copy[256] = "";
            const char *cell = rows[i].cells[j];
            int length = cell == NULL ? -1 : snprintf(copy, sizeof copy, "%s", cell);
            assert_int_equal(PQsetvalue(result, (int)i, j, cell == NULL ? NULL : copy, length), 1);
        }
    }
    return result;
}

static bool decode(const Row *rows, size_t count, RolesPlan *ret_plan, Error *err)
{
    PGresult *result = rows_of(rows, count, COLUMNS);
    bool decoded = roles_plan_decode(result, ret_plan, err);
    PQclear(result);
    return decoded;
}

static void rows_become_steps(void **state)
{
    (void)state;
    static const Row ROWS[] = {
        {{"frame", "SET LOCAL ROLE encore_platform", "", "", NULL}},
        {{"temporary", "GRANT a TO b", "to hand over", "a", NULL}},
        {{"change", "CREATE ROLE svc_x", "role is missing", "svc_x", "svc_x"}},
        {{"finding", NULL, "everybody has SELECT", "table public.t", NULL}},
        {{"blocked", NULL, "role exists", "svc_y", NULL}},
        {{"owner", NULL, "owns 3 here", "app", NULL}},
        {{"fenced", NULL, "a later apply was here", "9007199254740993", NULL}},
    };
    RolesPlan plan = ROLES_PLAN_INIT;
    Error err = ERROR_INIT;
    assert_true(decode(ROWS, UNIT_COUNT(ROWS), &plan, &err));
    assert_int_equal(plan.count, UNIT_COUNT(ROWS));
    for (size_t i = 0; i < plan.count; i++) {
        const RolesStep *step = &plan.steps[i];
        const char *statement = ROWS[i].cells[1];
        assert_int_equal(step->kind, i);
        assert_string_equal(step->statement, statement == NULL ? "" : statement);
        assert_string_equal(step->reason, ROWS[i].cells[2]);
        assert_string_equal(step->object, ROWS[i].cells[3]);
    }
    assert_string_equal(plan.steps[2].secret_of, "svc_x");
    assert_null(plan.steps[1].secret_of);
    assert_true(roles_plan_has_changes(&plan));
    assert_ptr_equal(roles_plan_fenced(&plan), &plan.steps[6]);
    assert_int_equal(plan.fence_seen, 9007199254740993);
    // another one takes its place
    assert_true(decode(ROWS, 2, &plan, &err));
    assert_int_equal(plan.count, 2);
    assert_false(roles_plan_has_changes(&plan));
    assert_null(roles_plan_fenced(&plan));
    assert_int_equal(plan.fence_seen, 0);
    roles_plan_clear(&plan);
    assert_int_equal(plan.count, 0);
}

static void a_plan_without_rows_is_empty(void **state)
{
    (void)state;
    RolesPlan plan = ROLES_PLAN_INIT;
    assert_true(decode(NULL, 0, &plan, NULL));
    assert_int_equal(plan.count, 0);
    assert_false(roles_plan_has_changes(&plan));
    roles_plan_clear(&plan);
}

static void rows_that_no_plan_has_are_refused(void **state)
{
    (void)state;
    static const Row GOOD = {{"frame", "SET LOCAL ROLE NONE", "", "", NULL}};
    static const Row BAD[] = {
        {{"revoke", "REVOKE a FROM b", "", "", NULL}},
        {{NULL, "REVOKE a FROM b", "", "", NULL}},
        {{"change", NULL, "", "", NULL}},
        {{"frame", "", "", "", NULL}},
        {{"temporary", NULL, "", "", NULL}},
        {{"finding", "DROP ROLE a", "", "", NULL}},
        {{"blocked", "DROP ROLE a", "", "", NULL}},
        {{"owner", "DROP ROLE a", "", "", NULL}},
        {{"fenced", "DROP ROLE a", "", "7", NULL}},
        {{"fenced", NULL, "", "", NULL}},
        {{"fenced", NULL, "", "0", NULL}},
        {{"fenced", NULL, "", "7x", NULL}},
        {{"fenced", NULL, "", "-7", NULL}},
    };
    for (size_t i = 0; i < UNIT_COUNT(BAD); i++) {
        const Row rows[] = {GOOD, BAD[i]};
        RolesPlan plan = ROLES_PLAN_INIT;
        Error err = ERROR_INIT;
        assert_false(decode(rows, 2, &plan, &err));
        assert_string_equal(err.code, "ROLES_ROW_INVALID");
        assert_non_null(strstr(err.text, "row 1"));
        assert_int_equal(plan.count, 0);
        assert_null(plan.steps);
    }
    RolesPlan plan = ROLES_PLAN_INIT;
    Error err = ERROR_INIT;
    PGresult *narrow = rows_of(&GOOD, 1, 4);
    assert_false(roles_plan_decode(narrow, &plan, &err));
    assert_string_equal(err.code, "ROLES_ROW_INVALID");
    PQclear(narrow);
}

// What is sent is whole: it begins and ends as it should, fragments are put in, comments left out.
static void queries_are_part_of_the_program(void **state)
{
    (void)state;
    static const char *const ENDS[] = {
        [ROLES_QUERY_CLUSTER] = "p.stmt COLLATE \"C\"",
        [ROLES_QUERY_DATABASES] = "p.stmt COLLATE \"C\"",
        [ROLES_QUERY_OWNER] = "p.stmt COLLATE \"C\"",
        [ROLES_QUERY_PRIVILEGES] = "p.stmt COLLATE \"C\"",
        [ROLES_QUERY_CREATOR] = "stmt COLLATE \"C\"",
        [ROLES_QUERY_VERIFIERS] = "a.rolname = r.role",
        [ROLES_QUERY_LOGINS] = "ORDER BY 1",
        [ROLES_QUERY_EXTENSIONS] = "ORDER BY 1",
        [ROLES_QUERY_OWNERS] = "ORDER BY 1, 2",
    };
    for (size_t i = 0; i < UNIT_COUNT(ENDS); i++) {
        const char *sql = roles_query_sql((RolesQuery)i);
        assert_true(strncmp(sql, "WITH ", 5) == 0 || strncmp(sql, "SELECT ", 7) == 0);
        assert_null(strchr(sql, '@'));
        assert_null(strstr(sql, "\n--"));
        size_t size = strlen(sql);
        while (size > 0 && sql[size - 1] == '\n') {
            size--;
        }
        assert_true(size > strlen(ENDS[i]));
        assert_memory_equal(sql + size - strlen(ENDS[i]), ENDS[i], strlen(ENDS[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_steps),
        cmocka_unit_test(a_plan_without_rows_is_empty),
        cmocka_unit_test(rows_that_no_plan_has_are_refused),
        cmocka_unit_test(queries_are_part_of_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
