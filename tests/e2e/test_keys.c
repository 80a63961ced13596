// What an account's key doesn't reach is refused before anything is asked for.
#include <inttypes.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/world.h"

#define OWNER "shop"
#define GUEST "guest"
#define STRANGER "stranger"
#define TURNER "turner"
// May make keys of the organization, and is in another one, too.
#define PERSON "sandbox-personal-key"
#define KEYS "/organizations/" WORLD_ORG "/api_keys"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define BRANCH_OF                                                                                  \
    "'branchEnvironment': {'environment': '%s', 'sourceBranch': {'account': 'main', 'projectId': " \
    "'%s', 'branch': 'main'}}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define DELETE "'deleteEnvironment': {'environment': '%s'}"
#define IMPORT_OF                                                                                  \
    "'importEnvironment': {'environment': '%s', 'branch': {'account': 'main', 'projectId': '%s', " \
    "'branch': 'main'}}"

typedef struct ApiKey {
    const char *text;
    int64_t id;
} ApiKey;

static const char *const SETTINGS[] = {"environments.check_login=off", NULL};
static const char *project_id; // that the guest's key is kept to
static const char *other_id;
static const char *project_key;
static ApiKey turner_keys[2]; // the second one has replaced the first

// Of the world's organization; `more`: members of the request.
static ApiKey make_key(World *world, const char *more)
{
    REPLY reply = box_call_as(&world->box, PERSON, NULL, "POST", KEYS,
                              box_text("{\"key_name\": \"test\"%s}", more));
    assert_int_equal(reply.status, 200);
    ApiKey key = {box_text("%s", box_string(reply.json, "key")), box_integer(reply.json, "id")};
    world_add_secret(world, key.text);
    return key;
}

static void revoke_key(World *world, const ApiKey *key)
{
    REPLY reply =
        box_call_as(&world->box, PERSON, NULL, "DELETE", box_text(KEYS "/%" PRId64, key->id), NULL);
    assert_int_equal(reply.status, 200);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    worker_start(world, "one", SETTINGS);
    command_connect_main(world, OWNER);
    project_id = seen_text(command_run(world, OWNER, "EnvironmentCreated", CREATE, "live"),
                           "environmentCreated.environment.projectId");
    other_id = seen_text(command_run(world, OWNER, "EnvironmentCreated", CREATE, "other"),
                         "environmentCreated.environment.projectId");
    project_key = make_key(world, box_text(", \"project_id\": \"%s\"", project_id)).text;
    return 0;
}

static void a_key_of_one_project_is_recognised(void **state)
{
    World *world = *state;
    const char *id = command_connect(world, GUEST, "main", project_key);
    const Seen *seen = command_await(world, id, "AccountConnected");
    assert_string_equal(seen_text(seen, "accountConnected.account.keyKind"), "KEY_KIND_PROJECT");
    assert_string_equal(seen_text(seen, "accountConnected.account.projectId"), project_id);
    seen = command_run(world, GUEST, "AccountInventory", "'discoverAccount': {'account': 'main'}");
    assert_string_equal(seen_text(seen, "accountInventory.projects.0.projectId"), project_id);
    assert_string_equal(seen_text(seen, "accountInventory.projects.1.projectId"), "");
}

static void it_is_kept_to_its_project(void **state)
{
    World *world = *state;
    int64_t projects = sandbox_count_calls(world, "POST /projects");
    int64_t branches = sandbox_count_calls(world, "POST /projects/{project_id}/branches");
    (void)command_refused(world, GUEST, "CommandRejected", "KEY_SCOPE", CREATE, "mine");
    (void)command_refused(world, GUEST, "CommandRejected", "KEY_SCOPE", BRANCH_OF, "mine",
                          other_id);
    (void)command_refused(world, GUEST, "CommandRejected", "KEY_SCOPE", IMPORT_OF, "mine",
                          other_id);
    assert_int_equal(sandbox_count_calls(world, "POST /projects"), projects);
    assert_int_equal(sandbox_count_calls(world, "POST /projects/{project_id}/branches"), branches);
    (void)command_run(world, GUEST, "EnvironmentBranched", BRANCH_OF, "mine", project_id);
    (void)command_run(world, GUEST, "EnvironmentDeleted",
                      "'deleteEnvironment': {'environment': 'mine'}");
}

