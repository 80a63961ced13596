// What the workers refuse, with its code, and what is left alone by it.
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/world.h"

#define APPLICATION "shop"
#define REJECTED "CommandRejected"

static int begin(void **state)
{
    world_begin(state, NULL);
    (void)worker_start(*state, "one", NULL);
    command_connect_main(*state, APPLICATION);
    return 0;
}

#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define DELETE_WITH_DATA "'deleteEnvironment': {'environment': '%s', 'deleteData': true}"
#define DELETE "'deleteEnvironment': {'environment': '%s'}"

static Environment create(World *world)
{
    return login_environment(
        command_run(world, APPLICATION, "EnvironmentCreated", CREATE, world_fresh("live")));
}

static Environment branch_of(World *world, const Environment *source)
{
    return login_environment(command_run(world, APPLICATION, "EnvironmentBranched", BRANCH,
                                         world_fresh("try"), source->name));
}

static void the_same_again_is_no_second_environment(void **state)
{
    World *world = *state;
    Environment live = create(world);
    const Seen *again = command_run(world, APPLICATION, "EnvironmentCreated", CREATE, live.name);
    assert_false(seen_flag(again, "environmentCreated.created"));
    assert_string_equal(seen_text(again, "environmentCreated.environment.projectId"),
                        live.project_id);
    assert_int_equal(seen_number(again, "sequence"), 0);
    assert_int_equal(sandbox_count_projects(world, box_text(APPLICATION "-%s", live.name)), 1);
    Environment try = branch_of(world, &live);
    again = command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, try.name, live.name);
    assert_false(seen_flag(again, "environmentBranched.created"));
    assert_string_equal(seen_text(again, "environmentBranched.environment.branchId"),
                        try.branch_id);
    expect_ready(world, APPLICATION, &live, 1);
    expect_ready(world, APPLICATION, &try, 1);
}

static void an_environment_with_other_settings_exists(void **state)
{
    World *world = *state;
    Environment live = create(world);
    (void)command_refused(world, APPLICATION, REJECTED, "ENVIRONMENT_EXISTS",
                          "'createEnvironment': {'environment': '%s', 'account': 'main', "
                          "'regionId': '" WORLD_REGION "', 'pgVersion': 16}",
                          live.name);
    (void)command_refused(world, APPLICATION, REJECTED, "ENVIRONMENT_EXISTS", BRANCH, live.name,
                          create(world).name);
    expect_ready(world, APPLICATION, &live, 1);
}

static void an_unknown_account_is_named(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    const Seen *seen = command_refused(
        world, APPLICATION, REJECTED, "ACCOUNT_UNKNOWN",
        "'createEnvironment': {'environment': '%s', 'account': 'other', 'regionId': '" WORLD_REGION
        "'}",
        name);
    assert_string_equal(seen_text(seen, "commandRejected.field"), "account");
    assert_string_equal(seen_text(seen, "commandRejected.action"), "CreateEnvironment");
    (void)command_refused(world, APPLICATION, REJECTED, "ACCOUNT_UNKNOWN",
                          "'branchEnvironment': {'environment': '%s', 'sourceBranch': {'account': "
                          "'other', 'projectId': 'some-project-1', 'branch': 'main'}}",
                          world_fresh("try"));
    // the account of one application is not another's
    (void)command_refused(world, "stranger", REJECTED, "ACCOUNT_UNKNOWN", CREATE, name);
    // the name was not used up by being refused
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
}

static void a_source_has_to_be_on_neon(void **state)
{
    World *world = *state;
    Environment live = create(world);
    const Seen *seen = command_refused(world, APPLICATION, REJECTED, "SOURCE_NOT_ON_NEON", BRANCH,
                                       world_fresh("try"), "nowhere");
    assert_string_equal(seen_text(seen, "commandRejected.field"),
                        "branch_environment.source_environment");
    (void)command_refused(world, "stranger", REJECTED, "SOURCE_NOT_ON_NEON", BRANCH,
                          world_fresh("try"), live.name);
}

