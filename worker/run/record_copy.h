/*
 * A Kafka record that outlives its message: for the dead letter of a command that is given up.
 */
#ifndef RUN_RECORD_COPY_H
#define RUN_RECORD_COPY_H

#include "contract/command.h"

typedef struct RecordCopy {
    Record record; // points into the rest
    Buffer key;
    Buffer value;
    RecordHeader *headers;
    size_t header_count;
} RecordCopy;

void record_copy_set(RecordCopy *copy, const Record *record); // `topic` is not copied
void record_copy_clear(RecordCopy *copy);

#endif
