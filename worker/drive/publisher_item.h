/*
 * An outcome on its way to Kafka, with everything it holds copied: it crosses from the loop to the
 * publisher's thread. Used by drive/publisher only.
 */
#ifndef DRIVE_PUBLISHER_ITEM_H
#define DRIVE_PUBLISHER_ITEM_H

#include "base/list.h"
#include "drive/publisher.h"

typedef struct ItemHeader {
    char *name;
    Buffer value;
} ItemHeader;

typedef struct ItemRecord {
    char *topic;
    Buffer key;
    Buffer value;
    bool tombstone;
    ItemHeader *headers;
    size_t header_count;
} ItemRecord;

typedef struct Item {
    ListLink link;
    uint64_t id;
    KafkaAssignment *assignment;
    int64_t offset;
    char *metadata;
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
