#include "kafka_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/clock.h"
#include "sys/log.h"

enum { EACH = 20, COMMANDS = EACH * KAFKA_PARTITIONS };

static bool is_fatal(void *context)
{
    const Member *member = context;
    return member->fatal.kind != ERROR_NONE;
}

static KafkaAssignment *any_assignment(const Member *member)
{
    for (int i = 0; i < KAFKA_PARTITIONS; i++) {
        if (member->assignments[i] != NULL) {
            return member->assignments[i];
        }
    }
    fail_msg("nothing is assigned");
    return NULL;
}

typedef struct Pair {
    const Member *first;
    const Member *second;
} Pair;

static bool all_published(void *context)
{
    const Pair *pair = context;
    return pair->first->published_count + pair->second->published_count >= COMMANDS;
}

static bool has_been_revoked(void *context)
{
    const Member *member = context;
    return member->revocations_seen > 0;
}

static void a_second_member_gets_its_share_after_the_revoke_was_answered(void **state)
{
    KafkaFixture *f = *state;
    Member *first = kafka_open_member(f);
    member_await_assigned(first, KAFKA_PARTITIONS);
    first->holds_records = true;
    for (int i = 0; i < KAFKA_PARTITIONS; i++) {
        kafka_write(&f->names, i, EACH);
    }
    Member *second = kafka_open_member(f);
    test_await(f->loop, has_been_revoked, first);
    first->holds_records = false; // what it gets again may be there before the second's
    member_await_assigned(second, KAFKA_PARTITIONS / 2);
    member_await_assigned(first, KAFKA_PARTITIONS / 2);
    assert_int_equal(first->revocations_seen, 1);
    assert_int_equal(first->revokes_answered, 1);
    assert_false(first->lost);
    // What the first took and did not publish comes again, to either of them.
    Pair pair = {first, second};
    test_await(f->loop, all_published, &pair);
    member_close(second);
    member_close(first);
    size_t count = kafka_read(&f->names, f->names.events, f->seen, KAFKA_SEEN);
    assert_int_equal(count, COMMANDS);
    kafka_assert_seen_once(f, count, EACH);
}

static void nothing_is_assigned_to_another_before_the_revoke_is_answered(void **state)
{
    KafkaFixture *f = *state;
    Member *first = kafka_open_member(f);
    member_await_assigned(first, KAFKA_PARTITIONS);
    first->holds_revoke = true;
    Member *second = kafka_open_member(f);
    member_await_assigned(first, 0);
    test_pass(f->loop, 1000);
    assert_int_equal(second->assigned, 0);
    first->holds_revoke = false;
    publisher_revoke(first->publisher, NULL, 0);
    member_await_assigned(second, KAFKA_PARTITIONS / 2);
    member_await_assigned(first, KAFKA_PARTITIONS / 2);
    member_close(first);
    member_close(second);
}

static bool has_dropped_and_answered(void *context)
{
    const Member *member = context;
    return member->dropped_count > 0 && member->revokes_answered > 0;
}

static void what_is_put_after_a_revoke_is_dropped(void **state)
{
    KafkaFixture *f = *state;
    Member *member = kafka_open_member(f);
    member_await_assigned(member, KAFKA_PARTITIONS);
    member_await_ready(member);
    KafkaAssignment *old = kafka_assignment_ref(member->assignments[1]);
    publisher_revoke(member->publisher, &old->id, 1);
    member->holds_revoke = true;
    uint64_t id = member_publish(member, old, 1, "1-0");
    test_await(f->loop, has_dropped_and_answered, member);
    assert_int_equal(member->dropped[0], id);
    assert_int_equal(member->published_count, 0);
    assert_int_equal(publisher_waiting(member->publisher), 0);
    kafka_assignment_unref(old);
    member->holds_revoke = false;
    member_close(member);
}

