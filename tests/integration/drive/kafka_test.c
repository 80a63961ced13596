#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kafka_support.h"
#include "member.h"
#include "sys/clock.h"
#include "sys/log.h"

enum { PARTITIONS = 4, LONGEST_TURN_MS = 100, SEEN = 4096 };

typedef struct Fixture {
    Loop *loop;
    KafkaNames names;
    KafkaSeen *seen;
} Fixture;

static int set_up(void **state)
{
    const char *bootstrap = getenv("PROVISION_TEST_KAFKA");
    Fixture *f = alloc_zeroed(1, sizeof(*f));
    f->loop = loop_new();
    f->seen = alloc_zeroed(SEEN, sizeof(KafkaSeen));
    kafka_make_topics(bootstrap, PARTITIONS, &f->names);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    Fixture *f = *state;
    int64_t longest_ms = loop_longest_turn_ms(f->loop);
    loop_free(f->loop);
    free(f->seen);
    free(f);
    if (longest_ms > LONGEST_TURN_MS) {
        print_error("the loop was blocked for %d ms\n", (int)longest_ms);
    }
    return longest_ms > LONGEST_TURN_MS;
}

static Member *open_member(Fixture *f)
{
    return member_open(f->loop, kafka_settings(&f->names));
}

static Member *open_member_with(Fixture *f, const char *name, const char *value)
{
    Error err = ERROR_INIT;
    Settings *settings = kafka_settings(&f->names);
    assert_true(settings_set(settings, name, value, "test", &err));
    return member_open(f->loop, settings);
}

// Every "P-i" once, in order within its partition.
static void assert_seen_once(const Fixture *f, size_t count, int per_partition)
{
    int next[PARTITIONS] = {0};
    for (size_t i = 0; i < count; i++) {
        int partition = 0;
        int number = 0;
        assert_int_equal(sscanf(f->seen[i].value, "%d-%d", &partition, &number), 2);
        assert_int_equal(number, next[partition]);
        next[partition]++;
    }
    for (int i = 0; i < PARTITIONS; i++) {
        assert_int_equal(next[i], per_partition);
    }
}

static void each_record_is_published_once(void **state)
{
    Fixture *f = *state;
    enum { EACH = 100 };
    for (int i = 0; i < PARTITIONS; i++) {
        kafka_write(&f->names, i, EACH);
    }
    Member *member = open_member(f);
    member_await_published(member, (size_t)EACH * PARTITIONS);
    assert_int_equal(member->published_count, EACH * PARTITIONS);
    for (size_t i = 0; i < member->published_count; i++) {
        assert_int_equal(member->published[i], i + 1);
    }
    assert_int_equal(publisher_waiting(member->publisher), 0);
    assert_int_equal(kafka_in_partitions(member->in), PARTITIONS);
    assert_int_equal(kafka_in_session_timeout_ms(member->in), 10000);
    member_close(member);
    size_t count = kafka_read(&f->names, f->names.events, f->seen, SEEN);
    assert_int_equal(count, EACH * PARTITIONS);
    assert_seen_once(f, count, EACH);
    assert_string_equal(f->seen[0].key, "application");
    assert_string_equal(f->seen[0].header, "header");
}

static void the_map_of_the_last_outcome_is_committed_and_given_back(void **state)
{
    Fixture *f = *state;
    char metadata[64];
    kafka_write(&f->names, 2, 5);
    Member *member = open_member(f);
    member_await_published(member, 5);
    member_close(member);
    assert_int_equal(kafka_committed(&f->names, 2, metadata, sizeof(metadata)), 5);
    assert_string_equal(metadata, "map-5");
    assert_int_equal(kafka_committed(&f->names, 1, metadata, sizeof(metadata)), -1);

    kafka_write(&f->names, 2, 1);
    member = open_member(f);
    member_await_assigned(member, PARTITIONS);
    assert_int_equal(member->assignments[2]->committed, 5);
    assert_string_equal(member->assignments[2]->metadata, "map-5");
    assert_int_equal(member->assignments[1]->committed, -1);
    assert_null(member->assignments[1]->metadata);
    member_await_published(member, 1);
    assert_int_equal(member->record_count, 1);
    member_close(member);
}