static void a_source_branch_is_matched_exactly(void **state)
{
    World *world = *state;
    Environment live = create(world);
    const char *const references[] = {"mai", "Main", "main2", "br-no-such-a5000000"};
    for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
        (void)command_refused(
            world, APPLICATION, REJECTED, "SOURCE_NOT_FOUND",
            "'branchEnvironment': {'environment': '%s', 'sourceBranch': {'account': 'main', "
            "'projectId': '%s', 'branch': '%s'}}",
            world_fresh("try"), live.project_id, references[i]);
    }
    assert_int_equal(sandbox_count_branches(world, live.project_id, "main"), 1);
}

static void data_is_deleted_only_on_request(void **state)
{
    World *world = *state;
    Environment live = create(world);
    const Seen *seen =
        command_refused(world, APPLICATION, REJECTED, "DELETE_DATA_REQUIRED", DELETE, live.name);
    assert_string_equal(seen_text(seen, "commandRejected.field"), "delete_environment.delete_data");
    expect_ready(world, APPLICATION, &live, 1);
    assert_int_equal(sandbox_count_projects(world, box_text(APPLICATION "-%s", live.name)), 1);
    PQfinish(login_revealed(world, &live));
    (void)command_refused(world, APPLICATION, REJECTED, "ENVIRONMENT_UNKNOWN", DELETE, "nowhere");
}

static const char *make_foreign_branch(World *world, const Environment *of, const char *name)
{
    REPLY reply = box_call_as(
        &world->box, world->api_key, NULL, "POST",
        box_text("/projects/%s/branches", of->project_id),
        box_text("{\"branch\": {\"name\": \"%s\", \"parent_id\": \"%s\"}}", name, of->branch_id));
    assert_int_equal(reply.status, 201);
    box_wait(&world->box, of->project_id);
    return box_text("%s", box_string(reply.json, "branch.id"));
}

static void what_others_depend_on_is_not_deleted(void **state)
{
    World *world = *state;
    Environment live = create(world);
    Environment try = branch_of(world, &live);
    const Seen *seen = command_refused(world, APPLICATION, REJECTED, "HAS_DEPENDENTS",
                                       DELETE_WITH_DATA, live.name);
    assert_non_null(strstr(seen_text(seen, "commandRejected.message"), try.name));
    expect_ready(world, APPLICATION, &live, 1);
    const char *child = make_foreign_branch(world, &try, "child");
    seen = command_refused(world, APPLICATION, REJECTED, "HAS_DEPENDENTS", DELETE, try.name);
    assert_non_null(strstr(seen_text(seen, "commandRejected.message"), "child"));
    expect_ready(world, APPLICATION, &try, 1);
    PQfinish(login_revealed(world, &try));
    assert_int_equal(box_status(&world->box, "DELETE",
                                box_text("/projects/%s/branches/%s", live.project_id, child), NULL),
                     200);
    box_wait(&world->box, live.project_id);
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", DELETE, try.name);
    (void)make_foreign_branch(world, &live, "by hand");
    seen = command_refused(world, APPLICATION, REJECTED, "HAS_DEPENDENTS", DELETE_WITH_DATA,
                           live.name);
    assert_non_null(strstr(seen_text(seen, "commandRejected.message"), "by hand"));
    // after all of this it still is a source
    (void)branch_of(world, &live);
}

static void an_unknown_region_is_refused_before_anything_is_made(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    int64_t before = sandbox_count_calls(world, "POST /projects");
    const Seen *seen = command_refused(
        world, APPLICATION, REJECTED, "REGION_UNKNOWN",
        "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': 'aws-mars-1'}",
        name);
    assert_string_equal(seen_text(seen, "commandRejected.field"), "create_environment.region_id");
    assert_int_equal(sandbox_count_calls(world, "POST /projects"), before);
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name);
}

