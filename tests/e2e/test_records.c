// Records that repeat, contradict or are no commands: none of them stops the worker.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/murmur2.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/secrets.h"
#include "support/world.h"

#define APPLICATION "shop"
#define CREATE_MEMBERS                                                                             \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"

enum { LARGE_BYTES = 5 * 1000 * 1000 };

// Bytes that no command may have are what this is about; a cluster behind each branch is not.
static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    static const char *const TOPICS[] = {"--set", "commands.max_bytes=8MiB", NULL};
    const WorldOptions options = {SANDBOX, TOPICS};
    world_begin(state, &options);
    static const char *const SETTINGS[] = {"environments.check_login=off", NULL};
    (void)worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, APPLICATION);
    return 0;
}

// What shows that the worker goes on: the next command on the same partition is executed.
static void assert_goes_on(World *world)
{
    const char *id = command_connect(world, APPLICATION, world_fresh("next"), world->api_key);
    (void)command_await(world, id, "AccountConnected");
}

static void the_same_command_again_gives_the_stored_outcome(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    const char *id = command_new_id();
    static const char format[] = "'commandId': '%s', " CREATE_MEMBERS;
    const Seen *first = command_run(world, APPLICATION, "EnvironmentCreated", format, id, name);
    const char *subject = box_text("applications/" APPLICATION "/environments/%s", name);
    (void)reader_await_state(world->reader, subject, false, 20);
    size_t before = reader_count(world->reader);
    int64_t posts = sandbox_count_calls(world, "POST /projects");
    (void)command_send(world, APPLICATION, format, id, name);
    const Seen *replay = reader_await_replay(world->reader, id, before, WORLD_SECONDS);
    assert_int_equal(replay->value.size, first->value.size);
    assert_memory_equal(replay->value.data, first->value.data, first->value.size);
    assert_string_equal(seen_header(replay, "ce_id"), seen_header(first, "ce_id"));
    assert_string_equal(seen_header(replay, "ce_sequence"), seen_header(first, "ce_sequence"));
    assert_goes_on(world);
    reader_read_to_end(world->reader);
    assert_int_equal(reader_count_outcomes(world->reader, id), 1);
    assert_int_equal(sandbox_count_calls(world, "POST /projects"), posts);
    for (size_t i = before; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        bool is_its_state =
            seen->topic == SEEN_STATES && strcmp((const char *)seen->key.data, subject) == 0;
        assert_false(is_its_state);
    }
}

static void a_repeated_refusal_is_the_stored_one_too(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    static const char format[] =
        "'commandId': '%s', 'deleteEnvironment': {'environment': 'nowhere'}";
    const Seen *first =
        command_refused(world, APPLICATION, "CommandRejected", "ENVIRONMENT_UNKNOWN", format, id);
    size_t before = reader_count(world->reader);
    (void)command_send(world, APPLICATION, format, id);
    const Seen *replay = reader_await_replay(world->reader, id, before, WORLD_SECONDS);
    assert_int_equal(replay->value.size, first->value.size);
    assert_memory_equal(replay->value.data, first->value.data, first->value.size);
}

// ---- bare records

typedef struct Letter {
    Place place;
    const Seen *seen;
} Letter;

// Sends the bytes and waits for their dead letter, which has to give this reason, a detail, and
// the record as it was.
static Letter expect_dead_letter(World *world, const char *key, int32_t partition, Bytes value,
                                 const char *reason)
{
    Place place = command_send_bytes(world, key, partition, value);
    const Seen *seen =
        reader_await_dead_letter(world->reader, place.partition, place.offset, WORLD_SECONDS);
    assert_string_equal(seen_header(seen, "dlq-reason"), reason);
    assert_string_not_equal(seen_header(seen, "dlq-detail"), "");
    assert_string_equal(seen_header(seen, "dlq-topic"), world->topics[0]);
    assert_non_null(seen_header(seen, "dlq-worker"));
    assert_non_null(seen_header(seen, "dlq-timestamp"));
    assert_string_equal((const char *)seen->key.data, key == NULL ? "" : key);
    return (Letter){place, seen};
}

static void expect_value_kept(const Letter *letter, Bytes value)
{
    assert_int_equal(letter->seen->value.size, value.size);
    assert_memory_equal(letter->seen->value.data, value.data, value.size);
}

