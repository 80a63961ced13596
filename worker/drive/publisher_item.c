#include "drive/publisher_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/crypto.h"
#include "base/text.h"
#include "sys/clock.h"

enum { NUMBER_TEXT_BYTES = 32 };

static void copy_record(ItemRecord *to, const PublisherRecord *from)
{
    to->topic = alloc_text(from->topic);
    buffer_set(&to->key, from->key);
    buffer_set(&to->value, from->value);
    to->tombstone = from->tombstone;
    to->header_count = from->header_count;
    to->headers = alloc_zeroed(from->header_count, sizeof(to->headers[0]));
    for (size_t i = 0; i < from->header_count; i++) {
        to->headers[i].name = alloc_text(from->headers[i].name);
        buffer_set(&to->headers[i].value, from->headers[i].value);
    }
}

static void free_record(ItemRecord *record)
{
    for (size_t i = 0; i < record->header_count; i++) {
        free(record->headers[i].name);
        buffer_clear(&record->headers[i].value);
    }
    free(record->headers);
    free(record->topic);
    buffer_clear(&record->key);
    buffer_clear(&record->value);
}

Item *item_new(const PublisherItem *from)
{
    Item *item = alloc_zeroed(1, sizeof(*item));
    list_link_init(&item->link);
    item->id = from->id;
    item->assignment = kafka_assignment_ref(from->assignment);
    item->offset = from->offset;
    item->metadata = alloc_text(from->metadata != NULL ? from->metadata : "");
    item->put_boot_ms = clock_boot_ms();
    item->record_count = from->record_count;
    item->records = alloc_zeroed(from->record_count, sizeof(item->records[0]));
    for (size_t i = 0; i < from->record_count; i++) {
        copy_record(&item->records[i], &from->records[i]);
        item->size_bytes += from->records[i].value.size;
    }
    return item;
}

static void add_header(ItemRecord *record, const char *name, Bytes value)
{
    ItemHeader *headers = alloc_zeroed(record->header_count + 1, sizeof(headers[0]));
    if (record->header_count > 0) {
        memcpy(headers, record->headers, record->header_count * sizeof(headers[0]));
    }
    free(record->headers);
    record->headers = headers;
    headers[record->header_count].name = alloc_text(name);
    buffer_set(&headers[record->header_count].value, value);
    record->header_count++;
}

// The headers are those that a dead letter made without its value has.
static void take_value(ItemRecord *record)
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    char size[NUMBER_TEXT_BYTES];
    Bytes value = buffer_view(&record->value);
    crypto_sha256(&value, 1, hash);
    Text hex CLEANUP(text_clear) = TEXT_INIT(2 * sizeof(hash));
    crypto_hex_append(&hex, (Bytes){hash, sizeof(hash)});
    add_header(record, "dlq-value-sha256", text_bytes(&hex));
    (void)snprintf(size, sizeof(size), "%zu", value.size);
    add_header(record, "dlq-value-bytes", bytes_of(size));
    buffer_clear(&record->value);
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
        if (strcmp(item->records[i].topic, topic) == 0) {
            free_record(&item->records[i]);
        } else {
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
    for (size_t i = 0; i < item->record_count; i++) {
        free_record(&item->records[i]);
    }
    free(item->records);
    free(item->metadata);
    kafka_assignment_unref(item->assignment);
    free(item);
}
