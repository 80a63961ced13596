// A worker that is killed when its outcomes are in the ledger and not in Kafka, or some of them
// are: its next owner publishes what is missing, in the order of its execution, and nothing twice.
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/text.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/pair.h"
#include "support/probe.h"
#include "support/secrets.h"

#define POST_PROJECT "POST /projects"
#define REVEAL "'revealCredentials': {'environment': '%s', 'replyPublicKey': '%s'}"
#define REVEAL_ROUTE                                                                               \
    "GET /projects/{project_id}/branches/{branch_id}/roles/{role_name}/reveal_password"
#define FINISHED_RECORDS "provision_records_total{result=\"finished\"}"

enum {
    DEAD_MS = 15000, // longer than the group takes to notice that a worker has died
    RECIPIENTS = 40, // applications whose passwords are told
    KEY_TEXT = 2 * CRYPTO_KEY_BYTES + 1,
};

static const char *reply_key; // in base64
static const char *settings[] = {"environments.check_login=off",
                                 "neon.send_window=1s",
                                 "neon.request_timeout=3s",
                                 "neon.listing_lag=1s",
                                 NULL,
                                 NULL};

// Applications get their names only when it is known whose partitions they belong to.
static const char *list_recipients(const char *public_key)
{
    CLEANUP(text_clear) Text list = TEXT_INIT(4000);
    text_append(&list, "reveal.recipients=");
    for (int i = 1; i <= RECIPIENTS; i++) {
        text_printf(&list, " app-%d=%s", i, public_key);
    }
    assert_true(text_ok(&list));
    return box_text("%s", text_get(&list));
}

static int begin(void **state)
{
    uint8_t private_key[CRYPTO_KEY_BYTES];
    uint8_t public_key[CRYPTO_KEY_BYTES];
    char base64[64];
    char hex[KEY_TEXT];
    assert_int_equal(crypto_box_keypair(public_key, private_key), 0);
    (void)sodium_bin2base64(base64, sizeof(base64), public_key, sizeof(public_key),
                            sodium_base64_VARIANT_ORIGINAL);
    reply_key = box_text("%s", base64);
    settings[4] = list_recipients(sodium_bin2hex(hex, sizeof(hex), public_key, sizeof(public_key)));
    pair_open(state, settings);
    return 0;
}

static const char *project_of(const Pair *pair, const char *environment)
{
    return box_text("%s-%s", pair->application, environment);
}

// It finished before it was lost: nobody claims it again.
static void expect_no_takeover(World *world, const char *id)
{
    assert_int_equal(pair_row_number(world, id, "epoch"), 1);
    assert_int_equal(pair_row_number(world, id, "takeovers"), 0);
}

// While the first still runs, the second one's outcome goes out with a map that says so.
static void two_reveals_second_published_kill_finishes_the_first_and_repeats_nothing(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, NULL, NULL);
    const char *name = world_fresh("live");
    (void)command_run(world, pair.application, "EnvironmentCreated", PAIR_CREATE, name);
    int64_t slow = sandbox_fault(
        world, box_text("{'kind': 'slow', 'route': '" REVEAL_ROUTE "', 'ms': %d}", DEAD_MS));
    double before = probe_metric(pair.other, FINISHED_RECORDS);
    const char *first = command_send(world, pair.application, REVEAL, name, reply_key);
    pair_await_fault(world, slow, 1);
    const char *second = command_send(world, pair.application, REVEAL, name, reply_key);
    (void)pair_await_once(world, second, "CredentialsIssued");
    assert_string_equal(pair_row(world, first, "status"), "running");
    pair_kill(&pair);
    (void)pair_await_once(world, first, "CredentialsIssued");
    assert_int_equal(pair_row_number(world, first, "takeovers"), 1);
    (void)pair_await_once(world, second, "CredentialsIssued");
    expect_no_takeover(world, second);
    // the map told, so the ledger wasn't even asked
    probe_await_metric(pair.other, FINISHED_RECORDS, (before < 0 ? 0 : before) + 1, PAIR_SECONDS);
}

static void concluded_kill_before_the_transaction_is_published_by_the_next_owner(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, "conclude.after/CreateEnvironment=kill", NULL);
    const char *name = world_fresh("live");
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    const char *id = command_send(world, pair.application, PAIR_CREATE, name);
    pair_await_kill(&pair);
    assert_string_equal(pair_row(world, id, "status"), "finished");
    assert_string_equal(pair_row(world, id, "published_at"), "");
    Environment live = login_environment(pair_await_once(world, id, "EnvironmentCreated"));
    expect_ready(world, pair.application, &live, 1);
    expect_no_takeover(world, id);
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT), calls + 1);
    assert_int_equal(sandbox_count_projects(world, project_of(&pair, name)), 1);
}

static size_t count_states(const World *world, const char *subject)
{
    size_t count = 0;
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        const Seen *seen = reader_at(world->reader, i);
        count += seen->topic == SEEN_STATES && strcmp((const char *)seen->key.data, subject) == 0;
    }
    return count;
}

