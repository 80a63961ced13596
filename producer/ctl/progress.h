/*
 * One line on a terminal's standard error that is written over itself while much is sent. Nothing
 * where standard error is no terminal.
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provision/provision.h"

typedef struct Progress {
    bool is_shown; // standard error is a terminal
    bool has_outcomes;
    int64_t started_ms;
    int64_t written_ms; // 0: the line is not there
    size_t sent;
    size_t ended[PROVISION_OUTCOME_SUPERSEDED + 1]; // by ProvisionOutcome
} Progress;

void progress_begin(Progress *progress, bool has_outcomes);
// At most ten times a second, unless `now`.
void progress_show(Progress *progress, bool now);
// Before anything else is written to the terminal.
void progress_wipe(Progress *progress);
void progress_end(Progress *progress);

#endif
