// Settings of projects and endpoints, and accounts that go: read first, changed only where they
// differ, told to whom it concerns.
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define NEIGHBOUR "blog"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define EDIT_PROJECT "'editProject': {'environment': '%s', 'historyRetentionSeconds': '%d'}"
#define PATCH_PROJECT "PATCH /projects/{project_id}"
#define PATCH_ENDPOINT "PATCH /projects/{project_id}/endpoints/{endpoint_id}"

enum { DAY = 86400, WEEK = 604800, STATE_SECONDS = 30 };

static const char *const SETTINGS[] = {"environments.check_login=off", "neon.send_window=1s",
                                       "neon.request_timeout=3s", "neon.listing_lag=1s", NULL};
static const char *project_id;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    worker_start(world, "one", SETTINGS);
    command_connect_main(world, APPLICATION);
    command_connect_main(world, NEIGHBOUR);
    const Seen *created = command_run(world, APPLICATION, "EnvironmentCreated", CREATE, "live");
    project_id = seen_text(created, "environmentCreated.environment.projectId");
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, "try", "live");
    (void)command_run(world, NEIGHBOUR, "EnvironmentBranched",
                      "'branchEnvironment': {'environment': 'theirs', 'sourceBranch': {'account': "
                      "'main', 'projectId': '%s', 'branch': 'main'}}",
                      project_id);
    return 0;
}

static int end(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    return world_end(state);
}

typedef struct Wanted {
    World *world;
    const char *subject;
    int seconds;
} Wanted;

static bool is_told(void *context)
{
    const Wanted *wanted = context;
    reader_poll(wanted->world->reader, 100);
    const Seen *state = reader_last_state(wanted->world->reader, wanted->subject);
    return state != NULL &&
           seen_number(state, "environment.historyRetentionSeconds") == wanted->seconds;
}

static void await_retention(World *world, const char *application, const char *environment,
                            int seconds)
{
    Wanted wanted = {world, box_text("applications/%s/environments/%s", application, environment),
                     seconds};
    wait_until(is_told, &wanted, STATE_SECONDS, "the retention of %s", wanted.subject);
}

static void a_project_is_edited_once_and_all_who_live_in_it_are_told(void **state)
{
    World *world = *state;
    int64_t before = sandbox_count_calls(world, PATCH_PROJECT);
    const Seen *edited =
        command_run(world, APPLICATION, "ProjectEdited", EDIT_PROJECT, "try", WEEK);
    assert_true(seen_flag(edited, "projectEdited.changed"));
    assert_int_equal(seen_number(edited, "projectEdited.historyRetentionSecondsAfter"), WEEK);
    assert_string_equal(seen_text(edited, "projectEdited.projectId"), project_id);
    await_retention(world, APPLICATION, "try", WEEK);
    await_retention(world, APPLICATION, "live", WEEK);
    await_retention(world, NEIGHBOUR, "theirs", WEEK);
    assert_int_equal(sandbox_count_calls(world, PATCH_PROJECT), before + 1);
    const Seen *same = command_run(world, APPLICATION, "ProjectEdited", EDIT_PROJECT, "live", WEEK);
    assert_false(seen_flag(same, "projectEdited.changed"));
    expect_event(same, APPLICATION, "environments/live", 0);
    assert_int_equal(sandbox_count_calls(world, PATCH_PROJECT), before + 1);
}

static void what_cant_be_edited_is_refused_before_any_call(void **state)
{
    World *world = *state;
    int64_t before = sandbox_count_calls(world, PATCH_ENDPOINT);
    (void)command_refused(world, APPLICATION, "CommandRejected", "ENVIRONMENT_UNKNOWN",
                          EDIT_PROJECT, "nowhere", DAY);
    (void)command_refused(world, APPLICATION, "CommandRejected", "INVALID_VALUE",
                          "'editEndpoint': {'environment': 'live', 'updateMask': "
                          "'autoscalingLimitMinCu', 'endpoint': {'autoscalingLimitMinCu': 64}}");
    assert_int_equal(sandbox_count_calls(world, PATCH_ENDPOINT), before);
}

static void an_endpoint_is_edited_where_it_differs(void **state)
{
    World *world = *state;
    int64_t before = sandbox_count_calls(world, PATCH_ENDPOINT);
    const char *edit = "'editEndpoint': {'environment': 'live', 'updateMask': "
                       "'autoscalingLimitMaxCu,suspendTimeoutSeconds', 'endpoint': "
                       "{'autoscalingLimitMaxCu': 2, 'suspendTimeoutSeconds': '600'}}";
    const Seen *edited =
        command_run(world, APPLICATION, "EndpointEdited", "%s", command_quote(edit));
    assert_true(seen_flag(edited, "endpointEdited.changed"));
    assert_int_equal(seen_number(edited, "endpointEdited.after.suspendTimeoutSeconds"), 600);
    const Seen *same = command_run(world, APPLICATION, "EndpointEdited", "%s", command_quote(edit));
    assert_false(seen_flag(same, "endpointEdited.changed"));
    assert_int_equal(sandbox_count_calls(world, PATCH_ENDPOINT), before + 1);
}

static void an_account_goes_when_nothing_needs_it(void **state)
{
    World *world = *state;
    (void)command_refused(world, NEIGHBOUR, "CommandRejected", "ACCOUNT_IN_USE",
                          "'disconnectAccount': {'account': 'main'}");
    (void)command_run(world, NEIGHBOUR, "EnvironmentDeleted",
                      "'deleteEnvironment': {'environment': 'theirs'}");
    (void)command_run(world, NEIGHBOUR, "AccountDisconnected",
                      "'disconnectAccount': {'account': 'main'}");
    (void)reader_await_state(world->reader, "applications/" NEIGHBOUR "/accounts/main", true,
                             STATE_SECONDS);
    (void)command_refused(world, NEIGHBOUR, "CommandRejected", "ACCOUNT_UNKNOWN", CREATE, "again");
    command_connect_main(world, NEIGHBOUR); // its sequence goes on: see `end`
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_project_is_edited_once_and_all_who_live_in_it_are_told),
        cmocka_unit_test(what_cant_be_edited_is_refused_before_any_call),
        cmocka_unit_test(an_endpoint_is_edited_where_it_differs),
        cmocka_unit_test(an_account_goes_when_nothing_needs_it),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
