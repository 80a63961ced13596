// A worker that is frozen until the group has given its commands to the other one, and then thaws.
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ledger_proxy.h"
#include "support/pair.h"
#include "support/probe.h"
#include "support/secrets.h"
#include "support/wait.h"

#define POST_PROJECT "POST /projects"

// Two commands whose claims go over the same connection.
typedef struct Twins {
    World *world;
    const char *held;
    const char *behind;
} Twins;

static const char *const SETTINGS[] = {"environments.check_login=off",
                                       "neon.send_window=1s",
                                       "neon.request_timeout=6s",
                                       "neon.listing_lag=1s",
                                       "ledger.statement_timeout=1m",
                                       "ledger.connections=1",
                                       NULL};

static int begin(void **state)
{
    pair_open(state, SETTINGS);
    return 0;
}

static void expect_one_project(const Pair *pair, const char *id, const char *environment,
                               int64_t calls_before)
{
    World *world = pair->world;
    (void)pair_await_once(world, id, "EnvironmentCreated");
    assert_int_equal(
        sandbox_count_projects(world, box_text("%s-%s", pair->application, environment)), 1);
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT), calls_before + 1);
}

static void stop_between_list_and_POST(World *world, const char *point)
{
    Pair pair = pair_begin(world, box_text("%s=stop", point), NULL);
    const char *name = world_fresh("live");
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    const char *id = command_send(world, pair.application, PAIR_CREATE, name);
    pair_await_point(&pair, point);
    pair_await_exclusion(&pair);
    expect_one_project(&pair, id, name, calls);
    pair_thaw(&pair);
    // it has given up its call, not sent it
    process_await_log(pair.first, POST_PROJECT ": 0 in ", PAIR_SECONDS);
    expect_one_project(&pair, id, name, calls);
    assert_int_equal(pair_row_number(world, id, "takeovers"), 1);
    worker_stop(pair.first);
}

static void SIGSTOP_between_list_and_POST_while_the_other_finishes_sends_nothing(void **state)
{
    stop_between_list_and_POST(*state, "intent.after/CreateEnvironment/create_project");
    stop_between_list_and_POST(*state, "call.before/CreateEnvironment/create_project");
}

static bool has_open_intent(void *context)
{
    return strcmp(ledger_value(context, "SELECT count(*) FROM provision.command WHERE status = "
                                        "'running' AND intent_status = 'open'"),
                  "1") == 0;
}

// Its claim was sent before it froze, and reaches the ledger when the other one has its call under
// way. The ledger counts, not what either of them believes: the other one is told by its next
// write, and claims again.
static void a_thawed_worker_claims_what_the_new_owner_runs_and_nothing_is_made_twice(void **state)
{
    World *world = *state;
    Proxy *proxy = NULL;
    Pair pair = pair_begin(world, NULL, ledger_proxy_open(world, "thawed.uri", &proxy));
    const char *name = world_fresh("live");
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    (void)sandbox_fault(world, "{'kind': 'slow', 'route': '" POST_PROJECT "', 'ms': 4000}");
    proxy_set_trap(proxy, PROXY_HOLD_REQUEST, name, false);
    const char *id = command_send(world, pair.application, PAIR_CREATE, name);
    wait_until(proxy_has_tripped, proxy, PAIR_SECONDS, "the first worker's claim");
    process_signal(pair.first, SIGSTOP);
    pair_await_exclusion(&pair);
    wait_until(has_open_intent, world, PAIR_SECONDS, "the other worker's call");
    assert_int_equal(pair_row_number(world, id, "epoch"), 1);
    proxy_release(proxy);
    pair_await_takeover(world, id, 1);
    process_await_log(pair.other, "another worker has claimed the command", PAIR_SECONDS);
    pair_thaw(&pair);
    // concluded by either, the thawed one without being able to publish it
    expect_one_project(&pair, id, name, calls);
    assert_int_equal(pair_row_number(world, id, "abandoned"), 0);
    (void)pair_end(state);
    proxy_close(proxy);
}

static bool are_both_claimed(void *context)
{
    const Twins *twins = context;
    return strcmp(ledger_value(twins->world,
                               "SELECT count(*) FROM provision.command WHERE status = 'running' "
                               "AND intent_number > 0 AND command_id IN ('%s', '%s')",
                               twins->held, twins->behind),
                  "2") == 0;
}

// One claim is on its way when it freezes, another waits for the same connection: the answer to the
// first doesn't send it, for the other worker has the command.
static void a_thawed_worker_sends_no_claim_that_waited_behind_another(void **state)
{
    World *world = *state;
    Proxy *proxy = NULL;
    Pair pair = pair_begin(world, NULL, ledger_proxy_open(world, "behind.uri", &proxy));
    const char *names[] = {world_fresh("live"), world_fresh("live")};
    (void)sandbox_fault(world,
                        "{'kind': 'slow', 'route': '" POST_PROJECT "', 'count': 2, 'ms': 5000}");
    proxy_set_trap(proxy, PROXY_HOLD_REQUEST, names[0], false);
    Twins twins = {.world = world};
    twins.held = command_send(world, pair.application, PAIR_CREATE, names[0]);
    wait_until(proxy_has_tripped, proxy, PAIR_SECONDS, "the first worker's claim");
    twins.behind = command_send(world, pair.application, PAIR_CREATE, names[1]);
    probe_await_metric(pair.first, "provision_commands_working", 2, PAIR_SECONDS);
    process_signal(pair.first, SIGSTOP);
    pair_await_exclusion(&pair);
    wait_until(are_both_claimed, &twins, PAIR_SECONDS, "the other worker's calls");
    proxy_release(proxy);
    pair_await_takeover(world, twins.held, 1);
    process_signal(pair.first, SIGTERM); // it gets no command again
    process_signal(pair.first, SIGCONT);
    assert_int_equal(process_wait(pair.first, PAIR_SECONDS), 0);
    (void)pair_await_once(world, twins.held, "EnvironmentCreated");
    (void)pair_await_once(world, twins.behind, "EnvironmentCreated");
    assert_int_equal(pair_row_number(world, twins.behind, "takeovers"), 0);
    proxy_close(proxy);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            SIGSTOP_between_list_and_POST_while_the_other_finishes_sends_nothing, pair_end),
        cmocka_unit_test_teardown(
            a_thawed_worker_claims_what_the_new_owner_runs_and_nothing_is_made_twice, pair_end),
        cmocka_unit_test_teardown(a_thawed_worker_sends_no_claim_that_waited_behind_another,
                                  pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
