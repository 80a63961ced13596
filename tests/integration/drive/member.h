/*
 * A worker without its middle: a consumer and a publisher on the loop, which publishes one event
 * for each record and keeps what it is told.
 */
#ifndef DRIVE_TEST_MEMBER_H
#define DRIVE_TEST_MEMBER_H

#include "drive/kafka_in.h"
#include "drive/publisher.h"
#include "kafka_support.h"

enum { MEMBER_PARTITIONS = 12, MEMBER_RECORDS = 4096, MEMBER_IDS = 4096 };

typedef struct Member {
    Loop *loop;
    Settings *settings;
    KafkaIn *in;
    Publisher *publisher;
    bool holds_records;                              // takes records without publishing
    bool holds_revoke;                               // does not answer a revoke by itself
    KafkaAssignment *assignments[MEMBER_PARTITIONS]; // by partition; NULL = not ours
    size_t assigned;                                 // how many are ours
    int assignments_seen;                            // calls of on_assigned
    int revocations_seen;
    bool lost;
    char records[MEMBER_RECORDS][16]; // values
    size_t record_count;
    uint64_t published[MEMBER_IDS];
    size_t published_count;
    size_t transactions;
    uint64_t dropped[MEMBER_IDS];
    size_t dropped_count;
    int revokes_answered;
    Error trouble; // the last
    int troubles;
    Error fatal;
    Error health; // the last
    int absences;
    bool in_closed;
    bool publisher_closed;
    uint64_t last_id;
} Member;

// Opens both; `settings` becomes the member's.
Member *member_open(Loop *loop, Settings *settings);
// Closes what is open and frees.
void member_close(Member *member);
void member_close_in(Member *member);
void member_await_ready(Member *member);
void member_await_assigned(Member *member, size_t count);
void member_await_published(Member *member, size_t count);
// Publishes `value` as an event, with the offset and a map for `assignment`. Returns the item's id.
uint64_t member_publish(Member *member, KafkaAssignment *assignment, int64_t offset,
                        const char *value);

#endif
