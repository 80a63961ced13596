// Runs at the same time, runs that are killed, and a run that stood still while another went by.
// `roles_race_test MAJOR [KILLS]`
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "kit.h"
#include "rows.h"
#include "snapshot.h"
#include "spawn.h"

enum { AT_ONCE = 6, SEED = 20260722 };

static int kills = 12;

static const char SPEC[] =
    "{\"prefix\": \"encore\", \"policy\": \"authoritative\", \"adopt\": true,"
    " \"databases\": [\"main\", \"other\", \"neondb\"], \"services\": ["
    "{\"name\": \"reader\", \"access\": {\"main\": \"read\", \"neondb\": \"read\"}},"
    "{\"name\": \"writer\", \"access\": {\"main\": \"write\", \"other\": \"write\"}},"
    "{\"name\": \"mig\", \"access\": {\"main\": \"admin\", \"neondb\": \"admin\"}}]}";

static Kit kit;

// A process that applies; its status is 0 when it ended converged.
static pid_t start_run(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        KitRun run = KIT_RUN_INIT;
        kit_run(&kit, ROLES_MODE_APPLY, &run);
        if (!run.done || run.report.remains) {
            kit_print("in a process", &run);
        }
        _exit(run.done && !run.report.remains ? 0 : 1);
    }
    assert_true(pid > 0);
    return pid;
}

static int end_of(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void run_all_at_once(void)
{
    pid_t pids[AT_ONCE];
    int failed = 0;
    for (int i = 0; i < AT_ONCE; i++) {
        pids[i] = start_run();
    }
    for (int i = 0; i < AT_ONCE; i++) {
        failed += end_of(pids[i]) != 0;
    }
    assert_int_equal(failed, 0);
    kit_assert_converged(&kit);
}

static void six_runs_at_once_all_succeed(void **state)
{
    (void)state;
    run_all_at_once();
}

static void six_runs_at_once_repair_what_drifted(void **state)
{
    (void)state;
    run_all_at_once();
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "main");
    rows_run(admin, "DROP ROLE svc_reader, encore_reader;"
                    "GRANT CONNECT ON DATABASE main TO PUBLIC;"
                    "ALTER ROLE svc_mig IN DATABASE main RESET role;"
                    "ALTER ROLE svc_writer PASSWORD NULL");
    run_all_at_once();
}

static bool await_waiter(PGconn *admin, pid_t pid)
{
    for (int i = 0; i < 2000 && waitpid(pid, NULL, WNOHANG) == 0; i++) {
        if (rows_number(admin, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT "
                               "granted") > 0) {
            return true;
        }
        spawn_pause(5);
    }
    return false;
}

static void a_run_waits_for_the_one_that_has_the_lock(void **state)
{
    (void)state;
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "postgres");
    CLEANUP(cluster_finish) PGconn *other = cluster_admin(&kit.cluster, "postgres");
    rows_run(other, "SELECT pg_advisory_lock(hashtextextended('encore:roles', 0))");
    pid_t pid = start_run();
    assert_true(await_waiter(admin, pid));
    assert_int_equal(
        rows_number(admin, "SELECT count(*) FROM pg_roles WHERE rolname ~ '^(encore|db|svc)_'"), 0);
    rows_run(other, "SELECT pg_advisory_unlock(hashtextextended('encore:roles', 0))");
    assert_int_equal(end_of(pid), 0);
    kit_assert_converged(&kit);
}