// The publisher is held before the transaction of the first; lanes are free once it is concluded.
static void two_outcomes_concluded_neither_published_kill_keeps_their_order(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, "transaction.begin.before#2=hold", NULL);
    const char *name = world_fresh("live");
    const char *created = command_send(world, pair.application, PAIR_CREATE, name);
    pair_await_row(world, created, "status = 'finished'");
    const char *deleted = command_send(world, pair.application, PAIR_DELETE, name);
    pair_await_row(world, deleted, "status = 'finished'");
    pair_kill(&pair);
    assert_string_equal(pair_row(world, created, "published_at"), "");
    assert_string_equal(pair_row(world, deleted, "published_at"), "");
    const Seen *later = pair_await_once(world, deleted, "EnvironmentDeleted");
    const Seen *earlier = pair_await_once(world, created, "EnvironmentCreated");
    assert_int_equal(seen_number(earlier, "sequence"), 1);
    assert_int_equal(seen_number(later, "sequence"), 2);
    assert_true(earlier->offset < later->offset);
    expect_no_takeover(world, created);
    expect_no_takeover(world, deleted);
    // what it was between the two is nobody's state any more
    expect_gone(world, pair.application, name, 2);
    assert_int_equal(count_states(world, seen_text(later, "subject")), 1);
    assert_int_equal(sandbox_count_projects(world, project_of(&pair, name)), 0);
}

static void cancel_accepted_kill_target_resumed_ends_cancelled_and_undone(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, NULL, NULL);
    const char *name = world_fresh("live");
    int64_t slow = sandbox_fault(
        world, box_text("{'kind': 'slow', 'route': '" POST_PROJECT "', 'ms': %d}", DEAD_MS));
    const char *target = command_send(world, pair.application, PAIR_CREATE, name);
    pair_await_fault(world, slow, 1);
    const char *by =
        command_send(world, pair.application, "'cancelCommand': {'commandId': '%s'}", target);
    (void)pair_await_once(world, by, "CancelAccepted");
    pair_kill(&pair);
    assert_int_equal(sandbox_count_projects(world, project_of(&pair, name)), 1);
    const Seen *cancelled = pair_await_once(world, target, "CommandCancelled");
    assert_string_equal(seen_text(cancelled, "commandCancelled.cancelledBy"), by);
    assert_int_equal(pair_row_number(world, target, "takeovers"), 1);
    expect_no_takeover(world, by);
    expect_gone(world, pair.application, name, 1);
    assert_int_equal(sandbox_count_projects(world, project_of(&pair, name)), 0);
}

// The first of the two is concluded and not published: it is the one that counts, and the second
// repeats it.
static void same_id_twice_in_a_row_with_a_kill_between_is_told_once_and_replayed_once(void **state)
{
    World *world = *state;
    Pair pair = pair_begin(world, "conclude.after/CreateEnvironment=kill", NULL);
    const char *name = world_fresh("live");
    const char *id = command_new_id();
    int64_t calls = sandbox_count_calls(world, POST_PROJECT);
    CLEANUP(buffer_clear)
    Buffer bytes = command_pack("'applicationId': '%s', 'commandId': '%s', " PAIR_CREATE,
                                pair.application, id, name);
    Place first = command_send_bytes(world, pair.application, -1, buffer_view(&bytes));
    Place second = command_send_bytes(world, pair.application, -1, buffer_view(&bytes));
    assert_true(second.partition == first.partition && second.offset == first.offset + 1);
    pair_await_kill(&pair);
    assert_string_equal(pair_row(world, id, "published_at"), "");
    const Seen *told = pair_await_once(world, id, "EnvironmentCreated");
    const Seen *again = reader_await_replay(world->reader, id, 0, PAIR_SECONDS);
    assert_string_equal(seen_header(again, "ce_id"), seen_header(told, "ce_id"));
    assert_int_equal(seen_number(again, "sequence"), 1);
    assert_true(told->offset < again->offset);
    expect_no_takeover(world, id);
    assert_int_equal(pair_row_number(world, id, "record_offset"), first.offset);
    assert_int_equal(count_states(world, seen_text(told, "subject")), 1);
    assert_int_equal(sandbox_count_calls(world, POST_PROJECT), calls + 1);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        // while few names are used up: see list_recipients
        cmocka_unit_test_teardown(
            two_reveals_second_published_kill_finishes_the_first_and_repeats_nothing, pair_end),
        cmocka_unit_test_teardown(
            concluded_kill_before_the_transaction_is_published_by_the_next_owner, pair_end),
        cmocka_unit_test_teardown(two_outcomes_concluded_neither_published_kill_keeps_their_order,
                                  pair_end),
        cmocka_unit_test_teardown(
            same_id_twice_in_a_row_with_a_kill_between_is_told_once_and_replayed_once, pair_end),
        // its slow call is counted when it has ended, long after
        cmocka_unit_test_teardown(cancel_accepted_kill_target_resumed_ends_cancelled_and_undone,
                                  pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
