// What comes between a sweep and the deletion that follows from it: an import of the orphan, and a
// preview that is opened again.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/pair.h"
#include "support/secrets.h"
#include "support/sweep.h"
#include "support/wait.h"

#define POST_BRANCH "POST /projects/{project_id}/branches"
#define SWEEP "'sweepAccount': {'account': 'main', 'deleteOrphans': true}"
#define AT_VERDICT "conclude.before/SweepAccount"
#define AT_DELETION "call.before/DeleteOrphan"
#define OPEN "'openPreview': {'pullRequest': %d, 'expiresIn': '%s'}"
#define IMPORT                                                                                     \
    "'importEnvironment': {'environment': 'found', 'branch': {'account': 'main', 'projectId': "    \
    "'%s', 'branch': '%s'}}"

enum { LATE_MS = 9000, SLOW_MS = 2000, SECONDS = 60 };

static const char *const SETTINGS[] = {
    "environments.check_login=off", "neon.send_window=1s", "neon.request_timeout=3s",
    "neon.listing_lag=1s",          "sweep.min_age=5s",    NULL};

static int begin(void **state)
{
    pair_open(state, SETTINGS);
    return 0;
}

typedef struct Orphan {
    World *world;
    const char *project_id;
    const char *name;
    const char *branch_id;
} Orphan;

static bool is_there(void *context)
{
    Orphan *orphan = context;
    orphan->branch_id = sweep_find_branch(orphan->world, orphan->project_id, orphan->name);
    return orphan->branch_id[0] != '\0';
}

// Old enough for a sweep to judge it.
static bool is_old(void *context)
{
    const Orphan *orphan = context;
    REPLY reply = box_call_as(
        &orphan->world->box, orphan->world->api_key, NULL, "GET",
        box_text("/projects/%s/branches/%s", orphan->project_id, orphan->branch_id), NULL);
    return strcmp(ledger_value(orphan->world,
                               "SELECT clock_timestamp() > '%s'::timestamptz + interval '6 s'",
                               box_string(reply.json, "branch.created_at")),
                  "t") == 0;
}

// A branch whose request came when its command had failed.
static Orphan make_orphan(const Pair *pair)
{
    World *world = pair->world;
    Environment live = login_environment(
        command_run(world, pair->application, "EnvironmentCreated", PAIR_CREATE, "live"));
    Orphan orphan = {.world = world,
                     .project_id = live.project_id,
                     .name = box_text("%s-late", pair->application)};
    (void)sandbox_fault(
        world, box_text("{'kind': 'slow_before', 'route': '" POST_BRANCH "', 'ms': %d}", LATE_MS));
    (void)sandbox_fault(world, "{'kind': 'status', 'route': '" POST_BRANCH
                               "', 'skip': 1, 'status': 403, 'message': 'no'}");
    (void)command_run(world, pair->application, "CommandFailed", PAIR_BRANCH, "late", "live");
    wait_until(is_there, &orphan, SECONDS, "the late branch");
    wait_until(is_old, &orphan, SECONDS, "the branch to be older than what is being made");
    return orphan;
}

// The command that a sweep has sent for its one finding.
static const char *await_sent(World *world, const char *sweep, const char *verdict)
{
    const Seen *seen = pair_await_once(world, sweep, "AccountSwept");
    assert_string_equal(seen_text(seen, "accountSwept.findings.0.verdict"), verdict);
    assert_string_equal(seen_text(seen, "accountSwept.findings.1.verdict"), "");
    return seen_text(seen, "accountSwept.findings.0.sentCommandId");
}

static void an_orphan_that_is_imported_before_its_deletion_stays(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, AT_VERDICT "=hold", NULL);
    const char *guest = pair_application_of(world, "other");
    Orphan orphan = make_orphan(&pair);
    const char *sweep = command_send(world, pair.application, SWEEP);
    pair_await_point(&pair, AT_VERDICT);
    (void)command_run(world, guest, "EnvironmentImported", IMPORT, orphan.project_id, orphan.name);
    pair_release(world, pair.first_name);
    const char *sent = await_sent(world, sweep, "SWEEP_VERDICT_ORPHAN");
    const Seen *seen = pair_await_once(world, sent, "CommandRejected");
    assert_string_equal(seen_text(seen, "commandRejected.code"), "ORPHAN_IN_USE");
    assert_non_null(strstr(seen_text(seen, "commandRejected.message"), guest));
    assert_true(sweep_branch_exists(world, orphan.branch_id));
    sweep = command_send(world, pair.application, SWEEP);
    seen = pair_await_once(world, sweep, "AccountSwept");
    assert_string_equal(seen_text(seen, "accountSwept.findings.0.verdict"), "");
}

static void an_orphan_whose_deletion_is_certain_cannot_be_imported(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, AT_DELETION "=hold", NULL);
    const char *guest = pair_application_of(world, "other");
    Orphan orphan = make_orphan(&pair);
    const char *sweep = command_send(world, pair.application, SWEEP);
    pair_await_point(&pair, AT_DELETION);
    (void)command_refused(world, guest, "CommandRejected", "SOURCE_DELETING", IMPORT,
                          orphan.project_id, orphan.name);
    pair_release(world, pair.first_name);
    const char *sent = await_sent(world, sweep, "SWEEP_VERDICT_ORPHAN");
    (void)pair_await_once(world, sent, "OrphanDeleted");
    assert_false(sweep_branch_exists(world, orphan.branch_id));
}

