/* What a sandbox told is there after a restart, whether it was stopped or killed. With clusters;
 * test_sandbox_kept.c has what needs none. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <libpq-fe.h>

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

/* A reply without what moves by itself. */
static json_t *get_still(const char *path, const char *member)
{
    static const char *const MOVING[] = {
        "current_state", "pending_state",          "last_active",        "suspended_at",
        "updated_at",    "compute_last_active_at", "active_time_seconds"};
    REPLY reply = box_call(&box, "GET", path, NULL);
    assert_int_equal(reply.status, 200);
    json_t *value = json_deep_copy(json_object_get(reply.json, member));
    json_t *list = json_is_array(value) ? json_incref(value) : json_pack("[O]", value);
    for (size_t i = 0; i < json_array_size(list); i++) {
        for (size_t j = 0; j < sizeof(MOVING) / sizeof(MOVING[0]); j++) {
            json_object_del(json_array_get(list, i), MOVING[j]);
        }
    }
    json_decref(list);
    return value;
}

static json_t *get_all(const char *id, const char *branch_id)
{
    const char *branch = box_text("/projects/%s/branches/%s", id, branch_id);
    return json_pack("[o, o, o, o, o, o]", get_still(box_text("/projects/%s", id), "project"),
                     get_still(box_text("/projects/%s/branches", id), "branches"),
                     get_still(box_text("/projects/%s/endpoints", id), "endpoints"),
                     get_still(box_text("%s/roles", branch), "roles"),
                     get_still(box_text("%s/databases", branch), "databases"),
                     get_still(box_text("/projects/%s/operations", id), "operations"));
}

static void assert_same(json_t *before, json_t *after)
{
    if (!json_equal(before, after)) {
        fail_msg("was: %s\nis: %s", json_dumps(before, JSON_SORT_KEYS),
                 json_dumps(after, JSON_SORT_KEYS));
    }
    json_decref(before);
    json_decref(after);
}

static void everything_is_there_after_a_stop(void **state)
{
    (void)state;
    const char *uri = NULL;
    const char *child = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    login_assert(&box, uri, "CREATE TABLE kept AS SELECT 7 AS seven; SELECT 1", "1");
    REPLY branch = login_create_branch(&box, id, "dev", &child);
    const char *branch_id = box_string(branch.json, "branch.id");
    const char *path = box_text("/projects/%s/branches/%s", id, branch_id);
    assert_int_equal(
        box_status(&box, "POST", box_text("%s/roles", path), "{\"role\":{\"name\":\"app\"}}"), 201);
    box_wait(&box, id);
    assert_int_equal(box_status(&box, "POST", box_text("%s/databases", path),
                                "{\"database\":{\"name\":\"shop\",\"owner_name\":\"app\"}}"),
                     201);
    box_wait(&box, id);
    assert_int_equal(
        box_status(&box, "PATCH", path, "{\"branch\":{\"expires_at\":\"2026-12-01T00:00:00Z\"}}"),
        box_status(&box, "PATCH", path, "{\"branch\":{\"name\":\"dev-2\"}}"));
    box_wait(&box, id);
    const char *reveal = box_text("%s/roles/app/reveal_password", path);
    REPLY password = box_call(&box, "GET", reveal, NULL);
    json_t *before = get_all(id, branch_id);
    restart();
    assert_same(before, get_all(id, branch_id));
    REPLY again = box_call(&box, "GET", reveal, NULL);
    assert_string_equal(box_string(again.json, "password"), box_string(password.json, "password"));
    login_assert(&box, uri, "SELECT seven FROM kept", "7");
    login_assert(&box, child, "SELECT seven FROM kept", "7");
}

static void roles_of_sql_keep_the_password_they_have_now(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    const char *roles =
        box_text("/projects/%s/branches/%s/roles", id, box_string(made.json, "branch.id"));
    login_assert(&box, uri, "CREATE ROLE made LOGIN PASSWORD 'aB3-first-of-two'; SELECT 1", "1");
    assert_int_equal(box_status(&box, "GET", roles, NULL), 200);
    REPLY reset = box_call(&box, "POST", box_text("%s/made/reset_password", roles), NULL);
    assert_int_equal(reset.status, 200);
    box_wait(&box, id);
    crash();
    login_assert(&box, uri, "SELECT 1", "1");
    assert_int_equal(box_status(&box, "GET", roles, NULL), 200);
    REPLY revealed = box_call(&box, "GET", box_text("%s/made/reveal_password", roles), NULL);
    assert_string_equal(box_string(revealed.json, "password"),
                        box_string(reset.json, "role.password"));
}