// The CommandRejected event about the same record.
static const Seen *expect_rejected(World *world, const char *command_id, const char *code)
{
    const Seen *seen = reader_await_outcome(world->reader, command_id, WORLD_SECONDS);
    assert_string_equal(seen_type(seen), "CommandRejected");
    assert_string_equal(seen_text(seen, "commandRejected.code"), code);
    assert_string_not_equal(seen_text(seen, "commandRejected.message"), "");
    assert_int_equal(seen_number(seen, "sequence"), 0);
    return seen;
}

static void assert_no_row(World *world, const char *command_id)
{
    assert_string_equal(ledger_value(world,
                                     "SELECT count(*) FROM provision.command WHERE command_id = "
                                     "'%s'",
                                     command_id),
                        "0");
}

static void the_same_id_for_another_command_is_rejected(void **state)
{
    World *world = *state;
    const char *name = world_fresh("live");
    const char *other = world_fresh("live");
    const Seen *first = command_run(world, APPLICATION, "EnvironmentCreated", CREATE_MEMBERS, name);
    const char *id = seen_text(first, "commandId");
    size_t before = reader_count(world->reader);
    CLEANUP(buffer_clear)
    Buffer packed = command_pack("'applicationId': '" APPLICATION "', 'commandId': '%s', "
                                 "'requestedAt': '2026-01-01T00:00:00Z', " CREATE_MEMBERS,
                                 id, other);
    Letter letter =
        expect_dead_letter(world, APPLICATION, -1, buffer_view(&packed), "COMMAND_ID_REUSED");
    expect_value_kept(&letter, buffer_view(&packed));
    reader_read_to_end(world->reader);
    size_t rejections = 0;
    for (size_t i = before; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        if (strcmp(seen_type(seen), "CommandRejected") == 0 &&
            strcmp(seen_text(seen, "commandId"), id) == 0) {
            assert_string_not_equal(seen_header(seen, "ce_id"), seen_header(first, "ce_id"));
            rejections++;
        }
    }
    assert_int_equal(rejections, 1);
    assert_int_equal(sandbox_count_projects(world, box_text(APPLICATION "-%s", other)), 0);
    assert_goes_on(world);
}

static void garbage_is_a_dead_letter(void **state)
{
    World *world = *state;
    static const char *const GARBAGE[] = {"garbage", "{\"applicationId\": \"shop\"}",
                                          "\xff\xff\xff", "\x01"};
    for (size_t i = 0; i < sizeof(GARBAGE) / sizeof(GARBAGE[0]); i++) {
        Letter letter =
            expect_dead_letter(world, APPLICATION, -1, bytes_of(GARBAGE[i]), "RECORD_UNREADABLE");
        expect_value_kept(&letter, bytes_of(GARBAGE[i]));
    }
    assert_goes_on(world);
}

// The frame of a schema registry, which says that the message is another one than the first.
static void a_framing_of_another_message_is_a_dead_letter(void **state)
{
    World *world = *state;
    static const uint8_t FRAMED[] = {0, 0, 0, 0, 1, 2, 2, 0x0a, 0x04, 's', 'h', 'o', 'p'};
    const Bytes value = {FRAMED, sizeof(FRAMED)};
    Letter letter = expect_dead_letter(world, APPLICATION, -1, value, "FRAMING_UNREADABLE");
    expect_value_kept(&letter, value);
    assert_goes_on(world);
}

static void an_empty_record_is_a_dead_letter(void **state)
{
    World *world = *state;
    (void)expect_dead_letter(world, APPLICATION, -1, (Bytes){NULL, 0}, "RECORD_EMPTY");
    (void)expect_dead_letter(world, APPLICATION, -1, (Bytes){(const uint8_t *)"", 0},
                             "RECORD_EMPTY");
    assert_goes_on(world);
}

static void a_truncated_message_is_a_dead_letter(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    CLEANUP(buffer_clear)
    Buffer packed = command_pack(
        "'commandId': '%s', 'applicationId': '" APPLICATION "', " CREATE_MEMBERS, id, "cut");
    Bytes cut = {packed.data, packed.size - 3};
    Letter letter = expect_dead_letter(world, APPLICATION, -1, cut, "RECORD_UNREADABLE");
    expect_value_kept(&letter, cut);
    assert_no_row(world, id);
    assert_goes_on(world);
}

