/* How computes come and go: suspended and woken, refused, deleted, left behind by a crash, stopped.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "box.h"
#include "login.h"

static Box box;

static const char *const ARGUMENTS[] = {"--operation-ms", "50", NULL};

static int start(void **state)
{
    (void)state;
    box_start(&box, ARGUMENTS);
    return 0;
}

/* An endpoint's path and the state it is waited for. */
typedef struct WantedState {
    const char *path;
    const char *state;
} WantedState;

static bool has_state(void *argument)
{
    const WantedState *wanted = argument;
    REPLY reply = box_call(&box, "GET", wanted->path, NULL);
    return strcmp(box_string(reply.json, "endpoint.current_state"), wanted->state) == 0;
}

static void a_suspended_endpoint_wakes_on_the_first_login(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    WantedState wanted = {
        box_text("/projects/%s/endpoints/%s", id, box_string(made.json, "endpoints.0.id")), "idle"};
    login_assert(&box, uri, "CREATE TABLE kept (); SELECT 1", "1");
    assert_int_equal(box_status(&box, "POST", box_text("%s/suspend", wanted.path), NULL), 200);
    box_wait(&box, id);
    assert_true(has_state(&wanted));
    login_assert(&box, uri, "SELECT count(*) FROM kept", "0");
    wanted.state = "active";
    assert_true(has_state(&wanted));
}

static void an_endpoint_refuses_the_logins_a_fault_names(void **state)
{
    (void)state;
    const char *uri = NULL;
    const char *error = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    box_fault(&box, box_text("{\"kind\":\"endpoint_refuses\",\"count\":2,\"match\":\"%s\"}",
                             box_string(made.json, "endpoints.0.id")));
    for (int i = 0; i < 2; i++) {
        assert_null(login_query(login_verify(&box, uri), "SELECT 1", &error));
        assert_non_null(strstr(error, "Couldn't connect to compute node"));
    }
    login_assert(&box, uri, "SELECT 1", "1");
}

static void a_deleted_branch_takes_no_logins(void **state)
{
    (void)state;
    const char *uri = NULL;
    const char *child = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    REPLY branch = login_create_branch(&box, id, "gone", &child);
    login_assert(&box, child, "SELECT 1", "1");
    const char *path =
        box_text("/projects/%s/branches/%s", id, box_string(branch.json, "branch.id"));
    assert_int_equal(box_status(&box, "DELETE", path, NULL), 200);
    box_wait(&box, id);
    assert_null(login_query(login_verify(&box, child), "SELECT 1", NULL));
    login_assert(&box, uri, "SELECT 1", "1");
    assert_int_equal(
        access(box_text("%s/clusters/%s", box.dir, box_string(branch.json, "branch.id")), F_OK),
        -1);
}

static void idle_endpoints_suspend_by_themselves(void **state)
{
    (void)state;
    static const char *const QUICK[] = {"--operation-ms", "20", "--suspend-ms", "300", NULL};
    Box others = box;
    box_start(&box, QUICK);
    const char *uri = NULL;
    REPLY made = box_create_project(&box, "{\"project\":{}}");
    uri = box_string(made.json, "connection_uris.0.connection_uri");
    PGconn *held = PQconnectdb(login_verify(&box, uri));
    assert_int_equal(PQstatus(held), CONNECTION_OK);
    PQclear(PQexec(held, "SELECT pg_sleep(0.8)"));
    WantedState wanted = {box_text("/projects/%s/endpoints/%s", box_string(made.json, "project.id"),
                                   box_string(made.json, "endpoints.0.id")),
                          "active"};
    assert_true(has_state(&wanted));
    PQfinish(held);
    wanted.state = "idle";
    box_until(has_state, &wanted, 10);
    login_assert(&box, uri, "SELECT 1", "1");
    box_stop(&box);
    box = others;
}

/* How many processes work in a folder below the box's. */
static int count_processes(void)
{
    int count = 0;
    DIR *list = opendir("/proc");
    assert_non_null(list);
    for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        char cwd[512];
        char path[300];
        snprintf(path, sizeof(path), "/proc/%s/cwd", entry->d_name);
        ssize_t length = readlink(path, cwd, sizeof(cwd) - 1);
        if (length > 0) {
            cwd[length] = '\0';
            count += strncmp(cwd, box.dir, strlen(box.dir)) == 0 ? 1 : 0;
        }
    }
    closedir(list);
    return count;
}

static bool has_no_process(void *argument)
{
    (void)argument;
    return count_processes() == 0;
}

static void a_killed_sandbox_leaves_nothing_to_the_next(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    assert_true(count_processes() > 0);
    box_kill(&box);
    box_restart(&box, ARGUMENTS);
    box_until(has_no_process, NULL, 10);
    REPLY list = box_call(&box, "GET", "/projects", NULL);
    assert_int_equal(json_array_size(box_find(list.json, "projects")), 0);
    REPLY again = login_create_project(&box, "15", &uri);
    login_assert(&box, uri, "SELECT 1", "1");
}

static void a_template_that_a_kill_broke_off_is_removed(void **state)
{
    (void)state;
    pid_t ended = fork();
    if (ended == 0) {
        _exit(0);
    }
    waitpid(ended, NULL, 0);
    const char *left = box_text("%s/template-15.20-2.%d", box.dir, (int)ended);
    const char *other = box_text("%s/template-15.20-2.%d", box.dir, (int)getpid());
    box_kill(&box);
    assert_int_equal(mkdir(left, 0700), 0);
    assert_int_equal(mkdir(other, 0700), 0);
    box_restart(&box, ARGUMENTS);
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(rmdir(other), 0);
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    login_assert(&box, uri, "SELECT 1", "1");
}

static void a_stop_leaves_no_process_and_no_file(void **state)
{
    (void)state;
    assert_true(count_processes() > 0);
    box_stop(&box);
    assert_int_equal(count_processes(), 0);
    assert_int_equal(access(box.dir, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_suspended_endpoint_wakes_on_the_first_login),
        cmocka_unit_test(an_endpoint_refuses_the_logins_a_fault_names),
        cmocka_unit_test(a_deleted_branch_takes_no_logins),
        cmocka_unit_test(idle_endpoints_suspend_by_themselves),
        cmocka_unit_test(a_killed_sandbox_leaves_nothing_to_the_next),
        cmocka_unit_test(a_template_that_a_kill_broke_off_is_removed),
        cmocka_unit_test(a_stop_leaves_no_process_and_no_file),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
