// What a probe, Prometheus and the service manager see of a worker.
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ledger_door.h"
#include "support/probe.h"
#include "support/secrets.h"
#include "support/wait.h"
#include "support/world.h"

enum { EXIT_CONFIG = 78, EXIT_UNAVAILABLE = 69, SECONDS = 60, SLOW_MS = 6000, LATE = 5 };

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"

static const char *const WORKER[] = {"environments.check_login=off", "ledger.connections=2",
                                     "drain.finish=20s", NULL};

static Process *one; // most tests look at it

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    // of one partition, a second worker has nothing
    static const char *const TOPICS[] = {"--set", "topics.partitions=1", NULL};
    const WorldOptions options = {SANDBOX, TOPICS};
    world_begin(state, &options);
    one = worker_start(*state, "one", WORKER);
    return 0;
}

static void a_worker_becomes_ready_and_lives(void **state)
{
    (void)state;
    probe_await(one, "/readyz", 200, "ready\n", SECONDS);
    assert_int_equal(probe_status(one, "/livez"), 200);
    assert_int_equal(probe_status(one, "/"), 404);
    assert_true(probe_metric(one, "provision_ready") > 0);
}

// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
static void assert_sample(const char *line, size_t length)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(4096);
    text_append_bytes(&text, line, length);
    const char *sample = text_get(&text);
    size_t name = strspn(sample, "abcdefghijklmnopqrstuvwxyz_");
    const char *end = strrchr(sample, '}'); // a route has braces of its own
    const char *value = end != NULL ? end + 1 : sample + name;
    char *rest = NULL;
    (void)strtod(value, &rest);
    if (name == 0 || (sample[name] == '{') != (end != NULL) || value[0] != ' ' || *rest != '\0') {
        fail_msg("no sample: %s", sample);
    }
    // no label says whose command it was
    assert_null(strstr(sample, APPLICATION));
    assert_null(strstr(sample, WORLD_ORG));
}

static void assert_exposition(const char *text)
{
    size_t samples = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        assert_int_equal(text[length], '\n');
        if (strncmp(text, "# HELP ", 7) != 0 && strncmp(text, "# TYPE ", 7) != 0) {
            assert_sample(text, length);
            samples++;
        }
        text += length + 1;
    }
    assert_in_range(samples, 50, 5000);
}

static void commands_are_counted_by_action_and_outcome(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    command_connect_main(world, APPLICATION);
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
    (void)command_refused(world, APPLICATION, "CommandRejected", "ACCOUNT_UNKNOWN",
                          "'createEnvironment': {'environment': '%s', 'account': 'other', "
                          "'regionId': '" WORLD_REGION "'}",
                          world_fresh("try"));
    static const struct {
        const char *sample;
        double least;
        double most;
    } CASES[] = {
        {"provision_commands_total{action=\"CreateEnvironment\",outcome=\"done\"}", 1, 1},
        {"provision_commands_total{action=\"CreateEnvironment\",outcome=\"ACCOUNT_UNKNOWN\"}", 1,
         1},
        {"provision_commands_total{action=\"ConnectAccount\",outcome=\"done\"}", 1, 1},
        {"provision_records_total{result=\"command\"}", 3, 3},
        {"provision_command_seconds_count{action=\"CreateEnvironment\"}", 2, 2},
        {"provision_step_seconds_count{action=\"CreateEnvironment\",step=\"create_project\"}", 1,
         1},
        {"provision_neon_requests_total{route=\"POST /projects\",status=\"201\"}", 1, 1},
        {"provision_neon_request_seconds_count{route=\"POST /projects\"}", 1, 1},
        {"provision_neon_request_seconds_sum{route=\"POST /projects\"}", 1e-6, 60},
        {"provision_crash_loops_total", 0, 0}, // there before they count
        {"provision_neon_keys_refused_total", 0, 0},
        {"provision_intents_total{event=\"opened\"}", 1, 20},
        {"provision_ledger_statement_seconds_count{kind=\"claim\"}", 3, 3},
        {"provision_ledger_statement_rows_sum{kind=\"conclude\"}", 3, 3},
        {"provision_transaction_outcomes_sum", 3, 3},
        {"provision_outcomes_dropped_total", 0, 0},
        {"provision_ledger_connections_ready", 2, 2},
        {"provision_partitions_assigned", 1, 1},
        {"provision_loop_turn_seconds_count", 10, 1e9},
        {"provision_loop_turn_seconds_max", 0.0001, 5},
        {"process_resident_memory_bytes", 1e6, 1e9},
        {"process_cpu_seconds_total", 0.001, 1000},
        {"process_start_time_seconds", 1.7e9, 1e11},
    };
    // published last, and marked after that
    probe_await_metric(one, "provision_transaction_outcomes_sum", 3, SECONDS);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        double value = probe_metric(one, CASES[i].sample);
        if (value < CASES[i].least || value > CASES[i].most) {
            fail_msg("%s is %g", CASES[i].sample, value);
        }
    }
    Page page = probe_get(one, "/metrics");
    assert_exposition(page.text);
    assert_non_null(strstr(page.text, "\nprovision_build_info{version=\""));
}

