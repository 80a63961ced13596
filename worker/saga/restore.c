#include "saga/restore.h"

#include <string.h>

#include "roles/names.h"
#include "roles/spec.h"
#include "saga/environment.h"
#include "saga/facts.h"

enum { MS_PER_S = 1000 };

static void set_text(json_t *details, const char *key, const char *text)
{
    if (text[0] != '\0') {
        json_object_set_new(details, key, json_string(text));
    }
}

static void set_number(json_t *details, const char *key, int64_t number)
{
    if (number != 0) {
        json_object_set_new(details, key, json_integer(number));
    }
}

static json_t *list_of(char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, json_string(texts[i]));
    }
    return list;
}

static void set_endpoint(json_t *details, const Provisioning__V1__EndpointSettings *endpoint)
{
    if (endpoint == NULL || endpoint->autoscaling_limit_min_cu == NULL ||
        endpoint->autoscaling_limit_max_cu == NULL || endpoint->suspend_timeout_seconds == NULL) {
        return;
    }
    json_object_set_new(details, FACT_MIN_CU, json_real(endpoint->autoscaling_limit_min_cu->value));
    json_object_set_new(details, FACT_MAX_CU, json_real(endpoint->autoscaling_limit_max_cu->value));
    json_object_set_new(details, FACT_SUSPEND,
                        json_integer(endpoint->suspend_timeout_seconds->value));
}

static RolesLevel level_of(Provisioning__V1__Access access)
{
    if (access == PROVISIONING__V1__ACCESS__ACCESS_READ) {
        return ROLES_READER;
    }
    return access == PROVISIONING__V1__ACCESS__ACCESS_ADMIN ? ROLES_ADMIN : ROLES_WRITER;
}

static bool holds(const json_t *list, const char *wanted)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item)
    {
        if (strcmp(json_string_value(item), wanted) == 0) {
            return true;
        }
    }
    return false;
}

static void add_service(json_t *spec, const Provisioning__V1__Service *service)
{
    roles_spec_add_service(spec, service->name);
    for (size_t i = 0; i < service->n_databases; i++) {
        const Provisioning__V1__DatabaseAccess *one = service->databases[i];
        if (!holds(json_object_get(spec, "databases"), one->database)) {
            roles_spec_add_database(spec, one->database);
        }
        roles_spec_add_access(spec, one->database, level_of(one->access));
    }
}

// What the roles are to be. On a branch that is somebody's, nothing beyond what the services use.
static json_t *new_spec(const Provisioning__V1__EnvironmentState *state, const char *roles_prefix)
{
    bool is_ours = state->origin != PROVISIONING__V1__ORIGIN__ORIGIN_IMPORTED;
    bool is_additive = state->roles_policy == PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_ADDITIVE;
    if (state->roles_policy == PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_UNSPECIFIED) {
        return NULL;
    }
    json_t *spec =
        roles_spec_new(roles_prefix, is_additive ? ROLES_ADDITIVE : ROLES_AUTHORITATIVE, is_ours);
    for (size_t i = 0; i < state->n_databases && is_ours; i++) {
        roles_spec_add_database(spec, state->databases[i]);
    }
    for (size_t i = 0; i < state->n_services; i++) {
        add_service(spec, state->services[i]);
    }
    return spec;
}

// Who SQL is run as: Neon's own roles stand before those that SQL has made.
static void set_role(json_t *details, const Provisioning__V1__EnvironmentState *state,
                     const char *roles_prefix)
{
    if (state->n_roles > 0 && !roles_is_reserved(roles_prefix, state->roles[0])) {
        set_text(details, FACT_ROLE, state->roles[0]);
    }
}

json_t *restore_details(const Provisioning__V1__EnvironmentState *state, const char *roles_prefix)
{
    json_t *details = json_object();
    set_text(details, FACT_PROJECT_NAME, state->project_name);
    set_text(details, FACT_REGION_ID, state->region_id);
    set_text(details, FACT_BRANCH_NAME, state->branch_name);
    set_text(details, FACT_HOST, state->host);
    set_text(details, FACT_POOLED_HOST, state->pooled_host);
    set_text(details, DETAIL_SOURCE_ENVIRONMENT, state->source_environment);
    set_text(details, DETAIL_SOURCE_BRANCH, state->source_branch_id);
    set_number(details, FACT_PORT, state->port);
    set_number(details, FACT_PG_VERSION, state->pg_version);
    set_number(details, FACT_RETENTION, state->history_retention_seconds);
    set_endpoint(details, state->endpoint);
    if (state->expires_at != NULL) {
        set_number(details, FACT_EXPIRES_AT, state->expires_at->seconds * MS_PER_S);
    }
    json_object_set_new(details, FACT_DATABASES, list_of(state->databases, state->n_databases));
    json_object_set_new(details, DETAIL_ROLES, list_of(state->roles, state->n_roles));
    set_role(details, state, roles_prefix);
    json_t *spec = new_spec(state, roles_prefix);
    if (spec != NULL) {
        json_object_set_new(details, FACT_ROLES_SPEC, spec);
    }
    if (state->status == PROVISIONING__V1__ENVIRONMENT_STATUS__ENVIRONMENT_STATUS_FAILED) {
        json_object_set_new(details, FACT_LEFT, json_array());
    }
    return details;
}

const char *restore_origin(Provisioning__V1__Origin origin)
{
    static const char *const ORIGINS[] = {"created", "branched", "imported"};
    for (size_t i = 0; i < sizeof ORIGINS / sizeof ORIGINS[0]; i++) {
        if (environment_origin(ORIGINS[i]) == origin) {
            return ORIGINS[i];
        }
    }
    return NULL;
}
