// A worker that is killed at the end of its Kafka transaction, while the group's offsets are not
// stable: who takes over has to wait for them (rd_kafka_committed blocks until the transaction has
// ended or timed out), and its loop goes on meanwhile.
#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/pair.h"
#include "support/probe.h"
#include "support/secrets.h"
#include "support/wait.h"

#define TURNS "provision_loop_turn_seconds"

enum { NS_PER_MS = 1000000, TURN_MS_MAX = 250, STARVED_MS_MAX = 500 };

static const char *const SETTINGS[] = {"environments.check_login=off", NULL};

static bool others_wait_for_it;

// Its threads run before everybody else's: whatever a turn then takes is its own doing. Threads
// that it starts later have their maker's priority. False: this user may not.
static bool prefer(const Process *worker)
{
    const struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_RR)};
    DIR *threads = opendir(box_text("/proc/%d/task", (int)worker->pid));
    assert_non_null(threads);
    bool is_preferred = true;
    for (struct dirent *one = readdir(threads); one != NULL; one = readdir(threads)) {
        pid_t thread = (pid_t)strtol(one->d_name, NULL, 10); // 0: "." and ".."
        is_preferred =
            (thread == 0 || sched_setscheduler(thread, SCHED_RR, &lowest) == 0) && is_preferred;
    }
    (void)closedir(threads);
    return is_preferred;
}

static int begin(void **state)
{
    pair_open(state, SETTINGS);
    const World *world = *state;
    others_wait_for_it = prefer(&world->workers[0]);
    return 0;
}

// How long the loop's thread was ready to run and got no processor, which a turn is not to blame
// for: /proc/PID/schedstat, second number, in ns
// (https://docs.kernel.org/scheduler/sched-stats.html).
static int64_t read_starved_ms(const Process *worker)
{
    char text[128] = "";
    char *rest = NULL;
    FILE *file = fopen(box_text("/proc/%d/schedstat", (int)worker->pid), "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    (void)fclose(file);
    (void)strtoll(text, &rest, 10);
    return strtoll(rest, NULL, 10) / NS_PER_MS;
}

typedef struct Calm {
    const Process *worker;
    double slow_turns;
    int64_t starved_ms;
} Calm;

static double sample_of(const Page *page, const char *name)
{
    const char *line = strstr(page->text, box_text("\n%s ", name));
    assert_non_null(line);
    return strtod(line + strlen(name) + 2, NULL);
}

// Of more than 250 ms, since its start.
static double count_slow_turns(const Process *worker)
{
    Page page = probe_get(worker, "/metrics");
    return sample_of(&page, TURNS "_count") - sample_of(&page, TURNS "_bucket{le=\"0.25\"}");
}

static Calm calm_begin(const Process *worker)
{
    return (Calm){worker, count_slow_turns(worker), read_starved_ms(worker)};
}

// No turn of its loop was slow meanwhile. Where it can't be preferred and the machine is busy with
// other things, what its thread was kept waiting is let pass; a turn that blocks sleeps instead.
static void calm_expect(const Calm *calm)
{
    double slow_turns = count_slow_turns(calm->worker) - calm->slow_turns;
    double longest_ms = probe_metric(calm->worker, TURNS "_max") * 1000;
    int64_t starved_ms = read_starved_ms(calm->worker) - calm->starved_ms;
    print_message("%.0f slow turns; the longest since the start took %.0f ms; no processor for "
                  "%" PRId64 " ms in all%s\n",
                  slow_turns, longest_ms, starved_ms, others_wait_for_it ? ", preferred" : "");
    starved_ms = others_wait_for_it ? 0 : starved_ms;
    starved_ms = starved_ms < STARVED_MS_MAX ? starved_ms : STARVED_MS_MAX;
    assert_true(slow_turns <= 0 || longest_ms < (double)(TURN_MS_MAX + starved_ms));
}

static Environment expect_one_environment(const Pair *pair, const char *id, int64_t calls_before)
{
    World *world = pair->world;
    Environment live = login_environment(command_await(world, id, "EnvironmentCreated"));
    reader_read_to_end(world->reader);
    assert_int_equal(reader_count_outcomes(world->reader, id), 1);
    assert_int_equal(sandbox_count_calls(world, "POST /projects"), calls_before + 1);
    expect_ready(world, pair->application, &live, 1);
    assert_int_equal(pair_row_number(world, id, "epoch"), 1);
    return live;
}

// The partition goes on: what comes behind is executed.
static void expect_going_on(const Pair *pair, const Environment *live)
{
    const char *deleted = command_send(pair->world, pair->application, PAIR_DELETE, live->name);
    (void)pair_await_once(pair->world, deleted, "EnvironmentDeleted");
    expect_gone(pair->world, pair->application, live->name, 2);
}

// The broker has the request: the outcome is published, and the offset committed. That the row
// isn't marked any more is known (worker/run/outbox.h): the committed offset says that it is done.
static void EndTxn_sent_kill_publishes_once_and_the_loop_does_not_stall(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, "transaction.end.sent#2=kill", NULL);
    Calm calm = calm_begin(pair.other);
    int64_t calls = sandbox_count_calls(world, "POST /projects");
    const char *id = command_send(world, pair.application, PAIR_CREATE, world_fresh("live"));
    pair_await_kill(&pair);
    Environment live = expect_one_environment(&pair, id, calls);
    expect_going_on(&pair, &live);
    calm_expect(&calm);
    assert_string_equal(pair_row(world, id, "status"), "finished");
    assert_int_equal(ledger_unfinished(world), 1);
    (void)ledger_value(world,
                       "UPDATE provision.command SET published_at = now() "
                       "WHERE command_id = '%s' RETURNING 1",
                       id);
}

static void offsets_pending_kill_publishes_once_and_the_loop_does_not_stall(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, "transaction.offsets.after#2=kill", NULL);
    Calm calm = calm_begin(pair.other);
    int64_t calls = sandbox_count_calls(world, "POST /projects");
    const char *id = command_send(world, pair.application, PAIR_CREATE, world_fresh("live"));
    pair_await_kill(&pair);
    int64_t killed_ms = wait_now_ms();
    pair_await_exclusion(&pair);
    int64_t excluded_ms = wait_now_ms();
    Environment live = expect_one_environment(&pair, id, calls);
    print_message("given to the other after %" PRId64 " ms, published after %" PRId64 " ms\n",
                  excluded_ms - killed_ms, wait_now_ms() - killed_ms);
    pair_await_row(world, id, "published_at IS NOT NULL");
    expect_going_on(&pair, &live);
    calm_expect(&calm);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(EndTxn_sent_kill_publishes_once_and_the_loop_does_not_stall,
                                  pair_end),
        cmocka_unit_test_teardown(offsets_pending_kill_publishes_once_and_the_loop_does_not_stall,
                                  pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
