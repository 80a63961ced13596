// Records and commands that kill their workers: one that is given up after so many crashes, and one
// that an operator skips.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/probe.h"
#include "support/wait.h"

#define APPLICATION "shop"
#define MAKE_BRANCH "POST /projects/{project_id}/branches"
#define DELETE_BRANCH "DELETE /projects/{project_id}/branches/{branch_id}"
enum { CRASHES = 2, SECONDS = 60 };

static const char *const SETTINGS[] = {"environments.check_login=off", "commands.crash_limit=1",
                                       "neon.send_window=1s", "neon.request_timeout=3s", NULL};

static const char *created;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    Process *worker = worker_start(*state, "first", SETTINGS);
    command_connect_main(*state, APPLICATION);
    created = command_send(*state, APPLICATION,
                           "'createEnvironment': {'environment': 'live', 'account': 'main', "
                           "'regionId': '" WORLD_REGION "'}");
    (void)command_await(*state, created, "EnvironmentCreated");
    worker_stop(worker);
    return 0;
}

static bool has_ended(void *context)
{
    return process_has_ended(context);
}

// Each of these workers dies right after a call that Neon has carried out, its intent open.
static void a_command_whose_workers_die_is_given_up_and_undone(void **state)
{
    World *world = *state;
    int64_t made = sandbox_count_calls(world, MAKE_BRANCH);
    int64_t deleted = sandbox_count_calls(world, DELETE_BRANCH);
    const char *project = seen_text(reader_await_outcome(world->reader, created, SECONDS),
                                    "environmentCreated.environment.projectId");
    const char *id =
        command_send(world, APPLICATION,
                     "'branchEnvironment': {'environment': 'deadly', 'sourceEnvironment': 'live'}");
    assert_int_equal(setenv("CRASH_POINT_AT", "call.after/BranchEnvironment=kill", 1), 0);
    for (int i = 0; i < CRASHES; i++) {
        Process *worker = worker_start(world, box_text("dies-%d", i), SETTINGS);
        wait_until(has_ended, worker, SECONDS, "the worker to die at its call");
        process_kill(worker);
    }
    assert_int_equal(unsetenv("CRASH_POINT_AT"), 0);
    assert_int_equal(sandbox_count_branches(world, project, APPLICATION "-deadly"), 1);
    Process *worker = worker_start(world, "lives", SETTINGS);
    const Seen *seen = reader_await_outcome(world->reader, id, 2 * SECONDS);
    assert_string_equal(seen_type(seen), "CommandFailed");
    assert_string_equal(seen_text(seen, "commandFailed.code"), "CRASH_LOOP");
    probe_await_metric(worker, "provision_crash_loops_total", 1, SECONDS);
    assert_int_equal(reader_count_outcomes(world->reader, id), 1);
    assert_int_equal(sandbox_count_branches(world, project, APPLICATION "-deadly"), 0);
    assert_int_equal(sandbox_count_calls(world, MAKE_BRANCH), made + 1);
    assert_int_equal(sandbox_count_calls(world, DELETE_BRANCH), deleted + 1);
    int32_t partition = (int32_t)strtol(
        ledger_value(world, "SELECT partition FROM provision.command WHERE command_id = '%s'", id),
        NULL, 10);
    int64_t offset = strtoll(
        ledger_value(world, "SELECT record_offset FROM provision.command WHERE command_id = '%s'",
                     id),
        NULL, 10);
    const Seen *letter = reader_await_dead_letter(world->reader, partition, offset, SECONDS);
    assert_string_equal(seen_header(letter, "dlq-reason"), "CRASH_LOOP");
    worker_stop(worker);
}

static int skip_at(World *world, Place place, const char *reason)
{
    const char *const arguments[] = {
        "skip", box_text("%" PRId32 ":%" PRId64, place.partition, place.offset), "--reason", reason,
        NULL};
    return worker_task(world, arguments);
}

static bool has_logged_skip(World *world, const char *text)
{
    char *log = process_read_log(box_text("%s/tasks.log", world->dir));
    bool found = strstr(log, text) != NULL;
    free(log);
    return found;
}

static Place send_garbage(World *world)
{
    static const uint8_t GARBAGE[] = {0xff, 0xff, 0xff, 0xff, 0x01, 0x02};
    return command_send_bytes(world, APPLICATION, -1, (Bytes){GARBAGE, sizeof(GARBAGE)});
}

// The record stands among others, the last of which is finished before it.
static void a_record_is_skipped_while_no_worker_runs(void **state)
{
    World *world = *state;
    const char *before =
        command_send(world, APPLICATION, "'deleteEnvironment': {'environment': 'never'}");
    Place bad = send_garbage(world);
    const char *after =
        command_send(world, APPLICATION, "'deleteEnvironment': {'environment': 'never-too'}");
    assert_int_equal(skip_at(world, bad, "it kills the decoder"), 0);
    const Seen *letter =
        reader_await_dead_letter(world->reader, bad.partition, bad.offset, SECONDS);
    assert_string_equal(seen_header(letter, "dlq-reason"), "SKIPPED");
    assert_string_equal(seen_header(letter, "dlq-detail"), "it kills the decoder");
    assert_true(letter->is_tombstone); // nobody has looked into the value
    assert_string_equal(seen_header(letter, "dlq-value-bytes"), "6");
    assert_int_equal(skip_at(world, bad, "again"), EX_DATAERR);
    assert_true(has_logged_skip(world, "ALREADY_FINISHED"));
    assert_int_equal(skip_at(world, (Place){bad.partition, bad.offset + 1000}, "too far"),
                     EX_DATAERR);
    assert_true(has_logged_skip(world, "OFFSET_UNKNOWN"));
    assert_int_equal(skip_at(world, (Place){1000000, 0}, "no such partition"), EX_DATAERR);
    assert_true(has_logged_skip(world, "PARTITION_UNKNOWN"));
    Process *worker = worker_start(world, "after", SETTINGS);
    assert_string_equal(seen_type(reader_await_outcome(world->reader, before, SECONDS)),
                        "CommandRejected");
    assert_string_equal(seen_type(reader_await_outcome(world->reader, after, SECONDS)),
                        "CommandRejected");
    assert_false(process_has_logged(worker, box_text("@%" PRId64 "\"", bad.offset)));
    Place more = send_garbage(world);
    assert_int_equal(skip_at(world, more, "a worker runs"), EX_TEMPFAIL);
    assert_true(has_logged_skip(world, "GROUP_IN_USE"));
    (void)reader_await_dead_letter(world->reader, more.partition, more.offset, SECONDS);
    worker_stop(worker);
    reader_read_to_end(world->reader);
    size_t rejected = 0;
    size_t letters = 0;
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        const char *reason = seen_header(seen, "dlq-reason");
        letters += reason != NULL && strcmp(reason, "SKIPPED") == 0;
        rejected += seen_is_outcome(seen) &&
                    strcmp(seen_text(seen, "commandRejected.code"), "SKIPPED") == 0;
    }
    assert_int_equal(letters, 1);
    assert_int_equal(rejected, 1);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_whose_workers_die_is_given_up_and_undone),
        cmocka_unit_test(a_record_is_skipped_while_no_worker_runs),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
