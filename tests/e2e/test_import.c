// Somebody's branch as an environment: told of, looked at, branched from, and left as it is.
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define NEIGHBOUR "blog"
#define IMPORT                                                                                     \
    "'importEnvironment': {'environment': '%s', 'branch': {'account': 'main', 'projectId': '%s', " \
    "'branch': '%s'}%s}"
#define DELETE "'deleteEnvironment': {'environment': '%s'}"
#define READ_ONLY "IMPORTED_READ_ONLY"

enum { WAIT_SECONDS = 60 };

static Recipient recipient;
static Environment theirs;  // made by others, with Neon's API
static const char *bare_id; // a branch of theirs without endpoint

static const char *member(const Reply *reply, const char *object, const char *key)
{
    const json_t *inner = json_object_get(reply->json, object);
    const char *text = json_string_value(json_object_get(inner, key));
    assert_non_null(text);
    return box_text("%s", text);
}

static const char *make_bare(World *world)
{
    Reply reply =
        box_call(&world->box, "POST", box_text("/projects/%s/branches", theirs.project_id),
                 "{\"branch\": {\"name\": \"bare\"}}");
    assert_int_equal(reply.status, 201);
    const char *id = member(&reply, "branch", "id");
    box_free_reply(&reply);
    return id;
}

static int begin(void **state)
{
    world_begin(state, NULL);
    World *world = *state;
    recipient = credentials_recipient();
    world_add_secret(world, recipient.private_hex);
    const char *const settings[] = {
        box_text("reveal.recipients=" APPLICATION "=%s", recipient.public_hex),
        "ledger.note_after=1s", NULL};
    (void)worker_start(world, "one", settings);
    command_connect_main(world, APPLICATION);
    command_connect_main(world, NEIGHBOUR);
    Reply reply = box_create_project(&world->box, "{\"project\": {\"name\": \"theirs\"}}");
    assert_int_equal(reply.status, 201);
    theirs.project_id = member(&reply, "project", "id");
    theirs.branch_id = member(&reply, "branch", "id");
    box_free_reply(&reply);
    bare_id = make_bare(world);
    return 0;
}

static void what_stands_on_a_branch_is_told(void **state)
{
    World *world = *state;
    const Seen *seen = command_run(world, APPLICATION, "EnvironmentImported", IMPORT, "live",
                                   theirs.project_id, "main", "");
    expect_event(seen, APPLICATION, "environments/live", 1);
    assert_true(seen_flag(seen, "environmentImported.loginWorks"));
    assert_string_equal(seen_text(seen, "environmentImported.environment.branchId"),
                        theirs.branch_id);
    assert_string_equal(seen_text(seen, "environmentImported.environment.origin"),
                        "ORIGIN_IMPORTED");
    assert_string_equal(seen_text(seen, "environmentImported.databases.0.name"), "neondb");
    assert_string_equal(seen_text(seen, "environmentImported.databases.0.owner"), "neondb_owner");
    assert_true(expect_holds(seen, "environmentImported.extensions", "plpgsql"));
    assert_string_equal(seen_text(seen, "environmentImported.setupWouldChange.0.change"),
                        "CREATE ROLE encore_platform LOGIN NOINHERIT CREATEROLE CREATEDB");
    assert_int_equal(sandbox_count_calls(world, "POST /projects/{project_id}/branches"), 1);
    const Seen *same = command_run(world, APPLICATION, "EnvironmentImported", IMPORT, "live",
                                   theirs.project_id, "main", "");
    expect_event(same, APPLICATION, "environments/live", 0);
}

static void nothing_of_it_can_be_changed(void **state)
{
    World *world = *state;
    static const char EDIT_ENDPOINT[] =
        "'editEndpoint': {'environment': 'live', 'updateMask': 'suspendTimeoutSeconds', "
        "'endpoint': {'suspendTimeoutSeconds': '600'}}";
    const char *const EDITS[] = {
        "'editProject': {'environment': 'live', 'historyRetentionSeconds': '3600'}",
        EDIT_ENDPOINT,
        "'setupRoles': {'environment': 'live'}",
        "'rotateCredentials': {'environment': 'live', 'all': true}",
        "'resetEnvironment': {'environment': 'live'}",
    };
    for (size_t i = 0; i < sizeof(EDITS) / sizeof(EDITS[0]); i++) {
        (void)command_refused(world, APPLICATION, "CommandRejected", READ_ONLY, "%s",
                              command_quote(EDITS[i]));
    }
}

static void its_credentials_are_revealed(void **state)
{
    World *world = *state;
    Credential owner =
        credentials_of_role(world, APPLICATION, "live", &recipient, "neondb_owner", "neondb");
    assert_true(credentials_work(world, owner.direct_uri));
    assert_true(credentials_work(world, owner.pooled_uri));
}

static void it_can_be_branched_from(void **state)
{
    World *world = *state;
    const Seen *seen =
        command_run(world, APPLICATION, "EnvironmentBranched",
                    "'branchEnvironment': {'environment': 'try', 'sourceEnvironment': 'live'}");
    Environment branch = login_environment(seen);
    assert_string_equal(branch.project_id, theirs.project_id);
    assert_true(expect_holds(seen, "environmentBranched.rotatedRoles", "neondb_owner"));
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", DELETE, "try");
}