static void a_nul_in_a_name_is_a_dead_letter(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    CLEANUP(buffer_clear)
    Buffer packed = command_pack("'commandId': '%s', 'applicationId': '" APPLICATION
                                 "', 'deleteEnvironment': {'environment': 'liveXother'}",
                                 id);
    uint8_t *name = memmem(packed.data, packed.size, "liveXother", 10);
    assert_non_null(name);
    name[4] = '\0';
    Letter letter =
        expect_dead_letter(world, APPLICATION, -1, buffer_view(&packed), "RECORD_UNREADABLE");
    expect_value_kept(&letter, buffer_view(&packed));
    assert_non_null(strstr(seen_header(letter.seen, "dlq-detail"), "environment"));
    assert_no_row(world, id);
    assert_goes_on(world);
}

static void a_record_of_five_megabytes_is_told_by_its_hash(void **state)
{
    World *world = *state;
    uint8_t *large = alloc_zeroed(LARGE_BYTES, 1);
    memset(large, 'x', LARGE_BYTES);
    Letter letter =
        expect_dead_letter(world, APPLICATION, -1, (Bytes){large, LARGE_BYTES}, "RECORD_TOO_LARGE");
    assert_true(letter.seen->is_tombstone);
    assert_string_equal(seen_header(letter.seen, "dlq-value-bytes"), box_text("%d", LARGE_BYTES));
    assert_int_equal(strlen(seen_header(letter.seen, "dlq-value-sha256")), 64);
    free(large);
    assert_goes_on(world);
}

typedef struct BadCommand {
    const char *what;
    const char *members; // behind the id
    const char *code;
    const char *field; // of the event; NULL: not looked at
} BadCommand;

static const BadCommand BAD_COMMANDS[] = {
    {"no action", "'requestedBy': 'me'", "FIELD_REQUIRED", "action"},
    {"missing environment",
     "'createEnvironment': {'account': 'main', 'regionId': 'aws-eu-central-1'}", "FIELD_REQUIRED",
     "create_environment.environment"},
    {"missing account",
     "'createEnvironment': {'environment': 'live', 'regionId': 'aws-eu-central-1'}",
     "FIELD_REQUIRED", "create_environment.account"},
    {"missing region", "'createEnvironment': {'environment': 'live', 'account': 'main'}",
     "FIELD_REQUIRED", "create_environment.region_id"},
    {"missing source", "'branchEnvironment': {'environment': 'try'}", "FIELD_REQUIRED",
     "branch_environment.source"},
    {"missing key", "'connectAccount': {'account': 'other'}", "FIELD_REQUIRED",
     "connect_account.api_key"},
    {"bad name", "'deleteEnvironment': {'environment': 'Live/../x'}", "INVALID_NAME",
     "delete_environment.environment"},
    {"name of a preview", "'deleteEnvironment': {'environment': 'pr:1'}", "INVALID_NAME",
     "delete_environment.environment"},
    {"box that can't be opened",
     "'connectAccount': {'account': 'other', 'sealed': {'box': 'AAAA', 'fleetKeyId': "
     "'0000000000000000'}}",
     "SECRET_NOT_OPENABLE", "connect_account.sealed"},
};

static void expect_bad_command(World *world, const BadCommand *bad)
{
    const char *id = command_new_id();
    print_message("  %s\n", bad->what);
    const char *members = command_quote(bad->members);
    CLEANUP(buffer_clear)
    Buffer packed =
        command_pack("'commandId': '%s', 'applicationId': '" APPLICATION "', %s", id, members);
    Letter letter = expect_dead_letter(world, APPLICATION, -1, buffer_view(&packed), bad->code);
    expect_value_kept(&letter, buffer_view(&packed));
    const Seen *seen = expect_rejected(world, id, bad->code);
    if (bad->field != NULL) {
        assert_string_equal(seen_text(seen, "commandRejected.field"), bad->field);
    }
    assert_no_row(world, id);
}

static void what_is_no_valid_command_is_rejected_and_a_dead_letter(void **state)
{
    for (size_t i = 0; i < sizeof(BAD_COMMANDS) / sizeof(BAD_COMMANDS[0]); i++) {
        expect_bad_command(*state, &BAD_COMMANDS[i]);
    }
    assert_goes_on(*state);
}

