#include "saga/conclude_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "roles/spec.h"
#include "saga/facts.h"
#include "saga/record.h"
#include "saga/wanted.h"

enum { BLOCKED_MAX = 32, BLOCKED_BYTES = 1024 };

static char *member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return conclude_text(text != NULL ? text : "");
}

void conclude_set_details(Ending *ending, json_t *details)
{
    EnvironmentMessage message;
    EnvironmentView view = conclude_view_of_row(&ending->saga->ledger->environment);
    view.details = details;
    environment_message(&view, &message);
    conclude_add_environment_state(ending, &message);
    environment_message_clear(&message);
    conclude_set_row(ending, LEDGER_STATE_READY, &view, details);
}

void conclude_keep_row(Ending *ending)
{
    conclude_set_details(ending, json_deep_copy(ending->saga->ledger->environment.details));
}

// What the row keeps after the roles were set up; the same again where nothing of it is new.
static json_t *new_details(const Saga *saga)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    const json_t *spec = wanted_spec(saga);
    json_t *details = json_deep_copy(row->details);
    json_object_set(details, FACT_ROLE, json_object_get(saga->journal.facts, FACT_ROLE));
    json_object_set(details, FACT_DATABASES, json_object_get(saga->journal.facts, FACT_DATABASES));
    json_object_set(details, FACT_ROLES_SPEC, unconst(spec));
    environment_add_databases(details, spec);
    json_object_set_new(
        details, "roles",
        environment_roles(saga, journal_value(&saga->journal, FACT_API_ROLES), spec));
    return details;
}

ConcludeChanges conclude_changes(const Saga *saga)
{
    const json_t *rows = journal_value(&saga->journal, FACT_CHANGES);
    size_t count = json_array_size(rows);
    ConcludeChanges changes = {.storage = alloc_zeroed(count + 1, sizeof(*changes.storage)),
                               .list =
                                   alloc_zeroed(count + 1, sizeof(Provisioning__V1__RoleChange *)),
                               .count = count};
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        Provisioning__V1__RoleChange *change = &changes.storage[i];
        provisioning__v1__role_change__init(change);
        change->database = member(row, "database");
        change->object = member(row, "object");
        change->change = member(row, "change");
        change->reason = member(row, "reason");
        change->blocked = json_is_true(json_object_get(row, "blocked"));
        changes.list[i] = change;
    }
    return changes;
}

void conclude_changes_clear(ConcludeChanges *changes)
{
    free((void *)changes->list);
    free(changes->storage);
}

static void emit_configured(Ending *ending, bool planned_only)
{
    const Journal *journal = &ending->saga->journal;
    ConcludeChanges changes = conclude_changes(ending->saga);
    Provisioning__V1__RolesConfigured configured;
    provisioning__v1__roles_configured__init(&configured);
    configured.environment = conclude_text(ending->saga->command->writes.name);
    configured.planned_only = planned_only;
    configured.omitted = (int32_t)journal_number(journal, FACT_OMITTED);
    configured.changes = changes.list;
    configured.n_changes = changes.count;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ROLES_CONFIGURED;
    ending->event.roles_configured = &configured;
    conclude_add_event(ending, "RolesConfigured");
    conclude_changes_clear(&changes);
}

void conclude_setup(Ending *ending)
{
    const Saga *saga = ending->saga;
    const Provisioning__V1__SetupRoles *setup = saga->command->message->setup_roles;
    if (setup->mode == PROVISIONING__V1__ROLES_MODE__ROLES_MODE_PLAN) {
        emit_configured(ending, true);
        return;
    }
    ending->sequence = saga->ledger->subject_sequence + 1;
    emit_configured(ending, false);
    conclude_set_details(ending, new_details(saga));
}

size_t conclude_replaced(const Saga *saga, const char *key, char **ret_roles, size_t max)
{
    size_t count = 0;
    size_t i;
    json_t *name;
    json_array_foreach(unconst(journal_value(&saga->journal, key)), i, name)
    {
        const char *role = json_string_value(name);
        if (count < max && record_holds(saga, FACT_ROLES_SET, role)) {
            ret_roles[count++] = conclude_text(role);
        }
    }
    return count;
}

void conclude_rotate(Ending *ending)
{
    const Saga *saga = ending->saga;
    char *roles[ENVIRONMENT_NAMES_MAX];
    size_t count = conclude_texts(saga, FACT_ROTATED, roles, ENVIRONMENT_NAMES_MAX);
    count += conclude_replaced(saga, FACT_TARGETS, roles + count, ENVIRONMENT_NAMES_MAX - count);
    Provisioning__V1__CredentialsRotated rotated;
    provisioning__v1__credentials_rotated__init(&rotated);
    rotated.environment = conclude_text(saga->command->writes.name);
    rotated.roles = roles;
    rotated.n_roles = count;
    ending->sequence = saga->ledger->subject_sequence + 1;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_CREDENTIALS_ROTATED;
    ending->event.credentials_rotated = &rotated;
    conclude_add_event(ending, "CredentialsRotated");
    conclude_keep_row(ending);
}

void conclude_add_blocked(Ending *ending)
{
    const json_t *rows = journal_value(&ending->saga->journal, FACT_CHANGES);
    char *resources[BLOCKED_MAX];
    Text texts[BLOCKED_MAX];
    size_t count = 0;
    size_t i;
    json_t *row;
    json_array_foreach(unconst(rows), i, row)
    {
        if (count < BLOCKED_MAX && json_is_true(json_object_get(row, "blocked"))) {
            Text *text = &texts[count];
            *text = TEXT_INIT(BLOCKED_BYTES);
            text_printf(text, "%s%s%s: %s", member(row, "database"),
                        member(row, "database")[0] != '\0' ? ": " : "", member(row, "object"),
                        member(row, "reason"));
            resources[count++] = conclude_text(text_get(text));
        }
    }
    if (count > 0) {
        Provisioning__V1__DriftReported drift;
        provisioning__v1__drift_reported__init(&drift);
        drift.environment = conclude_text(ending->saga->command->writes.name);
        drift.code = conclude_text("ROLES_BLOCKED");
        drift.message = conclude_text("some of the environment's roles or objects could not be "
                                      "brought to what is wanted; SetupRoles tries again");
        drift.resources = resources;
        drift.n_resources = count;
        provisioning__v1__event__init(&ending->event);
        ending->event.body_case = PROVISIONING__V1__EVENT__BODY_DRIFT_REPORTED;
        ending->event.drift_reported = &drift;
        Error err = ERROR_INIT;
        bool added = outcome_add_event(ending->conclusion->outcome, &ending->event,
                                       &ending->saga->command->writes, 0, "roles", NULL, &err);
        assert(added); // bounded
        (void)added;
    }
    for (i = 0; i < count; i++) {
        text_clear(&texts[i]);
    }
}
