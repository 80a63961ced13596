// Previews of pull requests: opened by whoever, again and again, closed at any moment.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ctl.h"
#include "support/expect.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define BASE "'setPreviewBase': {'environment': '%s'}"
#define OPEN "'openPreview': {'pullRequest': %d, 'repository': 'git.example/shop'}"
#define OPEN_OTHER "'openPreview': {'pullRequest': %d, 'repository': 'git.example/other'}"
#define CLOSE_OTHER "'closePreview': {'pullRequest': %d, 'repository': 'git.example/other'}"
#define CLOSE "'closePreview': {'pullRequest': %d}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define DELETE "'deleteEnvironment': {'environment': '%s'}"

enum {
    SLOW_MS = 2000,
    CALL_SECONDS = 30,
    SUPERSEDED = 12, // exit code of provisionctl
};

static const char *const SETTINGS[] = {"environments.check_login=off", "neon.send_window=1s",
                                       "neon.request_timeout=3s", "neon.listing_lag=1s", NULL};
static const char *project_id;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    worker_start(*state, "one", SETTINGS);
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

static size_t count_branches(World *world, int pull_request)
{
    return sandbox_count_branches(world, project_id, box_text("preview/pr-%d", pull_request));
}

static const char *branch_of(const Seen *seen)
{
    return seen_text(seen, "environmentBranched.environment.branchId");
}

static void a_preview_needs_a_base_that_stays(void **state)
{
    World *world = *state;
    (void)command_refused(world, APPLICATION, "CommandRejected", "PREVIEW_BASE_UNSET", OPEN, 1);
    (void)command_refused(world, APPLICATION, "CommandRejected", "SOURCE_NOT_ON_NEON", BASE,
                          "main");
    const Seen *created = command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "main");
    project_id = seen_text(created, "environmentCreated.environment.projectId");
    const Seen *set = command_run(world, APPLICATION, "PreviewBaseSet", BASE, "main");
    expect_event(set, APPLICATION, "", 1);
    assert_string_equal(ledger_value(world, "SELECT preview_base FROM provision.application"),
                        "main");
}

// Two CI jobs of the same pull request, each a process with a producer of its own.
static void opened_by_two_producers_at_once_there_is_one_branch(void **state)
{
    World *world = *state;
    static const char *const ARGUMENTS[] = {"preview",   "open",   "8",      "--application",
                                            APPLICATION, "--wait", "--json", NULL};
    Process jobs[2];
    ctl_start(world, "job-1", ARGUMENTS, &jobs[0]);
    ctl_start(world, "job-2", ARGUMENTS, &jobs[1]);
    int first = process_wait(&jobs[0], CTL_SECONDS);
    int second = process_wait(&jobs[1], CTL_SECONDS);
    // who came too late to begin has its place taken by the other one
    assert_true(first == 0 ? second == 0 || second == SUPERSEDED : first == SUPERSEDED);
    assert_true(first == 0 || second == 0);
    const char *branch_id = ledger_value(
        world, "SELECT branch_id FROM provision.environment WHERE environment = 'pr:8'");
    ctl_expect(world, "job-1", first == 0 ? branch_id : "CommandSuperseded");
    ctl_expect(world, "job-2", second == 0 ? branch_id : "CommandSuperseded");
    assert_int_equal(count_branches(world, 8), 1);
}

static void one_is_closed_and_its_neighbour_of_a_like_name_stays(void **state)
{
    World *world = *state;
    const Seen *ten = command_run(world, APPLICATION, "EnvironmentBranched", OPEN, 10);
    (void)command_run(world, APPLICATION, "EnvironmentBranched", OPEN, 1);
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", CLOSE, 1);
    assert_int_equal(count_branches(world, 1), 0);
    assert_int_equal(count_branches(world, 10), 1);
    assert_string_equal(ledger_value(world, "SELECT branch_id FROM provision.environment WHERE "
                                            "environment = 'pr:10' AND state = 'ready'"),
                        branch_of(ten));
    const Seen *gone = command_run(world, APPLICATION, "EnvironmentDeleted", CLOSE, 1);
    expect_event(gone, APPLICATION, "environments/pr:1", 0); // gone is fine, and nothing new
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", CLOSE, 77);
}

