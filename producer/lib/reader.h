/*
 * Committed records of a topic, from offsets that are fixed when it is opened. No consumer group:
 * nothing is stored at the broker, and any number may read.
 */
#ifndef LIB_READER_H
#define LIB_READER_H

#include <librdkafka/rdkafka.h>

#include "lib/deadline.h"
#include "lib/options.h"
#include "provision/provision.h"

typedef struct Reader Reader;

typedef struct ReaderStart {
    ProvisionStart kind;
    int64_t since_ms;
} ReaderStart;

typedef enum ReaderResult {
    READER_RECORD,
    READER_TIMEOUT,
    READER_END, // every partition was read to where it ended when the reader was opened; told once
    READER_FAILED,
} ReaderResult;

// All partitions, or, with a `key`, only the one that records of this key are on (murmur2). Errors:
// KAFKA_UNAVAILABLE, TOPIC_MISSING.
Reader *reader_open(const ProvisionOptions *options, OptionsTopic topic, const char *key,
                    ReaderStart start, Deadline deadline, ProvisionError *err);
void reader_close(Reader *reader);

// The record is the caller's (rd_kafka_message_destroy). Error: KAFKA_UNAVAILABLE.
ReaderResult reader_next(Reader *reader, Deadline deadline, rd_kafka_message_t **ret_record,
                         ProvisionError *err);

// The error of a caller that ran out of time: what is wrong with the cluster, if anything is known.
bool reader_fault_timeout(Reader *reader, ProvisionError *err);

#endif
