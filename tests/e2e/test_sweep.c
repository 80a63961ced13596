// What sweeping finds and deletes: things that a finished command made and no environment owns, and
// nothing else.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/crypto.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/probe.h"
#include "support/setup.h"
#include "support/sweep.h"
#include "support/wait.h"

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define POST_BRANCH "POST /projects/{project_id}/branches"

// Later than the worker believes a request can have an effect: neon.send_window +
// neon.request_timeout + neon.listing_lag.
enum { LATE_MS = 9000, SECONDS = 60 };

static const char *const SETTINGS[] = {"environments.check_login=off",
                                       "neon.send_window=1s",
                                       "neon.request_timeout=3s",
                                       "neon.listing_lag=1s",
                                       "commands.max_wait=7s",
                                       "sweep.min_age=5s",
                                       NULL};

static Process *worker;
static Environment live;
static Environment other;        // in a project of its own
static const char *late_command; // whose request came late
static const char *late_branch;

// Commands have to be signed, those of sweeps, too: here everybody has the workers' key.
static void require_signatures(World *world)
{
    uint8_t seed[CRYPTO_KEY_BYTES];
    char hex[2 * CRYPTO_KEY_BYTES + 1];
    randombytes_buf(seed, sizeof(seed));
    setup_write(world, "workers.key", sodium_bin2hex(hex, sizeof(hex), seed, sizeof(seed)));
    assert_int_equal(setenv("PROVISION_COMMANDS_REQUIRE_SIGNATURE", "on", 1), 0);
    assert_int_equal(
        setenv("PROVISION_COMMANDS_SIGNING_KEY_FILE", box_text("%s/workers.key", world->dir), 1),
        0);
    setup_client(world, seed);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    require_signatures(*state);
    worker = worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, APPLICATION);
    return 0;
}

static int end(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    return world_end(state);
}

static int clear(void **state)
{
    sandbox_clear_faults(*state);
    return 0;
}

static int64_t number_of(const Sweep *sweep, const char *member)
{
    return json_integer_value(json_object_get(sweep_of(sweep, APPLICATION), member));
}

static void what_environments_own_is_no_finding(void **state)
{
    World *world = *state;
    live = login_environment(command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "live"));
    other =
        login_environment(command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "other"));
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "copy", "live");
    REPLY reply = box_call_as(&world->box, world->api_key, NULL, "POST",
                              box_text("/projects/%s/branches", live.project_id),
                              "{\"branch\": {\"name\": \"by-hand\"}}");
    assert_int_equal(reply.status, 201);
    int64_t mutations = sweep_mutations(world);
    Sweep sweep = sweep_delete(world);
    assert_int_equal(sweep.code, SWEEP_CLEAN);
    assert_int_equal(sweep_count_findings(&sweep, APPLICATION), 0);
    assert_int_equal(number_of(&sweep, "projects"), 2);
    assert_int_equal(number_of(&sweep, "branches"), 4);
    assert_int_equal(number_of(&sweep, "marked"), 3);
    assert_int_equal(sweep_mutations(world), mutations);
}

static bool is_late_one_there(void *context)
{
    late_branch = sweep_find_branch(context, live.project_id, APPLICATION "-late");
    return late_branch[0] != '\0';
}

// The request is lost on its way and the next one is refused: the command fails, undone, before the
// first one arrives after all.
static void what_is_young_may_be_in_the_making(void **state)
{
    World *world = *state;
    (void)sandbox_fault(
        world, box_text("{'kind': 'slow_before', 'route': '" POST_BRANCH "', 'ms': %d}", LATE_MS));
    (void)sandbox_fault(world, "{'kind': 'status', 'route': '" POST_BRANCH
                               "', 'skip': 1, 'status': 403, 'message': 'no'}");
    late_command = command_send(world, APPLICATION, BRANCH, "late", "live");
    (void)command_await(world, late_command, "CommandFailed");
    wait_until(is_late_one_there, world, SECONDS, "the late branch");
    Sweep sweep = sweep_delete(world);
    assert_string_equal(sweep_verdict(&sweep, APPLICATION, late_branch), "IN_FLIGHT");
    assert_int_equal(sweep.code, SWEEP_CLEAN);
    assert_true(sweep_branch_exists(world, late_branch));
}

