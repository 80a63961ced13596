#include "drive/publisher_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/crypto.h"
#include "base/text.h"
#include "sys/clock.h"

static const char *metadata_of(const PublisherItem *from)
{
    return from->metadata != NULL ? from->metadata : "";
}

static size_t record_bytes(const PublisherRecord *record)
{
    size_t bytes = record->key.size + record->value.size;
    for (size_t i = 0; i < record->header_count; i++) {
        bytes += strlen(record->headers[i].name) + 1 + record->headers[i].value.size;
    }
    return bytes;
}

// Of what is copied, and of the headers' places.
static void measure(const PublisherItem *from, size_t *ret_bytes, size_t *ret_headers)
{
    *ret_bytes = strlen(metadata_of(from)) + 1;
    *ret_headers = 0;
    for (size_t i = 0; i < from->record_count; i++) {
        *ret_bytes += record_bytes(&from->records[i]);
        *ret_headers += from->records[i].header_count + ITEM_SPARE_HEADERS;
    }
}

static const void *copy(uint8_t **room, const void *data, size_t size)
{
    void *to = *room;
    if (size > 0) {
        memcpy(to, data, size);
        *room += size;
    }
    return to;
}

static Bytes copy_bytes(uint8_t **room, Bytes from)
{
    return (Bytes){from.data == NULL ? NULL : copy(room, from.data, from.size), from.size};
}

static void copy_record(ItemRecord *to, const PublisherRecord *from, PublisherHeader *headers,
                        uint8_t **room)
{
    to->topic = from->topic;
    to->key = copy_bytes(room, from->key);
    to->value = copy_bytes(room, from->value);
    to->tombstone = from->tombstone;
    to->header_count = from->header_count;
    to->headers = headers;
    for (size_t i = 0; i < from->header_count; i++) {
        const char *name = from->headers[i].name;
        headers[i].name = copy(room, name, strlen(name) + 1);
        headers[i].value = copy_bytes(room, from->headers[i].value);
    }
}

Item *item_new(const PublisherItem *from)
{
    size_t bytes = 0;
    size_t header_count = 0;
    measure(from, &bytes, &header_count);
    size_t records_bytes = from->record_count * sizeof(ItemRecord);
    size_t headers_bytes = header_count * sizeof(PublisherHeader);
    Item *item = alloc_bytes(sizeof(*item) + records_bytes + headers_bytes + bytes);
    *item = (Item){.id = from->id,
                   .assignment = kafka_assignment_ref(from->assignment),
                   .offset = from->offset,
                   .put_boot_ms = clock_boot_ms(),
                   .records = (ItemRecord *)(item + 1),
                   .record_count = from->record_count};
    list_link_init(&item->link);
    PublisherHeader *headers = (PublisherHeader *)(item->records + from->record_count);
    uint8_t *room = (uint8_t *)(headers + header_count);
    for (size_t i = 0; i < from->record_count; i++) {
        copy_record(&item->records[i], &from->records[i], headers, &room);
        headers += from->records[i].header_count + ITEM_SPARE_HEADERS;
        item->size_bytes += from->records[i].value.size;
    }
    item->metadata = copy(&room, metadata_of(from), strlen(metadata_of(from)) + 1);
    return item;
}

static char *add_header(ItemRecord *record, const char *name, size_t spare)
{
    record->headers[record->header_count++].name = name;
    return record->spare[spare];
}

static void set_last(ItemRecord *record, const char *value)
{
    record->headers[record->header_count - 1].value = bytes_of(value);
}

// The headers are those that a dead letter made without its value has.
static void take_value(ItemRecord *record)
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    crypto_sha256(&record->value, 1, hash);
    Text hex CLEANUP(text_clear) = TEXT_INIT(2 * sizeof(hash));
    crypto_hex_append(&hex, (Bytes){hash, sizeof(hash)});
    char *digest = add_header(record, "dlq-value-sha256", 0);
    (void)snprintf(digest, ITEM_SPARE_BYTES, "%s", text_get(&hex));
    set_last(record, digest);
    char *size = add_header(record, "dlq-value-bytes", 1);
    (void)snprintf(size, ITEM_SPARE_BYTES, "%zu", record->value.size);
    set_last(record, size);
    record->value = (Bytes){NULL, 0};
    record->tombstone = true;
}

static bool take_values(Item *item, const char *topic)
{
    bool any = false;
    for (size_t i = 0; i < item->record_count; i++) {
        ItemRecord *record = &item->records[i];
        if (strcmp(record->topic, topic) == 0 && record->value.size > 0) {
            item->size_bytes -= record->value.size;
            take_value(record);
            any = true;
        }
    }
    return any;
}

static bool take_records(Item *item, const char *topic)
{
    size_t kept = 0;
    for (size_t i = 0; i < item->record_count; i++) {
        if (strcmp(item->records[i].topic, topic) != 0) {
            item->records[kept++] = item->records[i];
        }
    }
    bool any = kept < item->record_count;
    item->record_count = kept;
    return any;
}

bool item_shrink(Item *item, const char *topic)
{
    return take_values(item, topic) || take_records(item, topic);
}

void item_free(Item *item)
{
    kafka_assignment_unref(item->assignment);
    free(item);
}
