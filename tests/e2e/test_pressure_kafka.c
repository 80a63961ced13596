// Kafka is away for two minutes: Neon work that is under way goes on, outcomes wait in the ledger
// and are published afterwards, each once.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/load.h"
#include "support/memory.h"
#include "support/probe.h"
#include "support/stack.h"
#include "support/wait.h"

enum { APPLICATIONS = 6, EACH = 5, AWAY_MS = 120 * 1000, SECONDS = 120 };

static Load load;

static const char *application(int number)
{
    return box_text("app-%d", number);
}

// Steps are told of, too, where there is an assignment to tell under.
static const char *const SETTINGS[] = {"environments.check_login=off", "publish.accepted=on",
                                       "publish.steps=on", NULL};

static int begin(void **state)
{
    // so that none has ended when the last one is claimed
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "10000", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    (void)worker_start(*state, "one", SETTINGS);
    for (int i = 0; i < APPLICATIONS; i++) {
        command_connect_main(*state, application(i));
    }
    return 0;
}

static int64_t count_finished(World *world)
{
    return strtoll(ledger_value(world, "SELECT count(*) FROM provision.command WHERE action = "
                                       "'CreateEnvironment' AND status = 'finished'"),
                   NULL, 10);
}

static bool are_claimed(void *context)
{
    return strtoll(ledger_value(context, "SELECT count(*) FROM provision.command WHERE action = "
                                         "'CreateEnvironment' AND status = 'running'"),
                   NULL, 10) == (int64_t)APPLICATIONS * EACH;
}

static bool are_finished(void *context)
{
    return count_finished(context) == (int64_t)APPLICATIONS * EACH;
}

typedef struct After {
    World *world;
    Load *load;
    Process *worker;
} After;

// A worker that ends with 75 asks to be started again, as its supervisor does.
static bool is_published_or_ended(void *context)
{
    const After *after = context;
    return load_ended(after->world, after->load) == after->load->count ||
           process_has_ended(after->worker);
}

static bool is_over(void *context)
{
    return wait_now_ms() >= *(const int64_t *)context;
}

static void outcomes_wait_for_kafka_and_go_out_once(void **state)
{
    World *world = *state;
    Process *worker = &world->workers[0];
    load_init(&load);
    for (int i = 0; i < APPLICATIONS * EACH; i++) {
        load_create(world, &load, application(i % APPLICATIONS));
    }
    wait_until(are_claimed, world, SECONDS, "all commands to be claimed");
    int64_t until_ms = wait_now_ms() + AWAY_MS;
    stack_freeze_kafka();
    wait_until(are_finished, world, SECONDS, "the commands to end in the ledger, Kafka or not");
    assert_int_equal(strtoll(ledger_value(world, "SELECT count(*) FROM provision.command WHERE "
                                                 "action = 'CreateEnvironment' AND "
                                                 "published_at IS NOT NULL"),
                             NULL, 10),
                     0);
    probe_await(worker, "/readyz", 503, "", SECONDS);
    wait_until(is_over, &until_ms, 2 * AWAY_MS / 1000, "the outage to last");
    assert_false(process_has_ended(worker));
    assert_int_equal(probe_get(worker, "/livez").status, 200);
    stack_thaw_kafka();
    int64_t began_ms = wait_now_ms();
    After after = {world, &load, worker};
    wait_until(is_published_or_ended, &after, SECONDS, "what comes after Kafka is back");
    if (worker->pid == 0) { // the broker has ended the transaction that was open when it froze
        assert_int_equal(worker->status, 75);
        worker = worker_start(world, "again", SETTINGS);
    }
    load_expect_ends(world, &load, SECONDS);
    print_message("all published %.1f s after Kafka was back\n",
                  (double)(wait_now_ms() - began_ms) / 1000);
    probe_await(worker, "/readyz", 200, "", SECONDS);
    memory_expect_bounded(worker);
    load_clear(&load);
}

int main(void)
{
    world_require();
    memory_use_release();
    stack_begin(STACK_KAFKA);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_wait_for_kafka_and_go_out_once),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
