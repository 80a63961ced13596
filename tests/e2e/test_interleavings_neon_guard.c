// Project deletion while another application branches it: each announces itself before it looks for
// the other, so at least one sees the other, whoever comes first.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/pair.h"
#include "support/secrets.h"
#include "support/wait.h"

#define POST_BRANCH "POST /projects/{project_id}/branches"
#define GUEST "pr"

static const char *const SETTINGS[] = {"environments.check_login=off", NULL};

static int begin(void **state)
{
    pair_open(state, SETTINGS);
    return 0;
}

// The owner's commands and the guest's go to different workers, one of which is held at a point.
typedef struct Meeting {
    World *world;
    const char *owner;
    const char *guest;
    Environment live; // the owner's
} Meeting;

static Meeting begin_meeting(const Pair *pair, bool owner_is_held)
{
    const char *others = pair_application_of(pair->world, "other");
    Meeting meeting = {.world = pair->world,
                       .owner = owner_is_held ? pair->application : others,
                       .guest = owner_is_held ? others : pair->application};
    meeting.live = login_environment(command_run(meeting.world, meeting.owner, "EnvironmentCreated",
                                                 PAIR_CREATE, world_fresh("live")));
    return meeting;
}

static const char *send_branch(const Meeting *meeting)
{
    return command_send(meeting->world, meeting->guest,
                        "'branchEnvironment': {'environment': '" GUEST
                        "', 'sourceBranch': {'account': 'main', 'projectId': '%s', 'branch': "
                        "'%s'}}",
                        meeting->live.project_id, meeting->live.branch_id);
}

static const char *send_deletion(const Meeting *meeting)
{
    return command_send(meeting->world, meeting->owner, PAIR_DELETE, meeting->live.name);
}

static const char *await_refusal(const Meeting *meeting, const char *id)
{
    return seen_text(pair_await_once(meeting->world, id, "CommandRejected"),
                     "commandRejected.code");
}

static const char *state_of(const Meeting *meeting, const char *application,
                            const char *environment)
{
    return ledger_value(meeting->world,
                        "SELECT state FROM provision.environment WHERE application_id = '%s' AND "
                        "environment = '%s'",
                        application, environment);
}

static size_t count_projects(const Meeting *meeting)
{
    return sandbox_count_projects(meeting->world,
                                  box_text("%s-%s", meeting->owner, meeting->live.name));
}

static size_t count_branches(const Meeting *meeting)
{
    return sandbox_count_branches(meeting->world, meeting->live.project_id,
                                  box_text("%s-" GUEST, meeting->guest));
}

// The owner's environment is whole again: it can be deleted once the guest has left.
static void expect_restored(const Meeting *meeting, bool has_guest)
{
    assert_string_equal(state_of(meeting, meeting->owner, meeting->live.name), "ready");
    assert_int_equal(count_projects(meeting), 1);
    assert_int_equal(count_branches(meeting), has_guest);
    if (has_guest) {
        (void)command_run(meeting->world, meeting->guest, "EnvironmentDeleted",
                          "'deleteEnvironment': {'environment': '" GUEST "'}");
    }
    (void)pair_await_once(meeting->world, send_deletion(meeting), "EnvironmentDeleted");
    assert_int_equal(count_projects(meeting), 0);
}

static void project_deletion_while_another_application_is_about_to_branch_it_is_refused(
    void **state)
{
    World *world = *state;
    static const char POINT[] = "intent.before/BranchEnvironment/create_branch";
    Pair pair = pair_begin(world, box_text("%s=hold", POINT), NULL);
    Meeting meeting = begin_meeting(&pair, false);
    const char *branch = send_branch(&meeting);
    pair_await_point(&pair, POINT);
    assert_string_equal(await_refusal(&meeting, send_deletion(&meeting)), "HAS_DEPENDENTS");
    assert_string_equal(state_of(&meeting, meeting.owner, meeting.live.name), "ready");
    pair_release(world, pair.first_name);
    (void)pair_await_once(world, branch, "EnvironmentBranched");
    expect_restored(&meeting, true);
}

