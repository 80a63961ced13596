// Passwords: those of a branch aren't its parent's, and no server keeps any in clear.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "kit.h"
#include "rows.h"
#include "spawn.h"

#define READER_AND_MIG                                                                             \
    "{\"name\": \"reader\", \"access\": {\"main\": \"read\"}},"                                    \
    "{\"name\": \"mig\", \"access\": {\"main\": \"admin\"}}"
#define SPEC(policy, services)                                                                     \
    "{\"prefix\": \"encore\", \"policy\": \"" policy "\", \"adopt\": false,"                       \
    " \"databases\": [\"main\"], \"services\": [" services "]}"

static const char WITH_WRITER[] = SPEC(
    "authoritative", READER_AND_MIG ", {\"name\": \"writer\", \"access\": {\"main\": \"write\"}}");
static const char NEW_OWNER_PASSWORD[] = "NeonOwnerPw-of-the-branch";

static Kit kit;

static bool can_log_in(const Kit *there, const char *role)
{
    PGconn *connection = kit_try_login(there, "main", role);
    PQfinish(connection);
    return connection != NULL;
}

static void apply_as(const Kit *there, const char *password, KitRun *run)
{
    kit_run_as(there, ROLES_MODE_APPLY, "neondb_owner", password, run);
    if (!run->done || run->report.remains) {
        kit_print("apply", run);
        fail();
    }
}

// A copy of the files, as a branch is; Neon's API gives the bootstrap role a new password.
static void start_branch(const Kit *parent, Kit *branch)
{
    *branch = *parent;
    branch->spec = NULL;
    cluster_start_copy(&branch->cluster, &parent->cluster);
    branch->generation = parent->generation + 1;
    branch->fence = (RolesFence){.branch_id = "br-copy-1", .number = 1};
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&branch->cluster, "postgres");
    rows_run(admin, "ALTER ROLE neondb_owner PASSWORD '%s'", NEW_OWNER_PASSWORD);
}

static bool has_role(const json_t *roles, const char *role)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(roles); i++) {
        found = found || strcmp(json_string_value(json_array_get(roles, i)), role) == 0;
    }
    return found;
}

// Each of `roles` logs in here with its own password and not with the other cluster's.
static void assert_apart(const Kit *here, const Kit *other, const json_t *roles)
{
    for (size_t i = 0; i < json_array_size(roles); i++) {
        const char *role = json_string_value(json_array_get(roles, i));
        Kit with_theirs = *here;
        with_theirs.generation = other->generation;
        if (!can_log_in(here, role) || can_log_in(&with_theirs, role)) {
            fail_msg("%s", role);
        }
    }
}

static void a_branchs_passwords_are_its_own(void **state)
{
    (void)state;
    CLEANUP(kit_stop) Kit branch;
    start_branch(&kit, &branch);
    // The branch wants a service less, and takes nothing away: its login must not stay the
    // parent's.
    kit_wish(&branch, SPEC("additive", READER_AND_MIG));
    CLEANUP(kit_run_clear) KitRun plan = KIT_RUN_INIT;
    kit_run_as(&branch, ROLES_MODE_PLAN, "neondb_owner", NEW_OWNER_PASSWORD, &plan);
    assert_true(plan.done);
    assert_true(has_role(plan.report.managed_logins, "svc_writer"));
    assert_true(has_role(plan.report.managed_logins, "encore_platform"));
    assert_int_equal(json_array_size(plan.report.managed_logins), 7);
    branch.more_logins = plan.report.managed_logins;
    CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
    kit_run_as(&branch, ROLES_MODE_APPLY, "neondb_owner", NEW_OWNER_PASSWORD, &run);
    assert_true(run.done);
    for (size_t i = 0; i < json_array_size(plan.report.managed_logins); i++) {
        const char *role = json_string_value(json_array_get(plan.report.managed_logins, i));
        if (!has_role(run.report.passwords_set, role)) {
            kit_print(role, &run);
            fail();
        }
    }
    assert_apart(&branch, &kit, plan.report.managed_logins);
    assert_apart(&kit, &branch, plan.report.managed_logins);
}

static void assert_nowhere_in_clear(const char *password)
{
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "postgres");
    rows_run(admin, "SET log_statement = none; SET log_min_duration_statement = -1");
    assert_int_equal(rows_number(admin,
                                 "SELECT count(*) FROM pg_stat_statements WHERE "
                                 "strpos(query, '%s') > 0",
                                 password),
                     0);
    if (cluster_log_has(&kit.cluster, password)) {
        fail_msg("the server's log has a password");
    }
}