static void outcomes_of_a_generation_that_is_over_are_dropped(void **state)
{
    KafkaFixture *f = *state;
    char metadata[64];
    Member *member = kafka_open_member(f);
    member_await_assigned(member, KAFKA_PARTITIONS);
    member_await_ready(member);
    KafkaAssignment *old = kafka_assignment_ref(member->assignments[1]);
    // A publisher of another process that was not told: it still holds the old assignment.
    Member *other = kafka_open_member(f);
    member_await_ready(other);
    member_close(member);
    member_await_assigned(other, KAFKA_PARTITIONS);
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
    assert_int_equal(kafka_read(&f->names, f->names.events, f->seen, KAFKA_SEEN), 1);
    assert_string_equal(f->seen[0].value, "1-2");
}

static void a_publisher_with_the_same_name_ends_the_former_one(void **state)
{
    KafkaFixture *f = *state;
    Member *first = kafka_open_member_with(f, "instance.id", "one");
    member_await_ready(first);
    Member *second = kafka_open_member_with(f, "instance.id", "one");
    member_await_ready(second);
    member_await_assigned(first, KAFKA_PARTITIONS / 2);
    member_await_assigned(second, KAFKA_PARTITIONS / 2);
    member_publish(first, any_assignment(first), 1, "0-0");
    test_await(f->loop, is_fatal, first);
    assert_string_equal(first->fatal.code, "KAFKA_FENCED");
    assert_non_null(strstr(first->fatal.text, "another live worker has this instance.id"));
    assert_int_equal(first->fatal.kind, ERROR_INTERNAL);
    assert_false(publisher_is_ready(first->publisher));
    member_publish(second, any_assignment(second), 1, "0-1");
    member_await_published(second, 1);
    member_close(first);
    member_close(second);
    assert_int_equal(kafka_read(&f->names, f->names.events, f->seen, KAFKA_SEEN), 1);
    assert_string_equal(f->seen[0].value, "0-1");
}

static void closing_leaves_the_group(void **state)
{
    KafkaFixture *f = *state;
    Member *first = kafka_open_member(f);
    Member *second = kafka_open_member(f);
    member_await_assigned(first, KAFKA_PARTITIONS / 2);
    member_await_assigned(second, KAFKA_PARTITIONS / 2);
    int64_t started_ms = clock_boot_ms();
    member_close(first);
    member_await_assigned(second, KAFKA_PARTITIONS);
    // Far less than the session timeout of 10 s, after which it would be found dead.
    assert_in_range(clock_boot_ms() - started_ms, 0, 8000);
    member_close(second);
}

static void closing_before_anything_is_assigned_ends(void **state)
{
    KafkaFixture *f = *state;
    for (uint32_t wait_ms = 0; wait_ms < 400; wait_ms += 80) {
        Member *member = kafka_open_member(f);
        test_pass(f->loop, wait_ms);
        member_close(member);
    }
}

static void an_open_transaction_delays_the_assignment_and_not_the_loop(void **state)
{
    KafkaFixture *f = *state;
    rd_kafka_t *dead = kafka_open_transaction(&f->names, "7000");
    Member *member = kafka_open_member(f);
    test_pass(f->loop, 4000);
    assert_int_equal(member->assigned, 0);
    member_await_assigned(member, KAFKA_PARTITIONS);
    assert_int_equal(member->assignments[0]->committed, -1); // it was aborted
    member_close(member);
    rd_kafka_destroy(dead);
}

int main(void)
{
    int status = 0;
    if (!test_has_neighbour("PROVISION_TEST_KAFKA", &status)) {
        return status;
    }
    log_install(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT, "test");
#define WITH_BROKER(test) cmocka_unit_test_setup_teardown(test, kafka_set_up, kafka_tear_down)
    const struct CMUnitTest tests[] = {
        WITH_BROKER(a_second_member_gets_its_share_after_the_revoke_was_answered),
        WITH_BROKER(nothing_is_assigned_to_another_before_the_revoke_is_answered),
        WITH_BROKER(what_is_put_after_a_revoke_is_dropped),
        WITH_BROKER(outcomes_of_a_generation_that_is_over_are_dropped),
        WITH_BROKER(a_publisher_with_the_same_name_ends_the_former_one),
        WITH_BROKER(closing_leaves_the_group),
        WITH_BROKER(closing_before_anything_is_assigned_ends),
        WITH_BROKER(an_open_transaction_delays_the_assignment_and_not_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
