#include "script.h"

#include "base/attr.h"

enum { DATABASES = 10 };

static void free_talks(RolesTalks **talks)
{
    roles_talks_free(*talks);
}

// Answers what the session sends, which tests of talks don't care about.
static RolesTalkAction answer(Script *script, RolesTalks *talks, RolesSession *session)
{
    assert_int_equal(roles_talks_next(talks, session, 0).action, ROLES_TALK_SEND);
    script->talk = session->talk;
    script_answer(script);
    script->talk = NULL;
    return roles_talks_next(talks, session, 0).action;
}

static RolesSession *open_cluster(Script *script, RolesTalks *talks)
{
    RolesSession *cluster = roles_talks_open(talks);
    assert_non_null(cluster);
    assert_null(roles_talks_open(talks)); // no other one before it
    assert_string_equal(cluster->database, "postgres");
    assert_null(roles_talks_holder(talks));
    assert_int_equal(answer(script, talks, cluster), ROLES_TALK_HOLD);
    assert_ptr_equal(roles_talks_holder(talks), cluster);
    return cluster;
}

static void set_databases(Script *script, int count)
{
    json_t *list = json_array();
    for (int i = 0; i < count; i++) {
        json_array_append_new(list, json_sprintf("d%d", i));
    }
    json_object_set_new(script->spec, "databases", list);
}

static void databases_are_worked_in_eight_at_once(void **state)
{
    Script *script = *state;
    set_databases(script, DATABASES);
    CLEANUP(free_talks) RolesTalks *talks = roles_talks_new(&script->task, "neondb");
    RolesSession *cluster = open_cluster(script, talks);
    RolesSession *open[DATABASES];
    for (int i = 0; i < ROLES_TALKS_MAX; i++) {
        open[i] = roles_talks_open(talks);
        assert_non_null(open[i]);
    }
    assert_string_equal(open[0]->database, "d0");
    assert_null(roles_talks_open(talks));
    assert_int_equal(answer(script, talks, open[0]), ROLES_TALK_DONE);
    assert_int_equal(roles_talks_next(talks, open[0], 0).action, ROLES_TALK_DONE);
    open[8] = roles_talks_open(talks);
    assert_string_equal(open[8]->database, "d8");
    assert_null(roles_talks_open(talks));
    for (int i = 1; i < ROLES_TALKS_MAX; i++) {
        assert_int_equal(answer(script, talks, open[i]), ROLES_TALK_DONE);
    }
    open[9] = roles_talks_open(talks);
    assert_int_equal(answer(script, talks, open[8]), ROLES_TALK_DONE);
    assert_int_equal(roles_talks_next(talks, cluster, 0).action, ROLES_TALK_HOLD);
    assert_false(roles_talks_is_over(talks));
    assert_int_equal(answer(script, talks, open[9]), ROLES_TALK_DONE);
    assert_int_equal(roles_talks_next(talks, cluster, 0).action, ROLES_TALK_DONE);
    assert_true(roles_talks_is_over(talks));
    assert_null(roles_talks_holder(talks));
    Error err = ERROR_INIT;
    assert_true(roles_talks_end(talks, &script->report, &err));
}

static void a_branch_without_postgres_is_entered_elsewhere(void **state)
{
    Script *script = *state;
    CLEANUP(free_talks) RolesTalks *talks = roles_talks_new(&script->task, "neondb");
    RolesSession *cluster = roles_talks_open(talks);
    Error err;
    error_set(&err, ERROR_UNAVAILABLE, "3D000", "database \"postgres\" does not exist");
    assert_true(roles_talks_refused(talks, cluster, &err));
    assert_ptr_equal(roles_talks_open(talks), cluster);
    assert_string_equal(cluster->database, "neondb");
    assert_false(roles_talks_refused(talks, cluster, &err));
    assert_int_equal(roles_talks_next(talks, cluster, 0).action, ROLES_TALK_FAILED);
    assert_true(roles_talks_is_over(talks));
    assert_null(roles_talks_open(talks));
    assert_false(roles_talks_end(talks, &script->report, &err));
    assert_string_equal(err.code, "3D000");
}

static void a_branch_that_does_not_answer_is_not_tried_elsewhere(void **state)
{
    Script *script = *state;
    CLEANUP(free_talks) RolesTalks *talks = roles_talks_new(&script->task, "neondb");
    RolesSession *cluster = roles_talks_open(talks);
    Error err;
    error_set(&err, ERROR_UNAVAILABLE, "CONNECT_TIMEOUT", "no connection within 15000 ms");
    assert_false(roles_talks_refused(talks, cluster, &err));
    assert_int_equal(roles_talks_next(talks, cluster, 0).action, ROLES_TALK_FAILED);
}

