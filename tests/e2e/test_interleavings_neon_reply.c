// Replies that nobody could use, while listings lag behind: the opener lost its own, or was killed
// with it in hand. Project names are not unique, so the first waits; branch names are, so the
// second asks again at once.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/pair.h"
#include "support/secrets.h"

#define POST_PROJECT "POST /projects"
#define POST_BRANCH "POST /projects/{project_id}/branches"

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

static void the_openers_own_reply_lost_with_lagging_list_makes_one_project(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, NULL, NULL);
    const char *name = world_fresh("live");
    const char *project = box_text("%s-%s", pair.application, name);
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    (void)sandbox_fault(world, box_text("{'kind': 'listing_lag', 'ms': %d}", LAG_MS));
    int64_t fault = sandbox_fault(world, "{'kind': 'reply_lost', 'route': '" POST_PROJECT "'}");
    const char *id = command_send(world, pair.application, PAIR_CREATE, name);
    pair_await_fault(world, fault, 1);
    assert_int_equal(pair_count_listed(world, project), 0);
    assert_string_equal(pair_row(world, id, "intent_status"), "open");
    const char *settled_at = pair_row(world, id, "settled_at");
    Environment made = login_environment(pair_await_once(world, id, "EnvironmentCreated"));
    assert_int_equal(sandbox_count_projects(world, project), 1);
    assert_int_equal(sandbox_count_branches(world, made.project_id, "main"), 1);
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT), calls + 1);
    assert_string_equal(pair_row(world, id, box_text("finished_at > '%s'", settled_at)), "t");
    assert_int_equal(pair_row_number(world, id, "takeovers"), 0);
}

// Who takes over goes on at once; Neon's 409 tells what the listing doesn't show yet.
static void received_201_then_kill_before_the_journal_makes_one_branch(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, "result.before/BranchEnvironment/create_branch=kill", NULL);
    Environment live = login_environment(command_run(world, pair.application, "EnvironmentCreated",
                                                     PAIR_CREATE, world_fresh("live")));
    const char *name = world_fresh("try");
    int64_t calls = sandbox_count_calls(world, POST_BRANCH);
    int64_t made = pair_made(world, "created.branches");
    (void)sandbox_fault(world,
                        box_text("{'kind': 'listing_lag', 'object': 'branch', 'ms': %d}", LAG_MS));
    const char *id = command_send(world, pair.application, PAIR_BRANCH, name, live.name);
    pair_await_kill(&pair);
    assert_int_equal(sandbox_count_calls(world, POST_BRANCH), calls + 1);
    assert_string_equal(pair_row(world, id, "journal ? 'branch_id'"), "f");
    Environment branch = login_environment(pair_await_once(world, id, "EnvironmentBranched"));
    assert_int_equal(pair_made(world, "created.branches"), made + 1);
    assert_int_equal(
        sandbox_count_branches(world, live.project_id, box_text("%s-%s", pair.application, name)),
        1);
    assert_string_equal(branch.project_id, live.project_id);
    assert_int_equal(sandbox_count_calls(world, POST_BRANCH), calls + 2);
    assert_int_equal(pair_row_number(world, id, "takeovers"), 1);
    // what was passed over is remembered
    assert_string_equal(pair_row(world, id, "unsettled_until IS NOT NULL"), "t");
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_openers_own_reply_lost_with_lagging_list_makes_one_project,
                                  pair_end),
        cmocka_unit_test_teardown(received_201_then_kill_before_the_journal_makes_one_branch,
                                  pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
