/* Branches at moments of the past, with clusters: by time and by position of the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "box.h"
#include "login.h"

static Box box;
static LoginVersions versions;

static int start(void **state)
{
    (void)state;
    versions = login_list_versions("--operation-ms", "50");
    box_start(&box, versions.arguments);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

/* A branch and what happened there. */
typedef struct Past {
    const char *project;
    const char *branch;
    const char *endpoint;
    const char *uri;
    const char *created_at;
    const char *time; /* when table t had the rows 1 and 2 */
    const char *lsn;  /* likewise, behind their commits */
    const char *next; /* likewise, before the commit of the row 3 */
} Past;

static const char *ask(const char *uri, const char *sql)
{
    const char *error = NULL;
    const char *value = login_query(login_verify(&box, uri), sql, &error);
    if (value == NULL) {
        fail_msg("%s: %s", sql, error);
    }
    return value;
}

/* RFC 3339 with milliseconds, of a moment that is over: the next commit is later. */
static const char *note_time(const char *uri)
{
    return ask(uri, "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                    "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), pg_sleep(0.002)");
}

static Past make_past(const char *major)
{
    Past past = {0};
    REPLY made = login_create_project(&box, major, &past.uri);
    past.project = box_text("%s", box_string(made.json, "project.id"));
    past.branch = box_text("%s", box_string(made.json, "branch.id"));
    past.created_at = box_text("%s", box_string(made.json, "branch.created_at"));
    past.endpoint = box_text("%s", box_string(made.json, "endpoints.0.id"));
    login_assert(&box, past.uri, "CREATE TABLE t AS SELECT generate_series(1, 2) AS n", "");
    login_assert(&box, past.uri, "CREATE ROLE of_then", "");
    login_assert(&box, past.uri, "SELECT pg_sleep(0.002)", "");
    past.time = note_time(past.uri);
    past.lsn = ask(past.uri, "SELECT pg_current_wal_lsn()");
    past.next = ask(past.uri, "INSERT INTO t VALUES (3) RETURNING pg_current_wal_insert_lsn()");
    login_assert(&box, past.uri, "CREATE TABLE later (n int)", "");
    login_assert(&box, past.uri, "CREATE ROLE later", "");
    return past;
}

/* Its clusters go while the next ones are made. */
static void forget(const Past *past)
{
    assert_int_equal(box_status(&box, "DELETE", box_text("/projects/%s", past->project), NULL),
                     200);
}

static const char *branch_path(const Past *past, const char *branch, const char *rest)
{
    return box_text("/projects/%s/branches/%s%s", past->project, branch, rest);
}

static Reply call_branch(const Past *past, const char *parent, const char *name, const char *value)
{
    return box_call(&box, "POST", box_text("/projects/%s/branches", past->project),
                    box_text("{\"branch\":{\"parent_id\":\"%s\",\"%s\":\"%s\"},"
                             "\"endpoints\":[{\"type\":\"read_write\"}]}",
                             parent, name, value));
}

/* A branch of `parent` at the point; its owner's URI and, where asked for, its id. */
static const char *branch_at(const Past *past, const char *parent, const char *name,
                             const char *value, const char **ret_id)
{
    REPLY made = call_branch(past, parent, name, value);
    assert_int_equal(made.status, 201);
    box_wait(&box, past->project);
    if (ret_id != NULL) {
        *ret_id = box_text("%s", box_string(made.json, "branch.id"));
    }
    return box_text("%s", box_string(made.json, "connection_uris.0.connection_uri"));
}

static const char COUNT[] = "SELECT string_agg(n::text, ' ' ORDER BY n) FROM t";

static void a_branch_has_the_data_of_its_time_or_position(void **state)
{
    (void)state;
    for (int i = 0; i < versions.count; i++) {
        Past past = make_past(versions.majors[i]);
        const char *id = NULL;
        const char *at_time = branch_at(&past, past.branch, "parent_timestamp", past.time, &id);
        login_assert(&box, at_time, COUNT, "1 2");
        login_assert(&box, at_time, "SELECT to_regclass('later') IS NULL", "t");
        /* What is listed is what was there. */
        assert_int_equal(box_status(&box, "GET", branch_path(&past, id, "/roles/of_then"), NULL),
                         200);
        assert_int_equal(box_status(&box, "GET", branch_path(&past, id, "/roles/later"), NULL),
                         404);
        REPLY got = box_call(&box, "GET", branch_path(&past, id, ""), NULL);
        assert_non_null(strchr(box_string(got.json, "branch.parent_lsn"), '/'));
        const char *at_lsn = branch_at(&past, past.branch, "parent_lsn", past.lsn, NULL);
        login_assert(&box, at_lsn, COUNT, "1 2");
        login_assert(&box, at_lsn, "INSERT INTO t VALUES (9)", "");
        /* Its commit begins there, so it does not end there or before. */
        login_assert(&box, branch_at(&past, past.branch, "parent_lsn", past.next, NULL), COUNT,
                     "1 2");
        login_assert(&box, past.uri, COUNT, "1 2 3");
        forget(&past);
    }
}

