#include "kafka_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/clock.h"
#include "sys/log.h"

static bool is_away(void *context)
{
    const Member *member = context;
    return member->absences > 0 && member->troubles > 0;
}

static void each_record_is_published_once(void **state)
{
    KafkaFixture *f = *state;
    enum { EACH = 100 };
    for (int i = 0; i < KAFKA_PARTITIONS; i++) {
        kafka_write(&f->names, i, EACH);
    }
    Member *member = kafka_open_member(f);
    member_await_published(member, (size_t)EACH * KAFKA_PARTITIONS);
    assert_int_equal(member->published_count, EACH * KAFKA_PARTITIONS);
    for (size_t i = 0; i < member->published_count; i++) {
        assert_int_equal(member->published[i], i + 1);
    }
    assert_int_equal(publisher_waiting(member->publisher), 0);
    assert_int_equal(kafka_in_partitions(member->in), KAFKA_PARTITIONS);
    assert_int_equal(kafka_in_session_timeout_ms(member->in), 10000);
    member_close(member);
    size_t count = kafka_read(&f->names, f->names.events, f->seen, KAFKA_SEEN);
    assert_int_equal(count, EACH * KAFKA_PARTITIONS);
    kafka_assert_seen_once(f, count, EACH);
    assert_string_equal(f->seen[0].key, "application");
    assert_string_equal(f->seen[0].header, "header");
}

static void the_map_of_the_last_outcome_is_committed_and_given_back(void **state)
{
    KafkaFixture *f = *state;
    char metadata[64];
    kafka_write(&f->names, 2, 5);
    Member *member = kafka_open_member(f);
    member_await_published(member, 5);
    member_close(member);
    assert_int_equal(kafka_committed(&f->names, 2, metadata, sizeof(metadata)), 5);
    assert_string_equal(metadata, "map-5");
    assert_int_equal(kafka_committed(&f->names, 1, metadata, sizeof(metadata)), -1);

    kafka_write(&f->names, 2, 1);
    member = kafka_open_member(f);
    member_await_assigned(member, KAFKA_PARTITIONS);
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
    KafkaFixture *f = *state;
    char metadata[64];
    Member *member = kafka_open_member(f);
    member_await_assigned(member, KAFKA_PARTITIONS);
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
    assert_int_equal(kafka_read(&f->names, f->names.state, f->seen, KAFKA_SEEN), 1);
    assert_true(f->seen[0].tombstone);
    assert_string_equal(f->seen[0].key, "subject");
    assert_int_equal(kafka_committed(&f->names, 0, metadata, sizeof(metadata)), 0);
    assert_string_equal(metadata, "");
    assert_int_equal(kafka_committed(&f->names, 3, metadata, sizeof(metadata)), 0);
    assert_string_equal(metadata, "x");
}

static void outcomes_that_linger_share_a_transaction(void **state)
{
    KafkaFixture *f = *state;
    Member *member = kafka_open_member_with(f, "publish.linger", "300ms");
    member_await_assigned(member, KAFKA_PARTITIONS);
    member_await_ready(member);
    for (int i = 0; i < 10; i++) {
        member_publish(member, member->assignments[i % KAFKA_PARTITIONS], i, "0-0");
        test_pass(f->loop, 5);
    }
    member_await_published(member, 10);
    assert_int_equal(member->transactions, 1);
    member_close(member);
}