static void branching_while_another_application_is_about_to_delete_the_project_is_refused(
    void **state)
{
    World *world = *state;
    static const char POINT[] = "intent.before/DeleteEnvironment/delete_project";
    Pair pair = pair_begin(world, box_text("%s=hold", POINT), NULL);
    Meeting meeting = begin_meeting(&pair, true);
    int64_t calls = sandbox_count_calls(world, POST_BRANCH);
    const char *deletion = send_deletion(&meeting);
    pair_await_point(&pair, POINT);
    assert_string_equal(await_refusal(&meeting, send_branch(&meeting)), "SOURCE_DELETING");
    assert_int_equal(sandbox_count_calls(world, POST_BRANCH), calls);
    assert_string_equal(state_of(&meeting, meeting.guest, GUEST), "gone");
    pair_release(world, pair.first_name);
    (void)pair_await_once(world, deletion, "EnvironmentDeleted");
    assert_int_equal(count_projects(&meeting), 0);
}

static void execute(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    assert_true(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
}

static bool are_both_waiting(void *context)
{
    return strcmp(ledger_value(context, "SELECT count(*) FROM pg_stat_activity WHERE datname = "
                                        "current_database() AND wait_event_type = 'Lock'"),
                  "2") == 0;
}

// Until the transaction ends, neither can announce itself.
static PGconn *lock_rows(const Meeting *meeting)
{
    PGconn *connection = PQconnectdb(meeting->world->ledger_uri);
    assert_int_equal(PQstatus(connection), CONNECTION_OK);
    execute(connection, "BEGIN");
    execute(connection, box_text("SELECT FROM provision.environment WHERE application_id IN ('%s', "
                                 "'%s') FOR UPDATE",
                                 meeting->owner, meeting->guest));
    return connection;
}

static void project_deletion_and_branching_by_another_application_at_once_never_both_happen(
    void **state)
{
    World *world = *state;
    static const char POINT[] = "claim.after/BranchEnvironment";
    Pair pair = pair_begin(world, box_text("%s=hold", POINT), NULL);
    Meeting meeting = begin_meeting(&pair, false);
    const char *branch = send_branch(&meeting);
    pair_await_point(&pair, POINT);
    PGconn *connection = lock_rows(&meeting);
    const char *deletion = send_deletion(&meeting);
    pair_release(world, pair.first_name);
    wait_until(are_both_waiting, world, PAIR_SECONDS, "both to announce themselves");
    execute(connection, "COMMIT");
    PQfinish(connection);
    bool is_branched = strcmp(seen_type(reader_await_outcome(world->reader, branch, PAIR_SECONDS)),
                              "EnvironmentBranched") == 0;
    bool is_deleted = strcmp(seen_type(reader_await_outcome(world->reader, deletion, PAIR_SECONDS)),
                             "EnvironmentDeleted") == 0;
    print_message("branched: %d, deleted: %d\n", is_branched, is_deleted);
    assert_false(is_branched && is_deleted);
    if (!is_branched) {
        const char *code = await_refusal(&meeting, branch);
        // the project may have gone by the time it looks
        assert_true(strcmp(code, "SOURCE_DELETING") == 0 ||
                    (is_deleted && strcmp(code, "SOURCE_NOT_FOUND") == 0));
    }
    if (!is_deleted) {
        assert_string_equal(await_refusal(&meeting, deletion), "HAS_DEPENDENTS");
        expect_restored(&meeting, is_branched);
    }
    assert_int_equal(count_projects(&meeting), 0);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(
            project_deletion_while_another_application_is_about_to_branch_it_is_refused, pair_end),
        cmocka_unit_test_teardown(
            branching_while_another_application_is_about_to_delete_the_project_is_refused,
            pair_end),
        cmocka_unit_test_teardown(
            project_deletion_and_branching_by_another_application_at_once_never_both_happen,
            pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