/* While a branch is made it has no past yet: that is how it began. */
static void the_first_moment_is_that_of_the_finished_branch(void **state)
{
    (void)state;
    Past past = make_past("15");
    const char *uri = branch_at(&past, past.branch, "parent_timestamp", past.created_at, NULL);
    login_assert(&box, uri, "SELECT to_regclass('t') IS NULL", "t");
    forget(&past);
}

/* Of a child, of its own past and of the one it has from its parent. */
static void the_past_of_a_child_goes_back_to_its_parents(void **state)
{
    (void)state;
    Past past = make_past("15");
    const char *child = NULL;
    const char *child_uri = branch_at(&past, past.branch, "parent_lsn", past.lsn, &child);
    login_assert(&box, child_uri, "INSERT INTO t VALUES (10)", "");
    login_assert(&box, child_uri, "SELECT pg_sleep(0.002)", "");
    const char *then = note_time(child_uri);
    login_assert(&box, child_uri, "DELETE FROM t", "");
    const char *grandchild = NULL;
    const char *uri = branch_at(&past, child, "parent_timestamp", then, &grandchild);
    login_assert(&box, uri, COUNT, "1 2 10");
    uri = branch_at(&past, grandchild, "parent_lsn", past.lsn, NULL);
    login_assert(&box, uri, COUNT, "1 2");
    login_assert(&box, past.uri, COUNT, "1 2 3");
    /* An ordinary copy has its parent's past too, and its own. */
    const char *copy = NULL;
    REPLY made = login_create_branch(&box, past.project, "copy", &copy);
    login_assert(&box, copy, "DELETE FROM t", "");
    uri = branch_at(&past, box_string(made.json, "branch.id"), "parent_lsn", past.lsn, NULL);
    login_assert(&box, uri, COUNT, "1 2");
    forget(&past);
}

static void a_suspended_parent_has_its_past_and_stays_suspended(void **state)
{
    (void)state;
    Past past = make_past("15");
    const char *after = note_time(past.uri);
    const char *endpoint = box_text("/projects/%s/endpoints/%s", past.project, past.endpoint);
    assert_int_equal(box_status(&box, "POST", box_text("%s/suspend", endpoint), NULL), 200);
    box_wait(&box, past.project);
    login_assert(&box, branch_at(&past, past.branch, "parent_timestamp", past.time, NULL), COUNT,
                 "1 2");
    /* Nothing was committed since: it is what it has now. */
    login_assert(&box, branch_at(&past, past.branch, "parent_timestamp", after, NULL), COUNT,
                 "1 2 3");
    REPLY got = box_call(&box, "GET", endpoint, NULL);
    assert_string_equal(box_string(got.json, "endpoint.current_state"), "idle");
    login_assert(&box, past.uri, COUNT, "1 2 3");
    forget(&past);
}

static void a_branch_goes_back_to_a_moment_and_keeps_what_it_was(void **state)
{
    (void)state;
    Past past = make_past(versions.majors[versions.count - 1]);
    const char *path = branch_path(&past, past.branch, "/restore");
    REPLY refused = box_call(
        &box, "POST", path,
        box_text("{\"source_branch_id\":\"%s\",\"preserve_under_name\":\"old\"}", past.branch));
    box_assert_error(&refused, 422, "", "source_timestamp or source_lsn is required");
    REPLY restored = box_call(&box, "POST", path,
                              box_text("{\"source_branch_id\":\"%s\",\"source_timestamp\":\"%s\","
                                       "\"preserve_under_name\":\"old\"}",
                                       past.branch, past.time));
    assert_int_equal(restored.status, 200);
    box_wait(&box, past.project);
    login_assert(&box, past.uri, COUNT, "1 2");
    REPLY list =
        box_call(&box, "GET", box_text("/projects/%s/branches?search=old", past.project), NULL);
    const char *old = box_text("%s", box_string(list.json, "branches.0.id"));
    /* From what was kept it comes back, by position. */
    REPLY main = box_call(&box, "GET", branch_path(&past, past.branch, ""), NULL);
    assert_string_equal(box_string(main.json, "branch.parent_id"), old);
    assert_int_equal(box_status(&box, "POST", path, box_text("{\"source_branch_id\":\"%s\"}", old)),
                     200);
    box_wait(&box, past.project);
    login_assert(&box, past.uri, COUNT, "1 2 3");
    assert_int_equal(
        box_status(&box, "POST", path,
                   box_text("{\"source_branch_id\":\"%s\",\"source_lsn\":\"%s\"}", old, past.lsn)),
        200);
    box_wait(&box, past.project);
    login_assert(&box, past.uri, COUNT, "1 2");
    forget(&past);
}