static void a_client_s_commits_outlive_a_kill(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    PGconn *connection = PQconnectdb(login_verify(&box, uri));
    PQclear(PQexec(connection, "CREATE TABLE counted (n int)"));
    int committed = 0;
    for (int i = 0; i < 50; i++) {
        PGresult *result = PQexec(connection, "INSERT INTO counted VALUES (1)");
        committed += PQresultStatus(result) == PGRES_COMMAND_OK ? 1 : 0;
        PQclear(result);
    }
    assert_int_equal(committed, 50);
    crash();
    PQfinish(connection);
    login_assert(&box, uri, "SELECT count(*) FROM counted", "50");
}

/* Files and folders of the clusters. */
static int count_clusters(void)
{
    int count = 0;
    DIR *list = opendir(box_text("%s/clusters", box.dir));
    assert_non_null(list);
    for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        count += entry->d_name[0] == '.' ? 0 : 1;
    }
    closedir(list);
    return count;
}

static void a_copy_that_a_kill_broke_off_is_made_again(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    login_assert(&box, uri, "CREATE TABLE kept AS SELECT 8 AS eight; SELECT 1", "1");
    int before = count_clusters();
    int64_t fault = box_fault(&box, "{\"kind\":\"operation_ms\",\"ms\":60000,\"for_ms\":60000}");
    REPLY branch =
        box_call(&box, "POST", box_text("/projects/%s/branches", id),
                 "{\"branch\":{\"name\":\"b\"},\"endpoints\":[{\"type\":\"read_write\"}]}");
    assert_int_equal(branch.status, 201);
    assert_true(fault > 0);
    crash();
    box_wait(&box, id);
    const char *path =
        box_text("/projects/%s/branches/%s", id, box_string(branch.json, "branch.id"));
    REPLY now = box_call(&box, "GET", path, NULL);
    assert_string_equal(box_string(now.json, "branch.current_state"), "ready");
    assert_int_equal(count_clusters(), before + 1);
    login_assert(&box, box_string(branch.json, "connection_uris.0.connection_uri"),
                 "SELECT eight FROM kept", "8");
}

static void a_change_that_was_done_before_a_kill_is_not_in_its_own_way(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    const char *branch =
        box_text("/projects/%s/branches/%s", id, box_string(made.json, "branch.id"));
    box_fault(&box, "{\"kind\":\"operation_ms\",\"ms\":60000,\"for_ms\":60000}");
    REPLY role =
        box_call(&box, "POST", box_text("%s/roles", branch), "{\"role\":{\"name\":\"twice\"}}");
    assert_int_equal(role.status, 201);
    // the operation's time is up long after its work is done
    login_await(&box, uri, "SELECT count(*) FROM pg_roles WHERE rolname = 'twice'", "1");
    crash();
    box_wait(&box, id);
    REPLY operations = box_call(&box, "GET", box_text("/projects/%s/operations", id), NULL);
    assert_string_equal(box_string(operations.json, "operations.0.status"), "finished");
    login_assert(&box, uri, "SELECT count(*) FROM pg_roles WHERE rolname = 'twice'", "1");
}

static const char *find_data(const char *branch_id)
{
    const char *found = NULL;
    DIR *list = opendir(box_text("%s/clusters", box.dir));
    assert_non_null(list);
    for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (strncmp(entry->d_name, branch_id, strlen(branch_id)) == 0) {
            found = box_text("%s/clusters/%s/data", box.dir, entry->d_name);
        }
    }
    closedir(list);
    assert_non_null(found);
    return found;
}

static void another_process_with_a_server_s_old_number_is_left_alone(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    box_end(&box);
    pid_t other = fork();
    if (other == 0) {
        pause();
        _exit(0);
    }
    FILE *file =
        fopen(box_text("%s/postmaster.pid", find_data(box_string(made.json, "branch.id"))), "w");
    assert_non_null(file);
    fprintf(file, "%d\n%s\n", (int)other, "somewhere");
    fclose(file);
    box_restart(&box, ARGUMENTS);
    login_assert(&box, uri, "SELECT 1", "1");
    assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
    kill(other, SIGKILL);
    waitpid(other, NULL, 0);
}

