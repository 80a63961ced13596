// Replies that are lost after Neon has acted, with listings that lag behind: exactly one thing is
// made, and what others have made is left alone.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/login.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define RESET "/branches/{branch_id}/roles/{role_name}/reset_password"
enum { LAG_MS = 3000, REAL_LAG_MS = 20000, CALL_SECONDS = 30, LOST = 5 };

static const char *const SETTINGS[] = {"environments.check_login=off", "neon.send_window=1s",
                                       "neon.request_timeout=2s", "neon.listing_lag=4s", NULL};
static const char *const REAL_SETTINGS[] = {"environments.check_login=off", "neon.send_window=1s",
                                            "neon.request_timeout=2s", "neon.listing_lag=21s",
                                            NULL};

// Every mutating call of the commands that there are.
static const char *const ROUTES[LOST] = {
    ("POST /projects/{project_id}" RESET), // first: it comes late in its command
    "POST /projects",
    "POST /projects/{project_id}/branches",
    "DELETE /projects/{project_id}/branches/{branch_id}",
    "DELETE /projects/{project_id}",
};

static Process *worker;

static const char *application(int number)
{
    return box_text(APPLICATION "-%d", number);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    worker = worker_start(*state, "w1", SETTINGS);
    command_connect_main(*state, APPLICATION);
    for (int i = 0; i < LOST; i++) {
        command_connect_main(*state, application(i));
    }
    return 0;
}

static int clear(void **state)
{
    sandbox_clear_faults(*state);
    return 0;
}

#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define BRANCH "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s'}"
#define DELETE_ALL "'deleteEnvironment': {'environment': '%s', 'deleteData': true}"

static Environment create(World *world, const char *application)
{
    return login_environment(
        command_run(world, application, "EnvironmentCreated", CREATE, world_fresh("live")));
}

static void set_lag(World *world, int ms)
{
    (void)sandbox_fault(world, box_text("{'kind': 'listing_lag', 'ms': %d}", ms));
}

static void lose_reply(World *world, const char *route)
{
    (void)sandbox_fault(world, box_text("{'kind': 'reply_lost', 'route': '%s'}", route));
}

// Commands that lose a reply each, every one in an application of its own, so that none waits for
// another; and how often Neon was called before.
typedef struct Losses {
    World *world;
    int64_t calls[LOST];
    int awaited;               // calls
    const char *names[LOST];   // environments that are made or deleted
    Environment sources[LOST]; // what was there before: a project for each but the second
    const char *ids[LOST];
} Losses;

static bool are_called(void *context)
{
    const Losses *losses = context;
    for (int i = 0; i < losses->awaited; i++) {
        int64_t usual =
            strcmp(ROUTES[i], ROUTES[2]) == 0 ? 1 : 0; // the first command branches, too
        if (sandbox_count_calls(losses->world, ROUTES[i]) <= losses->calls[i] + usual) {
            return false;
        }
    }
    return true;
}

static void await_calls(Losses *losses, int count)
{
    losses->awaited = count;
    wait_until(are_called, losses, CALL_SECONDS, "%d calls whose replies are lost", count);
}

static void prepare(Losses *losses, World *world)
{
    *losses = (Losses){.world = world};
    for (int i = 0; i < LOST; i++) {
        losses->names[i] = world_fresh("lost");
        if (i != 1) {
            losses->sources[i] = create(world, application(i));
        }
    }
    (void)command_run(world, application(3), "EnvironmentBranched", BRANCH, losses->names[3],
                      losses->sources[3].name);
    losses->names[4] = losses->sources[4].name;
    for (int i = 0; i < LOST; i++) {
        losses->calls[i] = sandbox_count_calls(world, ROUTES[i]);
    }
}

static void send_all(Losses *losses)
{
    World *world = losses->world;
    const char **names = losses->names;
    lose_reply(world, ROUTES[0]);
    losses->ids[0] = command_send(world, application(0), BRANCH, names[0], losses->sources[0].name);
    await_calls(losses, 1);
    for (int i = 1; i < LOST; i++) {
        lose_reply(world, ROUTES[i]);
    }
    losses->ids[1] = command_send(world, application(1), CREATE, names[1]);
    losses->ids[2] = command_send(world, application(2), BRANCH, names[2], losses->sources[2].name);
    losses->ids[3] = command_send(world, application(3), DELETE_ALL, names[3]);
    losses->ids[4] = command_send(world, application(4), DELETE_ALL, names[4]);
}

static size_t count_branch(const Losses *losses, int number)
{
    return sandbox_count_branches(losses->world, losses->sources[number].project_id,
                                  box_text("%s-%s", application(number), losses->names[number]));
}

static size_t count_project(const Losses *losses, int number)
{
    return sandbox_count_projects(losses->world,
                                  box_text("%s-%s", application(number), losses->names[number]));
}

static void expect_each_once(Losses *losses)
{
    static const char *const TYPES[LOST] = {"EnvironmentBranched", "EnvironmentCreated",
                                            "EnvironmentBranched", "EnvironmentDeleted",
                                            "EnvironmentDeleted"};
    World *world = losses->world;
    for (int i = 0; i < LOST; i++) {
        (void)command_await(world, losses->ids[i], TYPES[i]);
    }
    assert_int_equal(count_branch(losses, 0), 1);
    assert_int_equal(count_project(losses, 1), 1);
    assert_int_equal(count_branch(losses, 2), 1);
    assert_int_equal(count_branch(losses, 3), 0);
    assert_int_equal(sandbox_count_branches(world, losses->sources[3].project_id, "main"), 1);
    assert_int_equal(count_project(losses, 4), 0);
    // one project was asked for, and each of the two new branches had its one role reset once
    assert_int_equal(sandbox_count_calls(world, ROUTES[1]), losses->calls[1] + 1);
    assert_int_equal(sandbox_count_calls(world, ROUTES[0]), losses->calls[0] + 2);
}

