/*
 * The environments whose roles are planned or set up, with what the state topic knows of them.
 */
#ifndef CTL_ROLES_TARGETS_H
#define CTL_ROLES_TARGETS_H

#include "ctl/wanted.h"

typedef struct RolesTarget {
    char *environment;
    bool imported;
    Wanted wanted; // its services as they are known; no databases: the worker knows them
} RolesTarget;

typedef struct RolesTargets {
    RolesTarget *list;
    size_t count;
    char **unready; // names of those that aren't ready
    size_t unready_count;
} RolesTargets;

void roles_targets_clear(RolesTargets *targets);
// The environment alone, with nothing known of it.
void roles_targets_add(RolesTargets *targets, const char *environment);
// Those of the application that are ready; `environment` NULL: all. Errors: those of
// provision_client_read_states.
bool roles_targets_read(RolesTargets *targets, ProvisionClient *client, const char *application_id,
                        const char *environment, ProvisionError *err);

#endif
