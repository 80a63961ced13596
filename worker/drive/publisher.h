/*
 * The producer on its own thread (librdkafka's transaction calls block by contract). Outcomes are
 * taken by value, in order; whenever the thread is free, all that wait go into one Kafka
 * transaction: records, and for each partition touched the offset and completion map of its last
 * outcome in the batch, with the group metadata of the assignment that delivered its record.
 *
 * After a generation error the batch's outcomes of that assignment are dropped (the ledger has
 * them, the new owner publishes them); after any other abort the same batch goes first, in the same
 * order; a fatal error is reported and nothing is published any more. A batch with a record that is
 * refused for its size is halved until the outcome with it is alone; a dead letter then goes
 * without its value, or not at all, so that its offset moves.
 */
#ifndef DRIVE_PUBLISHER_H
#define DRIVE_PUBLISHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/settings.h"
#include "drive/kafka_in.h"
#include "drive/loop.h"

typedef struct Publisher Publisher;

enum { PUBLISHER_BATCH_BYTES = 8 * 1024 * 1024 }; // of a transaction with more than one outcome

typedef struct PublisherHeader {
    const char *name;
    Bytes value;
} PublisherHeader;

typedef struct PublisherRecord {
    const char *topic; // static or owned by the settings
    Bytes key;
    Bytes value;
    bool tombstone;
    const PublisherHeader *headers;
    size_t header_count;
} PublisherRecord;

typedef struct PublisherItem {
    uint64_t id;                    // the caller's
    KafkaAssignment *assignment;    // a reference is taken
    int64_t offset;                 // to commit for its partition once this item is out
    const char *metadata;           // completion map; copied
    const PublisherRecord *records; // copied
    size_t record_count;            // may be 0: only the offset
} PublisherItem;

typedef struct PublisherHandler {
    // These items' transaction is committed, in order.
    void (*on_published)(void *context, const uint64_t *ids, size_t count, uint32_t took_ms);
    // These items were dropped: their assignment is over.
    void (*on_dropped)(void *context, const uint64_t *ids, size_t count);
    // Answer to publisher_revoke: nothing of those assignments is in a transaction or in the queue
    // any more.
    void (*on_revoked)(void *context);
    // The producer can't go on: the process ends with status 75.
    void (*on_fatal)(void *context, const Error *err);
    // A transaction was aborted and will be tried again, or works again (ERROR_NONE).
    void (*on_trouble)(void *context, const Error *err);
} PublisherHandler;

// Starts the thread; init_transactions and the topics' metadata are fetched on it before the first
// transaction (publisher_ready). transactional.id = group.id + "-" + (instance.id or a random
// UUID). Sets enable.idempotence, acks=all, transaction.timeout.ms default 10000, retry.backoff.ms
// default 20, linger.ms 0, partitioner murmur2_random, socket.nagle.disable. Code: KAFKA_SETUP.
// Callbacks run on the loop.
Publisher *publisher_open(Loop *loop, const Settings *settings, const PublisherHandler *handler,
                          void *context, Error *err);
// Transactions are initialised and all topics known; what was put before waits until then.
bool publisher_is_ready(const Publisher *publisher);
void publisher_put(Publisher *publisher, const PublisherItem *item);
// From now on nothing waits for more outcomes (publish.linger).
void publisher_hurry(Publisher *publisher);
// Ends or aborts the open transaction, drops what waits of these assignments (on_dropped), then
// on_revoked. While the brokers are away a commit can neither be ended nor aborted: the answer
// waits for them. What is put for these assignments later is dropped.
void publisher_revoke(Publisher *publisher, const uint64_t *assignment_ids, size_t count);
// Publishes what waits, then stops the thread; `on_closed` is called on the loop. While the brokers
// are away it does not end, so the caller has a limit of its own; before publisher_is_ready and
// after on_fatal it ends at once.
void publisher_close(Publisher *publisher, void (*on_closed)(void *context));
void publisher_free(Publisher *publisher); // after on_closed
size_t publisher_waiting(const Publisher *publisher);

#endif
