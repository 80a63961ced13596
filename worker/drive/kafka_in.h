/*
 * The consumer on the loop. The rebalance callback only records what the group decided; the loop
 * reads committed offsets and their metadata on a thread of libuv (after a crash that blocks until
 * the dead worker's transaction has timed out: 16.7 s measured), then assigns. On revoke the owner
 * of this module is told, answers when it has let go (the publisher has ended its transaction), and
 * only then is the partition unassigned.
 */
#ifndef DRIVE_KAFKA_IN_H
#define DRIVE_KAFKA_IN_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/settings.h"
#include "drive/loop.h"

typedef struct KafkaIn KafkaIn;

// One assignment of one partition: the group metadata is captured when it is assigned and kept with
// it. Counted by reference, because outcomes of it may be on their way to the publisher when it
// ends; the count is atomic.
typedef struct KafkaAssignment {
    uint64_t id;        // grows; never used twice in a process
    uint64_t rebalance; // the same for all that were assigned together: they share the generation
    int32_t partition;
    int64_t committed; // offset, -1 = none
    char *metadata;    // of the committed offset, or NULL
    rd_kafka_consumer_group_metadata_t *group;
    int references; // use kafka_assignment_ref/unref
} KafkaAssignment;
KafkaAssignment *kafka_assignment_ref(KafkaAssignment *assignment);
void kafka_assignment_unref(KafkaAssignment *assignment);

typedef struct KafkaInHandler {
    // A record; valid during the call only.
    void (*on_record)(void *context, KafkaAssignment *assignment,
                      const rd_kafka_message_t *message);
    // These partitions are ours from now on (records follow).
    void (*on_assigned)(void *context, KafkaAssignment *const *assignments, size_t count);
    // The group takes these back (`lost`: they may have another owner already). Call
    // kafka_in_revoke_done when all outcomes of them are published or dropped; no record of them
    // comes in between.
    void (*on_revoked)(void *context, KafkaAssignment *const *assignments, size_t count, bool lost);
    // Away, back (err->kind ERROR_NONE), or fatal (internal: the process must end), as when the
    // topic is deleted.
    void (*on_health)(void *context, const Error *err);
} KafkaInHandler;

// `topic`: the command topic. Reads kafka.* and kafka.consumer.* of the settings and sets what the
// guarantees need itself (group.id, enable.auto.commit=false, enable.auto.offset.store=false,
// isolation.level=read_committed, auto.offset.reset=earliest, partition.assignment.strategy=range,
// session.timeout.ms default 10000, small prefetch queues, socket.nagle.disable). Code:
// KAFKA_SETUP.
KafkaIn *kafka_in_open(Loop *loop, const Settings *settings, const KafkaInHandler *handler,
                       void *context, Error *err);
void kafka_in_revoke_done(KafkaIn *in);
// Stops taking records of a partition, and takes them again; polling (and so membership) goes on,
// and a little is fetched ahead. Newly assigned partitions are not paused.
void kafka_in_pause(KafkaIn *in, KafkaAssignment *assignment);
void kafka_in_resume(KafkaIn *in, KafkaAssignment *assignment);
// Number of the topic's partitions; 0 while unknown.
int32_t kafka_in_partitions(const KafkaIn *in);
// Behind the last record of an assigned partition, at most some seconds old, also while it is
// paused; -1: not known (yet).
int64_t kafka_in_end(const KafkaIn *in, int32_t partition);
// Of its first record that is still kept; the same otherwise.
int64_t kafka_in_first(const KafkaIn *in, int32_t partition);
// CLOCK_BOOTTIME of the last poll.
int64_t kafka_in_last_poll_boot_ms(const KafkaIn *in);
int64_t kafka_in_session_timeout_ms(const KafkaIn *in);
// What records not yet handed over take at most, as configured.
int64_t kafka_in_memory_bytes(const KafkaIn *in);
// Leaves the group: on_revoked is called from within for what is assigned; after
// kafka_in_revoke_done the group is left, which takes at most 10 s, and `on_closed` is called, on
// the loop. After a fatal error, too.
void kafka_in_close(KafkaIn *in, void (*on_closed)(void *context));
void kafka_in_free(KafkaIn *in); // after on_closed, or never opened

#endif