static void a_key_that_neon_refuses_is_not_kept(void **state)
{
    World *world = *state;
    static const char BAD[] = "napi_no-such-key-8d2f41c7";
    world_add_secret(world, BAD);
    const char *id = command_connect(world, APPLICATION, "bad", BAD);
    const Seen *seen = command_await(world, id, REJECTED);
    assert_string_equal(seen_text(seen, "commandRejected.code"), "API_KEY_REJECTED");
    assert_null(reader_last_state(world->reader, "applications/" APPLICATION "/accounts/bad"));
    // a key that was good stays when another one is refused in its place
    id = command_connect(world, APPLICATION, "main", BAD);
    (void)command_await(world, id, REJECTED);
    (void)create(world);
}

static void an_ambiguous_organization_is_to_be_named(void **state)
{
    World *world = *state;
    const char *id = command_connect(world, APPLICATION, "personal", "sandbox-personal-key");
    const Seen *seen = command_await(world, id, REJECTED);
    assert_string_equal(seen_text(seen, "commandRejected.code"), "ORGANIZATION_AMBIGUOUS");
    assert_non_null(strstr(seen_text(seen, "commandRejected.message"), "org-sandbox-two"));
}

static void a_foreign_branch_that_has_the_name_is_left_alone(void **state)
{
    World *world = *state;
    Environment live = create(world);
    const char *foreign = make_foreign_branch(world, &live, "taken");
    const char *path = box_text("/projects/%s/branches/%s", live.project_id, foreign);
    REPLY before = box_call(&world->box, "GET", path, NULL);
    const char *name = world_fresh("try");
    (void)command_refused(world, APPLICATION, REJECTED, "BRANCH_NAME_TAKEN",
                          "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s', "
                          "'branchName': 'taken'}",
                          name, live.name);
    REPLY after = box_call(&world->box, "GET", path, NULL);
    assert_int_equal(after.status, 200);
    assert_string_equal(box_string(before.json, "branch.updated_at"),
                        box_string(after.json, "branch.updated_at"));
    assert_int_equal(sandbox_count_branches(world, live.project_id, "taken"), 1);
    (void)command_run(world, APPLICATION, "EnvironmentBranched", BRANCH, name, live.name);
}

static void foreign_projects_of_the_same_name_are_left_alone(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    const char *project = box_text(APPLICATION "-%s", name);
    const char *foreign[2];
    for (size_t i = 0; i < 2; i++) {
        REPLY reply =
            box_create_project(&world->box, box_text("{\"project\": {\"name\": \"%s\"}}", project));
        foreign[i] = box_text("%s", box_string(reply.json, "project.id"));
    }
    Environment live =
        login_environment(command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name));
    assert_string_not_equal(live.project_id, foreign[0]);
    assert_string_not_equal(live.project_id, foreign[1]);
    assert_int_equal(sandbox_count_projects(world, project), 3);
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", DELETE_WITH_DATA, name);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(box_status(&world->box, "GET", box_text("/projects/%s", foreign[i]), NULL),
                         200);
    }
    assert_int_equal(sandbox_count_projects(world, project), 2);
}

static void no_refusal_became_a_dead_letter(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        assert_int_not_equal(reader_at(world->reader, i)->topic, SEEN_DEAD_LETTERS);
    }
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_again_is_no_second_environment),
        cmocka_unit_test(an_environment_with_other_settings_exists),
        cmocka_unit_test(an_unknown_account_is_named),
        cmocka_unit_test(a_source_has_to_be_on_neon),
        cmocka_unit_test(a_source_branch_is_matched_exactly),
        cmocka_unit_test(data_is_deleted_only_on_request),
        cmocka_unit_test(what_others_depend_on_is_not_deleted),
        cmocka_unit_test(an_unknown_region_is_refused_before_anything_is_made),
        cmocka_unit_test(a_key_that_neon_refuses_is_not_kept),
        cmocka_unit_test(an_ambiguous_organization_is_to_be_named),
        cmocka_unit_test(a_foreign_branch_that_has_the_name_is_left_alone),
        cmocka_unit_test(foreign_projects_of_the_same_name_are_left_alone),
        cmocka_unit_test(no_refusal_became_a_dead_letter),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
