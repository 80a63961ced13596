// Periodic sweeps that delete, as often as settings allow, by two workers, while environments come
// and go: nothing that lives, or is being made, is ever touched.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/login.h"
#include "support/sweep.h"
#include "support/wait.h"

#define CREATE                                                                                     \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "'}"
#define BRANCH(name) "'branchEnvironment': {'environment': '" name "', 'sourceEnvironment': 'live'}"

// Some operations take longer than a branch has to be old to be judged: such creations are looked
// at while they are under way.
enum {
    APPLICATIONS = 3,
    INTERVAL_MS = 1500,
    SLOW_MS = 4500,
    LISTING_MS = 2000,
    IDS = 8,
    SECONDS = 60
};

static const char *const SETTINGS[] = {"environments.check_login=off",
                                       "neon.send_window=1s",
                                       "neon.request_timeout=3s",
                                       "neon.listing_lag=0s",
                                       "sweep.min_age=4s",
                                       "sweep.interval=1500ms",
                                       "sweep.delete=on",
                                       NULL};

static Process *workers[2];

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    workers[0] = worker_start(*state, "first", SETTINGS);
    workers[1] = worker_start(*state, "second", SETTINGS);
    worker_await_members(*state, 2, SECONDS);
    return 0;
}

static int end(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    return world_end(state);
}

static const char *application(int i)
{
    return box_text("app-%d", i);
}

typedef struct Line {
    const char *type; // of its outcome
    const char *members;
} Line;

static const Line SLOW[] = {
    {"EnvironmentCreated", CREATE},
    {"PreviewBaseSet", "'setPreviewBase': {'environment': 'live'}"},
    {"EnvironmentBranched", BRANCH("stays")},
    {NULL, NULL},
};

static const Line QUICK[] = {
    {"EnvironmentBranched", BRANCH("goes")},
    {"EnvironmentBranched", "'openPreview': {'pullRequest': 1}"},
    {"EnvironmentDeleted", "'deleteEnvironment': {'environment': 'goes'}"},
    {"EnvironmentBranched", BRANCH("goes")},
    {"EnvironmentBranched", "'openPreview': {'pullRequest': 2, 'expiresIn': '3600s'}"},
    {NULL, NULL},
};

static const Line LAST[] = {
    {"EnvironmentDeleted", "'closePreview': {'pullRequest': 1}"},
    {"EnvironmentBranched", "'openPreview': {'pullRequest': 1}"},
    {NULL, NULL},
};

// Sends the lines for all applications at once; the lanes put them in order.
static void play(World *world, const Line *lines)
{
    const char *ids[APPLICATIONS][IDS];
    for (int i = 0; i < APPLICATIONS; i++) {
        for (size_t j = 0; lines[j].members != NULL; j++) {
            ids[i][j] = command_send(world, application(i), "%s", command_quote(lines[j].members));
        }
    }
    for (int i = 0; i < APPLICATIONS; i++) {
        for (size_t j = 0; lines[j].members != NULL; j++) {
            (void)command_await(world, ids[i][j], lines[j].type);
        }
    }
}

// The branch of each environment that the ledger calls ready.
static void expect_alive(World *world, const char *name)
{
    static const char *const ENVIRONMENTS[] = {"live", "stays", "goes", "pr:1", "pr:2"};
    for (size_t i = 0; i < sizeof(ENVIRONMENTS) / sizeof(ENVIRONMENTS[0]); i++) {
        const char *branch_id =
            ledger_value(world,
                         "SELECT branch_id FROM provision.environment WHERE application_id = '%s' "
                         "AND environment = '%s' AND state = 'ready'",
                         name, ENVIRONMENTS[i]);
        assert_string_not_equal(branch_id, "");
        assert_true(sweep_branch_exists(world, branch_id));
    }
}

static int64_t count_commands(World *world, const char *action)
{
    return strtoll(
        ledger_value(world, "SELECT count(*) FROM provision.command WHERE action = '%s'", action),
        NULL, 10);
}

