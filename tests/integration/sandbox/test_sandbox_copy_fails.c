/* Copies that fail, for a fault or in earnest: a branch keeps the data it had, a new one refuses
 * logins and can be deleted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "box.h"
#include "login.h"

static Box box;

static const char *const ARGUMENTS[] = {"--operation-ms", "20", NULL};

static int start(void **state)
{
    (void)state;
    box_start_kept(&box, ARGUMENTS);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    box_stop(&box);
    return 0;
}

static void restart(void)
{
    box_end(&box);
    box_restart(&box, ARGUMENTS);
}

/* How the copy is made to fail, and what ends that. */
typedef struct Way {
    void (*begin)(void);
    void (*end)(void);
} Way;

static void begin_fault(void)
{
    box_fault(&box, "{\"kind\":\"operation_fails\",\"action\":\"create_branch\",\"count\":1}");
}

static void end_fault(void)
{
}

/* No folder for a copy can be made. Clusters that run keep theirs. */
static void hide_clusters(void)
{
    assert_int_equal(
        rename(box_text("%s/clusters", box.dir), box_text("%s/clusters.away", box.dir)), 0);
}

static void show_clusters(void)
{
    assert_int_equal(
        rename(box_text("%s/clusters.away", box.dir), box_text("%s/clusters", box.dir)), 0);
}

static const Way FAULT = {begin_fault, end_fault};
static const Way EARNEST = {hide_clusters, show_clusters};

/* A project with a branch `dev`, each with a table and a role that tell it. */
typedef struct Family {
    const char *project;
    const char *main_id;
    const char *dev; /* path */
    const char *dev_uri;
} Family;

static Family make_family(void)
{
    Family family;
    const char *main_uri = NULL;
    REPLY made = login_create_project(&box, "15", &main_uri);
    family.project = box_text("%s", box_string(made.json, "project.id"));
    family.main_id = box_text("%s", box_string(made.json, "branch.id"));
    login_assert(&box, main_uri, "CREATE TABLE t AS SELECT 'main' AS name", "");
    REPLY dev = login_create_branch(&box, family.project, "dev", &family.dev_uri);
    family.dev =
        box_text("/projects/%s/branches/%s", family.project, box_string(dev.json, "branch.id"));
    login_assert(&box, family.dev_uri, "UPDATE t SET name = 'dev'", "");
    assert_int_equal(
        box_status(&box, "POST", box_text("%s/roles", family.dev), "{\"role\":{\"name\":\"own\"}}"),
        201);
    box_wait(&box, family.project);
    return family;
}

static void restore(const Family *family)
{
    assert_int_equal(box_status(&box, "POST", box_text("%s/restore", family->dev),
                                box_text("{\"source_branch_id\":\"%s\"}", family->main_id)),
                     200);
    box_wait(&box, family->project);
}

static void assert_as_it_was(const Family *family)
{
    REPLY got = box_call(&box, "GET", family->dev, NULL);
    assert_string_equal(box_string(got.json, "branch.current_state"), "ready");
    assert_int_equal(box_status(&box, "GET", box_text("%s/roles/own", family->dev), NULL), 200);
    login_assert(&box, family->dev_uri,
                 "SELECT name FROM t WHERE EXISTS (SELECT FROM pg_roles WHERE rolname = 'own')",
                 "dev");
}

static void a_branch_keeps_its_data(const Way *way)
{
    Family family = make_family();
    way->begin();
    restore(&family);
    way->end();
    assert_as_it_was(&family);
    restart();
    assert_as_it_was(&family);
    restore(&family);
    login_assert(&box, family.dev_uri, "SELECT name FROM t", "main");
    assert_int_equal(box_status(&box, "GET", box_text("%s/roles/own", family.dev), NULL), 404);
    restart();
    login_assert(&box, family.dev_uri, "SELECT name FROM t", "main");
}

static void a_restore_that_a_fault_ends_takes_nothing_away(void **state)
{
    (void)state;
    a_branch_keeps_its_data(&FAULT);
}

static void a_restore_whose_copy_fails_takes_nothing_away(void **state)
{
    (void)state;
    a_branch_keeps_its_data(&EARNEST);
}

static void a_new_branch_can_go(const Way *way)
{
    const char *error = NULL;
    Family family = make_family();
    way->begin();
    REPLY made =
        box_call(&box, "POST", box_text("/projects/%s/branches", family.project),
                 "{\"branch\":{\"name\":\"new\"},\"endpoints\":[{\"type\":\"read_write\"}]}");
    assert_int_equal(made.status, 201);
    box_wait(&box, family.project);
    way->end();
    REPLY operations = box_call(&box, "GET",
                                box_text("/projects/%s/operations/%s", family.project,
                                         box_string(made.json, "operations.0.id")),
                                NULL);
    assert_string_equal(box_string(operations.json, "operation.status"), "failed");
    const char *uri = box_string(made.json, "connection_uris.0.connection_uri");
    for (int i = 0; i < 2; i++) {
        assert_null(login_query(login_verify(&box, uri), "SELECT 1", &error));
        assert_non_null(strstr(error, "Couldn't connect to compute node"));
        if (i == 0) {
            restart();
        }
    }
    const char *path =
        box_text("/projects/%s/branches/%s", family.project, box_string(made.json, "branch.id"));
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 200);
    box_wait(&box, family.project);
    assert_int_equal(box_status(&box, "GET", path, NULL), 404);
}

static void a_creation_that_a_fault_ends_refuses_logins(void **state)
{
    (void)state;
    a_new_branch_can_go(&FAULT);
}

static void a_creation_whose_copy_fails_refuses_logins(void **state)
{
    (void)state;
    a_new_branch_can_go(&EARNEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restore_that_a_fault_ends_takes_nothing_away),
        cmocka_unit_test(a_restore_whose_copy_fails_takes_nothing_away),
        cmocka_unit_test(a_creation_that_a_fault_ends_refuses_logins),
        cmocka_unit_test(a_creation_whose_copy_fails_refuses_logins),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
