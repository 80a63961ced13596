/*
 * Sends SweepAccount for any number of accounts, as any sender of commands would: records of the
 * command topic, keyed by the application. Blocks.
 */
#ifndef RUN_SWEEP_SEND_H
#define RUN_SWEEP_SEND_H

#include <stddef.h>

#include "base/error.h"
#include "base/name.h"
#include "base/settings.h"
#include "base/uuid.h"

typedef struct SweepTarget {
    char application_id[NAME_APPLICATION_BYTES];
    char account[NAME_ACCOUNT_BYTES];
    char command_id[UUID_TEXT_BYTES]; // of the command that sweeps it, once sent
} SweepTarget;

typedef struct SweepTargets {
    SweepTarget *list;
    size_t count;
} SweepTargets;

// Names are those of the ledger.
void sweep_targets_add(SweepTargets *targets, const char *application_id, const char *account);
void sweep_targets_clear_at(SweepTargets *targets); // for CLEANUP

// Gives each target its command, and returns when Kafka has all of them. `deletes`: they also send
// away what they find. Codes: KAFKA_SETUP, and KAFKA_ and librdkafka's name of the error; some may
// have been sent nevertheless.
bool sweep_send(const Settings *settings, SweepTargets *targets, bool deletes, Error *err);

#endif
