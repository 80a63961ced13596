/*
 * An outcome on its way to Kafka, with everything it holds copied: it crosses from the loop to the
 * publisher's thread. Used by drive/publisher only.
 */
#ifndef DRIVE_PUBLISHER_ITEM_H
#define DRIVE_PUBLISHER_ITEM_H

#include "base/crypto.h"
#include "base/list.h"
#include "drive/publisher.h"

enum { ITEM_SPARE_HEADERS = 2, ITEM_SPARE_BYTES = 2 * CRYPTO_SHA256_BYTES + 1 };

typedef struct ItemRecord {
    const char *topic;
    Bytes key;
    Bytes value;
    bool tombstone;
    PublisherHeader *headers; // with room for ITEM_SPARE_HEADERS more
    size_t header_count;
    char spare[ITEM_SPARE_HEADERS][ITEM_SPARE_BYTES]; // their values
} ItemRecord;

// One piece of memory, made by one thread and freed by another.
typedef struct Item {
    ListLink link;
    uint64_t id;
    KafkaAssignment *assignment;
    int64_t offset;
    const char *metadata;
    ItemRecord *records;
    size_t record_count;
    size_t size_bytes; // of all values
    int64_t put_boot_ms;
} Item;

Item *item_new(const PublisherItem *from);
void item_free(Item *item);
// Takes the values of its records for this topic away (dlq-value-sha256 and -bytes say what they
// were); where none has a value, the records. False when there are none.
bool item_shrink(Item *item, const char *topic);

#endif