static void a_sweep_reports_an_orphan_and_changes_nothing(void **state)
{
    World *world = *state;
    int64_t mutations = sweep_mutations(world);
    Sweep sweep = sweep_await(world, APPLICATION, late_branch, "ORPHAN");
    const json_t *finding = sweep_finding(&sweep, APPLICATION, late_branch);
    assert_int_equal(sweep.code, SWEEP_FOUND);
    assert_int_equal(sweep_count_findings(&sweep, APPLICATION), 1);
    assert_string_equal(box_string(finding, "environment"), "late");
    assert_string_equal(box_string(finding, "commandId"), late_command);
    assert_string_equal(box_string(finding, "projectId"), live.project_id);
    assert_string_equal(box_string(finding, "name"), APPLICATION "-late");
    assert_null(json_object_get(finding, "isProject"));
    assert_null(json_object_get(finding, "sentCommandId"));
    assert_int_equal(sweep_mutations(world), mutations);
    assert_true(sweep_branch_exists(world, late_branch));
    assert_true(probe_metric(worker, "provision_sweeps_total{result=\"found\"}") >= 1);
    assert_true(probe_metric(worker, "provision_sweep_findings_total{verdict=\"orphan\"}") >= 1);
}

// Each fault leaves out the other project, which is none of the orphan's.
static void a_doubtful_listing_deletes_nothing(void **state)
{
    World *world = *state;
    const char *const faults[] = {
        box_text("{'kind': 'partial_listing', 'route': 'GET /projects', 'count': -1, 'match': "
                 "'%s'}",
                 other.project_id),
        box_text("{'kind': 'status', 'route': 'GET /projects/{project_id}/branches', 'count': -1, "
                 "'status': 404, 'message': 'not found', 'match': '%s'}",
                 other.project_id),
    };
    int64_t mutations = sweep_mutations(world);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        (void)sandbox_fault(world, faults[i]);
        Sweep sweep = sweep_delete(world);
        sandbox_clear_faults(world);
        assert_int_equal(sweep.code, SWEEP_FOUND);
        assert_true(json_array_size(json_object_get(sweep_of(&sweep, APPLICATION), "doubts")) > 0);
        assert_string_equal(sweep_verdict(&sweep, APPLICATION, late_branch), "ORPHAN");
        assert_null(
            json_object_get(sweep_finding(&sweep, APPLICATION, late_branch), "sentCommandId"));
        assert_int_equal(sweep_mutations(world), mutations);
    }
    assert_true(sweep_branch_exists(world, late_branch));
}

static void a_listing_that_fails_deletes_nothing(void **state)
{
    World *world = *state;
    int64_t mutations = sweep_mutations(world);
    (void)sandbox_fault(world, "{'kind': 'status', 'route': 'GET /projects/{project_id}/branches', "
                               "'count': -1, 'status': 500, 'message': 'oops'}");
    Sweep sweep = sweep_delete(world);
    assert_int_equal(sweep.code, EX_UNAVAILABLE);
    assert_non_null(strstr(sweep.complaint, "SWEEP_REFUSED: shop/main: NEON_UNAVAILABLE: "));
    assert_int_equal(sweep_mutations(world), mutations);
    assert_true(sweep_branch_exists(world, late_branch));
}

static void an_orphan_is_deleted_and_nothing_else(void **state)
{
    World *world = *state;
    int64_t mutations = sweep_mutations(world);
    Sweep sweep = sweep_delete(world);
    assert_int_equal(sweep.code, SWEEP_CLEAN);
    const char *sent = box_string(sweep_finding(&sweep, APPLICATION, late_branch), "sentCommandId");
    const Seen *seen = command_await(world, sent, "OrphanDeleted");
    assert_string_equal(seen_text(seen, "orphanDeleted.branchId"), late_branch);
    assert_true(seen_flag(seen, "orphanDeleted.deleted"));
    assert_false(seen_flag(seen, "orphanDeleted.projectDeleted"));
    assert_false(sweep_branch_exists(world, late_branch));
    assert_int_equal(sweep_mutations(world), mutations + 1);
    assert_int_equal(sandbox_count_branches(world, live.project_id, APPLICATION "-copy"), 1);
    assert_int_equal(sandbox_count_branches(world, live.project_id, "by-hand"), 1);
    assert_true(sweep_branch_exists(world, live.branch_id));
    sweep = sweep_delete(world);
    assert_int_equal(sweep.code, SWEEP_CLEAN);
    assert_int_equal(sweep_count_findings(&sweep, APPLICATION), 0);
}

