#include "crash/scenarios.h"

#include "crash/actions.h"
#include "crash/sweeping.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/login.h"

#define REFUSED(route)                                                                             \
    "{'kind': 'status', 'route': '" route "', 'count': -1, 'status': 403, 'message': 'not yours'}"
#define BRANCH_IS_HIDDEN REFUSED("GET /projects/{project_id}/branches/{branch_id}")
#define PROJECT_STAYS REFUSED("DELETE /projects/{project_id}")
#define BRANCH_STAYS REFUSED("DELETE /projects/{project_id}/branches/{branch_id}")

#define ROLES_ARE_HIDDEN REFUSED("GET /projects/{project_id}/branches/{branch_id}/roles")

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

static void have_base(World *world, const char *application)
{
    have_live(world, application);
    (void)command_run(world, application, "PreviewBaseSet", BASE);
}

static void have_preview(World *world, const char *application)
{
    have_base(world, application);
    (void)command_run(world, application, "EnvironmentBranched", OPEN(", 'expiresIn': '7200s'"));
}

// A reset lets an expiry begin anew, up to a second sooner; whoever looks afterwards extends it.
static void have_lasting_preview(World *world, const char *application)
{
    have_base(world, application);
    (void)command_run(world, application, "EnvironmentBranched", OPEN(""));
}

static void leave_preview(World *world, const char *application)
{
    have_base(world, application);
    (void)sandbox_fault(world, BRANCH_IS_HIDDEN);
    (void)sandbox_fault(world, BRANCH_STAYS);
    (void)command_refused(world, application, "CommandFailed", "NEON_DENIED", OPEN(""));
    sandbox_clear_faults(world);
}

static void leave_nameless_preview(World *world, const char *application)
{
    leave_preview(world, application);
    (void)sandbox_fault(world, BRANCH_STAYS);
    (void)command_refused(world, application, "CommandFailed", "NEON_DENIED", OPEN(""));
    sandbox_clear_faults(world);
}

static const char *row_value(World *world, const char *application, const char *environment,
                             const char *column)
{
    const char *found = ledger_value(world,
                                     "SELECT %s FROM provision.environment WHERE application_id = "
                                     "'%s' AND environment = '%s'",
                                     column, application, environment);
    assert_string_not_equal(found, "");
    return found;
}

