/*
 * The worker's conversations (roles/talks.h) over plain libpq, without a loop: connections in
 * non-blocking pipeline mode and poll(2). It returns when the run is over.
 */
#ifndef ROLES_TEST_DRIVER_H
#define ROLES_TEST_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "roles/talks.h"

// Waits for the other side, one after another: connecting (TCP, TLS, login) and batches. A wait is
// counted whenever everything was written and nothing there to read.
typedef struct RolesDriverFigures {
    uint32_t critical; // round trips on the longest chain of what had to follow one another
    uint32_t all;
    uint32_t sessions;
    double seconds;
} RolesDriverFigures;

typedef struct RolesDriverTarget {
    const char *host;
    const char *port;
    const char *user;
    const char *password;
    const char *fallback;        // database for branches without `postgres`; NULL: neondb
    const char *sslmode;         // NULL: libpq's default
    const char *ca_file;         // with verify-full
    RolesDriverFigures *figures; // may be NULL
} RolesDriverTarget;

// False: `err` says why; the report says how far it came. `ret_report`: initialised.
bool roles_driver_run(const RolesDriverTarget *target, const RolesTask *task,
                      RolesReport *ret_report, Error *err);

#endif