// The second request makes the environment; the first one's project comes when the command is over.
// Both carry the same four marks.
static bool are_two(void *context)
{
    return sandbox_count_projects(context, APPLICATION "-twin") == 2;
}

static void a_duplicate_of_a_live_project_goes_and_the_live_one_stays(void **state)
{
    World *world = *state;
    (void)sandbox_fault(
        world,
        box_text("{'kind': 'slow_before', 'route': 'POST /projects', 'ms': %d}", LATE_MS + 4000));
    Environment twin =
        login_environment(command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "twin"));
    assert_int_equal(sandbox_count_projects(world, APPLICATION "-twin"), 1);
    wait_until(are_two, world, SECONDS, "the duplicate");
    const char *duplicate = sweep_find_root(world, APPLICATION "-twin", twin.project_id);
    Sweep sweep = sweep_await(world, APPLICATION, duplicate, "ORPHAN");
    assert_int_equal(sweep_count_findings(&sweep, APPLICATION), 1);
    assert_true(
        json_is_true(json_object_get(sweep_finding(&sweep, APPLICATION, duplicate), "isProject")));
    sweep = sweep_delete(world);
    assert_int_equal(sweep.code, SWEEP_CLEAN);
    const char *sent = box_string(sweep_finding(&sweep, APPLICATION, duplicate), "sentCommandId");
    assert_true(
        seen_flag(command_await(world, sent, "OrphanDeleted"), "orphanDeleted.projectDeleted"));
    assert_int_equal(sandbox_count_projects(world, APPLICATION "-twin"), 1);
    assert_true(sweep_branch_exists(world, twin.branch_id));
    assert_true(sweep_branch_exists(world, live.branch_id));
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "of-twin", "twin");
}

static void an_account_that_is_not_connected_is_told(void **state)
{
    World *world = *state;
    Sweep sweep = sweep_run(world, (const char *const[]){"--account", "shop/other", NULL});
    assert_int_equal(sweep.code, EX_DATAERR);
    assert_non_null(strstr(sweep.complaint, "ACCOUNT_UNKNOWN"));
    sweep = sweep_run(world, (const char *const[]){"--account", "shop", NULL});
    assert_int_equal(sweep.code, EX_USAGE);
    sweep = sweep_run(world, (const char *const[]){"--account", "shop/main", NULL});
    assert_int_equal(sweep.code, SWEEP_CLEAN);
}

static void a_sweep_that_takes_too_long_goes_on_without_who_asked(void **state)
{
    World *world = *state;
    // for 7 s (commands.max_wait), and a busy worker needs a moment to begin
    (void)sandbox_fault(world, "{'kind': 'status', 'route': 'GET /projects', 'count': -1, "
                               "'status': 503, 'message': 'please try again later'}");
    Sweep sweep =
        sweep_run(world, (const char *const[]){"--account", "shop/main", "--timeout", "5s", NULL});
    assert_int_equal(sweep.code, EX_TEMPFAIL);
    assert_non_null(strstr(sweep.complaint, "has not ended yet"));
    assert_null(strstr(sweep.complaint, "dead-letters"));
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_environments_own_is_no_finding),
        cmocka_unit_test_teardown(what_is_young_may_be_in_the_making, clear),
        cmocka_unit_test(a_sweep_reports_an_orphan_and_changes_nothing),
        cmocka_unit_test_teardown(a_doubtful_listing_deletes_nothing, clear),
        cmocka_unit_test_teardown(a_listing_that_fails_deletes_nothing, clear),
        cmocka_unit_test(an_orphan_is_deleted_and_nothing_else),
        cmocka_unit_test_teardown(a_duplicate_of_a_live_project_goes_and_the_live_one_stays, clear),
        cmocka_unit_test(an_account_that_is_not_connected_is_told),
        cmocka_unit_test_teardown(a_sweep_that_takes_too_long_goes_on_without_who_asked, clear),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