static bool has_no_backlog(void *context)
{
    (void)context;
    return probe_metric(one, "provision_partition_backlog{partition=\"0\"}") == 0 &&
           probe_metric(one, "provision_partition_unfinished{partition=\"0\"}") == 0 &&
           probe_metric(one, "provision_commands_in_flight") == 0;
}

static void a_worker_without_its_ledger_lives_and_is_not_ready(void **state)
{
    World *world = *state;
    wait_until(has_no_backlog, NULL, SECONDS, "a worker without a backlog");
    ledger_door_shut(world);
    probe_await(one, "/readyz", 503, "the ledger is away\n", SECONDS);
    assert_int_equal(probe_status(one, "/livez"), 200);
    assert_true(probe_metric(one, "provision_ledger_connections_ready") == 0);
    assert_true(probe_metric(one, "provision_ready") == 0);
    // partitions are paused meanwhile; what is behind their position shows all the same
    for (int i = 0; i < LATE; i++) {
        (void)command_send(world, APPLICATION, "'deleteEnvironment': {'environment': '%s'}",
                           world_fresh("none"));
    }
    probe_await_metric(one, "provision_partition_backlog{partition=\"0\"}", LATE, SECONDS);
    ledger_door_open(world);
    probe_await(one, "/readyz", 200, "ready\n", SECONDS);
    wait_until(has_no_backlog, NULL, SECONDS, "an end of the backlog");
}

static void a_worker_without_partitions_is_ready_all_the_same(void **state)
{
    World *world = *state;
    Process *two = worker_start(world, "idle", WORKER);
    worker_await_members(world, 2, SECONDS);
    probe_await(two, "/readyz", 200, "ready\n", SECONDS);
    probe_await(one, "/readyz", 200, "ready\n", SECONDS);
    double assigned = probe_metric(one, "provision_partitions_assigned") +
                      probe_metric(two, "provision_partitions_assigned");
    assert_true(assigned == 1);
    worker_stop(two);
}

static void an_address_that_can_not_be_had_ends_the_start(void **state)
{
    World *world = *state;
    const char *const taken[] = {"--set", box_text("admin.address=127.0.0.1:%d", probe_port(one)),
                                 "run", NULL};
    assert_int_equal(worker_task(world, taken), EXIT_UNAVAILABLE);
    static const char *const WRONG[] = {"--set", "admin.address=localhost", "run", NULL};
    assert_int_equal(worker_task(world, WRONG), EXIT_CONFIG);
    char *log = process_read_log(box_text("%s/tasks.log", world->dir));
    assert_non_null(strstr(log, "ADMIN_ADDRESS_IN_USE"));
    assert_non_null(strstr(log, "ADMIN_ADDRESS_INVALID"));
    free(log);
}

// The service manager's end of the socket.
typedef struct Manager {
    int socket;
    Text heard; // one message a line
    const char *wanted;
} Manager;

