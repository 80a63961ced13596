#include "saga/environment.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "roles/names.h"
#include "roles/spec.h"
#include "saga/branching.h"
#include "saga/facts.h"
#include "saga/guard.h"
#include "saga/leftover.h"
#include "saga/names.h"
#include "saga/record.h"

enum { SERVICES_BYTES_MAX = 256 * 1024 };

// Facts that stay with the environment.
static const char *const KEPT[] = {
    FACT_PROJECT_NAME, FACT_REGION_ID,  FACT_PG_VERSION,  FACT_RETENTION,
    FACT_BRANCH_NAME,  FACT_MIN_CU,     FACT_MAX_CU,      FACT_SUSPEND,
    FACT_DATABASES,    FACT_HOST,       FACT_POOLED_HOST, FACT_PORT,
    FACT_ROLE,         FACT_ROLES_SPEC, FACT_EXPIRES_AT,  FACT_REPOSITORY,
};

// protobuf-c's structs want non-const texts; packing doesn't change them.
static char *text_of(const json_t *details, const char *key)
{
    const char *text = json_string_value(json_object_get(details, key));
    return unconst((text != NULL ? text : ""));
}

static void set_default(json_t *details, const char *key, const char *value)
{
    if (value[0] != '\0' && json_object_get(details, key) == NULL) {
        json_object_set_new(details, key, json_string(value));
    }
}

static bool is_same_thing(const json_t *left, const json_t *other)
{
    return strcmp(text_of(left, FACT_PROJECT_ID), text_of(other, FACT_PROJECT_ID)) == 0 &&
           strcmp(text_of(left, FACT_BRANCH_ID), text_of(other, FACT_BRANCH_ID)) == 0;
}

// A thing once; `maker`: whose key sees it.
static void add_left(json_t *left, const char *project_id, const char *branch_id,
                     const Reach *maker)
{
    json_t *one = json_pack("{s:s}", FACT_PROJECT_ID, project_id);
    if (branch_id[0] != '\0') {
        json_object_set_new(one, FACT_BRANCH_ID, json_string(branch_id));
    }
    reach_tell(maker, one);
    size_t i;
    json_t *other;
    bool is_known = false;
    json_array_foreach(left, i, other)
    {
        is_known = is_known || is_same_thing(other, one);
    }
    if (!is_known) {
        json_array_append(left, one);
    }
    json_decref(one);
}

// What a Delete did not get rid of.
static void add_undeleted(const Saga *saga, json_t *left)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    bool is_branch = strcmp(row->origin, "branched") == 0;
    const char *project_id = guard_own_project(saga);
    Reach maker = reach_of_details(row->details);
    bool is_whole = project_id[0] != '\0' && (!is_branch || row->branch_id[0] != '\0');
    if (is_whole && !journal_has(&saga->journal, FACT_GONE)) {
        if (maker.neon_account_id[0] == '\0') {
            maker.neon_account_id = saga->ledger->account.neon_account_id;
        }
        add_left(left, project_id, is_branch ? row->branch_id : "", &maker);
    }
}

static bool is_import(const Saga *saga)
{
    return saga->command->action == PROVISIONING__V1__COMMAND__ACTION_IMPORT_ENVIRONMENT;
}

// Of what the command makes. The organization only where the project is known to be in it: a
// personal key sees those of others, too.
static Reach maker_of(const Saga *saga)
{
    Reach maker = reach_of_account(&saga->ledger->account);
    if (saga->command->action == PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT) {
        return maker;
    }
    bool has_source = branching_is(saga) && branching_of(saga).source[0] != '\0';
    maker.org_id = reach_of_details(has_source ? saga->ledger->source.details : NULL).org_id;
    return maker;
}