typedef struct Watched {
    World *world;
    const char *command_id;
} Watched;

static bool is_under_way(void *context)
{
    const Watched *watched = context;
    return strcmp(ledger_value(watched->world,
                               "SELECT intent_status FROM provision.command WHERE command_id = "
                               "'%s'",
                               watched->command_id),
                  "open") == 0;
}

// Opens a preview whose branch takes long, and returns while it is asked for.
static const char *open_slowly(World *world, int pull_request)
{
    (void)sandbox_fault(
        world, box_text("{'kind': 'slow', 'route': 'POST /projects/{project_id}/branches', "
                        "'ms': %d}",
                        SLOW_MS));
    Watched watched = {world, command_send(world, APPLICATION, OPEN, pull_request)};
    wait_until(is_under_way, &watched, CALL_SECONDS, "the branch to be asked for");
    return watched.command_id;
}

static void opened_twice_at_once_there_is_one_branch(void **state)
{
    World *world = *state;
    const char *first = open_slowly(world, 2); // one that waits would be superseded
    const char *second = command_send(world, APPLICATION, OPEN, 2);
    const Seen *made = command_await(world, first, "EnvironmentBranched");
    const Seen *again = command_await(world, second, "EnvironmentBranched");
    assert_string_equal(branch_of(made), branch_of(again));
    assert_true(seen_flag(made, "environmentBranched.created"));
    assert_false(seen_flag(again, "environmentBranched.created"));
    assert_int_equal(count_branches(world, 2), 1);
}

static void closed_while_it_is_opened_nothing_is_left(void **state)
{
    World *world = *state;
    const char *opening = open_slowly(world, 3);
    const char *waiting = command_send(world, APPLICATION, OPEN, 3);
    const char *closing = command_send(world, APPLICATION, CLOSE, 3);
    const Seen *stopped = command_await(world, opening, "CommandSuperseded");
    assert_string_equal(seen_text(stopped, "commandSuperseded.supersededBy"), closing);
    (void)command_await(world, waiting, "CommandSuperseded");
    (void)command_await(world, closing, "EnvironmentDeleted");
    assert_int_equal(count_branches(world, 3), 0);
    assert_string_equal(
        ledger_value(world, "SELECT state FROM provision.environment WHERE environment = 'pr:3'"),
        "gone");
    const Seen *anew = command_run(world, APPLICATION, "EnvironmentBranched", OPEN, 3);
    assert_true(seen_flag(anew, "environmentBranched.created"));
}

// A producer that got no answer sends its closing again; the preview was opened anew in between.
static void a_closing_sent_again_stops_nothing_that_came_after_it(void **state)
{
    World *world = *state;
    (void)command_run(world, APPLICATION, "EnvironmentBranched", OPEN, 55);
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'route': 'DELETE /projects/{project_id}"
                                        "/branches/{branch_id}', 'ms': %d}",
                                        SLOW_MS));
    const char *id = command_new_id();
    Buffer closing =
        command_pack("'commandId': '%s', 'applicationId': '" APPLICATION "', " CLOSE, id, 55);
    (void)command_send_bytes(world, APPLICATION, -1, buffer_view(&closing));
    const char *opening = command_send(world, APPLICATION, OPEN, 55);
    (void)command_send_bytes(world, APPLICATION, -1, buffer_view(&closing));
    buffer_clear(&closing);
    (void)command_await(world, id, "EnvironmentDeleted");
    const Seen *opened = command_await(world, opening, "EnvironmentBranched");
    assert_true(seen_flag(opened, "environmentBranched.created"));
    assert_int_equal(count_branches(world, 55), 1);
}

