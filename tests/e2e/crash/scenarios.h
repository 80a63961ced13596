/*
 * The stories in which workers are stopped. Together they pass every crash point; each ends in the
 * same state however often it is told.
 */
#ifndef E2E_CRASH_SCENARIOS_H
#define E2E_CRASH_SCENARIOS_H

#include <stddef.h>

#include "support/world.h"

// The public key of the private key 00 01 02 … 1f: workers have to list it for the applications.
#define SCENARIOS_RECIPIENT_HEX "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"
#define SCENARIOS_RECIPIENT_BASE64 "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8="

enum { SCENARIO_FAULTS = 2 };

typedef struct Scenario {
    const char *name;
    // What is there before; an undisturbed worker does it. May be NULL.
    void (*prepare)(World *world, const char *application);
    // Faults of the sandbox from then on, until the command has ended.
    const char *faults[SCENARIO_FAULTS];
    // Sends the command whose worker is stopped; returns its id.
    const char *(*send)(World *world, const char *application);
    int follow_ups; // commands of the same application that it sends itself
} Scenario;

const Scenario *scenarios_table(size_t *ret_count);
// Whether it ends in the same way when its command begins some seconds later.
bool scenario_can_wait(const Scenario *scenario);
// Whether it asks Neon for next to nothing, so that it may have ended before its partition is taken
// away.
bool scenario_is_short(const Scenario *scenario);

#endif
