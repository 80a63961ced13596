// A worker that is killed before it knows, or has written down, what its call did, while listings
// lag behind: the command ends once, and Neon holds one project.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/pair.h"
#include "support/secrets.h"

#define POST_PROJECT "POST /projects"

// The listing lags longer than the group takes to notice that a worker has died, so that the next
// owner's first look sees nothing.
enum { LAG_MS = 12000 };

static const char *const SETTINGS[] = {"environments.check_login=off", "neon.send_window=1s",
                                       "neon.request_timeout=2s", "neon.listing_lag=13s", NULL};

static int begin(void **state)
{
    pair_open(state, SETTINGS);
    return 0;
}

static void set_lag(World *world)
{
    (void)sandbox_fault(world, box_text("{'kind': 'listing_lag', 'ms': %d}", LAG_MS));
}

static const char *project_of(const Pair *pair, const char *environment)
{
    return box_text("%s-%s", pair->application, environment);
}

// Made once, asked for once.
static void expect_one_project(const Pair *pair, const Seen *seen, int64_t calls_before)
{
    World *world = pair->world;
    Environment made = login_environment(seen);
    assert_int_equal(sandbox_count_projects(world, project_of(pair, made.name)), 1);
    assert_int_equal(sandbox_count_branches(world, made.project_id, "main"), 1);
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT), calls_before + 1);
}

static void kill_after_claim_leaves_the_command_to_the_other_worker(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, "claim.after/CreateEnvironment=kill", NULL);
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    const char *id = command_send(world, pair.application, PAIR_CREATE, world_fresh("live"));
    pair_await_kill(&pair);
    assert_int_equal(pair_row_number(world, id, "epoch"), 1);
    assert_string_equal(pair_row(world, id, "intent_status"), "");
    expect_one_project(&pair, pair_await_once(world, id, "EnvironmentCreated"), calls);
    assert_int_equal(pair_row_number(world, id, "epoch"), 2);
    assert_int_equal(pair_row_number(world, id, "abandoned"), 0);
}

typedef struct Landing {
    const Pair *pair;
    const char *environment;
} Landing;

static bool has_landed(void *context)
{
    const Landing *landing = context;
    return sandbox_count_projects(landing->pair->world,
                                  project_of(landing->pair, landing->environment)) == 1;
}

// The next owner looks while the listing shows nothing, and doesn't believe it before the call is
// settled.
static void expect_adoption(const Pair *pair, const char *id, const char *environment,
                            int64_t calls_before)
{
    World *world = pair->world;
    pair_await_takeover(world, id, 1);
    assert_int_equal(pair_count_listed(world, project_of(pair, environment)), 0);
    assert_string_equal(pair_row(world, id, "intent_status"), "open");
    const char *settled_at = pair_row(world, id, "settled_at");
    const Seen *seen = pair_await_once(world, id, "EnvironmentCreated");
    expect_one_project(pair, seen, calls_before);
    assert_string_equal(pair_row(world, id, box_text("finished_at > '%s'", settled_at)), "t");
    assert_int_equal(pair_row_number(world, id, "takeovers"), 1);
    assert_int_equal(pair_row_number(world, id, "abandoned"), 1);
}

static void kill_after_POST_with_lagging_list_makes_one_project(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, NULL, NULL);
    const char *name = world_fresh("live");
    Landing landing = {&pair, name};
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    set_lag(world);
    (void)sandbox_fault(world, "{'kind': 'slow', 'route': '" POST_PROJECT "', 'ms': 1500}");
    const char *id = command_send(world, pair.application, PAIR_CREATE, name);
    box_until(has_landed, &landing, PAIR_SECONDS);
    process_kill(pair.first);
    expect_adoption(&pair, id, name, calls);
}

static void received_201_then_kill_before_the_journal_makes_one_project(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, "call.after/CreateEnvironment/create_project=kill", NULL);
    const char *name = world_fresh("live");
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    set_lag(world);
    const char *id = command_send(world, pair.application, PAIR_CREATE, name);
    pair_await_kill(&pair);
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT), calls + 1);
    assert_string_equal(pair_row(world, id, "journal ? 'project_id'"), "f");
    expect_adoption(&pair, id, name, calls);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(kill_after_claim_leaves_the_command_to_the_other_worker,
                                  pair_end),
        cmocka_unit_test_teardown(kill_after_POST_with_lagging_list_makes_one_project, pair_end),
        cmocka_unit_test_teardown(received_201_then_kill_before_the_journal_makes_one_project,
                                  pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
