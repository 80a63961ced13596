/*
 * Records in: the assignment's completion map says whether one is finished; what can't be decoded
 * ends here; the rest becomes a flight, or goes back to the one that is parked for it.
 */
#ifndef RUN_INTAKE_H
#define RUN_INTAKE_H

#include "run/worker.h"

// Points into the message and to *ret_headers, all that the record has: intake_free_headers.
Record intake_read_record(const rd_kafka_message_t *message, RecordHeader **ret_headers);
void intake_free_headers(RecordHeader **headers);
void intake_record(Worker *worker, KafkaAssignment *assignment, const rd_kafka_message_t *message);
void intake_assigned(Worker *worker, KafkaAssignment *const *assignments, size_t count);
// `lost`: they may have had another owner for a while, or have none.
void intake_revoked(Worker *worker, KafkaAssignment *const *assignments, size_t count, bool lost);
// At the end of the process.
void intake_clear(Worker *worker);

#endif
