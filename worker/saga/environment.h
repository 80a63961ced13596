/*
 * An environment as the ledger's row keeps it (ids in columns, the rest as `details` under the
 * journal's keys) and as the state topic shows it.
 */
#ifndef SAGA_ENVIRONMENT_H
#define SAGA_ENVIRONMENT_H

#include "provisioning/v1/state.pb-c.h"
#include "saga/saga.h"

// Keys of the details that are no facts of a journal.
#define DETAIL_SOURCE_ENVIRONMENT "source_environment"
#define DETAIL_SOURCE_BRANCH "source_branch_id"
#define DETAIL_ROLES "roles"

// Points into what it was made from.
typedef struct EnvironmentView {
    const char *environment;
    const char *origin; // created, branched, imported
    bool failed;
    const char *account, *project_id, *branch_id, *endpoint_id;
    const json_t *details;
} EnvironmentView;

// The details of what this command made, from its journal; a new object.
json_t *environment_details(const Saga *saga);
// Sets the expiry of a branch that was read; it stays where there is none (any more).
void environment_learn_expiry(const Saga *saga, json_t *details);
// What is left at Neon after a command that failed, as ids for whoever comes next: a new array of
// {project_id, branch_id?}. A row whose details have it under FACT_LEFT, even empty, is one that
// failed.
json_t *environment_left(const Saga *saga);

// No more are shown: Neon allows 500 databases and 500 roles on a branch.
enum { ENVIRONMENT_NAMES_MAX = 512 };

// Storage behind a state message.
typedef struct EnvironmentMessage {
    Provisioning__V1__EnvironmentState state;
    Provisioning__V1__EndpointSettings endpoint;
    Google__Protobuf__DoubleValue min_cu, max_cu;
    Google__Protobuf__Int64Value suspend;
    Google__Protobuf__Timestamp expires_at;
    char *databases[ENVIRONMENT_NAMES_MAX];
    char *roles[ENVIRONMENT_NAMES_MAX];
} EnvironmentMessage;

// Cleared with environment_message_clear.
void environment_message(const EnvironmentView *view, EnvironmentMessage *ret_message);
void environment_message_clear(EnvironmentMessage *message);
// Names of an environment's roles as its row keeps them: those that were there and don't belong to
// `spec`, then its logins. A new array; `spec` may be NULL.
json_t *environment_roles(const Saga *saga, const json_t *before, const json_t *spec);
// Adds the databases of a spec (NULL: none) to those of the details.
void environment_add_databases(json_t *details, const json_t *spec);
Provisioning__V1__Origin environment_origin(const char *origin);

#endif
