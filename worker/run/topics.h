/*
 * The four topics: makes those that are missing, and says of each whether the fleet's guarantees
 * hold on it. Findings and notes go to `out`, a line each, with the remedy; a finding makes the
 * result false. `out` NULL: they go to the log, and what is fine isn't told. Blocks: before the
 * loop, and for `provision-worker topics create|check`.
 *
 * Errors: KAFKA_SETUP, KAFKA_UNAVAILABLE, TOPICS_UNFIT (what was found stands in `out`).
 */
#ifndef RUN_TOPICS_H
#define RUN_TOPICS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/settings.h"

// Topics that are there already are left as they are; then checks all of them. Where the broker has
// no way to be asked (librdkafka's embedded one), they are made as it makes topics by itself.
bool topics_create(const Settings *settings, FILE *out, Error *err);

// Changes nothing. What a broker does not tell is noted as not checked, and is no finding.
bool topics_check(const Settings *settings, FILE *out, Error *err);

#endif
