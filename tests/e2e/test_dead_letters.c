// What `provisionctl dead-letters` shows of records that were given up, and sends again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/ctl.h"
#include "support/secrets.h"
#include "support/wait.h"
#include "support/world.h"

enum { EXIT_DATA = 65, EXIT_NOT_FOUND = 66 };

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    static const char *const SETTINGS[] = {"environments.check_login=off", NULL};
    const WorldOptions options = {SANDBOX, NULL};
    world_begin(state, &options);
    (void)worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, "shop");
    return 0;
}

// A creation under the key of another application: a dead letter. Where the letter is.
static const char *send_misaddressed(World *world, const char *key, const char *id,
                                     const char *environment)
{
    CLEANUP(buffer_clear)
    Buffer packed = command_pack(
        "'commandId': '%s', 'applicationId': 'shop', 'createEnvironment': {'environment': '%s', "
        "'account': 'main', 'regionId': '" WORLD_REGION "'}",
        id, environment);
    Place place = command_send_bytes(world, key, -1, buffer_view(&packed));
    const Seen *letter =
        reader_await_dead_letter(world->reader, place.partition, place.offset, WORLD_SECONDS);
    assert_string_equal(seen_header(letter, "dlq-reason"), "KEY_MISMATCH");
    return box_text("%d:%lld", (int)letter->partition, (long long)letter->offset);
}

static size_t count_lines(World *world, const char *name)
{
    char *output = ctl_output(world, name);
    size_t count = 0;
    for (const char *c = output; *c != '\0'; c++) {
        count += *c == '\n';
    }
    free(output);
    return count;
}

static void letters_are_listed_and_filtered(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    (void)send_misaddressed(world, "lister", id, "one");
    (void)send_misaddressed(world, "lister", command_new_id(), "two");
    Place place = command_send_bytes(world, "lister", -1, bytes_of("garbage"));
    (void)reader_await_dead_letter(world->reader, place.partition, place.offset, WORLD_SECONDS);
    const char *const all[] = {"dead-letters", "list", "--application", "lister", NULL};
    assert_int_equal(ctl_run(world, "list", all), 0);
    assert_int_equal(count_lines(world, "list"), 3);
    ctl_expect(world, "list", id);
    ctl_expect(world, "list", "CreateEnvironment");
    ctl_expect(world, "list", "RECORD_UNREADABLE");
    const char *const one[] = {"dead-letters", "list",     "--application",     "lister",
                               "--json",       "--reason", "RECORD_UNREADABLE", NULL};
    assert_int_equal(ctl_run(world, "list-json", one), 0);
    assert_int_equal(count_lines(world, "list-json"), 1);
    ctl_expect(world, "list-json",
               box_text("\"record\":\"%s/%d@%lld\"", world->topics[0], (int)place.partition,
                        (long long)place.offset));
    const char *const none[] = {"dead-letters", "list", "--application", "nobody", NULL};
    assert_int_equal(ctl_run(world, "list-none", none), 0);
    assert_int_equal(count_lines(world, "list-none"), 0);
}

static void one_is_shown_whole(void **state)
{
    World *world = *state;
    const char *place = send_misaddressed(world, "shower", command_new_id(), "shown");
    const char *const show[] = {"dead-letters", "show", place, NULL};
    assert_int_equal(ctl_run(world, "show", show), 0);
    ctl_expect(world, "show", "KEY_MISMATCH");
    ctl_expect(world, "show", "\"environment\":\"shown\"");
    const char *const missing[] = {"dead-letters", "show", "0:999999", NULL};
    assert_int_equal(ctl_run(world, "missing", missing), EXIT_NOT_FOUND);
    ctl_expect(world, "missing", "0:999999");
}

static void a_replay_is_executed_once(void **state)
{
    World *world = *state;
    const char *environment = world_fresh("replayed");
    const char *id = command_new_id();
    const char *place = send_misaddressed(world, "sender", id, environment);
    const char *const replay[] = {"dead-letters", "replay", place, "--wait", "--json", NULL};
    assert_int_equal(ctl_run(world, "replay", replay), 0);
    ctl_expect(world, "replay", "environmentCreated");
    assert_int_equal(ctl_run(world, "again", replay), 0);
    ctl_expect(world, "again", "\"replayed\":true");
    const char *project = box_text("shop-%s", environment);
    assert_int_equal(sandbox_count_projects(world, project), 1);
    assert_string_equal(
        ledger_value(world, "SELECT count(*) FROM provision.command WHERE command_id = '%s'", id),
        "0");
    const char *const dry[] = {"dead-letters", "replay", place, "--dry-run", NULL};
    assert_int_equal(ctl_run(world, "dry", dry), 0);
    ctl_expect(world, "dry", box_text("\"replayOf\": \"%s\"", id));
}

