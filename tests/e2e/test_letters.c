// Records of which a dead letter must not have all: none stops the worker, none leaks a key.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/secrets.h"
#include "support/setup.h"
#include "support/world.h"

#define APPLICATION "shop"
#define UNUSED_KEY "napi_never0used0never0used0never0used0never0used"

enum { LARGE_BYTES = 5 * 1000 * 1000 };

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    static const char *const TOPICS[] = {"--set", "commands.max_bytes=8MiB", NULL};
    const WorldOptions options = {SANDBOX, TOPICS};
    world_begin(state, &options);
    World *world = *state;
    const char *root = box_text("%s/references", world->dir);
    assert_int_equal(mkdir(root, 0700), 0);
    assert_int_equal(mkdir(box_text("%s/" APPLICATION, root), 0700), 0);
    const char *settings[] = {"environments.check_login=off",
                              box_text("secrets.references_root=%s", root), NULL};
    (void)worker_start(world, "one", settings);
    command_connect_main(world, APPLICATION);
    world_add_secret_in_commands(world, UNUSED_KEY);
    return 0;
}

// What shows that the worker goes on: the next command on the same partition is executed.
static void assert_goes_on(World *world)
{
    const char *id = command_connect(world, APPLICATION, world_fresh("next"), world->api_key);
    (void)command_await(world, id, "AccountConnected");
}

static const Seen *await_letter(World *world, const char *key, Bytes value)
{
    Place place = command_send_bytes(world, key, -1, value);
    return reader_await_dead_letter(world->reader, place.partition, place.offset, WORLD_SECONDS);
}

static void a_large_key_is_told_by_its_hash(void **state)
{
    World *world = *state;
    char *key = alloc_zeroed(LARGE_BYTES + 1, 1);
    memset(key, 'k', LARGE_BYTES);
    const Seen *seen = await_letter(world, key, bytes_of("garbage"));
    free(key);
    assert_string_equal((const char *)seen->key.data, "");
    assert_string_equal((const char *)seen->value.data, "garbage");
    assert_string_equal(seen_header(seen, "dlq-key-bytes"), box_text("%d", LARGE_BYTES));
    assert_int_equal(strlen(seen_header(seen, "dlq-key-sha256")), 64);
    assert_goes_on(world);
}

static rd_kafka_headers_t *some_headers(size_t count)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rd_kafka_header_add(headers, "h", -1, "1", 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    return headers;
}

static void of_more_headers_than_are_read_none_is(void **state)
{
    World *world = *state;
    const char *ids[] = {command_new_id(), command_new_id()};
    static const char FORMAT[] = "'commandId': '%s', 'applicationId': '" APPLICATION
                                 "', 'deleteEnvironment': {'environment': 'nowhere'}";
    CLEANUP(buffer_clear) Buffer most = command_pack(FORMAT, ids[0]);
    (void)command_send_headers(world, APPLICATION, -1, buffer_view(&most), some_headers(64));
    const Seen *read = command_await(world, ids[0], "CommandRejected");
    assert_string_equal(seen_text(read, "commandRejected.code"), "ENVIRONMENT_UNKNOWN");
    CLEANUP(buffer_clear) Buffer more = command_pack(FORMAT, ids[1]);
    Place place =
        command_send_headers(world, APPLICATION, -1, buffer_view(&more), some_headers(70));
    const Seen *letter =
        reader_await_dead_letter(world->reader, place.partition, place.offset, WORLD_SECONDS);
    assert_string_equal(seen_header(letter, "dlq-reason"), "RECORD_TOO_LARGE");
    assert_non_null(strstr(seen_header(letter, "dlq-detail"), "70 headers"));
    assert_string_equal(seen_header(letter, "dlq-headers-bytes"), "140");
    const Seen *refused = command_await(world, ids[1], "CommandRejected");
    assert_string_equal(seen_text(refused, "commandRejected.code"), "RECORD_TOO_LARGE");
    assert_goes_on(world);
}

static void an_api_key_in_clear_is_not_in_the_letter(void **state)
{
    World *world = *state;
    CLEANUP(buffer_clear)
    Buffer packed = command_pack("'commandId': '%s', 'applicationId': '" APPLICATION
                                 "', 'connectAccount': {'account': 'main', 'plaintext': '%s'}",
                                 command_new_id(), UNUSED_KEY);
    const Bytes values[] = {buffer_view(&packed), {packed.data, packed.size - 3}};
    static const char *const CODES[] = {"KEY_MISMATCH", "RECORD_UNREADABLE"};
    for (size_t i = 0; i < 2; i++) {
        const Seen *seen = await_letter(world, "other", values[i]);
        assert_string_equal(seen_header(seen, "dlq-reason"), CODES[i]);
        assert_true(seen->is_tombstone);
        assert_string_equal(seen_header(seen, "dlq-value-bytes"), box_text("%zu", values[i].size));
    }
    assert_goes_on(world);
}

static void a_referenced_key_with_a_line_break_is_refused(void **state)
{
    World *world = *state;
    setup_write(world, "references/" APPLICATION "/broken", UNUSED_KEY "\r\nX-Injected: 1\n");
    int64_t calls = sandbox_count_calls(world, "GET /auth");
    (void)command_refused(world, APPLICATION, "CommandRejected", "INVALID_VALUE",
                          "'connectAccount': {'account': 'broken', 'reference': 'file:broken'}");
    assert_int_equal(sandbox_count_calls(world, "GET /auth"), calls);
    assert_goes_on(world);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_key_is_told_by_its_hash),
        cmocka_unit_test(of_more_headers_than_are_read_none_is),
        cmocka_unit_test(an_api_key_in_clear_is_not_in_the_letter),
        cmocka_unit_test(a_referenced_key_with_a_line_break_is_refused),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
