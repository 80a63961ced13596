#include "saga/wanted.h"

#include <string.h>

#include "base/unconst.h"
#include "roles/names.h"
#include "roles/spec.h"
#include "saga/branching.h"
#include "saga/facts.h"
#include "saga/names.h"
#include "saga/record.h"
#include "saga/sql.h"

typedef Provisioning__V1__Service Service;

const json_t *wanted_spec(const Saga *saga)
{
    return saga->rules->check_login ? journal_value(&saga->journal, FACT_ROLES_SPEC) : NULL;
}

const json_t *wanted_of_row(const LedgerEnvironment *row)
{
    Error err = ERROR_INIT;
    const json_t *spec = json_object_get(row->details, FACT_ROLES_SPEC);
    return spec != NULL && roles_spec_check(spec, &err) ? spec : NULL;
}

static RolesLevel level_of(Provisioning__V1__Access access)
{
    switch ((int)access) {
    case PROVISIONING__V1__ACCESS__ACCESS_READ:
        return ROLES_READER;
    case PROVISIONING__V1__ACCESS__ACCESS_ADMIN:
        return ROLES_ADMIN;
    default:
        return ROLES_WRITER;
    }
}

static void add_services(json_t *spec, Service *const *services, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        roles_spec_add_service(spec, services[i]->name);
        for (size_t d = 0; d < services[i]->n_databases; d++) {
            const Provisioning__V1__DatabaseAccess *access = services[i]->databases[d];
            roles_spec_add_access(spec, access->database, level_of(access->access));
        }
    }
}

static void add_databases(json_t *spec, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        roles_spec_add_database(spec, names[i]);
    }
}

// Those that a list of the journal or of a row names.
static void add_listed(json_t *spec, const json_t *names)
{
    size_t i;
    json_t *name;
    json_array_foreach(unconst(names), i, name)
    {
        roles_spec_add_database(spec, json_string_value(name));
    }
}

// Takes over `spec`. `action`: of the command, as fields begin with it.
static bool set_spec(Saga *saga, json_t *spec, const char *action, Error *err)
{
    if (roles_spec_check(spec, err)) {
        journal_set_value(&saga->journal, FACT_ROLES_SPEC, spec);
        return true;
    }
    json_decref(spec);
    CLEANUP(text_clear) Text field = TEXT_INIT(sizeof err->field - 1);
    text_printf(&field, "%s.%s", action, err->field);
    (void)!text_copy(err->field, sizeof err->field, text_get(&field));
    return false;
}

bool wanted_set_for_create(Saga *saga, Error *err)
{
    const Provisioning__V1__CreateEnvironment *create = saga->command->message->create_environment;
    if (!saga->rules->check_login) {
        return (create->n_databases <= 1 && create->n_services == 0) ||
               sql_check_login(saga, "create_environment.services", err);
    }
    if (wanted_spec(saga) != NULL) {
        return true;
    }
    json_t *spec = roles_spec_new(saga->rules->roles_prefix, ROLES_AUTHORITATIVE, true);
    if (create->n_databases == 0) {
        roles_spec_add_database(spec, names_database(saga));
    }
    add_databases(spec, create->databases, create->n_databases);
    add_services(spec, create->services, create->n_services);
    return set_spec(saga, spec, "create_environment", err);
}

bool wanted_set_for_branch(Saga *saga, Error *err)
{
    const Branching branch = branching_of(saga);
    const json_t *source = wanted_of_row(branch.roles_of);
    if (!saga->rules->check_login) {
        CLEANUP(text_clear) Text field = TEXT_INIT(sizeof err->field - 1);
        text_printf(&field, "%s.services", branch.action);
        return branch.service_count == 0 || sql_check_login(saga, text_get(&field), err);
    }
    if (source == NULL && branch.service_count == 0) {
        return true;
    }
    // what the source was told to leave alone is ours on its branch
    json_t *spec = roles_spec_new(saga->rules->roles_prefix, ROLES_AUTHORITATIVE, true);
    add_listed(spec, source != NULL ? json_object_get(source, "databases")
                                    : journal_value(&saga->journal, FACT_DATABASES));
    if (branch.service_count > 0) {
        add_services(spec, branch.services, branch.service_count);
    } else {
        json_object_set(spec, "services", json_object_get(source, "services"));
    }
    return set_spec(saga, spec, branch.action, err);
}

static RolesPolicy policy_for_setup(const Saga *saga)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    const json_t *before = wanted_of_row(row);
    switch ((int)saga->command->message->setup_roles->policy) {
    case PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_AUTHORITATIVE:
        return ROLES_AUTHORITATIVE;
    case PROVISIONING__V1__ROLES_POLICY__ROLES_POLICY_ADDITIVE:
        return ROLES_ADDITIVE;
    default:
        break;
    }
    if (before != NULL) {
        return roles_spec_policy(before);
    }
    return strcmp(row->origin, "imported") == 0 ? ROLES_ADDITIVE : ROLES_AUTHORITATIVE;
}

static bool names(const json_t *list, const char *wanted)
{
    size_t i;
    json_t *name;
    json_array_foreach(unconst(list), i, name)
    {
        if (strcmp(json_string_value(name), wanted) == 0) {
            return true;
        }
    }
    return false;
}

// Those that Neon lists and those that were wanted before: one that somebody dropped is missing.
static void add_known(const Saga *saga, json_t *spec)
{
    const json_t *before = wanted_of_row(&saga->ledger->environment);
    const json_t *wanted = json_object_get(before, "databases");
    add_listed(spec, wanted);
    size_t i;
    json_t *name;
    json_array_foreach(unconst(journal_value(&saga->journal, FACT_DATABASES)), i, name)
    {
        if (!names(wanted, json_string_value(name))) {
            roles_spec_add_database(spec, json_string_value(name));
        }
    }
}

bool wanted_set_for_setup(Saga *saga, Error *err)
{
    const Provisioning__V1__SetupRoles *setup = saga->command->message->setup_roles;
    bool is_ours = strcmp(saga->ledger->environment.origin, "imported") != 0;
    json_t *spec =
        roles_spec_new(saga->rules->roles_prefix, policy_for_setup(saga), is_ours || setup->adopt);
    if (setup->n_databases == 0) {
        add_known(saga, spec);
    }
    add_databases(spec, setup->databases, setup->n_databases);
    add_services(spec, setup->services, setup->n_services);
    return set_spec(saga, spec, "setup_roles", err);
}

const char *wanted_bootstrap(const Saga *saga, const json_t *listed, const char *known)
{
    const char *owner = journal_text(&saga->journal, FACT_ROLE);
    const char *const likely[] = {known, "neondb_owner", owner};
    for (size_t i = 0; i < sizeof likely / sizeof likely[0]; i++) {
        if (likely[i][0] != '\0' && record_has_text(listed, likely[i]) &&
            !roles_is_reserved(saga->rules->roles_prefix, likely[i])) {
            return likely[i];
        }
    }
    size_t i;
    json_t *name;
    json_array_foreach(unconst(listed), i, name)
    {
        if (!roles_is_reserved(saga->rules->roles_prefix, json_string_value(name))) {
            return json_string_value(name);
        }
    }
    return NULL;
}
