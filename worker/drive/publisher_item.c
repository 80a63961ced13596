#include "drive/publisher_item.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "sys/clock.h"

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