static void add_not_undone(const Saga *saga, json_t *left)
{
    const Journal *journal = &saga->journal;
    if (is_import(saga)) {
        return; // project and branch are somebody else's
    }
    bool is_branch = branching_is(saga);
    bool is_deleted =
        journal_has(journal, is_branch ? FACT_BRANCH_DELETED : FACT_PROJECT_DELETED) ||
        journal_has(journal, is_branch ? FACT_BRANCH_UNDONE : FACT_PROJECT_UNDONE);
    const char *branch_id = is_branch ? journal_text(journal, FACT_BRANCH_ID) : "";
    const char *made = is_branch ? branch_id : journal_text(journal, FACT_PROJECT_ID);
    if (made[0] != '\0' && !is_deleted) {
        Reach maker = maker_of(saga);
        add_left(left, journal_text(journal, FACT_PROJECT_ID), branch_id, &maker);
    }
}

json_t *environment_left(const Saga *saga)
{
    json_t *left = leftover_remaining(saga);
    if (guard_is_deletion(saga)) {
        add_undeleted(saga, left);
    } else {
        add_not_undone(saga, left);
    }
    return left;
}

json_t *environment_roles(const Saga *saga, const json_t *before, const json_t *spec)
{
    json_t *roles = spec != NULL ? roles_spec_logins(spec) : json_array();
    json_t *all = json_array();
    size_t i;
    json_t *name;
    json_array_foreach(unconst(before), i, name)
    {
        const char *role = json_string_value(name);
        bool is_old = role == NULL || record_has_text(roles, role) ||
                      (spec != NULL && roles_is_reserved(saga->rules->roles_prefix, role));
        if (!is_old) {
            json_array_append(all, name);
        }
    }
    json_array_extend(all, roles);
    json_decref(roles);
    return all;
}

void environment_add_databases(json_t *details, const json_t *spec)
{
    json_t *all = json_array();
    json_array_extend(all, json_object_get(details, FACT_DATABASES));
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(spec, "databases"), i, name)
    {
        if (!record_has_text(all, json_string_value(name))) {
            json_array_append(all, name);
        }
    }
    json_object_set_new(details, FACT_DATABASES, all);
}

void environment_learn_expiry(const Saga *saga, json_t *details)
{
    json_t *expires = json_object_get(saga->journal.facts, FACT_EXPIRES_AT);
    if (expires != NULL) {
        json_object_set(details, FACT_EXPIRES_AT, expires);
    } else {
        json_object_del(details, FACT_EXPIRES_AT);
    }
}

json_t *environment_details(const Saga *saga)
{
    bool is_there = saga->definition->works_in_place || branching_stands(saga);
    json_t *details = is_there ? json_deep_copy(saga->ledger->environment.details) : json_object();
    for (size_t i = 0; i < sizeof KEPT / sizeof KEPT[0]; i++) {
        json_t *value = json_object_get(saga->journal.facts, KEPT[i]);
        if (value != NULL) {
            json_object_set(details, KEPT[i], value);
        }
    }
    if (is_there && journal_has(&saga->journal, FACT_BRANCH_READY)) {
        environment_learn_expiry(saga, details); // after a reset
    }
    char buffer[NAMES_SUGGESTION_BYTES];
    json_t *before = NULL;
    if (saga->command->action == PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT) {
        set_default(details, FACT_PROJECT_NAME, names_project(saga, buffer));
        const char *role = journal_text(&saga->journal, FACT_ROLE);
        before = role[0] != '\0' ? json_pack("[s]", role) : json_array();
    } else if (is_import(saga)) {
        before = json_incref(json_object_get(saga->journal.facts, FACT_API_ROLES));
        json_object_set_new(details, FACT_LOGIN_WORKS,
                            json_boolean(journal_has(&saga->journal, FACT_LOGIN_WORKS)));
    } else {
        set_default(details, FACT_BRANCH_NAME, names_branch(saga, buffer));
        set_default(details, DETAIL_SOURCE_ENVIRONMENT, branching_of(saga).source);
        set_default(details, DETAIL_SOURCE_BRANCH, journal_text(&saga->journal, FACT_PARENT_ID));
        before = json_incref(json_object_get(saga->journal.facts, FACT_ROTATED));
    }
    const json_t *spec = json_object_get(details, FACT_ROLES_SPEC);
    environment_add_databases(details, spec);
    json_object_set_new(details, DETAIL_ROLES, environment_roles(saga, before, spec));
    json_decref(before);
    Reach maker = maker_of(saga);
    reach_tell(&maker, details);
    return details;
}