static int take_port(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    setsockopt(taken, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    assert_int_equal(bind(taken, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(taken, 1), 0);
    return taken;
}

static bool log_has(const char *text)
{
    char line[2048];
    bool has = false;
    FILE *file = fopen(box.log, "r");
    assert_non_null(file);
    while (!has && fgets(line, sizeof(line), file) != NULL) {
        has = strstr(line, text) != NULL;
    }
    fclose(file);
    return has;
}

static void a_port_that_somebody_took_is_replaced_and_said(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *id = box_string(made.json, "project.id");
    int port = (int)strtol(strstr(uri, ".localhost:") + strlen(".localhost:"), NULL, 10);
    box_end(&box);
    int taken = take_port(port);
    box_restart(&box, ARGUMENTS);
    assert_true(
        log_has(box_text("port %d of %s is taken", port, box_string(made.json, "endpoints.0.id"))));
    REPLY other = box_call(&box, "GET",
                           box_text("/projects/%s/connection_uri?database_name=%s&role_name=%s", id,
                                    box_string(made.json, "databases.0.name"),
                                    box_string(made.json, "roles.0.name")),
                           NULL);
    assert_string_not_equal(box_string(other.json, "uri"), uri);
    login_assert(&box, box_string(other.json, "uri"), "SELECT 1", "1");
    close(taken);
}

enum { LOAD_PROJECTS = 4 };

static void kills_during_a_load_lose_nothing_that_was_told(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        const char *ids[LOAD_PROJECTS];
        const char *last_uri = NULL;
        int count = 0;
        pid_t killer = box_kill_soon(&box, 1, 900);
        for (long status = 201; status == 201 && count < LOAD_PROJECTS;) {
            REPLY made = box_call(&box, "POST", "/projects", "{\"project\":{}}");
            status = made.status;
            if (status == 201) {
                ids[count++] = box_text("%s", box_string(made.json, "project.id"));
                last_uri =
                    box_text("%s", box_string(made.json, "connection_uris.0.connection_uri"));
            }
        }
        /* Meanwhile the clusters are made. */
        waitpid(killer, NULL, 0);
        crash();
        for (int i = 0; i < count; i++) {
            assert_int_equal(box_status(&box, "GET", box_text("/projects/%s", ids[i]), NULL), 200);
        }
        if (count > 0) {
            box_wait(&box, ids[count - 1]);
            login_assert(&box, last_uri, "SELECT 1", "1");
        }
        for (int i = 0; i < count; i++) {
            assert_int_equal(box_status(&box, "DELETE", box_text("/projects/%s", ids[i]), NULL),
                             200);
        }
    }
}

static void the_authority_stays_the_same(void **state)
{
    (void)state;
    char before[4096] = "";
    char after[4096] = "";
    for (int i = 0; i < 2; i++) {
        int file = open(box.ca_file, O_RDONLY | O_CLOEXEC);
        assert_true(read(file, i == 0 ? before : after, sizeof(before) - 1) > 100);
        close(file);
        if (i == 0) {
            restart();
        }
    }
    assert_string_equal(before, after);
}

static void data_that_is_missing_is_named(void **state)
{
    (void)state;
    const char *uri = NULL;
    REPLY made = login_create_project(&box, "15", &uri);
    const char *data = find_data(box_string(made.json, "branch.id"));
    box_end(&box);
    assert_int_equal(rename(data, box_text("%s.away", data)), 0);
    const char *error = box_complaint(&box, "");
    assert_non_null(strstr(error, data));
    assert_non_null(strstr(error, "is missing"));
    assert_int_equal(rename(box_text("%s.away", data), data), 0);
    box_restart(&box, ARGUMENTS);
    login_assert(&box, uri, "SELECT 1", "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_there_after_a_stop),
        cmocka_unit_test(roles_of_sql_keep_the_password_they_have_now),
        cmocka_unit_test(a_client_s_commits_outlive_a_kill),
        cmocka_unit_test(a_copy_that_a_kill_broke_off_is_made_again),
        cmocka_unit_test(a_change_that_was_done_before_a_kill_is_not_in_its_own_way),
        cmocka_unit_test(another_process_with_a_server_s_old_number_is_left_alone),
        cmocka_unit_test(a_port_that_somebody_took_is_replaced_and_said),
        cmocka_unit_test(kills_during_a_load_lose_nothing_that_was_told),
        cmocka_unit_test(the_authority_stays_the_same),
        cmocka_unit_test(data_that_is_missing_is_named),
    };
    srandom((unsigned)time(NULL));
    return cmocka_run_group_tests(tests, start, stop);
}