static void all_that_fit_are_replayed_in_their_order(void **state)
{
    World *world = *state;
    const char *first = world_fresh("all");
    const char *second = world_fresh("all");
    (void)send_misaddressed(world, "batch", command_new_id(), first);
    (void)send_misaddressed(world, "batch", command_new_id(), second);
    const char *const replay[] = {"dead-letters", "replay", "--all",  "--application",
                                  "batch",        "--wait", "--json", NULL};
    // the filter is the letters' key; the commands are of another application
    assert_int_equal(ctl_run(world, "all", replay), 0);
    assert_int_equal(sandbox_count_projects(world, box_text("shop-%s", first)), 1);
    assert_int_equal(sandbox_count_projects(world, box_text("shop-%s", second)), 1);
}

static void what_can_not_be_read_is_not_replayed(void **state)
{
    World *world = *state;
    Place place = command_send_bytes(world, "broken", -1, bytes_of("garbage"));
    const Seen *letter =
        reader_await_dead_letter(world->reader, place.partition, place.offset, WORLD_SECONDS);
    const char *good = send_misaddressed(world, "broken", command_new_id(), "not-made");
    const char *bad = box_text("%d:%lld", (int)letter->partition, (long long)letter->offset);
    const char *const replay[] = {"dead-letters", "replay", good, bad, "--wait", NULL};
    assert_int_equal(ctl_run(world, "refused", replay), EXIT_DATA);
    ctl_expect(world, "refused", "LETTER_UNREADABLE");
    assert_int_equal(sandbox_count_projects(world, "shop-not-made"), 0);
}

static void what_all_can_not_replay_is_told_and_left_out(void **state)
{
    World *world = *state;
    const char *made = world_fresh("made");
    Place place = command_send_bytes(world, "mixed", -1, bytes_of("garbage"));
    const Seen *letter =
        reader_await_dead_letter(world->reader, place.partition, place.offset, WORLD_SECONDS);
    const char *bad = box_text("%d:%lld", (int)letter->partition, (long long)letter->offset);
    (void)send_misaddressed(world, "mixed", command_new_id(), made);
    const char *const replay[] = {"dead-letters", "replay", "--all", "--application",
                                  "mixed",        "--wait", NULL};
    assert_int_equal(ctl_run(world, "mixed", replay), EXIT_DATA);
    ctl_expect(world, "mixed", "LETTER_UNREADABLE");
    ctl_expect(world, "mixed", bad);
    assert_int_equal(sandbox_count_projects(world, box_text("shop-%s", made)), 1);
}

static bool is_delivered(void *context)
{
    const World *world = context;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(world->producer);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 100);
    bool delivered = rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR;
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return delivered;
}

// As provision-worker skip leaves it (worker/run/skip.c): no value, nobody looked into the record.
static void put_skipped_letter(World *world)
{
    rd_kafka_resp_err_t code =
        rd_kafka_producev(world->producer, RD_KAFKA_V_TOPIC(world->topics[3]),
                          RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY("skipper", strlen("skipper")),
                          RD_KAFKA_V_HEADER("dlq-reason", "SKIPPED", -1),
                          RD_KAFKA_V_HEADER("dlq-topic", "the-commands", -1),
                          RD_KAFKA_V_HEADER("dlq-partition", "3", -1),
                          RD_KAFKA_V_HEADER("dlq-offset", "4711", -1), RD_KAFKA_V_END);
    assert_int_equal(code, RD_KAFKA_RESP_ERR_NO_ERROR);
    wait_until(is_delivered, world, WORLD_SECONDS, "the letter to be delivered");
}

static void a_letter_that_was_skipped_says_so(void **state)
{
    World *world = *state;
    put_skipped_letter(world);
    const char *const replay[] = {"dead-letters", "replay",    "--all", "--reason",
                                  "SKIPPED",      "--dry-run", NULL};
    assert_int_equal(ctl_run(world, "skipped", replay), EXIT_DATA);
    ctl_expect(world, "skipped", "the-commands/3@4711");
    ctl_expect(world, "skipped", "skipped and never looked into");
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_listed_and_filtered),
        cmocka_unit_test(one_is_shown_whole),
        cmocka_unit_test(a_replay_is_executed_once),
        cmocka_unit_test(all_that_fit_are_replayed_in_their_order),
        cmocka_unit_test(what_can_not_be_read_is_not_replayed),
        cmocka_unit_test(what_all_can_not_replay_is_told_and_left_out),
        cmocka_unit_test(a_letter_that_was_skipped_says_so),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