typedef struct Preview {
    World *world;
    const char *application;
} Preview;

static bool has_expired(void *context)
{
    const Preview *preview = context;
    return strcmp(ledger_value(preview->world,
                               "SELECT count(*) FROM provision.environment WHERE application_id = "
                               "'%s' AND to_timestamp((details ->> 'expires_at_ms')::float8 / "
                               "1000) <= clock_timestamp()",
                               preview->application),
                  "1") == 0;
}

// Its state in the ledger.
static const char *state_of_preview(World *world, const char *application)
{
    return ledger_value(world,
                        "SELECT state FROM provision.environment WHERE application_id = '%s' AND "
                        "environment = 'pr:1'",
                        application);
}

static void make_base(World *world, const char *application)
{
    (void)command_run(world, application, "EnvironmentCreated", PAIR_CREATE, "live");
    (void)command_run(world, application, "PreviewBaseSet",
                      "'setPreviewBase': {'environment': 'live'}");
}

static void open_until_expired(World *world, const char *application)
{
    Preview preview = {world, application};
    make_base(world, application);
    (void)command_run(world, application, "EnvironmentBranched", OPEN, 1, "4s");
    (void)command_run(world, application, "EnvironmentBranched", OPEN, 2, "3600s");
    wait_until(has_expired, &preview, SECONDS, "the preview's expiry");
}

static void a_preview_past_its_expiry_is_closed(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, NULL, NULL);
    open_until_expired(world, pair.application);
    const char *sweep = command_send(world, pair.application, SWEEP);
    const char *sent = await_sent(world, sweep, "SWEEP_VERDICT_EXPIRED");
    (void)pair_await_once(world, sent, "EnvironmentDeleted");
    assert_string_equal(state_of_preview(world, pair.application), "gone");
    assert_string_equal(ledger_value(world,
                                     "SELECT state FROM provision.environment WHERE application_id "
                                     "= '%s' AND environment = 'pr:2'",
                                     pair.application),
                        "ready");
}

static void a_preview_whose_expiry_was_lifted_at_neon_stays(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, NULL, NULL);
    Preview preview = {world, pair.application};
    make_base(world, pair.application);
    Environment opened = login_environment(
        command_run(world, pair.application, "EnvironmentBranched", OPEN, 1, "8s"));
    REPLY reply =
        box_call_as(&world->box, world->api_key, NULL, "PATCH",
                    box_text("/projects/%s/branches/%s", opened.project_id, opened.branch_id),
                    "{\"branch\": {\"expires_at\": null}}");
    assert_int_equal(reply.status, 200);
    wait_until(has_expired, &preview, SECONDS, "the expiry that the ledger knows");
    const Seen *seen = command_run(world, pair.application, "AccountSwept", SWEEP);
    assert_true(seen_flag(seen, "accountSwept.deleting"));
    assert_null(box_find(seen->json, "accountSwept.findings.0"));
    assert_true(sweep_branch_exists(world, opened.branch_id));
    assert_string_equal(state_of_preview(world, pair.application), "ready");
}

// The command that extends it stands before the sweep's, and is still at work when that one comes.
static void a_preview_that_is_opened_again_meanwhile_stays(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, AT_VERDICT "=hold", NULL);
    open_until_expired(world, pair.application);
    const char *sweep = command_send(world, pair.application, SWEEP);
    pair_await_point(&pair, AT_VERDICT);
    (void)sandbox_fault(
        world, box_text("{'kind': 'slow', 'route': '" POST_BRANCH "', 'ms': %d}", SLOW_MS));
    const char *again = command_send(world, pair.application, OPEN, 1, "3600s");
    pair_release(world, pair.first_name);
    const char *sent = await_sent(world, sweep, "SWEEP_VERDICT_EXPIRED");
    const Seen *seen = pair_await_once(world, sent, "CommandRejected");
    assert_string_equal(seen_text(seen, "commandRejected.code"), "NOT_EXPIRED");
    const Seen *opened = pair_await_once(world, again, "EnvironmentBranched");
    assert_true(
        sweep_branch_exists(world, seen_text(opened, "environmentBranched.environment.branchId")));
    assert_string_equal(state_of_preview(world, pair.application), "ready");
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_orphan_that_is_imported_before_its_deletion_stays, pair_end),
        cmocka_unit_test_teardown(an_orphan_whose_deletion_is_certain_cannot_be_imported, pair_end),
        cmocka_unit_test_teardown(a_preview_past_its_expiry_is_closed, pair_end),
        cmocka_unit_test_teardown(a_preview_whose_expiry_was_lifted_at_neon_stays, pair_end),
        cmocka_unit_test_teardown(a_preview_that_is_opened_again_meanwhile_stays, pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
