/*
 * What outcomes of every kind share, and the end of records that never become a command.
 */
#ifndef RUN_ENDING_H
#define RUN_ENDING_H

#include "contract/outcome.h"
#include "run/worker.h"

OutcomeContext ending_context(const Worker *worker, const char *application_id,
                              const char *command_id, const char *traceparent, int32_t attempts);
// A CommandRejected event (where an application could be read) and a dead letter; no row.
void ending_reject(Worker *worker, Partition *partition, const Record *record,
                   const Rejection *rejection);

#endif
