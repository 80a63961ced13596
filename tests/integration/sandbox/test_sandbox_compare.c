/* The difference between the schemas of two branches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "box.h"
#include "login.h"
#include "subject.h"

static Box box;
static const char *project;
static const char *main_branch; /* ids */
static const char *dev;
static const char *main_uri;
static const char *dev_uri;

static int start(void **state)
{
    (void)state;
    static const char *const ARGUMENTS[] = {"--operation-ms", "20", NULL};
    box_start(&box, ARGUMENTS);
    REPLY made = login_create_project(&box, "15", &main_uri);
    project = box_text("%s", box_string(made.json, "project.id"));
    main_branch = box_text("%s", box_string(made.json, "branch.id"));
    login_assert(&box, main_uri, "CREATE TABLE person (id int NOT NULL, email text)", "");
    REPLY branch = login_create_branch(&box, project, "dev", &dev_uri);
    dev = box_text("%s", box_string(branch.json, "branch.id"));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static Reply compare(const char *branch, const char *query)
{
    return box_call(&box, "GET",
                    box_text("/projects/%s/branches/%s/compare_schema?%s", project, branch, query),
                    NULL);
}

static void the_same_schema_has_no_difference(void **state)
{
    (void)state;
    REPLY parent = compare(dev, "db_name=neondb");
    assert_int_equal(parent.status, 200);
    assert_string_equal(box_string(parent.json, "diff"), "");
    REPLY itself = compare(main_branch, "db_name=neondb");
    assert_string_equal(box_string(itself.json, "diff"), "");
}

static void what_a_branch_has_more_is_added(void **state)
{
    (void)state;
    login_assert(&box, dev_uri, "ALTER TABLE person ADD phone text", "");
    const char *query = box_text("db_name=neondb&base_branch_id=%s", main_branch);
    REPLY more = compare(dev, query);
    assert_int_equal(more.status, 200);
    const char *diff = box_string(more.json, "diff");
    assert_memory_equal(diff, "--- a/neondb\n+++ b/neondb\n@@ ", 29);
    assert_non_null(strstr(diff, "\n-    email text\n+    email text,\n+    phone text\n"));
    /* Without a base it is the parent. */
    REPLY parent = compare(dev, "db_name=neondb");
    assert_string_equal(box_string(parent.json, "diff"), diff);
    REPLY less = compare(main_branch, box_text("db_name=neondb&base_branch_id=%s", dev));
    assert_non_null(strstr(box_string(less.json, "diff"), "\n-    phone text\n"));
}

static void suspended_computes_run_for_it_and_stay_suspended(void **state)
{
    (void)state;
    REPLY list = box_call(&box, "GET", box_text("/projects/%s/endpoints", project), NULL);
    for (size_t i = 0; i < 2; i++) {
        const char *id = box_string(list.json, box_text("endpoints.%zu.id", i));
        assert_int_equal(box_status(&box, "POST",
                                    box_text("/projects/%s/endpoints/%s/suspend", project, id),
                                    NULL),
                         200);
        box_wait(&box, project);
    }
    REPLY reply = compare(dev, "db_name=neondb");
    assert_non_null(strstr(box_string(reply.json, "diff"), "+    phone text\n"));
    REPLY after = box_call(&box, "GET", box_text("/projects/%s/endpoints", project), NULL);
    assert_string_equal(box_string(after.json, "endpoints.0.current_state"), "idle");
    assert_string_equal(box_string(after.json, "endpoints.1.current_state"), "idle");
    const char *const ids[] = {main_branch, dev};
    for (size_t i = 0; i < 2; i++) {
        const char *folder = subject_find(&box, ids[i], "socket_dir");
        assert_int_not_equal(access(box_text("%s/.s.PGSQL.5432", folder), F_OK), 0);
    }
}

static void what_is_not_there_is_told(void **state)
{
    (void)state;
    REPLY database = compare(dev, "db_name=none");
    box_assert_error(&database, 404, "", "database not found");
    REPLY base = compare(dev, "db_name=neondb&base_branch_id=br-none");
    box_assert_error(&base, 404, "", "base branch not found");
    login_assert(&box, dev_uri, "CREATE DATABASE only_here", "");
    /* Listing them tells the API what SQL made. */
    assert_int_equal(
        box_status(&box, "GET", box_text("/projects/%s/branches/%s/databases", project, dev), NULL),
        200);
    REPLY one_sided = compare(dev, "db_name=only_here");
    box_assert_error(&one_sided, 404, "", "database not found");
    REPLY other = box_create_project(&box, "{\"project\":{}}");
    REPLY foreign = compare(
        dev, box_text("db_name=neondb&base_branch_id=%s", box_string(other.json, "branch.id")));
    box_assert_error(&foreign, 404, "", "base branch not found");
    const char *path = box_text("/projects/%s/branches/%s/compare_schema?db_name=neondb",
                                box_string(other.json, "project.id"), dev);
    REPLY elsewhere = box_call(&box, "GET", path, NULL);
    box_assert_error(&elsewhere, 404, "", "branch not found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_schema_has_no_difference),
        cmocka_unit_test(what_a_branch_has_more_is_added),
        cmocka_unit_test(suspended_computes_run_for_it_and_stay_suspended),
        cmocka_unit_test(what_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