static void a_schema_of_then_is_a_root_whose_past_begins_with_it(void **state)
{
    (void)state;
    Past past = make_past("15");
    REPLY made = box_call(&box, "POST", box_text("/projects/%s/branches", past.project),
                          box_text("{\"branch\":{\"init_source\":\"schema-only\","
                                   "\"parent_lsn\":\"%s\"},"
                                   "\"endpoints\":[{\"type\":\"read_write\"}]}",
                                   past.lsn));
    assert_int_equal(made.status, 201);
    box_wait(&box, past.project);
    const char *uri = box_string(made.json, "connection_uris.0.connection_uri");
    login_assert(&box, uri, "SELECT count(*) FROM t", "0");
    login_assert(&box, uri, "SELECT to_regclass('later') IS NULL", "t");
    REPLY refused = call_branch(&past, box_string(made.json, "branch.id"), "parent_lsn", past.lsn);
    box_assert_error(&refused, 400, "", "outside the branch's history");
    forget(&past);
}

static void what_is_outside_the_history_is_refused(void **state)
{
    (void)state;
    Past past = make_past("15");
    static const struct {
        const char *name;
        const char *value;
        const char *part;
    } OUTSIDE[] = {
        {"parent_timestamp", "2020-01-01T00:00:00Z", "outside the project's history"},
        {"parent_timestamp", "2120-01-01T00:00:00Z", "outside the project's history"},
        {"parent_lsn", "FF/0", "the branch's history reaches from"},
        {"parent_lsn", "0/1", "the branch's history reaches from"},
        {"parent_lsn", "here", "invalid request: parent_lsn is no LSN"},
    };
    for (size_t i = 0; i < sizeof(OUTSIDE) / sizeof(OUTSIDE[0]); i++) {
        REPLY refused = call_branch(&past, past.branch, OUTSIDE[i].name, OUTSIDE[i].value);
        box_assert_error(&refused, 400, "", OUTSIDE[i].part);
    }
    REPLY both = box_call(&box, "POST", box_text("/projects/%s/branches", past.project),
                          box_text("{\"branch\":{\"parent_id\":\"%s\",\"parent_lsn\":\"%s\","
                                   "\"parent_timestamp\":\"%s\"}}",
                                   past.branch, past.lsn, past.time));
    box_assert_error(&both, 400, "",
                     "either parent_lsn or parent_timestamp can be given, not both");
    REPLY count =
        box_call(&box, "GET", box_text("/projects/%s/branches/count", past.project), NULL);
    assert_int_equal(box_integer(count.json, "count"), 1);
    forget(&past);
}

static void without_a_history_it_is_the_option_that_is_named(void **state)
{
    (void)state;
    Box bare;
    const char *const arguments[] = {"--operation-ms", "0", "--history", "0", NULL};
    box_start(&bare, arguments);
    REPLY made = box_create_project(&bare, "{\"project\":{\"pg_version\":15}}");
    const char *project = box_string(made.json, "project.id");
    REPLY refused = box_call(&bare, "POST", box_text("/projects/%s/branches", project),
                             "{\"branch\":{\"parent_lsn\":\"0/1\"}}");
    box_assert_error(&refused, 400, "", "--history");
    assert_int_equal(box_status(&bare, "POST", box_text("/projects/%s/branches", project), NULL),
                     201);
    box_wait(&bare, project);
    box_stop(&bare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_branch_has_the_data_of_its_time_or_position),
        cmocka_unit_test(the_first_moment_is_that_of_the_finished_branch),
        cmocka_unit_test(the_past_of_a_child_goes_back_to_its_parents),
        cmocka_unit_test(a_suspended_parent_has_its_past_and_stays_suspended),
        cmocka_unit_test(a_branch_goes_back_to_a_moment_and_keeps_what_it_was),
        cmocka_unit_test(a_schema_of_then_is_a_root_whose_past_begins_with_it),
        cmocka_unit_test(what_is_outside_the_history_is_refused),
        cmocka_unit_test(without_a_history_it_is_the_option_that_is_named),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
