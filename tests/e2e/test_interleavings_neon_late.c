// A request that lands when nobody waits for it any more: its worker was killed, and the next owner
// passed its intent over, because branch names are unique. Whatever removes the branch looks again
// once nothing can land.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/pair.h"
#include "support/secrets.h"

#define POST_BRANCH "POST /projects/{project_id}/branches"

// Longer than the group takes to notice that a worker has died.
enum { ON_ITS_WAY_MS = 12000 };

static const char *const SETTINGS[] = {"environments.check_login=off", "neon.send_window=1s",
                                       "neon.request_timeout=14s", "neon.listing_lag=1s", NULL};

static int begin(void **state)
{
    pair_open(state, SETTINGS);
    return 0;
}

typedef struct Late {
    Pair pair;
    Environment live;
    const char *name; // of the environment that is to be branched off it
    const char *id;
    int64_t refusal; // the fault that the next owner's request meets, if it is to
    int64_t made;    // branches of the sandbox before
    int64_t deleted;
} Late;

// The first worker's request is on its way, and the worker is dead.
static Late begin_late(World *world, bool is_refused)
{
    Late late = {.pair = pair_begin(world, NULL, NULL), .name = world_fresh("try")};
    late.live = login_environment(command_run(world, late.pair.application, "EnvironmentCreated",
                                              PAIR_CREATE, world_fresh("live")));
    late.made = pair_made(world, "created.branches");
    late.deleted = pair_made(world, "deleted.branches");
    int64_t delayed = sandbox_fault(
        world,
        box_text("{'kind': 'slow_before', 'route': '" POST_BRANCH "', 'ms': %d}", ON_ITS_WAY_MS));
    if (is_refused) {
        late.refusal = sandbox_fault(world, "{'kind': 'status', 'route': '" POST_BRANCH
                                            "', 'skip': 1, 'status': 403, 'message': 'no'}");
    }
    late.id = command_send(world, late.pair.application, PAIR_BRANCH, late.name, late.live.name);
    pair_await_fault(world, delayed, 1);
    process_kill(late.pair.first);
    return late;
}

// Everything that was made, the late one, too, was removed.
static void expect_nothing_left(const Late *late, int64_t branches)
{
    World *world = late->pair.world;
    assert_int_equal(pair_made(world, "created.branches"), late->made + branches);
    assert_int_equal(pair_made(world, "deleted.branches"), late->deleted + branches);
    assert_int_equal(sandbox_count_branches(world, late->live.project_id,
                                            box_text("%s-%s", late->pair.application, late->name)),
                     0);
    assert_string_equal(
        ledger_value(world,
                     "SELECT state FROM provision.environment WHERE application_id = '%s' AND "
                     "environment = '%s'",
                     late->pair.application, late->name),
        "gone");
}

// The next owner's own request is refused.
static void undo_while_a_passed_over_request_still_lands_leaves_nothing(void **state)
{
    World *world = *state;
    Late late = begin_late(world, true);
    pair_await_fault(world, late.refusal, 1);
    assert_int_equal(pair_made(world, "created.branches"), late.made); // still on its way
    const Seen *seen = pair_await_once(world, late.id, "CommandFailed");
    assert_string_equal(seen_text(seen, "commandFailed.code"), "NEON_DENIED");
    assert_string_equal(seen_text(seen, "commandFailed.left.0"), "");
    expect_nothing_left(&late, 1);
}

// The next owner's request succeeds, the environment is deleted at once, and the name is free
// again.
static void a_later_deletion_while_a_passed_over_request_still_lands_leaves_nothing(void **state)
{
    World *world = *state;
    Late late = begin_late(world, false);
    (void)pair_await_once(world, late.id, "EnvironmentBranched");
    assert_int_equal(pair_row_number(world, late.id, "takeovers"), 1);
    const char *id = command_send(world, late.pair.application, PAIR_DELETE, late.name);
    assert_int_equal(pair_made(world, "created.branches"), late.made + 1); // still on its way
    (void)pair_await_once(world, id, "EnvironmentDeleted");
    expect_nothing_left(&late, 2);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(undo_while_a_passed_over_request_still_lands_leaves_nothing,
                                  pair_end),
        cmocka_unit_test_teardown(
            a_later_deletion_while_a_passed_over_request_still_lands_leaves_nothing, pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
