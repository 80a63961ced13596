// Commands whose worker is killed while it undoes: nothing remains, and nothing is done instead.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/pair.h"
#include "support/secrets.h"

#define GET_BRANCH "GET /projects/{project_id}/branches/{branch_id}"

static const char *const SETTINGS[] = {"environments.check_login=off", "neon.send_window=1s",
                                       "neon.request_timeout=3s", "neon.listing_lag=1s", NULL};

static int begin(void **state)
{
    pair_open(state, SETTINGS);
    return 0;
}

static Environment create(const Pair *pair)
{
    return login_environment(command_run(pair->world, pair->application, "EnvironmentCreated",
                                         PAIR_CREATE, world_fresh("live")));
}

static void expect_gone(const Pair *pair, const char *environment)
{
    assert_string_equal(
        ledger_value(pair->world,
                     "SELECT state FROM provision.environment WHERE application_id = '%s' AND "
                     "environment = '%s'",
                     pair->application, environment),
        "gone");
}

typedef struct Undoing {
    const char *point; // of CRASH_POINT_AT
    bool branches;     // else creates
} Undoing;

static const Undoing UNDOINGS[] = {
    {"intent.after/CreateEnvironment/undo_delete_project=kill", false},
    {"call.after/CreateEnvironment/undo_delete_project=kill", false},
    {"result.before/BranchEnvironment/undo_delete_branch=kill", true},
    {"conclude.before/BranchEnvironment=kill", true},
};

// Once, so that whoever went forward again would succeed.
static void refuse_once(World *world)
{
    (void)sandbox_fault(world, "{'kind': 'status', 'route': '" GET_BRANCH
                               "', 'status': 403, 'message': 'not now'}");
}

static void kill_while_undoing(World *world, const Undoing *undoing)
{
    Pair pair = pair_begin(world, undoing->point, NULL);
    Environment source = {.project_id = ""};
    if (undoing->branches) {
        source = create(&pair);
    }
    const char *name = world_fresh("undone");
    int64_t branches = pair_made(world, "created.branches");
    refuse_once(world);
    const char *id = undoing->branches
                         ? command_send(world, pair.application, PAIR_BRANCH, name, source.name)
                         : command_send(world, pair.application, PAIR_CREATE, name);
    pair_await_kill(&pair);
    assert_string_equal(pair_row(world, id, "direction"), "undo");
    const Seen *seen = pair_await_once(world, id, "CommandFailed");
    assert_string_equal(seen_text(seen, "commandFailed.code"), "NEON_DENIED");
    assert_string_equal(seen_text(seen, "commandFailed.step"), "await_branch");
    assert_string_not_equal(seen_text(seen, "commandFailed.undone.0"), "");
    assert_string_equal(seen_text(seen, "commandFailed.left.0"), "");
    assert_int_equal(pair_row_number(world, id, "takeovers"), 1);
    // what it had made is gone, and nothing was made since
    const char *full_name = box_text("%s-%s", pair.application, name);
    assert_int_equal(pair_made(world, "created.branches"), branches + 1);
    assert_int_equal(sandbox_count_projects(world, full_name), 0);
    assert_int_equal(sandbox_count_branches(world, source.project_id, full_name), 0);
    expect_gone(&pair, name);
}

static void kill_in_undo_leaves_the_rest_of_it_to_the_other_worker(void **state)
{
    for (size_t i = 0; i < sizeof(UNDOINGS) / sizeof(UNDOINGS[0]); i++) {
        print_message("%s\n", UNDOINGS[i].point);
        kill_while_undoing(*state, &UNDOINGS[i]);
    }
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(kill_in_undo_leaves_the_rest_of_it_to_the_other_worker, pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