// Findings of all sweeps with this verdict.
static size_t count_findings(World *world, const char *verdict)
{
    size_t count = 0;
    reader_read_to_end(world->reader);
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        const json_t *swept = json_object_get(seen->json, "accountSwept");
        size_t j = 0;
        const json_t *finding = NULL;
        json_array_foreach(json_object_get(swept, "findings"), j, finding)
        {
            count += strcmp(box_string(finding, "verdict"), verdict) == 0;
        }
        assert_null(json_object_get(swept, "doubts"));
    }
    return count;
}

static void sweeps_that_never_stop_touch_nothing_that_lives(void **state)
{
    World *world = *state;
    for (int i = 0; i < APPLICATIONS; i++) {
        command_connect_main(world, application(i));
    }
    (void)sandbox_fault(world, box_text("{'kind': 'operation_ms', 'ms': %d}", SLOW_MS));
    play(world, SLOW);
    sandbox_clear_faults(world);
    play(world, QUICK);
    play(world, LAST);
    for (int i = 0; i < APPLICATIONS; i++) {
        expect_alive(world, application(i));
    }
    assert_int_equal(count_commands(world, "DeleteOrphan"), 0);
    assert_true(count_findings(world, "SWEEP_VERDICT_IN_FLIGHT") > 0);
    assert_int_equal(count_findings(world, "SWEEP_VERDICT_ORPHAN"), 0);
    // what was closed and deleted by commands, and nothing else
    REPLY reply = sandbox_state(world);
    assert_int_equal(box_integer(reply.json, "deleted.branches"), 2 * APPLICATIONS);
    assert_int_equal(box_integer(reply.json, "deleted.projects"), 0);
}

// Of one application's account: the shortest time between two of its sweeps.
static void the_fleet_sweeps_once_an_interval(void **state)
{
    World *world = *state;
    const char *gap = ledger_value(
        world, "SELECT coalesce(floor(min(gap) * 1000), -1) FROM (SELECT extract(epoch FROM "
               "created_at - lag(created_at) OVER (ORDER BY created_at)) AS gap FROM "
               "provision.command WHERE action = 'SweepAccount' AND application_id = 'app-0') g");
    int64_t sweeps = count_commands(world, "SweepAccount");
    assert_true(sweeps >= (int64_t)4 * APPLICATIONS);
    // each is claimed some time after it was sent
    assert_in_range(strtoll(gap, NULL, 10), INTERVAL_MS / 3, INT32_MAX);
    int64_t seconds = strtoll(
        ledger_value(world, "SELECT ceil(extract(epoch FROM max(created_at) - min(created_at))) "
                            "FROM provision.command WHERE action = 'SweepAccount'"),
        NULL, 10);
    assert_true(sweeps <= (seconds * 1000 / INTERVAL_MS + 2) * APPLICATIONS);
}

typedef struct Sweeps {
    World *world;
    int64_t wanted;
} Sweeps;

static bool have_been_sent(void *context)
{
    const Sweeps *sweeps = context;
    return count_commands(sweeps->world, "SweepAccount") >= sweeps->wanted;
}

// Each of the two listings takes longer than the interval.
static void sweeps_that_take_long_do_not_pile_up(void **state)
{
    World *world = *state;
    int64_t before = count_commands(world, "SweepAccount");
    (void)sandbox_fault(
        world, box_text("{'kind': 'slow', 'route': 'GET *', 'ms': %d, 'count': -1}", LISTING_MS));
    Sweeps sweeps = {world, before + (int64_t)2 * APPLICATIONS};
    wait_until(have_been_sent, &sweeps, SECONDS, "more sweeps");
    sandbox_clear_faults(world);
    assert_string_equal(
        ledger_value(world, "SELECT count(*) FROM provision.command a JOIN provision.command b "
                            "USING (application_id, action) WHERE action = 'SweepAccount' "
                            "AND a.created_at < b.created_at "
                            "AND b.created_at < coalesce(a.finished_at, 'infinity')"),
        "0");
    worker_stop(workers[1]);
    worker_stop(workers[0]);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweeps_that_never_stop_touch_nothing_that_lives),
        cmocka_unit_test(the_fleet_sweeps_once_an_interval),
        cmocka_unit_test(sweeps_that_take_long_do_not_pile_up),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
