/*
 * What came of a run over an environment's roles, for events and journal: bounded, and without any
 * password.
 */
#ifndef ROLES_REPORT_H
#define ROLES_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "roles/plan.h"

enum {
    ROLES_CHANGES_MAX = 1000,
    ROLES_CHANGE_BYTES_MAX = 400, // of a statement or reason; longer ones are cut, and end in "…"
};

typedef struct RolesChange {
    char *database; // "": of the whole cluster
    char *object;
    char *change; // the statement, without any password; "" where there is none
    char *reason;
    bool blocked; // it could not be done, or is left as it is
} RolesChange;

typedef struct RolesReport {
    RolesChange *changes;
    size_t count;
    size_t omitted;         // those above ROLES_CHANGES_MAX
    bool remains;           // something wanted isn't so: planned only, failed, or out of reach
    json_t *passwords_set;  // names of the roles whose password is known to be the wanted one: it
                            // was set, or was so already; NULL: none
    json_t *managed_logins; // names of our roles that can log in, wanted or not; NULL: not asked
    json_t *owners; // [{"database", "owner"}]: what is there, only they can hand over; NULL: none
    json_t *extensions; // names, once for each database that has it; NULL: not asked
    int64_t fence_seen; // with ROLES_FENCED: the number that was found
} RolesReport;

#define ROLES_REPORT_INIT ((RolesReport){.changes = NULL})

void roles_report_clear(RolesReport *report);

// A step that was planned, or that was executed. Frames and temporary steps are left out; findings
// and what is blocked stand in the report as such.
void roles_report_add_planned(RolesReport *report, const char *database, const RolesStep *step);
void roles_report_add_executed(RolesReport *report, const char *database, const RolesStep *step);
// A step that could not be executed; `why`: the server's message.
void roles_report_add_failed(RolesReport *report, const char *database, const RolesStep *step,
                             const char *why);
// Moves everything of `from` to the end of `report`; `from` is empty then.
void roles_report_merge(RolesReport *report, RolesReport *from);
void roles_report_add_login(RolesReport *report, const char *role);
void roles_report_add_extension(RolesReport *report, const char *name);

#endif