static void offsets_and_tombstones_go_without_values(void **state)
{
    Fixture *f = *state;
    char metadata[64];
    Member *member = open_member(f);
    member_await_assigned(member, PARTITIONS);
    PublisherRecord tombstone = {
        .topic = f->names.state, .key = bytes_of("subject"), .tombstone = true};
    PublisherItem item = {.id = 1,
                          .assignment = member->assignments[0],
                          .offset = 0,
                          .metadata = "",
                          .records = &tombstone,
                          .record_count = 1};
    publisher_put(member->publisher, &item);
    item = (PublisherItem){.id = 2, .assignment = member->assignments[3], .metadata = "x"};
    publisher_put(member->publisher, &item);
    member_await_published(member, 2);
    member_close(member);
    assert_int_equal(kafka_read(&f->names, f->names.state, f->seen, SEEN), 1);
    assert_true(f->seen[0].tombstone);
    assert_string_equal(f->seen[0].key, "subject");
    assert_int_equal(kafka_committed(&f->names, 0, metadata, sizeof(metadata)), 0);
    assert_string_equal(metadata, "");
    assert_int_equal(kafka_committed(&f->names, 3, metadata, sizeof(metadata)), 0);
    assert_string_equal(metadata, "x");
}

static void outcomes_that_linger_share_a_transaction(void **state)
{
    Fixture *f = *state;
    Member *member = open_member_with(f, "publish.linger", "300ms");
    member_await_assigned(member, PARTITIONS);
    member_await_ready(member);
    for (int i = 0; i < 10; i++) {
        member_publish(member, member->assignments[i % PARTITIONS], i, "0-0");
        test_pass(f->loop, 5);
    }
    member_await_published(member, 10);
    assert_int_equal(member->transactions, 1);
    member_close(member);
}

static void a_second_member_gets_its_share_after_the_revoke_was_answered(void **state)
{
    Fixture *f = *state;
    Member *first = open_member(f);
    member_await_assigned(first, PARTITIONS);
    first->holds_records = true;
    for (int i = 0; i < PARTITIONS; i++) {
        kafka_write(&f->names, i, 20);
    }
    Member *second = open_member(f);
    member_await_assigned(second, PARTITIONS / 2);
    first->holds_records = false;
    member_await_assigned(first, PARTITIONS / 2);
    assert_int_equal(first->revocations_seen, 1);
    assert_int_equal(first->revokes_answered, 1);
    assert_false(first->lost);
    // What the first took and did not publish comes again, to either of them.
    test_pass(f->loop, 1);
    while (first->published_count + second->published_count < 20 * PARTITIONS) {
        test_pass(f->loop, 10);
    }
    member_close(second);
    member_close(first);
    size_t count = kafka_read(&f->names, f->names.events, f->seen, SEEN);
    assert_int_equal(count, 20 * PARTITIONS);
    assert_seen_once(f, count, 20);
}

static void nothing_is_assigned_to_another_before_the_revoke_is_answered(void **state)
{
    Fixture *f = *state;
    Member *first = open_member(f);
    member_await_assigned(first, PARTITIONS);
    first->holds_revoke = true;
    Member *second = open_member(f);
    member_await_assigned(first, 0);
    test_pass(f->loop, 1000);
    assert_int_equal(second->assigned, 0);
    first->holds_revoke = false;
    publisher_revoke(first->publisher, NULL, 0);
    member_await_assigned(second, PARTITIONS / 2);
    member_await_assigned(first, PARTITIONS / 2);
    member_close(first);
    member_close(second);
}

static void what_is_put_after_a_revoke_is_dropped(void **state)
{
    Fixture *f = *state;
    Member *member = open_member(f);
    member_await_assigned(member, PARTITIONS);
    member_await_ready(member);
    KafkaAssignment *old = kafka_assignment_ref(member->assignments[1]);
    publisher_revoke(member->publisher, &old->id, 1);
    member->holds_revoke = true;
    uint64_t id = member_publish(member, old, 1, "1-0");
    while (member->dropped_count == 0 || member->revokes_answered == 0) {
        test_pass(f->loop, 1);
    }
    assert_int_equal(member->dropped[0], id);
    assert_int_equal(member->published_count, 0);
    assert_int_equal(publisher_waiting(member->publisher), 0);
    kafka_assignment_unref(old);
    member->holds_revoke = false;
    member_close(member);
}

