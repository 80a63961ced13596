#include "member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support.h"

uint64_t member_publish(Member *member, KafkaAssignment *assignment, int64_t offset,
                        const char *value)
{
    char map[32];
    snprintf(map, sizeof(map), "map-%lld", (long long)offset);
    PublisherHeader header = {"test", bytes_of("header")};
    PublisherRecord record = {.topic = settings_text(member->settings, SETTING_TOPIC_EVENTS),
                              .key = bytes_of("application"),
                              .value = bytes_of(value),
                              .headers = &header,
                              .header_count = 1};
    PublisherItem item = {.id = ++member->last_id,
                          .assignment = assignment,
                          .offset = offset,
                          .metadata = map,
                          .records = &record,
                          .record_count = 1};
    publisher_put(member->publisher, &item);
    return item.id;
}

static void on_record(void *context, KafkaAssignment *assignment, const rd_kafka_message_t *message)
{
    Member *member = context;
    assert_true(member->record_count < MEMBER_RECORDS);
    assert_ptr_equal(member->assignments[message->partition], assignment);
    char *value = member->records[member->record_count++];
    snprintf(value, sizeof(member->records[0]), "%.*s", (int)message->len,
             (const char *)message->payload);
    if (!member->holds_records) {
        member_publish(member, assignment, message->offset + 1, value);
    }
}

static void on_assigned(void *context, KafkaAssignment *const *assignments, size_t count)
{
    Member *member = context;
    member->assignments_seen++;
    member->assigned = count;
    for (size_t i = 0; i < count; i++) {
        member->assignments[assignments[i]->partition] = kafka_assignment_ref(assignments[i]);
    }
}

static void on_revoked(void *context, KafkaAssignment *const *assignments, size_t count, bool lost)
{
    Member *member = context;
    uint64_t ids[MEMBER_PARTITIONS] = {0};
    member->revocations_seen++;
    member->lost = lost;
    for (size_t i = 0; i < count; i++) {
        ids[i] = assignments[i]->id;
        kafka_assignment_unref(member->assignments[assignments[i]->partition]);
        member->assignments[assignments[i]->partition] = NULL;
    }
    member->assigned = 0;
    if (!member->holds_revoke) {
        publisher_revoke(member->publisher, ids, count);
    }
}

static void on_health(void *context, const Error *err)
{
    Member *member = context;
    member->health = *err;
    member->absences += err->kind == ERROR_UNAVAILABLE;
}

static void on_published(void *context, const uint64_t *ids, size_t count, uint32_t took_ms)
{
    Member *member = context;
    (void)took_ms;
    member->transactions++;
    for (size_t i = 0; i < count; i++) {
        member->published[member->published_count++ % MEMBER_IDS] = ids[i];
    }
}

static void on_dropped(void *context, const uint64_t *ids, size_t count)
{
    Member *member = context;
    for (size_t i = 0; i < count; i++) {
        member->dropped[member->dropped_count++ % MEMBER_IDS] = ids[i];
    }
}

static void on_publisher_revoked(void *context)
{
    Member *member = context;
    member->revokes_answered++;
    if (member->in != NULL && !member->holds_revoke) {
        kafka_in_revoke_done(member->in);
    }
}

static void on_fatal(void *context, const Error *err)
{
    Member *member = context;
    member->fatal = *err;
}

static void on_trouble(void *context, const Error *err)
{
    Member *member = context;
    member->trouble = *err;
    member->troubles += err->kind != ERROR_NONE;
}

Member *member_open(Loop *loop, Settings *settings)
{
    static const KafkaInHandler IN = {on_record, on_assigned, on_revoked, on_health};
    static const PublisherHandler OUT = {on_published, on_dropped, on_publisher_revoked, on_fatal,
                                         on_trouble};
    Error err = ERROR_INIT;
    Member *member = alloc_zeroed(1, sizeof(*member));
    member->loop = loop;
    member->settings = settings;
    member->publisher = publisher_open(loop, settings, &OUT, member, &err);
    member->in = kafka_in_open(loop, settings, &IN, member, &err);
    if (member->publisher == NULL || member->in == NULL) {
        fail_msg("%s", err.text);
    }
    return member;
}

static void on_in_closed(void *context)
{
    Member *member = context;
    member->in_closed = true;
}

static void on_publisher_closed(void *context)
{
    Member *member = context;
    member->publisher_closed = true;
}

void member_close_in(Member *member)
{
    kafka_in_close(member->in, on_in_closed);
    test_await_flag(member->loop, &member->in_closed);
    kafka_in_free(member->in);
    member->in = NULL;
}

void member_close(Member *member)
{
    if (member->in != NULL) {
        member_close_in(member);
    }
    publisher_close(member->publisher, on_publisher_closed);
    test_await_flag(member->loop, &member->publisher_closed);
    publisher_free(member->publisher);
    for (int i = 0; i < MEMBER_PARTITIONS; i++) {
        kafka_assignment_unref(member->assignments[i]);
    }
    settings_free(member->settings);
    free(member);
}

static bool is_ready(void *context)
{
    const Member *member = context;
    return publisher_is_ready(member->publisher);
}

void member_await_ready(Member *member)
{
    test_await(member->loop, is_ready, member);
}

typedef struct Count {
    const size_t *is;
    size_t wanted;
} Count;

static bool is_reached(void *context)
{
    const Count *count = context;
    return *count->is >= count->wanted;
}

static bool is_exact(void *context)
{
    const Count *count = context;
    return *count->is == count->wanted;
}

void member_await_assigned(Member *member, size_t count)
{
    Count awaited = {&member->assigned, count};
    test_await(member->loop, is_exact, &awaited);
}

void member_await_published(Member *member, size_t count)
{
    Count awaited = {&member->published_count, count};
    test_await(member->loop, is_reached, &awaited);
}
