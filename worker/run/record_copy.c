#include "run/record_copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"

void record_copy_set(RecordCopy *copy, const Record *record)
{
    *copy = (RecordCopy){.record = *record, .header_count = record->header_count};
    buffer_set(&copy->key, record->key);
    buffer_set(&copy->value, record->value);
    copy->headers = alloc_zeroed(record->header_count + 1, sizeof(*copy->headers));
    for (size_t i = 0; i < record->header_count; i++) {
        Buffer value = {.data = NULL};
        buffer_set(&value, record->headers[i].value);
        copy->headers[i] = (RecordHeader){alloc_text(record->headers[i].name), buffer_view(&value)};
    }
    copy->record.key = buffer_view(&copy->key);
    copy->record.value = buffer_view(&copy->value);
    copy->record.headers = copy->headers;
}

void record_copy_clear(RecordCopy *copy)
{
    for (size_t i = 0; i < copy->header_count; i++) {
        free(unconst(copy->headers[i].name));
        free(unconst(copy->headers[i].value.data));
    }
    free(copy->headers);
    if (copy->value.data != NULL) {
        secret_zero(copy->value.data, copy->value.size); // it may hold an API key
    }
    buffer_clear(&copy->key);
    buffer_clear(&copy->value);
    *copy = (RecordCopy){.header_count = 0};
}