static void outcomes_of_a_generation_that_is_over_are_dropped(void **state)
{
    Fixture *f = *state;
    char metadata[64];
    Member *member = open_member(f);
    member_await_assigned(member, PARTITIONS);
    member_await_ready(member);
    KafkaAssignment *old = kafka_assignment_ref(member->assignments[1]);
    // A publisher of another process that was not told: it still holds the old assignment.
    Member *other = open_member(f);
    member_await_ready(other);
    member_close(member);
    member_await_assigned(other, PARTITIONS);
    KafkaAssignment stale = *old;
    stale.rebalance = 1000000;
    stale.id = 1000000;
    stale.references = 100;
    member_publish(other, &stale, 1, "1-0");
    member_publish(other, &stale, 2, "1-1");
    member_publish(other, other->assignments[1], 3, "1-2");
    member_await_published(other, 1);
    assert_int_equal(other->published[0], 3);
    assert_int_equal(other->dropped_count, 2);
    assert_int_equal(other->fatal.kind, ERROR_NONE);
    member_close(other);
    kafka_assignment_unref(old);
    assert_int_equal(kafka_committed(&f->names, 1, metadata, sizeof(metadata)), 3);
    assert_int_equal(kafka_read(&f->names, f->names.events, f->seen, SEEN), 1);
    assert_string_equal(f->seen[0].value, "1-2");
}

static bool is_fatal(void *context)
{
    const Member *member = context;
    return member->fatal.kind != ERROR_NONE;
}

static KafkaAssignment *any_assignment(const Member *member)
{
    for (int i = 0; i < PARTITIONS; i++) {
        if (member->assignments[i] != NULL) {
            return member->assignments[i];
        }
    }
    fail_msg("nothing is assigned");
    return NULL;
}

static void a_publisher_with_the_same_name_ends_the_former_one(void **state)
{
    Fixture *f = *state;
    Member *first = open_member_with(f, "instance.id", "one");
    member_await_ready(first);
    Member *second = open_member_with(f, "instance.id", "one");
    member_await_ready(second);
    member_await_assigned(first, PARTITIONS / 2);
    member_await_assigned(second, PARTITIONS / 2);
    member_publish(first, any_assignment(first), 1, "0-0");
    test_await(f->loop, is_fatal, first);
    assert_string_equal(first->fatal.code, "KAFKA_FENCED");
    assert_int_equal(first->fatal.kind, ERROR_INTERNAL);
    assert_false(publisher_is_ready(first->publisher));
    member_publish(second, any_assignment(second), 1, "0-1");
    member_await_published(second, 1);
    member_close(first);
    member_close(second);
    assert_int_equal(kafka_read(&f->names, f->names.events, f->seen, SEEN), 1);
    assert_string_equal(f->seen[0].value, "0-1");
}

static void closing_leaves_the_group(void **state)
{
    Fixture *f = *state;
    Member *first = open_member(f);
    Member *second = open_member(f);
    member_await_assigned(first, PARTITIONS / 2);
    member_await_assigned(second, PARTITIONS / 2);
    int64_t started_ms = clock_boot_ms();
    member_close(first);
    member_await_assigned(second, PARTITIONS);
    // Far less than the session timeout of 10 s, after which it would be found dead.
    assert_in_range(clock_boot_ms() - started_ms, 0, 8000);
    member_close(second);
}

static void closing_before_anything_is_assigned_ends(void **state)
{
    Fixture *f = *state;
    for (uint32_t wait_ms = 0; wait_ms < 400; wait_ms += 80) {
        Member *member = open_member(f);
        test_pass(f->loop, wait_ms);
        member_close(member);
    }
}

static void a_paused_partition_is_silent_until_it_is_resumed(void **state)
{
    Fixture *f = *state;
    Member *member = open_member(f);
    member_await_assigned(member, PARTITIONS);
    kafka_in_resume(member->in, member->assignments[0]); // was not paused
    kafka_in_pause(member->in, member->assignments[0]);
    kafka_in_pause(member->in, member->assignments[0]);
    kafka_write(&f->names, 0, 500);
    kafka_write(&f->names, 1, 5);
    member_await_published(member, 5);
    test_pass(f->loop, 500);
    assert_int_equal(member->record_count, 5);
    kafka_in_resume(member->in, member->assignments[0]);
    member_await_published(member, 505);
    test_pass(f->loop, 200);
    assert_int_equal(member->record_count, 505);
    assert_in_range(clock_boot_ms() - kafka_in_last_poll_boot_ms(member->in), 0, 2000);
    member_close(member);
}