static void manager_open(Manager *manager)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int length =
        snprintf(address.sun_path, sizeof(address.sun_path), "@provision-e2e-%ld", (long)getpid());
    assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "400000", 1), 0);
    address.sun_path[0] = '\0';
    *manager = (Manager){.socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                         .heard = TEXT_INIT(1 << 20)};
    assert_int_equal(bind(manager->socket, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length)),
                     0);
}

static void manager_close(Manager *manager)
{
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    close(manager->socket);
    text_clear(&manager->heard);
}

static bool has_heard(void *context)
{
    Manager *manager = context;
    char message[1024];
    ssize_t size = 0;
    while ((size = recv(manager->socket, message, sizeof(message), 0)) > 0) {
        text_append_bytes(&manager->heard, message, (size_t)size);
        text_append_char(&manager->heard, '\n');
    }
    return strstr(text_get(&manager->heard), manager->wanted) != NULL;
}

static void manager_await(Manager *manager, const char *text)
{
    manager->wanted = text;
    wait_until(has_heard, manager, SECONDS, "the service manager to hear %s", text);
}

static void the_service_manager_hears_of_start_work_and_end(void **state)
{
    World *world = *state;
    Manager manager;
    manager_open(&manager);
    Process *told = worker_start(world, "told", WORKER);
    manager_await(&manager, "WATCHDOG=1\n");
    manager_await(&manager, "READY=1\n");
    manager_await(&manager, "STATUS=ready: ");
    text_clear(&manager.heard);
    manager_await(&manager, "WATCHDOG=1\n");
    // what doesn't turn doesn't say so: after all that was said before, nothing comes
    process_signal(told, SIGSTOP);
    manager.wanted = "nothing";
    (void)has_heard(&manager);
    text_clear(&manager.heard);
    assert_false(has_heard(&manager));
    assert_int_equal(manager.heard.length, 0);
    process_signal(told, SIGCONT);
    worker_stop(told);
    manager_await(&manager, "STOPPING=1\n");
    manager_close(&manager);
}

static void a_worker_that_drains_is_not_ready(void **state)
{
    World *world = *state;
    (void)sandbox_fault(world,
                        box_text("{'kind': 'operation_ms', 'ms': %d, 'for_ms': 60000}", SLOW_MS));
    int64_t made = sandbox_count_calls(world, "POST /projects");
    const char *id = command_send(world, APPLICATION, CREATE, world_fresh("slow"));
    probe_await_metric(one,
                       "provision_neon_requests_total{route=\"POST /projects\","
                       "status=\"201\"}",
                       (double)made + 1, SECONDS);
    process_signal(one, SIGTERM);
    probe_await(one, "/readyz", 503, "draining\n", SLOW_MS / 1000);
    assert_int_equal(probe_status(one, "/livez"), 200);
    sandbox_clear_faults(world);
    assert_int_equal(process_wait(one, SECONDS), 0);
    Process *heir = worker_start(world, "heir", WORKER);
    (void)command_await(world, id, "EnvironmentCreated");
    worker_stop(heir);
}

static void no_page_holds_a_secret(void **state)
{
    World *world = *state;
    FILE *file = fopen(box_text("%s/metrics.txt", world->dir), "we");
    assert_non_null(file);
    Page page = probe_get(one, "/metrics");
    assert_true(fputs(page.text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    secrets_search(world);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_becomes_ready_and_lives),
        cmocka_unit_test(commands_are_counted_by_action_and_outcome),
        cmocka_unit_test(a_worker_without_its_ledger_lives_and_is_not_ready),
        cmocka_unit_test(no_page_holds_a_secret),
        cmocka_unit_test(a_worker_without_partitions_is_ready_all_the_same),
        cmocka_unit_test(an_address_that_can_not_be_had_ends_the_start),
        cmocka_unit_test(the_service_manager_hears_of_start_work_and_end),
        cmocka_unit_test(a_worker_that_drains_is_not_ready),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