Provisioning__V1__Origin environment_origin(const char *origin)
{
    static const struct {
        const char *name;
        Provisioning__V1__Origin origin;
    } ORIGINS[] = {
        {"created", PROVISIONING__V1__ORIGIN__ORIGIN_CREATED},
        {"branched", PROVISIONING__V1__ORIGIN__ORIGIN_BRANCHED},
        {"imported", PROVISIONING__V1__ORIGIN__ORIGIN_IMPORTED},
    };
    for (size_t i = 0; i < sizeof ORIGINS / sizeof ORIGINS[0]; i++) {
        if (strcmp(ORIGINS[i].name, origin) == 0) {
            return ORIGINS[i].origin;
        }
    }
    return PROVISIONING__V1__ORIGIN__ORIGIN_UNSPECIFIED;
}

static size_t fill_texts(const json_t *list, char **texts, size_t max)
{
    size_t count = 0;
    size_t i;
    json_t *item;
    json_array_foreach(unconst(list), i, item)
    {
        if (count < max && json_is_string(item)) {
            texts[count++] = unconst(json_string_value(item));
        }
    }
    return count;
}

static void fill_endpoint(const json_t *details, EnvironmentMessage *message)
{
    const json_t *min = json_object_get(details, FACT_MIN_CU);
    if (min == NULL) {
        return;
    }
    provisioning__v1__endpoint_settings__init(&message->endpoint);
    google__protobuf__double_value__init(&message->min_cu);
    google__protobuf__double_value__init(&message->max_cu);
    google__protobuf__int64_value__init(&message->suspend);
    message->min_cu.value = json_number_value(min);
    message->max_cu.value = json_number_value(json_object_get(details, FACT_MAX_CU));
    message->suspend.value = json_integer_value(json_object_get(details, FACT_SUSPEND));
    message->endpoint.autoscaling_limit_min_cu = &message->min_cu;
    message->endpoint.autoscaling_limit_max_cu = &message->max_cu;
    message->endpoint.suspend_timeout_seconds = &message->suspend;
    message->state.endpoint = &message->endpoint;
}

static Provisioning__V1__Access access_of(const char *access)
{
    if (strcmp(access, "read") == 0) {
        return PROVISIONING__V1__ACCESS__ACCESS_READ;
    }
    return strcmp(access, "admin") == 0 ? PROVISIONING__V1__ACCESS__ACCESS_ADMIN
                                        : PROVISIONING__V1__ACCESS__ACCESS_WRITE;
}

// Names point into `from`.
static Provisioning__V1__Service *new_service(json_t *from)
{
    Provisioning__V1__Service *service = alloc_zeroed(1, sizeof(*service));
    provisioning__v1__service__init(service);
    json_t *access = json_object_get(from, "access");
    service->name = text_of(from, "name");
    service->databases =
        alloc_zeroed(json_object_size(access) + 1, sizeof(Provisioning__V1__DatabaseAccess *));
    const char *database;
    json_t *level;
    json_object_foreach(access, database, level)
    {
        Provisioning__V1__DatabaseAccess *one = alloc_zeroed(1, sizeof(*one));
        provisioning__v1__database_access__init(one);
        one->database = unconst(database);
        one->access = access_of(json_string_value(level));
        service->databases[service->n_databases++] = one;
    }
    return service;
}

