/*
 * A loop for members, and topics of the test's own on the broker of PROVISION_TEST_KAFKA.
 */
#ifndef DRIVE_TEST_KAFKA_FIXTURE_H
#define DRIVE_TEST_KAFKA_FIXTURE_H

#include "kafka_support.h"
#include "member.h"
#include "support.h"

enum { KAFKA_PARTITIONS = 4, KAFKA_SEEN = 4096 };

typedef struct KafkaFixture {
    Loop *loop;
    KafkaNames names;
    KafkaSeen *seen;
} KafkaFixture;

int kafka_set_up(void **state);
// Fails when the loop was blocked.
int kafka_tear_down(void **state);
Member *kafka_open_member(const KafkaFixture *f);
Member *kafka_open_member_with(const KafkaFixture *f, const char *name,
                               const char *value); // a setting
// The first `count` of f->seen are "P-0" to "P-<per_partition - 1>" once, in order.
void kafka_assert_seen_once(const KafkaFixture *f, size_t count, int per_partition);

#endif
