/* What a restore makes of a branch's clusters is there after a restart, whether the sandbox was
 * stopped or killed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static void crash(void)
{
    box_kill(&box);
    box_restart(&box, ARGUMENTS);
}

/* A project with a branch `dev`, each with a table that tells it. */
typedef struct Family {
    const char *project;
    const char *main_uri;
    const char *main_id;
    const char *dev_id;
} Family;

static Family make_family(void)
{
    Family family;
    const char *dev_uri = NULL;
    REPLY made = login_create_project(&box, "15", &family.main_uri);
    family.project = box_text("%s", box_string(made.json, "project.id"));
    family.main_id = box_text("%s", box_string(made.json, "branch.id"));
    login_assert(&box, family.main_uri, "CREATE TABLE t AS SELECT 'main' AS name", "");
    REPLY dev = login_create_branch(&box, family.project, "dev", &dev_uri);
    family.dev_id = box_text("%s", box_string(dev.json, "branch.id"));
    login_assert(&box, dev_uri, "UPDATE t SET name = 'dev'", "");
    return family;
}

/* The main branch gets dev's data; what it had is called `what-was`, whose id this returns. */
static const char *restore(const Family *family)
{
    REPLY reply =
        box_call(&box, "POST",
                 box_text("/projects/%s/branches/%s/restore", family->project, family->main_id),
                 box_text("{\"source_branch_id\":\"%s\",\"preserve_under_name\":\"what-was\"}",
                          family->dev_id));
    assert_int_equal(reply.status, 200);
    REPLY list = box_call(&box, "GET",
                          box_text("/projects/%s/branches?search=what-was", family->project), NULL);
    return box_text("%s", box_string(list.json, "branches.0.id"));
}

static const char *add_endpoint(const Family *family, const char *branch_id)
{
    REPLY endpoint = box_call(
        &box, "POST", box_text("/projects/%s/endpoints", family->project),
        box_text("{\"endpoint\":{\"branch_id\":\"%s\",\"type\":\"read_write\"}}", branch_id));
    assert_int_equal(endpoint.status, 201);
    box_wait(&box, family->project);
    REPLY uri = box_call(&box, "GET",
                         box_text("/projects/%s/connection_uri?branch_id=%s&role_name=neondb_owner"
                                  "&database_name=neondb&pooled=false",
                                  family->project, branch_id),
                         NULL);
    return box_text("%s", box_string(uri.json, "uri"));
}

static void both_are_there_after(void (*again)(void))
{
    Family family = make_family();
    const char *old_id = restore(&family);
    box_wait(&box, family.project);
    again();
    login_assert(&box, family.main_uri, "SELECT name FROM t", "dev");
    const char *old_uri = add_endpoint(&family, old_id);
    login_assert(&box, old_uri, "SELECT name FROM t", "main");
    again();
    login_assert(&box, family.main_uri, "SELECT name FROM t", "dev");
    login_assert(&box, old_uri, "SELECT name FROM t", "main");
}

static void what_was_kept_is_there_after_a_stop(void **state)
{
    (void)state;
    both_are_there_after(restart);
}

static void what_was_kept_is_there_after_a_kill(void **state)
{
    (void)state;
    both_are_there_after(crash);
}

static void a_kill_while_it_is_kept_loses_neither(void **state)
{
    (void)state;
    Family family = make_family();
    const char *old_id = restore(&family);
    crash();
    box_wait(&box, family.project);
    login_assert(&box, family.main_uri, "SELECT name FROM t", "dev");
    login_assert(&box, add_endpoint(&family, old_id), "SELECT name FROM t", "main");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_kept_is_there_after_a_stop),
        cmocka_unit_test(what_was_kept_is_there_after_a_kill),
        cmocka_unit_test(a_kill_while_it_is_kept_loses_neither),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
