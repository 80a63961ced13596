#include "crash/sweeping.h"

#include "crash/actions.h"
#include "support/cmocka.h"
#include "support/commands.h"

static const char *value_of(World *world, const char *application, const char *column,
                            const char *table)
{
    const char *found =
        ledger_value(world, "SELECT %s FROM provision.%s WHERE application_id = '%s'", column,
                     table, application);
    assert_string_not_equal(found, "");
    return found;
}

static const char *project_of(World *world, const char *application)
{
    return value_of(world, application, "max(project_id) FILTER (WHERE environment = 'live')",
                    "environment");
}

static const char *maker_of(World *world, const char *application)
{
    return value_of(world, application,
                    "max(command_id::text) FILTER (WHERE action = 'BranchEnvironment')", "command");
}

// As a request of the command would have made it that came much too late.
void sweeping_have_orphan(World *world, const char *application)
{
    command_connect_main(world, application);
    (void)command_run(world, application, "EnvironmentCreated", CREATE);
    (void)command_run(world, application, "EnvironmentBranched", BRANCH);
    (void)command_run(world, application, "EnvironmentDeleted", DELETE_BRANCH);
    const char *project_id = project_of(world, application);
    REPLY late = box_call_as(
        &world->box, world->api_key, NULL, "POST", box_text("/projects/%s/branches", project_id),
        box_text("{\"branch\": {\"name\": \"%s-try\"}, \"annotation_value\": {"
                 "\"provisioner.installation\": \"%s\", \"provisioner.application\": \"%s\", "
                 "\"provisioner.environment\": \"try\", \"provisioner.command\": \"%s\"}}",
                 application, ledger_value(world, "SELECT id FROM provision.installation"),
                 application, maker_of(world, application)));
    assert_int_equal(late.status, 201);
    box_wait(&world->box, project_id);
}

void sweeping_have_swept(World *world, const char *application)
{
    sweeping_have_orphan(world, application);
    REPLY reply = box_call_as(&world->box, "sandbox-personal-key", NULL, "POST",
                              "/organizations/" WORLD_ORG "/api_keys",
                              box_text("{\"key_name\": \"%s\", \"project_id\": \"%s\"}",
                                       application, project_of(world, application)));
    assert_int_equal(reply.status, 200);
    const char *key = box_text("%s", box_string(reply.json, "key"));
    world_add_secret(world, key);
    (void)command_await(world, command_connect(world, application, "kept", key),
                        "AccountConnected");
}

const char *sweeping_sweep(World *world, const char *application)
{
    return command_send(world, application,
                        "'sweepAccount': {'account': 'kept', 'deleteOrphans': true}");
}

static const char *orphan_in(World *world, const char *application)
{
    const char *project_id = project_of(world, application);
    REPLY reply =
        box_call_as(&world->box, world->api_key, NULL, "GET",
                    box_text("/projects/%s/branches?search=%s-try", project_id, application), NULL);
    assert_int_equal(reply.status, 200);
    return box_text("%s", box_string(reply.json, "branches.0.id"));
}

const char *sweeping_delete(World *world, const char *application)
{
    return command_send(world, application,
                        "'deleteOrphan': {'environment': 'try', 'account': 'main', 'projectId': "
                        "'%s', 'branchId': '%s', 'commandId': '%s'}",
                        project_of(world, application), orphan_in(world, application),
                        maker_of(world, application));
}