static void assert_none_in_clear(void)
{
    json_t *roles = roles_spec_logins(kit.spec);
    for (size_t i = 0; i < json_array_size(roles); i++) {
        char password[KIT_PASSWORD_BYTES];
        kit_password(&kit, json_string_value(json_array_get(roles, i)), password);
        assert_nowhere_in_clear(password);
    }
    json_decref(roles);
}

static void no_password_is_kept_by_the_server(void **state)
{
    (void)state;
    assert_none_in_clear();
    kit.generation = 2;
    CLEANUP(kit_run_clear) KitRun rotation = KIT_RUN_INIT;
    apply_as(&kit, CLUSTER_PASSWORD, &rotation);
    assert_true(has_role(rotation.report.passwords_set, "svc_reader"));
    assert_true(can_log_in(&kit, "svc_reader"));
    assert_none_in_clear();
}

// The server tells the statement of each error: not with the password.
static void a_refused_password_is_kept_nowhere_either(void **state)
{
    (void)state;
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "postgres");
    rows_run(admin, "ALTER ROLE neondb_owner SET session_preload_libraries = 'passwordcheck'");
    kit.generation = 3;
    kit.password_begin = "svc_reader"; // which passwordcheck refuses for that role
    CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
    kit_run(&kit, ROLES_MODE_APPLY, &run);
    assert_true(!run.done || run.report.remains);
    assert_true(cluster_log_has(&kit.cluster, "password must not contain user name"));
    assert_none_in_clear();
    char password[KIT_PASSWORD_BYTES];
    kit_password(&kit, "svc_reader", password);
    assert_null(strstr(run.err.text, password));
    for (size_t i = 0; i < run.report.count; i++) {
        assert_null(strstr(run.report.changes[i].change, password));
        assert_null(strstr(run.report.changes[i].reason, password));
    }
    kit.password_begin = NULL;
    kit.generation = 2;
    rows_run(admin, "ALTER ROLE neondb_owner RESET session_preload_libraries");
    kit_converge(&kit);
}

static pid_t start_run(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        KitRun run = KIT_RUN_INIT;
        kit_run(&kit, ROLES_MODE_APPLY, &run);
        _exit(run.done ? 0 : 1);
    }
    assert_true(pid > 0);
    return pid;
}

// The server tells what a session runs that waits for long, or that is ended meanwhile.
static void what_waits_and_is_ended_has_no_password(void **state)
{
    (void)state;
    static const char WAITS[] = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks "
                                "WHERE locktype = 'transactionid' AND NOT granted";
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "postgres");
    CLEANUP(cluster_finish) PGconn *other = cluster_admin(&kit.cluster, "postgres");
    rows_run(other, "BEGIN; ALTER ROLE svc_reader CONNECTION LIMIT -1");
    kit.generation = 5;
    pid_t pid = start_run();
    for (int i = 0; i < 1500 && !cluster_log_has(&kit.cluster, " still waiting for "); i++) {
        spawn_pause(5);
    }
    assert_int_equal(rows_number(admin, WAITS), 1);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 1);
    rows_run(other, "ROLLBACK");
    assert_true(cluster_log_has(&kit.cluster, " still waiting for "));
    assert_true(cluster_log_has(&kit.cluster, "FATAL:  terminating connection due to "));
    assert_true(cluster_log_has(&kit.cluster, "SQL statement \"ALTER ROLE svc_reader\""));
    assert_none_in_clear();
    kit_converge(&kit);
    assert_none_in_clear();
}

// Passwords with what SQL quotes; verified by a login.
static void passwords_with_quotes_are_set_as_they_are(void **state)
{
    (void)state;
    kit.generation = 4;
    kit.password_begin = "'\"\\$$%I \xc3\xbc";
    CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
    apply_as(&kit, CLUSTER_PASSWORD, &run);
    assert_true(can_log_in(&kit, "svc_reader"));
    assert_true(can_log_in(&kit, "encore_platform"));
    kit_assert_converged(&kit);
}

static int set_up(void **state)
{
    (void)state;
    kit_start(&kit, WITH_WRITER);
    kit_converge(&kit);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kit_stop(&kit);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_branchs_passwords_are_its_own),
        cmocka_unit_test(no_password_is_kept_by_the_server),
        cmocka_unit_test(a_refused_password_is_kept_nowhere_either),
        cmocka_unit_test(what_waits_and_is_ended_has_no_password),
        cmocka_unit_test(passwords_with_quotes_are_set_as_they_are),
    };
    cluster_require(argc, argv);
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    cluster_forget_all();
    return failed;
}
