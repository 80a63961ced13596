#include "crash/scenarios.h"

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/login.h"

#define CREATE_MEMBERS(more)                                                                       \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "'" more "}"
#define CREATE CREATE_MEMBERS("")
#define SERVICES(more)                                                                             \
    "'services': [{'name': 'orders', 'databases': [{'database': 'main'}]}" more "]"
#define SETUP                                                                                      \
    "'setupRoles': {'environment': 'live', " SERVICES(                                             \
        ", {'name': 'api', 'databases': [{'database': 'main'}]}") "}"
#define ROTATE "'rotateCredentials': {'environment': 'live', 'all': true}"
#define BRANCH "'branchEnvironment': {'environment': 'try', 'sourceEnvironment': 'live'}"
#define DELETE_PROJECT "'deleteEnvironment': {'environment': 'live', 'deleteData': true}"
#define DELETE_BRANCH "'deleteEnvironment': {'environment': 'try', 'deleteData': true}"

#define REVEAL                                                                                     \
    "'revealCredentials': {'environment': 'live', 'replyPublicKey': '" SCENARIOS_RECIPIENT_BASE64  \
    "'}"
#define CANCEL "'cancelCommand': {'commandId': '%s'}"

#define REFUSED(route)                                                                             \
    "{'kind': 'status', 'route': '" route "', 'count': -1, 'status': 403, 'message': 'not yours'}"
#define BRANCH_IS_HIDDEN REFUSED("GET /projects/{project_id}/branches/{branch_id}")
#define PROJECT_STAYS REFUSED("DELETE /projects/{project_id}")
#define BRANCH_STAYS REFUSED("DELETE /projects/{project_id}/branches/{branch_id}")

// Together longer than the listing lag below; each less than neon.request_timeout.
#define SLOW(route) "{'kind': 'slow', 'route': '" route "', 'ms': 2100}"
static const char *const SLOW_READS[] = {
    SLOW("GET /projects/{project_id}/operations/{operation_id}"),
    SLOW("GET /projects/{project_id}/branches/{branch_id}"),
    SLOW("GET /projects/{project_id}/branches/{branch_id}/endpoints"),
};

// ---- what is there before

static void have_live(World *world, const char *application)
{
    command_connect_main(world, application);
    (void)command_run(world, application, "EnvironmentCreated", CREATE);
}

static void have_branch(World *world, const char *application)
{
    have_live(world, application);
    (void)command_run(world, application, "EnvironmentBranched", BRANCH);
}

// Commands that fail, and whose undo fails.
static void leave_project(World *world, const char *application)
{
    command_connect_main(world, application);
    (void)sandbox_fault(world, BRANCH_IS_HIDDEN);
    (void)sandbox_fault(world, PROJECT_STAYS);
    (void)command_refused(world, application, "CommandFailed", "NEON_DENIED", CREATE);
    sandbox_clear_faults(world);
}

static void leave_branch(World *world, const char *application)
{
    have_live(world, application);
    (void)sandbox_fault(world, BRANCH_IS_HIDDEN);
    (void)sandbox_fault(world, BRANCH_STAYS);
    (void)command_refused(world, application, "CommandFailed", "NEON_DENIED", BRANCH);
    sandbox_clear_faults(world);
}

// Another failure forgets that the environment had this branch; it is a leftover only.
static void leave_nameless_branch(World *world, const char *application)
{
    leave_branch(world, application);
    (void)sandbox_fault(world, BRANCH_STAYS);
    (void)command_refused(world, application, "CommandFailed", "NEON_DENIED", BRANCH);
    sandbox_clear_faults(world);
}

// A project as a request of this command that came late would have made it.
static void make_marked_project(World *world, const char *application, const char *command_id)
{
    const char *installation = ledger_value(world, "SELECT id FROM provision.installation");
    const char *name = box_text("%s-live", application);
    REPLY reply = box_call_as(
        &world->box, world->api_key, NULL, "POST", "/projects",
        box_text("{\"project\": {\"name\": \"%s\", \"branch\": {\"annotations\": {"
                 "\"provisioner.installation\": \"%s\", \"provisioner.application\": \"%s\", "
                 "\"provisioner.environment\": \"live\", \"provisioner.command\": \"%s\"}}}}",
                 name, installation, application, command_id));
    assert_int_equal(reply.status, 201);
    const char *id = box_text("%s", box_string(reply.json, "project.id"));
    box_wait(&world->box, id);
}

static void leave_two_projects(World *world, const char *application)
{
    leave_project(world, application);
    make_marked_project(world, application, command_new_id());
}

// ---- commands

static const char *connect_account(World *world, const char *application)
{
    return command_connect(world, application, "main", world->api_key);
}