// As a service whose password leaked may, to keep a rotation of it away.
static void somebody_else_s_session_with_the_locks_is_ended(void **state)
{
    (void)state;
    kit_converge(&kit);
    CLEANUP(cluster_finish) PGconn *cluster = kit_login(&kit, "postgres", "svc_writer");
    CLEANUP(cluster_finish) PGconn *database = kit_login(&kit, "main", "svc_reader");
    rows_run(cluster, "SELECT pg_advisory_lock(hashtextextended('encore:roles', 0))");
    rows_run(database, "SELECT pg_advisory_lock_shared("
                       "hashtextextended('encore:roles:database', 0))");
    assert_int_equal(end_of(start_run()), 0);
    PQclear(PQexec(cluster, "SELECT 1"));
    PQclear(PQexec(database, "SELECT 1"));
    assert_int_equal(PQstatus(cluster), CONNECTION_BAD);
    assert_int_equal(PQstatus(database), CONNECTION_BAD);
}

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// True when the run was still under way after that time.
static bool kill_after(pid_t pid, int ms)
{
    int handle = (int)syscall(SYS_pidfd_open, pid, 0);
    assert_true(handle >= 0);
    struct pollfd poll_fd = {.fd = handle, .events = POLLIN};
    bool is_running = poll(&poll_fd, 1, ms) == 0;
    (void)close(handle);
    (void)kill(pid, SIGKILL);
    int end = end_of(pid);
    return is_running && end == -1;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static void restart(void)
{
    cluster_stop(&kit.cluster);
    cluster_start(&kit.cluster);
}

static void after_a_kill_at_any_moment_a_run_converges(void **state)
{
    (void)state;
    uint32_t seed = SEED + (uint32_t)cluster_major();
    int killed = 0;
    double begun = now_s();
    assert_int_equal(end_of(start_run()), 0);
    int whole_ms = (int)((now_s() - begun) * 1000) + 1;
    for (int i = 0; i < kills; i++) {
        restart();
        int moment_ms = (int)(next_random(&seed) % (uint32_t)whole_ms);
        killed += kill_after(start_run(), moment_ms);
        CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
        kit_run(&kit, ROLES_MODE_APPLY, &run);
        if (!run.done || run.report.remains) {
            kit_print("after a kill", &run);
            fail_msg("killed after %d of %d ms (seed %d, kill %d)", moment_ms, whole_ms, SEED, i);
        }
        kit_assert_converged(&kit);
    }
    print_message("PostgreSQL %d: a run takes %d ms; %d of %d were killed under way\n",
                  cluster_major(), whole_ms, killed, kills);
    assert_true(killed >= kills / 3);
}

static bool can_log_in(const char *role)
{
    PGconn *connection = kit_try_login(&kit, "main", role);
    PQfinish(connection);
    return connection != NULL;
}

static void a_run_that_stood_still_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    const json_t *databases = json_object_get(kit.spec, "databases");
    kit.fence.number = 4;
    kit_converge(&kit);
    kit.generation = 2;
    kit.fence.number = 5;
    kit_converge(&kit);
    CLEANUP(rows_free) char *before = snapshot_tuples(&kit.cluster, databases);
    kit.generation = 1;
    kit.fence.number = 4;
    CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
    kit_run(&kit, ROLES_MODE_APPLY, &run);
    assert_false(run.done);
    assert_string_equal(run.err.code, "ROLES_FENCED");
    assert_int_equal(run.err.kind, ERROR_CONFLICT);
    assert_int_equal(run.report.fence_seen, 5);
    CLEANUP(rows_free) char *after = snapshot_tuples(&kit.cluster, databases);
    assert_true(snapshot_is_equal(before, after));
    assert_false(can_log_in("svc_reader"));
    kit.generation = 2;
    assert_true(can_log_in("svc_reader"));
}

// A branch's copy of the mark names the branch it came from.
static void another_branch_begins_its_own_fence(void **state)
{
    (void)state;
    kit.fence.number = 9;
    kit_converge(&kit);
    kit.fence = (RolesFence){.branch_id = "br-test-2", .number = 1};
    kit.generation = 3;
    kit_converge(&kit);
    assert_true(can_log_in("svc_reader"));
}

static int set_up(void **state)
{
    (void)state;
    kit_start(&kit, SPEC);
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
        cmocka_unit_test_setup_teardown(six_runs_at_once_all_succeed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(six_runs_at_once_repair_what_drifted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_waits_for_the_one_that_has_the_lock, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(somebody_else_s_session_with_the_locks_is_ended, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(after_a_kill_at_any_moment_a_run_converges, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_stood_still_is_refused_and_changes_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_branch_begins_its_own_fence, set_up, tear_down),
    };
    cluster_require(argc, argv);
    kills = argc > 2 ? (int)strtol(argv[2], NULL, 10) : kills;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cluster_forget_all();
    return failed;
}