static void a_newer_opening_takes_the_place_of_one_that_waits(void **state)
{
    World *world = *state;
    const char *running = open_slowly(world, 4);
    const char *waiting = command_send(world, APPLICATION, OPEN, 4);
    const char *newest = command_send(world, APPLICATION, OPEN, 4);
    const Seen *superseded = command_await(world, waiting, "CommandSuperseded");
    assert_string_equal(seen_text(superseded, "commandSuperseded.supersededBy"), newest);
    const Seen *made = command_await(world, running, "EnvironmentBranched");
    const Seen *same = command_await(world, newest, "EnvironmentBranched");
    assert_string_equal(branch_of(made), branch_of(same));
    assert_int_equal(count_branches(world, 4), 1);
}

static void assert_is_of_other(World *world, const char *command_id)
{
    const Seen *refused = command_await(world, command_id, "CommandRejected");
    assert_string_equal(seen_text(refused, "commandRejected.code"), "PREVIEW_OF_OTHER_REPOSITORY");
}

// A pull request of another repository, by mistake: it is refused, and nothing gives way to it.
static void another_repository_stops_nothing(void **state)
{
    World *world = *state;
    const char *running = open_slowly(world, 6);
    const char *waiting = command_send(world, APPLICATION, OPEN, 6);
    const char *opening = command_send(world, APPLICATION, OPEN_OTHER, 6);
    const char *closing = command_send(world, APPLICATION, CLOSE_OTHER, 6);
    const Seen *made = command_await(world, running, "EnvironmentBranched");
    const Seen *same = command_await(world, waiting, "EnvironmentBranched");
    assert_string_equal(branch_of(made), branch_of(same));
    assert_is_of_other(world, opening);
    assert_is_of_other(world, closing);
    // nor once it stands, when what runs for it names none
    (void)sandbox_fault(world, box_text("{'kind': 'slow', 'route': 'POST /projects/{project_id}"
                                        "/branches/{branch_id}/restore', 'ms': %d}",
                                        SLOW_MS));
    Watched reset = {
        world, command_send(world, APPLICATION, "'resetEnvironment': {'environment': 'pr:6'}")};
    wait_until(is_under_way, &reset, CALL_SECONDS, "the reset to be asked for");
    assert_is_of_other(world, command_send(world, APPLICATION, CLOSE_OTHER, 6));
    (void)command_await(world, reset.command_id, "EnvironmentReset");
    assert_int_equal(count_branches(world, 6), 1);
}

static void an_expiry_is_extended_and_a_branch_that_is_gone_is_made_anew(void **state)
{
    World *world = *state;
    const Seen *made = command_run(world, APPLICATION, "EnvironmentBranched",
                                   "'openPreview': {'pullRequest': 5, 'expiresIn': '3600s'}");
    const Seen *longer = command_run(world, APPLICATION, "EnvironmentBranched",
                                     "'openPreview': {'pullRequest': 5, 'expiresIn': '86400s'}");
    assert_string_equal(branch_of(made), branch_of(longer));
    assert_true(strcmp(seen_text(made, "environmentBranched.environment.expiresAt"),
                       seen_text(longer, "environmentBranched.environment.expiresAt")) < 0);
    REPLY reply =
        box_call_as(&world->box, world->api_key, NULL, "DELETE",
                    box_text("/projects/%s/branches/%s", project_id, branch_of(made)), NULL);
    assert_int_equal(reply.status, 200);
    const Seen *anew = command_run(world, APPLICATION, "EnvironmentBranched",
                                   "'openPreview': {'pullRequest': 5, 'expiresIn': '60s'}");
    assert_true(seen_flag(anew, "environmentBranched.created"));
    assert_string_not_equal(branch_of(made), branch_of(anew));
    assert_int_equal(count_branches(world, 5), 1);
}

static const char *neon_expiry(World *world, const char *branch_id)
{
    REPLY reply = box_call_as(&world->box, world->api_key, NULL, "GET",
                              box_text("/projects/%s/branches/%s", project_id, branch_id), NULL);
    assert_int_equal(reply.status, 200);
    return box_text("%.19s", box_string(reply.json, "branch.expires_at"));
}

