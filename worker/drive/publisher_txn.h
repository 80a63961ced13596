/*
 * The producer and one Kafka transaction. All calls block, on the publisher's thread. Used by
 * drive/publisher only.
 */
#ifndef DRIVE_PUBLISHER_TXN_H
#define DRIVE_PUBLISHER_TXN_H

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/list.h"
#include "base/settings.h"

typedef enum TxnResult {
    TXN_DONE,
    TXN_ABORTED,   // nothing of it is visible: the same again
    TXN_STALE,     // aborted; the group has gone on without the assignments of this batch
    TXN_TOO_LARGE, // aborted; the client or the broker refuses a record of it for its size
    TXN_FATAL,     // the producer is of no use any more
} TxnResult;

enum { TXN_TOPICS = 3 };

// A call that will be made again until it ends: why it did not yet.
typedef void TxnRetry(void *context, const Error *err);

typedef struct Txn {
    TxnRetry *on_retry;
    void *context;
    rd_kafka_t *client;
    char *commands_topic;
    rd_kafka_topic_t *topics[TXN_TOPICS]; // kept, so that their metadata stays known
    bool initialised;
    rd_kafka_resp_err_t delivery_err; // first failed delivery of the open transaction
    bool too_large;                   // a record of it was refused for its size
} Txn;

// Code KAFKA_SETUP. `txn` must stay where it is.
bool txn_open(Txn *txn, const Settings *settings, TxnRetry *on_retry, void *context, Error *err);
void txn_close(Txn *txn);
// Once before txn_run: fences a former producer of the same name, and fetches the topics' metadata
// (without it a first record takes a second: librdkafka 2.0.2). TXN_ABORTED: again.
TxnResult txn_prepare(Txn *txn, Error *err);
// Publishes a list of Item that share one group generation, in order; their records and, for each
// partition, the offset of the last one.
TxnResult txn_run(Txn *txn, const List *items, Error *err);

#endif