static void a_key_that_sees_less_replaces_none_that_is_used(void **state)
{
    World *world = *state;
    const char *id = command_connect(world, OWNER, "main", project_key);
    const Seen *seen = command_await(world, id, "CommandRejected");
    assert_string_equal(seen_text(seen, "commandRejected.code"), "ACCOUNT_MISMATCH");
    (void)command_run(world, OWNER, "EnvironmentBranched", BRANCH_OF, "try", other_id);
    id = command_connect(world, OWNER, "main", world->api_key);
    seen = command_await(world, id, "AccountConnected");
    assert_true(seen_flag(seen, "accountConnected.replaced"));
}

// Only Neon knows whose a project is: it is asked, and nothing changes.
static void a_key_of_another_organization_reaches_nothing(void **state)
{
    World *world = *state;
    int64_t branches = sandbox_count_calls(world, "POST /projects/{project_id}/branches");
    int64_t endpoints = sandbox_count_calls(world, "POST /projects/{project_id}/endpoints");
    world_add_secret(world, "sandbox-other-key");
    const char *id = command_connect(world, STRANGER, "main", "sandbox-other-key");
    (void)command_await(world, id, "AccountConnected");
    (void)command_refused(world, STRANGER, "CommandRejected", "SOURCE_NOT_FOUND", BRANCH_OF, "mine",
                          project_id);
    (void)command_refused(world, STRANGER, "CommandRejected", "BRANCH_NOT_FOUND", IMPORT_OF, "mine",
                          project_id);
    assert_int_equal(sandbox_count_calls(world, "POST /projects/{project_id}/branches"), branches);
    assert_int_equal(sandbox_count_calls(world, "POST /projects/{project_id}/endpoints"),
                     endpoints);
    // nor does it take the place of one whose environments it doesn't see
    id = command_connect(world, OWNER, "main", "sandbox-other-key");
    const Seen *seen = command_await(world, id, "CommandRejected");
    assert_string_equal(seen_text(seen, "commandRejected.code"), "ACCOUNT_MISMATCH");
}

// The one it replaces is refused by Neon from then on.
static void commands_use_the_key_that_was_connected_last(void **state)
{
    World *world = *state;
    ApiKey first = make_key(world, "");
    ApiKey second = make_key(world, "");
    const char *id = command_connect(world, TURNER, "main", first.text);
    assert_false(
        seen_flag(command_await(world, id, "AccountConnected"), "accountConnected.replaced"));
    (void)command_run(world, TURNER, "EnvironmentCreated", CREATE, "live");
    id = command_connect(world, TURNER, "main", second.text);
    assert_true(
        seen_flag(command_await(world, id, "AccountConnected"), "accountConnected.replaced"));
    revoke_key(world, &first);
    (void)command_run(world, TURNER, "EnvironmentBranched", BRANCH, "try", "live");
    (void)command_run(world, TURNER, "EnvironmentDeleted", DELETE, "try");
    turner_keys[0] = first;
    turner_keys[1] = second;
}

static const char *stored_key(World *world)
{
    return ledger_value(world, "SELECT sha256(sealed_key)::text FROM provision.account "
                               "WHERE application_id = '" TURNER "' AND account = 'main'");
}

static void a_key_that_is_refused_replaces_none(void **state)
{
    World *world = *state;
    const struct {
        const char *text, *code;
    } CASES[] = {
        {turner_keys[0].text, "API_KEY_REJECTED"},
        {PERSON, "ORGANIZATION_AMBIGUOUS"},
        {project_key, "ACCOUNT_MISMATCH"},
        {"sandbox-other-key", "ACCOUNT_MISMATCH"},
    };
    const char *stored = stored_key(world);
    assert_string_not_equal(stored, "");
    world_add_secret(world, PERSON);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *id = command_connect(world, TURNER, "main", CASES[i].text);
        const Seen *seen = command_await(world, id, "CommandRejected");
        assert_string_equal(seen_text(seen, "commandRejected.code"), CASES[i].code);
        assert_string_equal(stored_key(world), stored);
    }
    (void)command_run(world, TURNER, "EnvironmentBranched", BRANCH, "try", "live");
    // what is stored is the second: without it, nothing goes on
    revoke_key(world, &turner_keys[1]);
    (void)command_refused(world, TURNER, "CommandRejected", "NEON_DENIED", BRANCH, "more", "live");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_of_one_project_is_recognised),
        cmocka_unit_test(it_is_kept_to_its_project),
        cmocka_unit_test(a_key_that_sees_less_replaces_none_that_is_used),
        cmocka_unit_test(a_key_of_another_organization_reaches_nothing),
        cmocka_unit_test(commands_use_the_key_that_was_connected_last),
        cmocka_unit_test(a_key_that_is_refused_replaces_none),
    };
    return cmocka_run_group_tests(tests, begin, world_end);
}
