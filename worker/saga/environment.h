/*
 * An environment as the ledger's row keeps it (ids in columns, the rest as `details` under the
 * journal's keys) and as the state topic shows it.
 */
#ifndef SAGA_ENVIRONMENT_H
#define SAGA_ENVIRONMENT_H

#include "provisioning/v1/state.pb-c.h"
#include "saga/saga.h"

// Points into what it was made from.
typedef struct EnvironmentView {
    const char *environment;
    const char *origin; // created, branched, imported
    bool failed;
    const char *account, *project_id, *branch_id, *endpoint_id;
    const json_t *details;
} EnvironmentView;

// The details of what this command made, from its journal; a new object. `left`: ids that could not
// be removed.
json_t *environment_details(const Saga *saga, bool with_left);

// Storage behind a state message.
typedef struct EnvironmentMessage {
    Provisioning__V1__EnvironmentState state;
    Provisioning__V1__EndpointSettings endpoint;
    Google__Protobuf__DoubleValue min_cu, max_cu;
    Google__Protobuf__Int64Value suspend;
    char *databases[16];
    char *roles[64];
} EnvironmentMessage;

void environment_message(const EnvironmentView *view, EnvironmentMessage *ret_message);
Provisioning__V1__Origin environment_origin(const char *origin);

#endif