// Neon lets an expiry begin anew with a reset.
static void an_expiry_that_was_promised_outlives_a_reset(void **state)
{
    World *world = *state;
    const char *before = "";
    for (int i = 0; i < 3; i++) {
        const Seen *seen =
            command_run(world, APPLICATION, "EnvironmentBranched",
                        "'openPreview': {'pullRequest': 9, 'expiresIn': '86400s', 'reset': true}");
        const char *told =
            box_text("%.19s", seen_text(seen, "environmentBranched.environment.expiresAt"));
        assert_string_equal(neon_expiry(world, branch_of(seen)), told);
        assert_true(strcmp(before, told) <= 0);
        before = told;
    }
}

static void a_preview_is_reset_to_its_base(void **state)
{
    World *world = *state;
    const Seen *made = command_run(world, APPLICATION, "EnvironmentBranched", OPEN, 6);
    const Seen *reset = command_run(world, APPLICATION, "EnvironmentBranched",
                                    "'openPreview': {'pullRequest': 6, 'reset': true}");
    assert_string_equal(branch_of(made), branch_of(reset));
    assert_false(seen_flag(reset, "environmentBranched.created"));
    (void)command_refused(world, APPLICATION, "CommandRejected", "PREVIEW_OF_OTHER_REPOSITORY",
                          "'closePreview': {'pullRequest': 6, 'repository': 'git.example/blog'}");
    (void)command_run(world, APPLICATION, "EnvironmentReset",
                      "'resetEnvironment': {'environment': 'pr:6'}");
}

// The base's name stands in the ledger, not in the command: order has to hold all the same.
static void a_preview_comes_before_or_after_its_base_is_made_anew(void **state)
{
    World *world = *state;
    static const char OTHER[] = "anew";
    command_connect_main(world, OTHER);
    (void)command_run(world, OTHER, "EnvironmentCreated", CREATE, "main");
    (void)command_run(world, OTHER, "EnvironmentBranched", BRANCH, "qa", "main");
    (void)command_run(world, OTHER, "PreviewBaseSet", BASE, "qa");
    const char *deletion = command_send(world, OTHER, DELETE, "qa");
    const char *early = command_send(world, OTHER, OPEN, 30);
    const char *branching = command_send(world, OTHER, BRANCH, "qa", "main");
    const char *late = command_send(world, OTHER, OPEN, 31);
    (void)command_await(world, deletion, "EnvironmentDeleted");
    const Seen *refused = command_await(world, early, "CommandRejected");
    assert_string_equal(seen_text(refused, "commandRejected.code"), "PREVIEW_BASE_GONE");
    (void)command_await(world, branching, "EnvironmentBranched");
    (void)command_await(world, late, "EnvironmentBranched");
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_preview_needs_a_base_that_stays),
        cmocka_unit_test_teardown(opened_twice_at_once_there_is_one_branch, clear),
        cmocka_unit_test(opened_by_two_producers_at_once_there_is_one_branch),
        cmocka_unit_test(one_is_closed_and_its_neighbour_of_a_like_name_stays),
        cmocka_unit_test_teardown(closed_while_it_is_opened_nothing_is_left, clear),
        cmocka_unit_test_teardown(a_closing_sent_again_stops_nothing_that_came_after_it, clear),
        cmocka_unit_test_teardown(a_newer_opening_takes_the_place_of_one_that_waits, clear),
        cmocka_unit_test_teardown(another_repository_stops_nothing, clear),
        cmocka_unit_test(an_expiry_is_extended_and_a_branch_that_is_gone_is_made_anew),
        cmocka_unit_test(an_expiry_that_was_promised_outlives_a_reset),
        cmocka_unit_test(a_preview_is_reset_to_its_base),
        cmocka_unit_test(a_preview_comes_before_or_after_its_base_is_made_anew),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