// The branch that was left is gone; a request that came late has made another.
static void leave_late_preview(World *world, const char *application)
{
    leave_preview(world, application);
    const char *project = row_value(world, application, "pr:7", "project_id");
    const char *branches = box_text("/projects/%s/branches", project);
    const char *left =
        box_text("%s/%s", branches, row_value(world, application, "pr:7", "branch_id"));
    REPLY gone = box_call_as(&world->box, world->api_key, NULL, "DELETE", left, NULL);
    assert_int_equal(gone.status, 200);
    box_wait(&world->box, project);
    REPLY late = box_call_as(
        &world->box, world->api_key, NULL, "POST", branches,
        box_text("{\"branch\": {\"name\": \"preview/pr-7\"}, \"annotation_value\": {"
                 "\"provisioner.installation\": \"%s\", \"provisioner.application\": \"%s\", "
                 "\"provisioner.environment\": \"pr:7\", \"provisioner.command\": \"%s\"}}",
                 ledger_value(world, "SELECT id FROM provision.installation"), application,
                 row_value(world, application, "pr:7", "command_id")));
    assert_int_equal(late.status, 201);
    box_wait(&world->box, project);
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
    make_marked_project(world, application, row_value(world, application, "live", "command_id"));
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

static const char *edit_project(World *world, const char *application)
{
    return command_send(world, application, EDIT_PROJECT);
}

static const char *edit_endpoint(World *world, const char *application)
{
    return command_send(world, application, EDIT_ENDPOINT);
}

// Other stories' projects are left out.
static const char *discover(World *world, const char *application)
{
    return command_send(world, application, DISCOVER, application);
}

static const char *disconnect(World *world, const char *application)
{
    return command_send(world, application, DISCONNECT);
}

static const char *set_base(World *world, const char *application)
{
    return command_send(world, application, BASE);
}

static const char *open_preview(World *world, const char *application)
{
    return command_send(world, application, OPEN(", 'expiresIn': '7200s'"));
}

static const char *open_for_longer(World *world, const char *application)
{
    return command_send(world, application, OPEN(", 'expiresIn': '86400s'"));
}

static const char *open_anew(World *world, const char *application)
{
    return command_send(world, application, OPEN(", 'reset': true"));
}

static const char *close_preview(World *world, const char *application)
{
    return command_send(world, application, CLOSE);
}

static const char *reset(World *world, const char *application)
{
    return command_send(world, application, RESET);
}

// A branch of somebody else's, without endpoint.
static const char *import(World *world, const char *application)
{
    REPLY project = box_call_as(&world->box, world->api_key, NULL, "POST", "/projects",
                                box_text("{\"project\": {\"name\": \"%s-theirs\"}}", application));
    assert_int_equal(project.status, 201);
    const char *id = box_text("%s", box_string(project.json, "project.id"));
    box_wait(&world->box, id);
    REPLY branch =
        box_call_as(&world->box, world->api_key, NULL, "POST",
                    box_text("/projects/%s/branches", id), "{\"branch\": {\"name\": \"bare\"}}");
    assert_int_equal(branch.status, 201);
    box_wait(&world->box, id);
    return command_send(world, application, IMPORT, id);
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

static void have_based_table(World *world, const char *application)
{
    have_foreign_table(world, application);
    (void)command_run(world, application, "PreviewBaseSet", BASE);
}

static void have_branched_table(World *world, const char *application)
{
    have_foreign_table(world, application);
    (void)command_run(world, application, "EnvironmentBranched", BRANCH);
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
    {"create with services", command_connect_main, {NULL}, create_roles, 0},
    {"branch with services", have_foreign_table, {NULL}, branch, 0},
    {"set up roles", have_foreign_table, {NULL}, set_up_roles, 0},
    {"rotate all", have_services, {NULL}, rotate_all, 0},
    {"open a preview with services", have_based_table, {NULL}, open_preview, 0},
    {"reset a branch with services", have_branched_table, {NULL}, reset, 0},
};

static const Scenario SCENARIOS[] = {
    {"create", command_connect_main, {NULL}, create, 0},
    {"branch", have_live, {NULL}, branch, 0},
    {"delete a project", have_live, {NULL}, delete_project, 0},
    {"delete a branch", have_branch, {NULL}, delete_branch, 0},
    {"connect", NULL, {NULL}, connect_account, 0},
    {"reveal", have_live, {NULL}, reveal, 0},
    {"cancel what isn't there yet", NULL, {NULL}, cancel_early, 0},
    {"create, undone", command_connect_main, {BRANCH_IS_HIDDEN}, create, 0},
    {"branch, undone", have_live, {BRANCH_IS_HIDDEN}, branch, 0},
    {"create where a project was left", leave_project, {NULL}, create, 0},
    {"branch where a branch was left", leave_branch, {NULL}, branch, 0},
    {"delete where two projects were left", leave_two_projects, {NULL}, delete_project, 0},
    {"delete where a branch was left", leave_nameless_branch, {NULL}, delete_branch, 0},
    {"create a second project", command_connect_main, {NULL}, create_twice, 0},
    {"discover", have_live, {NULL}, discover, 0},
    {"disconnect", command_connect_main, {NULL}, disconnect, 0},
    {"edit a project that others live in", have_branch, {NULL}, edit_project, 1},
    {"edit an endpoint", have_live, {NULL}, edit_endpoint, 0},
    {"set the base of previews", have_live, {NULL}, set_base, 0},
    {"open a preview", have_base, {NULL}, open_preview, 0},
    {"open a preview, undone", have_base, {BRANCH_IS_HIDDEN}, open_preview, 0},
    {"open a preview where a branch was left", leave_preview, {NULL}, open_preview, 0},
    {"open a preview for longer", have_preview, {NULL}, open_for_longer, 0},
    {"open a preview anew", have_lasting_preview, {NULL}, open_anew, 0},
    {"close a preview that never was", have_base, {NULL}, close_preview, 0},
    {"close a preview", have_preview, {NULL}, close_preview, 0},
    {"close a preview that was left", leave_nameless_preview, {NULL}, close_preview, 0},
    {"close a preview that came late", leave_late_preview, {NULL}, close_preview, 0},
    {"reset a branch", have_branch, {NULL}, reset, 0},
    {"import", command_connect_main, {NULL}, import, 0},
    {"import, undone", command_connect_main, {ROLES_ARE_HIDDEN}, import, 0},
    {"sweep", sweeping_have_swept, {NULL}, sweeping_sweep, 0},
    {"delete an orphan", sweeping_have_orphan, {NULL}, sweeping_delete, 0},
};

const Scenario *scenarios_table(size_t *ret_count)
{
    *ret_count = CRASH_BY_SQL ? sizeof(BY_SQL) / sizeof(BY_SQL[0])
                              : sizeof(SCENARIOS) / sizeof(SCENARIOS[0]);
    return CRASH_BY_SQL ? BY_SQL : SCENARIOS;
}

// Before the duplicate is listed.
bool scenario_can_wait(const Scenario *scenario)
{
    return scenario->send != create_twice;
}

bool scenario_is_short(const Scenario *scenario)
{
    return scenario->send == cancel_early || scenario->send == set_base ||
           scenario->send == disconnect ||
           (scenario->send == close_preview && scenario->prepare == have_base);
}
