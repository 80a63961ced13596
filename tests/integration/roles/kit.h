/*
 * One branch under test: its cluster, the wanted roles, their passwords, and runs of the
 * conversation over it.
 */
#ifndef ROLES_TEST_KIT_H
#define ROLES_TEST_KIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cluster.h"
#include "roles/mode.h"
#include "roles/report.h"
#include "roles/spec.h"

enum { KIT_PASSWORD_BYTES = 64 };

typedef struct Kit {
    Cluster cluster;
    json_t *spec;
    int generation;             // of all passwords
    const char *password_begin; // NULL: "Pw"
    bool renew;                 // set every password whatever the verifier says
    const json_t *more_logins;  // roles whose passwords are given beside those of the spec
    RolesFence fence;
} Kit;

typedef struct KitRun {
    bool done;
    Error err;
    RolesReport report;
} KitRun;

#define KIT_RUN_INIT ((KitRun){.done = false})

void kit_start(Kit *kit, const char *spec_json);
void kit_wish(Kit *kit, const char *spec_json);
void kit_stop(Kit *kit); // for CLEANUP

void kit_password(const Kit *kit, const char *role, char ret_password[KIT_PASSWORD_BYTES]);
// NULL when refused.
PGconn *kit_try_login(const Kit *kit, const char *database, const char *role);
PGconn *kit_login(const Kit *kit, const char *database, const char *role); // must succeed

// As neondb_owner, or as `user` with the given password.
void kit_run(const Kit *kit, RolesMode mode, KitRun *ret_run);
void kit_run_as(const Kit *kit, RolesMode mode, const char *user, const char *password,
                KitRun *ret_run);
void kit_run_clear(KitRun *run); // for CLEANUP

// APPLY, then a hand-over by every owner that it names, then APPLY: nothing may be left.
void kit_converge(const Kit *kit);
// PLAN: the number of changes, findings left out; prints them when they are not `expected`.
void kit_assert_converged(const Kit *kit);
// Changes that are statements.
size_t kit_count_changes(const RolesReport *report);
void kit_print(const char *title, const KitRun *run);

#endif
