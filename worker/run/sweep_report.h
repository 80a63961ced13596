/*
 * What a sweep has found, for people (a table an account, then what each verdict means) or for
 * programs (each event as a line of JSON), and what became of the commands that it sent.
 */
#ifndef RUN_SWEEP_REPORT_H
#define RUN_SWEEP_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "contract/outcome.h"

enum { SWEEP_VERDICTS = PROVISIONING__V1__SWEEP_VERDICT__SWEEP_VERDICT_DOUBTFUL + 1 };

typedef struct SweepReport {
    FILE *out;
    bool json;
    size_t accounts; // that were swept
    size_t doubtful; // of them, those whose listing was not whole
    size_t found[SWEEP_VERDICTS];
    size_t omitted; // findings that an event had no room for
    size_t sent;    // commands, to delete something
    size_t removed; // by them
    size_t gone;    // of those, what was gone before
    size_t refused; // of them
} SweepReport;

// The event that tells how a command ended, freed by the caller; NULL: there is none that can be
// read.
Provisioning__V1__Event *sweep_report_event(const OutcomeMessage *outcome);

// Of a SweepAccount: AccountSwept.
void sweep_report_swept(SweepReport *report, const Provisioning__V1__Event *event);
// Of a command that a sweep sent.
void sweep_report_removal(SweepReport *report, const Provisioning__V1__Event *event);
// The last lines; nothing with `json`.
void sweep_report_totals(const SweepReport *report, bool deletes);
// Nothing was found that is still there, and there was no doubt. What is still being made doesn't
// count.
bool sweep_report_is_clean(const SweepReport *report);

const char *sweep_report_verdict(Provisioning__V1__SweepVerdict verdict);

#endif
