/*
 * A list of checks: a line each with what was found and the remedy, for people or, with --json, one
 * object a line.
 */
#ifndef CTL_CHECKLIST_H
#define CTL_CHECKLIST_H

#include "base/attr.h"
#include "ctl/screen.h"
#include "provision/provision.h"

typedef enum CheckVerdict {
    CHECK_OK,
    CHECK_SKIPPED, // it can't be told, or nothing to check with was given
    CHECK_WARNING,
    CHECK_FAILED,
} CheckVerdict;

typedef struct Checklist {
    Screen screen;
    bool json;
    int failed;
    int warnings;
} Checklist;

// `name` is stable: "kafka", "topic provisioning.state", "clock of the ledger".
void checklist_add(Checklist *list, CheckVerdict verdict, const char *name, const char *format, ...)
    PRINTF_LIKE(4, 5);
// Failed, with the error's sentence and code.
void checklist_fail(Checklist *list, const char *name, const ProvisionError *error);
// A last line for people. Returns the exit code.
int checklist_conclude(const Checklist *list);

// A clock that is `skew_ms` ahead of ours (below zero: behind), measured to within
// `uncertainty_ms`.
void checklist_add_clock(Checklist *list, const char *name, int64_t skew_ms,
                         int64_t uncertainty_ms);

#endif