static void an_open_transaction_delays_the_assignment_and_not_the_loop(void **state)
{
    Fixture *f = *state;
    rd_kafka_t *dead = kafka_open_transaction(&f->names, "7000");
    Member *member = open_member(f);
    test_pass(f->loop, 4000);
    assert_int_equal(member->assigned, 0);
    member_await_assigned(member, PARTITIONS);
    assert_int_equal(member->assignments[0]->committed, -1); // it was aborted
    member_close(member);
    rd_kafka_destroy(dead);
}

static void what_cannot_be_produced_is_trouble_until_it_is_revoked(void **state)
{
    Fixture *f = *state;
    Member *member = open_member_with(f, "kafka.producer.message.max.bytes", "1000");
    member_await_assigned(member, PARTITIONS);
    char *value = alloc_zeroed(1, 5001);
    memset(value, 'x', 5000);
    uint64_t id = member_publish(member, member->assignments[0], 1, value);
    free(value);
    while (member->troubles < 2) {
        test_pass(f->loop, 10);
    }
    assert_string_equal(member->trouble.code, "KAFKA_MSG_SIZE_TOO_LARGE");
    assert_int_equal(member->fatal.kind, ERROR_NONE);
    member_close_in(member);
    assert_int_equal(member->dropped_count, 1);
    assert_int_equal(member->dropped[0], id);
    member_close(member);
    assert_int_equal(kafka_read(&f->names, f->names.events, f->seen, SEEN), 0);
}

static bool is_away(void *context)
{
    const Member *member = context;
    return member->absences > 0 && member->troubles > 0;
}

static void absent_brokers_are_told_and_closing_ends(void **state)
{
    Fixture *f = *state;
    f->names.bootstrap = "127.0.0.1:1";
    Member *member = open_member(f);
    test_await(f->loop, is_away, member);
    assert_false(publisher_is_ready(member->publisher));
    assert_string_equal(member->health.code, "KAFKA_ALL_BROKERS_DOWN");
    assert_int_equal(kafka_in_partitions(member->in), 0);
    member_close(member);
}

static void a_property_that_kafka_refuses_is_named(void **state)
{
    Fixture *f = *state;
    static const KafkaInHandler NO_IN = {NULL};
    static const PublisherHandler NO_OUT = {NULL};
    Settings *settings = kafka_settings(&f->names);
    Error err = ERROR_INIT;
    assert_true(settings_set(settings, "kafka.sasl.password", "hunter2", "test", &err));
    assert_true(settings_set(settings, "kafka.socket.timeout.ms", "soon", "test", &err));
    assert_null(kafka_in_open(f->loop, settings, &NO_IN, NULL, &err));
    assert_string_equal(err.code, "KAFKA_SETUP");
    assert_non_null(strstr(err.text, "kafka.socket.timeout.ms"));
    assert_null(publisher_open(f->loop, settings, &NO_OUT, NULL, &err));
    assert_string_equal(err.code, "KAFKA_SETUP");
    settings_free(settings);
}

int main(void)
{
    int status = 0;
    if (!test_has_neighbour("PROVISION_TEST_KAFKA", &status)) {
        return status;
    }
    log_install(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, "test");
#define WITH_BROKER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_BROKER(each_record_is_published_once),
        WITH_BROKER(the_map_of_the_last_outcome_is_committed_and_given_back),
        WITH_BROKER(offsets_and_tombstones_go_without_values),
        WITH_BROKER(outcomes_that_linger_share_a_transaction),
        WITH_BROKER(a_second_member_gets_its_share_after_the_revoke_was_answered),
        WITH_BROKER(nothing_is_assigned_to_another_before_the_revoke_is_answered),
        WITH_BROKER(what_is_put_after_a_revoke_is_dropped),
        WITH_BROKER(outcomes_of_a_generation_that_is_over_are_dropped),
        WITH_BROKER(a_publisher_with_the_same_name_ends_the_former_one),
        WITH_BROKER(closing_leaves_the_group),
        WITH_BROKER(closing_before_anything_is_assigned_ends),
        WITH_BROKER(a_paused_partition_is_silent_until_it_is_resumed),
        WITH_BROKER(an_open_transaction_delays_the_assignment_and_not_the_loop),
        WITH_BROKER(what_cannot_be_produced_is_trouble_until_it_is_revoked),
        WITH_BROKER(absent_brokers_are_told_and_closing_ends),
        WITH_BROKER(a_property_that_kafka_refuses_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