static void an_unknown_field_is_rejected_by_its_number(void **state)
{
    World *world = *state;
    static const uint8_t FIELD_99[] = {0x98, 0x06, 0x01}; // number 99, varint, 1
    const char *id = command_new_id();
    CLEANUP(buffer_clear)
    Buffer packed = command_pack("'commandId': '%s', 'applicationId': '" APPLICATION
                                 "', 'deleteEnvironment': {'environment': 'live'}",
                                 id);
    packed.data = alloc_resize(packed.data, packed.size + sizeof(FIELD_99) + 1);
    memcpy(packed.data + packed.size, FIELD_99, sizeof(FIELD_99));
    packed.size += sizeof(FIELD_99);
    Letter letter =
        expect_dead_letter(world, APPLICATION, -1, buffer_view(&packed), "FIELD_NOT_SUPPORTED");
    assert_non_null(strstr(seen_header(letter.seen, "dlq-detail"), "99"));
    assert_no_row(world, id);
    assert_goes_on(world);
}

static Buffer pack_delete(const char *id)
{
    return command_pack("'commandId': '%s', 'applicationId': '" APPLICATION
                        "', 'deleteEnvironment': {'environment': 'nowhere'}",
                        id);
}

static void a_key_that_is_not_the_application_is_refused(void **state)
{
    World *world = *state;
    static const char *const KEYS[] = {"other", "shop2"};
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
        const char *id = command_new_id();
        CLEANUP(buffer_clear) Buffer packed = pack_delete(id);
        (void)expect_dead_letter(world, KEYS[i], -1, buffer_view(&packed), "KEY_MISMATCH");
        const Seen *seen = expect_rejected(world, id, "KEY_MISMATCH");
        // who wrote it is told; the application that it names has not sent it
        assert_string_equal(seen_text(seen, "applicationId"), KEYS[i]);
        assert_no_row(world, id);
    }
    assert_goes_on(world);
}

static void a_record_without_a_key_is_a_dead_letter_of_nobody(void **state)
{
    World *world = *state;
    const char *id = command_new_id();
    CLEANUP(buffer_clear) Buffer packed = pack_delete(id);
    Letter letter = expect_dead_letter(world, NULL, 0, buffer_view(&packed), "KEY_MISMATCH");
    expect_value_kept(&letter, buffer_view(&packed));
    assert_goes_on(world);
    reader_read_to_end(world->reader);
    assert_int_equal(reader_count_outcomes(world->reader, id), 0);
    assert_no_row(world, id);
}

static void a_wrong_partition_is_refused_with_the_remedy(void **state)
{
    World *world = *state;
    int32_t right = murmur2_partition(bytes_of(APPLICATION), WORLD_PARTITIONS);
    const char *id = command_new_id();
    CLEANUP(buffer_clear) Buffer packed = pack_delete(id);
    Letter letter = expect_dead_letter(world, APPLICATION, (right + 1) % WORLD_PARTITIONS,
                                       buffer_view(&packed), "WRONG_PARTITION");
    assert_non_null(strstr(seen_header(letter.seen, "dlq-detail"), "murmur2"));
    (void)expect_rejected(world, id, "WRONG_PARTITION");
    assert_no_row(world, id);
    // an id that never ran may be used: the same bytes where they belong are executed
    size_t before = reader_count(world->reader);
    (void)command_send_bytes(world, APPLICATION, right, buffer_view(&packed));
    const Seen *seen = reader_await_outcome_behind(world->reader, id, before, WORLD_SECONDS);
    assert_string_equal(seen_text(seen, "commandRejected.code"), "ENVIRONMENT_UNKNOWN");
    assert_goes_on(world);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_command_again_gives_the_stored_outcome),
        cmocka_unit_test(a_repeated_refusal_is_the_stored_one_too),
        cmocka_unit_test(the_same_id_for_another_command_is_rejected),
        cmocka_unit_test(garbage_is_a_dead_letter),
        cmocka_unit_test(a_framing_of_another_message_is_a_dead_letter),
        cmocka_unit_test(an_empty_record_is_a_dead_letter),
        cmocka_unit_test(a_truncated_message_is_a_dead_letter),
        cmocka_unit_test(a_nul_in_a_name_is_a_dead_letter),
        cmocka_unit_test(a_record_of_five_megabytes_is_told_by_its_hash),
        cmocka_unit_test(what_is_no_valid_command_is_rejected_and_a_dead_letter),
        cmocka_unit_test(an_unknown_field_is_rejected_by_its_number),
        cmocka_unit_test(a_key_that_is_not_the_application_is_refused),
        cmocka_unit_test(a_record_without_a_key_is_a_dead_letter_of_nobody),
        cmocka_unit_test(a_wrong_partition_is_refused_with_the_remedy),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
