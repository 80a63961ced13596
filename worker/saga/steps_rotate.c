#include <string.h>

#include "base/unconst.h"
#include "roles/names.h"
#include "roles/spec.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/sql.h"
#include "saga/steps.h"
#include "saga/wanted.h"

/*
 * Whose passwords are replaced, and how: those of roles made by SQL by SQL (steps_secrets.c), those
 * that Neon knows by its API (steps_password.c).
 */

static const Provisioning__V1__RotateCredentials *action_of(const Saga *saga)
{
    return saga->command->message->rotate_credentials;
}

static bool is_imported(const Saga *saga)
{
    return strcmp(saga->ledger->environment.origin, "imported") == 0;
}

bool rotate_check(Saga *saga, Error *err)
{
    return sql_check_login(saga, "rotate_credentials", err) &&
           sql_check_environment(saga, "rotate_credentials.environment", err);
}

bool rotate_is_final(const Saga *saga)
{
    return journal_has(&saga->journal, FACT_PASSWORDS_SET);
}

// The role that is asked for; empty: all.
static void name_target(const Saga *saga, char ret_role[ROLES_NAME_BYTES])
{
    const Provisioning__V1__RotateCredentials *action = action_of(saga);
    ret_role[0] = '\0';
    if (action->target_case == PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_SERVICE) {
        roles_name_service(action->service, ret_role);
    } else if (action->target_case == PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_ROLE) {
        bool fits = text_copy(ret_role, ROLES_NAME_BYTES, action->role);
        (void)fits; // checked with the command
    }
}

// Splits what is meant into ours and Neon's; a role of ours that isn't wanted any more is neither.
static void choose(const Saga *saga, const json_t *listed, json_t *ret_ours, json_t *ret_neons)
{
    char target[ROLES_NAME_BYTES];
    name_target(saga, target);
    const json_t *spec = wanted_of_row(&saga->ledger->environment);
    json_t *logins = spec != NULL ? roles_spec_logins(spec) : json_array();
    size_t i;
    json_t *name;
    json_array_foreach(logins, i, name)
    {
        if (target[0] == '\0' || strcmp(target, json_string_value(name)) == 0) {
            json_array_append(ret_ours, name);
        }
    }
    json_array_foreach(unconst(listed), i, name)
    {
        const char *role = json_string_value(name);
        bool is_meant = target[0] == '\0' ? !roles_is_reserved(saga->rules->roles_prefix, role)
                                          : strcmp(target, role) == 0;
        if (is_meant && !record_has_text(logins, role)) {
            json_array_append(ret_neons, name);
        }
    }
    json_decref(logins);
}

static Lesson refuse(Saga *saga, bool is_theirs)
{
    char target[ROLES_NAME_BYTES];
    Error err = ERROR_INIT;
    bool is_service =
        action_of(saga)->target_case == PROVISIONING__V1__ROTATE_CREDENTIALS__TARGET_SERVICE;
    const char *field = is_service ? "rotate_credentials.service" : "rotate_credentials.role";
    name_target(saga, target);
    if (is_theirs) {
        error_set_field(&err, ERROR_DENIED, "IMPORTED_READ_ONLY", field,
                        "environment %s was imported: only passwords of roles that SetupRoles made "
                        "are replaced",
                        saga->command->writes.name);
    } else {
        error_set_field(&err, ERROR_CONFLICT, "ROLE_UNKNOWN", field,
                        "the environment has no role %s that logs in; SetupRoles makes those of "
                        "services",
                        target);
    }
    return lesson_fail_with(saga, &err);
}

Ask rotate_ask_find(Saga *saga, Effect *effect)
{
    return roles_ask_find(saga, effect);
}

Lesson rotate_learn_find(Saga *saga, const Answer *answer)
{
    Lesson lesson = sql_learn_roles(saga, answer);
    if (lesson != LESSON_LEARNT) {
        return lesson;
    }
    json_t *ours = json_array();
    json_t *neons = json_array();
    choose(saga, journal_value(&saga->journal, FACT_API_ROLES), ours, neons);
    bool has_theirs = is_imported(saga) && json_array_size(neons) > 0;
    if (has_theirs) {
        json_array_clear(neons);
    }
    size_t count = json_array_size(ours) + json_array_size(neons);
    const json_t *spec = wanted_of_row(&saga->ledger->environment);
    if (spec != NULL) {
        journal_set_value(&saga->journal, FACT_ROLES_SPEC, json_deep_copy(spec));
    }
    journal_set_value(&saga->journal, FACT_TARGETS, ours);
    journal_set_value(&saga->journal, FACT_ROLES, neons);
    return count > 0 ? LESSON_LEARNT : refuse(saga, has_theirs);
}