static const char *create(World *world, const char *application)
{
    return command_send(world, application, CREATE);
}

static const char *branch(World *world, const char *application)
{
    return command_send(world, application, BRANCH);
}

static const char *delete_project(World *world, const char *application)
{
    return command_send(world, application, DELETE_PROJECT);
}

static const char *delete_branch(World *world, const char *application)
{
    return command_send(world, application, DELETE_BRANCH);
}

static const char *reveal(World *world, const char *application)
{
    return command_send(world, application, REVEAL);
}

static const char *cancel_early(World *world, const char *application)
{
    return command_send(world, application, CANCEL, command_new_id());
}

// The duplicate is there from the beginning, but listed only when the command has its own project.
static const char *create_twice(World *world, const char *application)
{
    const char *id = command_new_id();
    int64_t lag = sandbox_fault(world, "{'kind': 'listing_lag', 'object': 'project', 'ms': 6000}");
    make_marked_project(world, application, id);
    assert_int_equal(
        box_status(&world->box, "DELETE", box_text("/sandbox/faults/%d", (int)lag), NULL), 204);
    for (size_t i = 0; i < sizeof(SLOW_READS) / sizeof(SLOW_READS[0]); i++) {
        (void)sandbox_fault(world, SLOW_READS[i]);
    }
    return command_send(world, application, CREATE ", 'commandId': '%s'", id);
}

// ---- roles, by SQL

#define CREATE_ROLES CREATE_MEMBERS(", 'databases': ['main'], " SERVICES(""))

static const char *create_roles(World *world, const char *application)
{
    return command_send(world, application, CREATE_ROLES);
}

static Environment have_roles(World *world, const char *application)
{
    command_connect_main(world, application);
    return login_environment(command_run(world, application, "EnvironmentCreated", CREATE_ROLES));
}

static void have_services(World *world, const char *application)
{
    (void)have_roles(world, application);
}

// A table of somebody else whom the API has made: only they themselves can hand it over.
static void have_foreign_table(World *world, const char *application)
{
    Environment live = have_roles(world, application);
    REPLY reply =
        box_call_as(&world->box, world->api_key, NULL, "POST",
                    box_text("/projects/%s/branches/%s/roles", live.project_id, live.branch_id),
                    "{\"role\": {\"name\": \"theirs\"}}");
    assert_int_equal(reply.status, 201);
    box_wait(&world->box, live.project_id);
    PGconn *owner = login_revealed(world, &live);
    (void)login_value(owner, "SET ROLE db_main_admin; GRANT CREATE ON SCHEMA public TO theirs");
    PQfinish(owner);
    live.role = "theirs";
    PGconn *theirs = login_revealed(world, &live);
    (void)login_value(theirs, "CREATE TABLE their_item (id int)");
    PQfinish(theirs);
}

static const char *set_up_roles(World *world, const char *application)
{
    return command_send(world, application, SETUP);
}

static const char *rotate_all(World *world, const char *application)
{
    return command_send(world, application, ROTATE);
}

static const Scenario BY_SQL[] = {
    {"create with services", command_connect_main, {NULL}, create_roles},
    {"branch with services", have_foreign_table, {NULL}, branch},
    {"set up roles", have_foreign_table, {NULL}, set_up_roles},
    {"rotate all", have_services, {NULL}, rotate_all},
};

static const Scenario SCENARIOS[] = {
    {"create", command_connect_main, {NULL}, create},
    {"branch", have_live, {NULL}, branch},
    {"delete a project", have_live, {NULL}, delete_project},
    {"delete a branch", have_branch, {NULL}, delete_branch},
    {"connect", NULL, {NULL}, connect_account},
    {"reveal", have_live, {NULL}, reveal},
    {"cancel what isn't there yet", NULL, {NULL}, cancel_early},
    {"create, undone", command_connect_main, {BRANCH_IS_HIDDEN}, create},
    {"branch, undone", have_live, {BRANCH_IS_HIDDEN}, branch},
    {"create where a project was left", leave_project, {NULL}, create},
    {"branch where a branch was left", leave_branch, {NULL}, branch},
    {"delete where two projects were left", leave_two_projects, {NULL}, delete_project},
    {"delete where a branch was left", leave_nameless_branch, {NULL}, delete_branch},
    {"create a second project", command_connect_main, {NULL}, create_twice},
};

const Scenario *scenarios_table(size_t *ret_count)
{
    *ret_count = CRASH_BY_SQL ? sizeof(BY_SQL) / sizeof(BY_SQL[0])
                              : sizeof(SCENARIOS) / sizeof(SCENARIOS[0]);
    return CRASH_BY_SQL ? BY_SQL : SCENARIOS;
}