static void a_paused_partition_is_silent_until_it_is_resumed(void **state)
{
    KafkaFixture *f = *state;
    Member *member = kafka_open_member(f);
    member_await_assigned(member, KAFKA_PARTITIONS);
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

static bool is_troubled_again(void *context)
{
    const Member *member = context;
    return member->troubles >= 2;
}

static void what_cannot_be_produced_is_trouble_until_it_is_revoked(void **state)
{
    KafkaFixture *f = *state;
    Member *member = kafka_open_member_with(f, "kafka.producer.message.max.bytes", "1000");
    member_await_assigned(member, KAFKA_PARTITIONS);
    member_await_ready(member);
    member->troubles = 0; // new topics may not be known at first
    char *value = alloc_zeroed(1, 5001);
    memset(value, 'x', 5000);
    uint64_t id = member_publish(member, member->assignments[0], 1, value);
    free(value);
    test_await(f->loop, is_troubled_again, member);
    assert_string_equal(member->trouble.code, "KAFKA_MSG_SIZE_TOO_LARGE");
    assert_int_equal(member->fatal.kind, ERROR_NONE);
    member_close_in(member);
    assert_int_equal(member->dropped_count, 1);
    assert_int_equal(member->dropped[0], id);
    member_close(member);
    assert_int_equal(kafka_read(&f->names, f->names.events, f->seen, KAFKA_SEEN), 0);
}

// The broker refuses the first record until its limit is raised.
static void an_aborted_batch_goes_first_again(void **state)
{
    KafkaFixture *f = *state;
    kafka_make_topics(f->names.bootstrap, KAFKA_PARTITIONS, "2000", &f->names);
    Member *member = kafka_open_member(f);
    member_await_assigned(member, KAFKA_PARTITIONS);
    member_await_ready(member);
    member->troubles = 0; // new topics may not be known at first
    char *value = alloc_zeroed(1, 5001);
    memset(value, 'x', 5000);
    member_publish(member, member->assignments[0], 1, value);
    free(value);
    member_publish(member, member->assignments[1], 1, "second");
    test_await(f->loop, is_troubled_again, member);
    assert_int_equal(member->trouble.kind, ERROR_UNAVAILABLE);
    assert_int_equal(member->fatal.kind, ERROR_NONE);
    assert_int_equal(member->published_count, 0);
    kafka_limit_topic(&f->names, f->names.events, "100000");
    member_await_published(member, 2);
    assert_int_equal(member->published[0], 1);
    assert_int_equal(member->published[1], 2);
    assert_int_equal(member->trouble.kind, ERROR_NONE);
    member_close(member);
    assert_int_equal(kafka_read(&f->names, f->names.events, f->seen, KAFKA_SEEN), 2);
    assert_string_equal(f->seen[1].value, "second");
}

typedef struct Letter {
    size_t value_bytes;
    size_t header_bytes;
} Letter;

enum { LETTER_TOO_LARGE = 5000 }; // the limit is 2000

// An outcome as a refused command has it: a dead letter and an event.
static void publish_letter(Member *member, int partition, Letter letter)
{
    static const uint8_t BYTES[LETTER_TOO_LARGE];
    const PublisherHeader headers[] = {{"x", {BYTES, letter.header_bytes}},
                                       {"test", bytes_of("header")}};
    const PublisherRecord records[] = {
        {.topic = settings_text(member->settings, SETTING_TOPIC_DEAD_LETTERS),
         .key = bytes_of("letter"),
         .value = {BYTES, letter.value_bytes},
         .headers = headers,
         .header_count = 2},
        {.topic = settings_text(member->settings, SETTING_TOPIC_EVENTS),
         .key = bytes_of("application"),
         .value = bytes_of("rejected")}};
    const PublisherItem item = {.id = ++member->last_id,
                                .assignment = member->assignments[partition],
                                .offset = 7,
                                .metadata = "",
                                .records = records,
                                .record_count = 2};
    publisher_put(member->publisher, &item);
}

static bool is_over_trouble(void *context)
{
    const Member *member = context;
    return member->troubles > 0 && member->trouble.kind == ERROR_NONE;
}

// Among ten other outcomes.
static void assert_letter_gives_way(KafkaFixture *f, Member *member, Letter letter, size_t letters)
{
    char metadata[64];
    enum { OTHERS = 10 };
    member_await_assigned(member, KAFKA_PARTITIONS);
    member_await_ready(member);
    member->troubles = 0; // new topics may not be known at first
    for (int i = 0; i < OTHERS; i++) {
        if (i == OTHERS / 2) {
            publish_letter(member, 1, letter);
        }
        member_publish(member, member->assignments[0], i, "0-0");
    }
    member_await_published(member, OTHERS + 1);
    for (size_t i = 0; i < OTHERS + 1; i++) {
        assert_int_equal(member->published[i], i + 1);
    }
    test_await(f->loop, is_over_trouble, member);
    assert_int_equal(member->fatal.kind, ERROR_NONE);
    assert_int_equal(member->dropped_count, 0);
    member_close(member);
    assert_int_equal(kafka_committed(&f->names, 1, metadata, sizeof(metadata)), 7);
    assert_int_equal(kafka_read(&f->names, f->names.events, f->seen, KAFKA_SEEN), OTHERS + 1);
    assert_int_equal(kafka_read(&f->names, f->names.dead_letters, f->seen, KAFKA_SEEN), letters);
}

static void a_letter_that_the_client_refuses_goes_without_its_value(void **state)
{
    KafkaFixture *f = *state;
    Member *member = kafka_open_member_with(f, "kafka.producer.message.max.bytes", "2000");
    assert_letter_gives_way(f, member, (Letter){.value_bytes = LETTER_TOO_LARGE}, 1);
    assert_true(f->seen[0].tombstone);
    assert_string_equal(f->seen[0].key, "letter");
    assert_string_equal(f->seen[0].header, "header");
    assert_string_equal(f->seen[0].bytes, "5000");
}

// The topic whose records the broker limits becomes that of the dead letters.
static Member *open_with_limited_letters(KafkaFixture *f)
{
    char events[SEEN_TEXT_BYTES];
    kafka_make_topics(f->names.bootstrap, KAFKA_PARTITIONS, "2000", &f->names);
    memcpy(events, f->names.dead_letters, sizeof(events));
    memcpy(f->names.dead_letters, f->names.events, sizeof(events));
    memcpy(f->names.events, events, sizeof(events));
    return kafka_open_member(f);
}

static void a_letter_that_the_broker_refuses_goes_without_its_value(void **state)
{
    KafkaFixture *f = *state;
    Member *member = open_with_limited_letters(f);
    assert_letter_gives_way(f, member, (Letter){.value_bytes = LETTER_TOO_LARGE}, 1);
    assert_true(f->seen[0].tombstone);
    assert_string_equal(f->seen[0].bytes, "5000");
}

static void a_letter_that_is_refused_without_its_value_is_left_out(void **state)
{
    KafkaFixture *f = *state;
    Member *member = open_with_limited_letters(f);
    const Letter letter = {.value_bytes = 1, .header_bytes = LETTER_TOO_LARGE};
    assert_letter_gives_way(f, member, letter, 0);
}

static void absent_brokers_are_told_and_closing_ends(void **state)
{
    KafkaFixture *f = *state;
    f->names.bootstrap = "127.0.0.1:1";
    Member *member = kafka_open_member(f);
    test_await(f->loop, is_away, member);
    assert_false(publisher_is_ready(member->publisher));
    assert_string_equal(member->health.code, "KAFKA_ALL_BROKERS_DOWN");
    assert_int_equal(kafka_in_partitions(member->in), 0);
    member_close(member);
}

static void a_property_that_kafka_refuses_is_named(void **state)
{
    KafkaFixture *f = *state;
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
#define WITH_BROKER(test) cmocka_unit_test_setup_teardown(test, kafka_set_up, kafka_tear_down)
    const struct CMUnitTest tests[] = {
        WITH_BROKER(each_record_is_published_once),
        WITH_BROKER(the_map_of_the_last_outcome_is_committed_and_given_back),
        WITH_BROKER(offsets_and_tombstones_go_without_values),
        WITH_BROKER(outcomes_that_linger_share_a_transaction),
        WITH_BROKER(a_paused_partition_is_silent_until_it_is_resumed),
        WITH_BROKER(what_cannot_be_produced_is_trouble_until_it_is_revoked),
        WITH_BROKER(an_aborted_batch_goes_first_again),
        WITH_BROKER(a_letter_that_the_client_refuses_goes_without_its_value),
        WITH_BROKER(a_letter_that_the_broker_refuses_goes_without_its_value),
        WITH_BROKER(a_letter_that_is_refused_without_its_value_is_left_out),
        WITH_BROKER(absent_brokers_are_told_and_closing_ends),
        WITH_BROKER(a_property_that_kafka_refuses_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