static void a_branch_is_imported_once_unless_it_is_to_be_shared(void **state)
{
    World *world = *state;
    (void)command_refused(world, NEIGHBOUR, "CommandRejected", "ALREADY_IMPORTED", IMPORT, "mine",
                          theirs.project_id, theirs.branch_id, "");
    (void)command_run(world, NEIGHBOUR, "EnvironmentImported", IMPORT, "mine", theirs.project_id,
                      theirs.branch_id, command_quote(", 'shared': true"));
    (void)command_run(world, NEIGHBOUR, "EnvironmentDeleted", DELETE, "mine");
}

typedef struct Watched {
    World *world;
    const char *command_id;
} Watched;

static bool waits_for_its_maker(void *context)
{
    const Watched *watched = context;
    return strcmp(ledger_value(watched->world,
                               "SELECT coalesce(waiting_step, '') FROM provision.command "
                               "WHERE command_id = '%s'",
                               watched->command_id),
                  "await_maker") == 0;
}

static bool is_there(void *context)
{
    World *world = context;
    return sandbox_count_branches(world, theirs.project_id, "blog-draft") == 1;
}

// It may still be undone, and no row names it yet.
static void what_another_application_is_making_is_waited_for(void **state)
{
    World *world = *state;
    (void)sandbox_fault(world, "{'kind': 'status', 'route': 'GET /projects/{project_id}/operations/"
                               "{operation_id}', 'count': -1, 'status': 503, 'message': 'later'}");
    const char *making = command_send(
        world, NEIGHBOUR,
        "'branchEnvironment': {'environment': 'draft', 'sourceBranch': {'account': 'main', "
        "'projectId': '%s', 'branch': 'main'}}",
        theirs.project_id);
    wait_until(is_there, world, WAIT_SECONDS, "the branch");
    const char *importing = command_send(world, APPLICATION, IMPORT, "draft", theirs.project_id,
                                         "blog-draft", command_quote(", 'shared': true"));
    Watched watched = {world, importing};
    wait_until(waits_for_its_maker, &watched, WAIT_SECONDS, "the import to wait");
    (void)command_run(world, NEIGHBOUR, "CancelAccepted", "'cancelCommand': {'commandId': '%s'}",
                      making);
    sandbox_clear_faults(world);
    (void)command_await(world, making, "CommandCancelled");
    const Seen *ended = reader_await_outcome(world->reader, importing, WAIT_SECONDS);
    assert_string_equal(seen_type(ended), "CommandRejected");
    assert_int_equal(sandbox_count_branches(world, theirs.project_id, "blog-draft"), 0);
    box_wait(&world->box, theirs.project_id); // what follows counts calls, and meets no lock
}

static void what_is_not_there_is_refused(void **state)
{
    World *world = *state;
    (void)command_refused(world, APPLICATION, "CommandRejected", "BRANCH_NOT_FOUND", IMPORT,
                          "other", theirs.project_id, "mai", "");
    (void)command_refused(world, APPLICATION, "CommandRejected", "BRANCH_NOT_FOUND", IMPORT,
                          "other", "no-project-12345678", "main", "");
    (void)command_refused(world, "nobody", "CommandRejected", "ACCOUNT_UNKNOWN", IMPORT, "other",
                          theirs.project_id, "main", "");
}

static void an_endpoint_is_made_only_where_that_is_said(void **state)
{
    World *world = *state;
    const char *route = "POST /projects/{project_id}/endpoints";
    const Seen *seen = command_run(world, APPLICATION, "EnvironmentImported", IMPORT, "bare",
                                   theirs.project_id, "bare", "");
    assert_string_equal(seen_text(seen, "environmentImported.environment.branchId"), bare_id);
    assert_false(seen_flag(seen, "environmentImported.loginWorks"));
    assert_int_equal(sandbox_count_calls(world, route), 0);
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", DELETE, "bare");
    seen = command_run(world, APPLICATION, "EnvironmentImported", IMPORT, "bare", theirs.project_id,
                       "bare", command_quote(", 'createEndpoint': true"));
    assert_true(seen_flag(seen, "environmentImported.loginWorks"));
    assert_int_equal(sandbox_count_calls(world, route), 1);
}

static void forgetting_it_leaves_it_there(void **state)
{
    World *world = *state;
    const Seen *seen = command_run(world, APPLICATION, "EnvironmentDeleted", DELETE, "live");
    assert_true(seen_flag(seen, "environmentDeleted.forgottenOnly"));
    assert_int_equal(sandbox_count_branches(world, theirs.project_id, "main"), 1);
    assert_int_equal(sandbox_count_calls(world, "DELETE /projects/{project_id}"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_on_a_branch_is_told),
        cmocka_unit_test(nothing_of_it_can_be_changed),
        cmocka_unit_test(its_credentials_are_revealed),
        cmocka_unit_test(it_can_be_branched_from),
        cmocka_unit_test(a_branch_is_imported_once_unless_it_is_to_be_shared),
        cmocka_unit_test(what_another_application_is_making_is_waited_for),
        cmocka_unit_test(what_is_not_there_is_refused),
        cmocka_unit_test(an_endpoint_is_made_only_where_that_is_said),
        cmocka_unit_test(forgetting_it_leaves_it_there),
    };
    return cmocka_run_group_tests(tests, begin, world_end);
}