static void free_services(Provisioning__V1__EnvironmentState *state)
{
    for (size_t i = 0; i < state->n_services; i++) {
        Provisioning__V1__Service *service = state->services[i];
        for (size_t d = 0; d < service->n_databases; d++) {
            free(service->databases[d]);
        }
        free((void *)service->databases);
        free(service);
    }
    free((void *)state->services);
    state->services = NULL;
    state->n_services = 0;
}

// What the roles were set up for; left out where it would take more room than all else.
static void fill_services(const json_t *spec, Provisioning__V1__EnvironmentState *state)
{
    const char *policy = spec != NULL ? text_of(spec, "policy") : "";
    json_t *services = json_object_get(spec, "services");
    if (policy[0] == '\0') {
        return;
    }
    state->roles_policy = strcmp(policy, "additive") == 0
                              ? PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_ADDITIVE
                              : PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_AUTHORITATIVE;
    state->services =
        alloc_zeroed(json_array_size(services) + 1, sizeof(Provisioning__V1__Service *));
    size_t bytes = 0;
    size_t i;
    json_t *service;
    json_array_foreach(services, i, service)
    {
        Provisioning__V1__Service *one = new_service(service);
        state->services[state->n_services++] = one;
        bytes += provisioning__v1__service__get_packed_size(one);
    }
    if (bytes > SERVICES_BYTES_MAX) {
        free_services(state);
    }
}

static void fill_expiry(const json_t *details, EnvironmentMessage *message)
{
    const json_t *expires = json_object_get(details, FACT_EXPIRES_AT);
    if (expires != NULL) {
        google__protobuf__timestamp__init(&message->expires_at);
        message->expires_at.seconds = json_integer_value(expires) / 1000;
        message->state.expires_at = &message->expires_at;
    }
}

void environment_message(const EnvironmentView *view, EnvironmentMessage *ret_message)
{
    Provisioning__V1__EnvironmentState *state = &ret_message->state;
    const json_t *details = view->details;
    provisioning__v1__environment_state__init(state);
    state->environment = unconst(view->environment);
    state->origin = environment_origin(view->origin);
    state->status = view->failed ? PROVISIONING__V1__ENVIRONMENT_STATUS__ENVIRONMENT_STATUS_FAILED
                                 : PROVISIONING__V1__ENVIRONMENT_STATUS__ENVIRONMENT_STATUS_READY;
    state->account = unconst(view->account);
    state->project_id = unconst(view->project_id);
    state->branch_id = unconst(view->branch_id);
    state->endpoint_id = unconst(view->endpoint_id);
    state->project_name = text_of(details, FACT_PROJECT_NAME);
    state->region_id = text_of(details, FACT_REGION_ID);
    state->branch_name = text_of(details, FACT_BRANCH_NAME);
    state->host = text_of(details, FACT_HOST);
    state->pooled_host = text_of(details, FACT_POOLED_HOST);
    state->port = (int32_t)json_integer_value(json_object_get(details, FACT_PORT));
    state->pg_version = (int32_t)json_integer_value(json_object_get(details, FACT_PG_VERSION));
    state->history_retention_seconds = json_integer_value(json_object_get(details, FACT_RETENTION));
    state->source_environment = text_of(details, DETAIL_SOURCE_ENVIRONMENT);
    state->source_branch_id = text_of(details, DETAIL_SOURCE_BRANCH);
    state->databases = ret_message->databases;
    state->n_databases =
        fill_texts(json_object_get(details, FACT_DATABASES), ret_message->databases,
                   sizeof ret_message->databases / sizeof ret_message->databases[0]);
    state->roles = ret_message->roles;
    state->n_roles = fill_texts(json_object_get(details, DETAIL_ROLES), ret_message->roles,
                                sizeof ret_message->roles / sizeof ret_message->roles[0]);
    fill_endpoint(details, ret_message);
    fill_expiry(details, ret_message);
    fill_services(json_object_get(details, FACT_ROLES_SPEC), state);
}

void environment_message_clear(EnvironmentMessage *message)
{
    free_services(&message->state);
}