static void the_first_failure_is_told_with_what_came_of_the_others(void **state)
{
    Script *script = *state;
    CLEANUP(free_talks) RolesTalks *talks = roles_talks_new(&script->task, "neondb");
    RolesSession *cluster = open_cluster(script, talks);
    RolesSession *first = roles_talks_open(talks);
    RolesSession *second = roles_talks_open(talks);
    script->rows[ROLES_QUERY_PRIVILEGES] = "blocked||it can't be repaired|x|-";
    assert_int_equal(answer(script, talks, first), ROLES_TALK_DONE);
    Error err;
    error_set(&err, ERROR_UNAVAILABLE, "CONNECT_FAILED", "no route to host");
    assert_false(roles_talks_refused(talks, second, &err));
    assert_int_equal(roles_talks_next(talks, second, 0).action, ROLES_TALK_FAILED);
    Error later;
    error_set(&later, ERROR_UNAVAILABLE, "CONNECTION_LOST", "later");
    assert_false(roles_talks_refused(talks, cluster, &later));
    assert_int_equal(roles_talks_next(talks, cluster, 0).action, ROLES_TALK_FAILED);
    assert_true(roles_talks_is_over(talks));
    assert_false(roles_talks_end(talks, &script->report, &err));
    assert_string_equal(err.code, "CONNECT_FAILED");
    script_assert_change(script, 0, "!main|x||it can't be repaired");
}

// 53300 may also be told by a server that is full for a while.
static void a_database_that_takes_nobody_does_not_fail_the_others(void **state)
{
    Script *script = *state;
    script->rows[ROLES_QUERY_CLUSTER] = "blocked||nobody may connect|main|-\n"
                                        "blocked||nobody may connect|database main|-";
    CLEANUP(free_talks) RolesTalks *talks = roles_talks_new(&script->task, "neondb");
    RolesSession *cluster = open_cluster(script, talks);
    RolesSession *closed = roles_talks_open(talks);
    RolesSession *other = roles_talks_open(talks);
    Error err;
    error_set(&err, ERROR_UNAVAILABLE, "53300", "too many connections");
    assert_false(roles_talks_refused(talks, closed, &err));
    assert_int_equal(roles_talks_next(talks, closed, 0).action, ROLES_TALK_DONE);
    assert_false(roles_talks_is_over(talks));
    assert_false(roles_talks_refused(talks, other, &err));
    assert_int_equal(roles_talks_next(talks, other, 0).action, ROLES_TALK_FAILED);
    assert_false(roles_talks_refused(talks, cluster, &err));
    assert_false(roles_talks_end(talks, &script->report, &err));
    assert_string_equal(err.code, "53300");
    script_assert_change(script, 2, "!main|main||53300: too many connections");
}

static void missing_databases_are_left_out_of_a_plan(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PLAN;
    script->rows[ROLES_QUERY_DATABASES] = "change|CREATE DATABASE main|database is missing|main|-";
    CLEANUP(free_talks) RolesTalks *talks = roles_talks_new(&script->task, "neondb");
    RolesSession *cluster = open_cluster(script, talks);
    RolesSession *other = roles_talks_open(talks);
    assert_string_equal(other->database, "other");
    assert_null(roles_talks_open(talks));
    assert_int_equal(answer(script, talks, other), ROLES_TALK_DONE);
    assert_int_equal(roles_talks_next(talks, cluster, 0).action, ROLES_TALK_DONE);
}

static void databases_begin_while_others_are_created(void **state)
{
    Script *script = *state;
    set_databases(script, 2);
    script->rows[ROLES_QUERY_DATABASES] = "change|CREATE DATABASE d1|database is missing|d1|-";
    CLEANUP(free_talks) RolesTalks *talks = roles_talks_new(&script->task, "neondb");
    RolesSession *cluster = roles_talks_open(talks);
    assert_int_equal(answer(script, talks, cluster), ROLES_TALK_SEND);
    RolesSession *first = roles_talks_open(talks);
    assert_string_equal(first->database, "d0");
    assert_null(roles_talks_open(talks));
    assert_int_equal(answer(script, talks, cluster), ROLES_TALK_HOLD);
    assert_string_equal(roles_talks_open(talks)->database, "d1");
}

static void a_rotation_needs_no_database(void **state)
{
    Script *script = *state;
    script->task.mode = ROLES_MODE_PASSWORDS;
    CLEANUP(free_talks) RolesTalks *talks = roles_talks_new(&script->task, "neondb");
    RolesSession *cluster = roles_talks_open(talks);
    assert_int_equal(answer(script, talks, cluster), ROLES_TALK_DONE);
    assert_true(roles_talks_is_over(talks));
}

static void an_owner_s_run_looks_into_the_named_databases(void **state)
{
    Script *script = *state;
    json_t *databases = json_pack("[s]", "other");
    script->task.mode = ROLES_MODE_OWNER;
    script->task.databases = databases;
    RolesTalks *talks = roles_talks_new(&script->task, "neondb");
    (void)open_cluster(script, talks);
    assert_string_equal(roles_talks_open(talks)->database, "other");
    assert_null(roles_talks_open(talks));
    roles_talks_free(talks);
    json_decref(databases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRIPT_TEST(databases_are_worked_in_eight_at_once),
        SCRIPT_TEST(a_branch_without_postgres_is_entered_elsewhere),
        SCRIPT_TEST(a_branch_that_does_not_answer_is_not_tried_elsewhere),
        SCRIPT_TEST(the_first_failure_is_told_with_what_came_of_the_others),
        SCRIPT_TEST(a_database_that_takes_nobody_does_not_fail_the_others),
        SCRIPT_TEST(missing_databases_are_left_out_of_a_plan),
        SCRIPT_TEST(databases_begin_while_others_are_created),
        SCRIPT_TEST(a_rotation_needs_no_database),
        SCRIPT_TEST(an_owner_s_run_looks_into_the_named_databases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
