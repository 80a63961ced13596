/*
 * `provision-worker skip`: dead-letters one record that kills the workers that decode it. Reads it
 * raw, as the only member of the fleet's group, and publishes its dead letter (reason SKIPPED,
 * without the value, which nobody has looked into), a CommandRejected event where its key is an
 * application's id, and the partition's offset and completion map with the record finished, all in
 * one Kafka transaction. Workers that start afterwards never see it. Blocks.
 */
#ifndef RUN_SKIP_H
#define RUN_SKIP_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/settings.h"

// "PARTITION:OFFSET". Code: INVALID_COORDINATES.
bool skip_parse(const char *text, int32_t *ret_partition, int64_t *ret_offset, Error *err);

// `reason` says why, for the dead letter; NULL: nobody said. `installation`: of the ledger. Codes:
// those of drive/kafka_solo.h, LEDGER_UNAVAILABLE, OFFSET_UNKNOWN (no record there),
// ALREADY_FINISHED, ALREADY_CLAIMED (it isn't the decoder that it kills: it ends by
// commands.crash_limit), TOO_MANY_UNFINISHED (before it: a map can't name them all).
bool skip_record(const Settings *settings, const char *installation, int32_t partition,
                 int64_t offset, const char *reason, FILE *out, Error *err);

#endif