static void every_lost_reply_is_settled_and_nothing_is_made_twice(void **state)
{
    World *world = *state;
    Losses losses;
    prepare(&losses, world);
    set_lag(world, LAG_MS);
    send_all(&losses);
    expect_each_once(&losses);
}

static void so_is_each_where_the_worker_is_killed_before_it_reads_again(void **state)
{
    World *world = *state;
    Losses losses;
    prepare(&losses, world);
    set_lag(world, LAG_MS);
    send_all(&losses);
    await_calls(&losses, LOST);
    process_kill(worker);
    worker = worker_start(world, "w2", SETTINGS);
    assert_string_equal(ledger_value(world, "SELECT count(*) FROM provision.command WHERE status = "
                                            "'running' AND intent_status = 'open'"),
                        "5");
    expect_each_once(&losses);
    assert_string_equal(ledger_value(world, "SELECT sum(takeovers) FROM provision.command"), "5");
}

// A branch that somebody made by hand; returns its id.
static const char *make_foreign_branch(World *world, const Environment *project, const char *name)
{
    REPLY reply = box_call_as(&world->box, world->api_key, NULL, "POST",
                              box_text("/projects/%s/branches", project->project_id),
                              box_text("{\"branch\": {\"name\": \"%s\"}}", name));
    assert_int_equal(reply.status, 201);
    const char *id = box_text("%s", box_string(reply.json, "branch.id"));
    return id;
}

static bool has_branch(World *world, const Environment *project, const char *id)
{
    return box_status(&world->box, "GET",
                      box_text("/projects/%s/branches/%s", project->project_id, id), NULL) == 200;
}

#define BRANCH_AS                                                                                  \
    "'branchEnvironment': {'environment': '%s', 'sourceEnvironment': '%s', 'branchName': '%s'}"

static void a_name_that_a_foreign_branch_holds_is_refused(void **state)
{
    World *world = *state;
    Environment live = create(world, APPLICATION);
    const char *id = make_foreign_branch(world, &live, "by-hand");
    box_wait(&world->box, live.project_id);
    (void)command_refused(world, APPLICATION, "CommandRejected", "BRANCH_NAME_TAKEN", BRANCH_AS,
                          world_fresh("try"), live.name, "by-hand");
    assert_true(has_branch(world, &live, id));
    assert_int_equal(sandbox_count_branches(world, live.project_id, "by-hand"), 1);
}

// The listing does not show it yet: only Neon's 409 tells, and the first such reply is lost.
static void so_is_one_that_no_listing_shows_yet(void **state)
{
    World *world = *state;
    Environment live = create(world, APPLICATION);
    set_lag(world, LAG_MS);
    const char *id = make_foreign_branch(world, &live, "by-hand");
    box_wait(&world->box, live.project_id);
    lose_reply(world, ROUTES[2]);
    (void)command_refused(world, APPLICATION, "CommandFailed", "BRANCH_NAME_TAKEN", BRANCH_AS,
                          world_fresh("try"), live.name, "by-hand");
    assert_true(has_branch(world, &live, id));
    assert_int_equal(sandbox_count_branches(world, live.project_id, "by-hand"), 1);
}

static const char *make_foreign_project(World *world, const char *name)
{
    REPLY reply = box_call_as(&world->box, world->api_key, NULL, "POST", "/projects",
                              box_text("{\"project\": {\"name\": \"%s\"}}", name));
    assert_int_equal(reply.status, 201);
    const char *id = box_text("%s", box_string(reply.json, "project.id"));
    box_wait(&world->box, id);
    return id;
}

static void projects_of_the_same_name_that_are_not_ours_are_left_alone(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    const char *project = box_text(APPLICATION "-%s", name);
    const char *foreign[] = {make_foreign_project(world, project),
                             make_foreign_project(world, project)};
    set_lag(world, LAG_MS);
    lose_reply(world, "POST /projects");
    Environment live =
        login_environment(command_run(world, APPLICATION, "EnvironmentCreated", CREATE, name));
    assert_int_equal(sandbox_count_projects(world, project), 3);
    (void)command_run(world, APPLICATION, "EnvironmentDeleted", DELETE_ALL, name);
    assert_int_equal(sandbox_count_projects(world, project), 2);
    for (int i = 0; i < 2; i++) {
        assert_string_not_equal(live.project_id, foreign[i]);
        assert_int_equal(box_status(&world->box, "GET", box_text("/projects/%s", foreign[i]), NULL),
                         200);
    }
}

static void a_listing_that_lags_twenty_seconds_makes_nothing_twice(void **state)
{
    World *world = *state;
    Losses losses;
    prepare(&losses, world);
    worker_stop(worker);
    worker = worker_start(world, "w3", REAL_SETTINGS);
    set_lag(world, REAL_LAG_MS);
    send_all(&losses);
    expect_each_once(&losses);
}

static void every_sequence_is_whole(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_lost_reply_is_settled_and_nothing_is_made_twice, clear),
        cmocka_unit_test_teardown(so_is_each_where_the_worker_is_killed_before_it_reads_again,
                                  clear),
        cmocka_unit_test_teardown(a_name_that_a_foreign_branch_holds_is_refused, clear),
        cmocka_unit_test_teardown(so_is_one_that_no_listing_shows_yet, clear),
        cmocka_unit_test_teardown(projects_of_the_same_name_that_are_not_ours_are_left_alone,
                                  clear),
        cmocka_unit_test_teardown(a_listing_that_lags_twenty_seconds_makes_nothing_twice, clear),
        cmocka_unit_test(every_sequence_is_whole),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
