#include <string.h>

#include "base/unconst.h"
#include "roles/names.h"
#include "roles/spec.h"
#include "saga/branching.h"
#include "saga/changes.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/sql.h"
#include "saga/steps.h"
#include "saga/wanted.h"

/*
 * Passwords of roles made by SQL: the ledger keeps the next one before it is set, and knows it as
 * the present one only when it was. Whoever is told by SQL what a branch's password is, or
 * stops anywhere between, leaves nothing that nobody knows.
 */

enum { MISSING_BYTES = 256 }; // of an error's text, which says what to do about it, too

#define REMEDY                                                                                     \
    ". SetupRoles repairs roles that it made. Rename or drop one that it didn't make, or leave "   \
    "its service out of SetupRoles and rotate it by its name, which Neon's API does"

static bool is_rotating(const Saga *saga)
{
    return saga->command->action == PROVISIONING__V1__COMMAND__ACTION_ROTATE_CREDENTIALS;
}

static bool is_due(const Saga *saga)
{
    return is_rotating(saga)
               ? json_array_size(journal_value(&saga->journal, FACT_TARGETS)) > 0
               : wanted_spec(saga) != NULL && !journal_has(&saga->journal, FACT_NOTHING_TO_DO);
}

// Roles whose old password others know: all that this command has a password for.
static bool renews_all(const Saga *saga)
{
    return is_rotating(saga) || branching_is(saga);
}

static void add_names(json_t *names, const json_t *more)
{
    size_t i;
    json_t *name;
    json_array_foreach(unconst(more), i, name)
    {
        if (!record_has_text(names, json_string_value(name))) {
            json_array_append(names, name);
        }
    }
}

static json_t *names_of(const Saga *saga)
{
    if (is_rotating(saga)) {
        return json_deep_copy(journal_value(&saga->journal, FACT_TARGETS));
    }
    json_t *names = roles_spec_logins(wanted_spec(saga));
    add_names(names, journal_value(&saga->journal, FACT_MANAGED));
    return names;
}

json_t *secrets_renewed(const Saga *saga)
{
    return renews_all(saga) ? names_of(saga) : NULL;
}

static bool looks_at_inherited(const Saga *saga)
{
    return wanted_spec(saga) != NULL && !journal_has(&saga->journal, FACT_MANAGED);
}

Ask secrets_ask_connection(Saga *saga, Effect *effect)
{
    return looks_at_inherited(saga) ? ready_ask_connection(saga, effect) : ASK_NOTHING;
}

Lesson secrets_learn_connection(Saga *saga, const Answer *answer)
{
    return ready_learn_connection(saga, answer);
}

Ask secrets_ask_inherited(Saga *saga, Effect *effect)
{
    if (!looks_at_inherited(saga)) {
        return ASK_NOTHING;
    }
    sql_ask(saga, ROLES_MODE_PLAN, wanted_spec(saga), effect);
    return ASK_EFFECT;
}

// One of our roles that group privileges, and as it should be.
static bool is_group(const json_t *spec, const RolesReport *report, const char *role)
{
    bool is_ours = false;
    char name[ROLES_NAME_BYTES];
    size_t i;
    json_t *database;
    json_array_foreach(json_object_get(spec, "databases"), i, database)
    {
        for (int level = ROLES_READER; level <= ROLES_ADMIN; level++) {
            roles_name_database(json_string_value(database), (RolesLevel)level, name);
            is_ours = is_ours || strcmp(name, role) == 0;
        }
    }
    for (size_t c = 0; is_ours && c < report->count; c++) {
        is_ours = strcmp(report->changes[c].object, role) != 0;
    }
    return is_ours;
}

// What we made by SQL gets its new password by SQL; a role that merely looks like it, by the API.
Lesson secrets_learn_inherited(Saga *saga, const Answer *answer)
{
    if (answer->error->kind != ERROR_NONE) {
        return sql_learn_error(saga, answer);
    }
    const RolesReport *report = answer->roles;
    json_t *managed =
        report->managed_logins != NULL ? json_deep_copy(report->managed_logins) : json_array();
    json_t *left = json_array();
    size_t i;
    json_t *name;
    json_array_foreach(unconst(journal_value(&saga->journal, FACT_ROLES)), i, name)
    {
        const char *role = json_string_value(name);
        if (!record_has_text(managed, role) && !is_group(wanted_spec(saga), report, role)) {
            json_array_append(left, name);
        }
    }
    journal_set_value(&saga->journal, FACT_ROLES, left);
    journal_set_value(&saga->journal, FACT_MANAGED, managed);
    return LESSON_LEARNT;
}

Ask secrets_ask_prepare(Saga *saga, Effect *effect)
{
    if (!is_due(saga) || journal_has(&saga->journal, FACT_FENCE)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_SECRETS;
    effect->names = names_of(saga);
    effect->renew = secrets_renewed(saga);
    effect->fence = journal_number(&saga->journal, FACT_FENCE_SEEN) + 1;
    return ASK_EFFECT;
}

Lesson secrets_learn_prepare(Saga *saga, const Answer *answer)
{
    journal_set_again(&saga->journal, FACT_FENCE, json_integer(answer->fence));
    return LESSON_LEARNT;
}

// Of a branch: all that it inherited, those of services that it doesn't have, too.
static const json_t *to_set(const Saga *saga)
{
    return journal_value(&saga->journal, is_rotating(saga) ? FACT_TARGETS : FACT_MANAGED);
}

Ask secrets_ask_set(Saga *saga, Effect *effect)
{
    if (!is_due(saga) || json_array_size(to_set(saga)) == 0 ||
        journal_has(&saga->journal, FACT_PASSWORDS_SET)) {
        return ASK_NOTHING;
    }
    sql_ask(saga, ROLES_MODE_PASSWORDS, wanted_spec(saga), effect);
    effect->names = json_deep_copy(to_set(saga));
    effect->renew = json_incref(effect->names);
    return ASK_EFFECT;
}

void secrets_note_set(Saga *saga, const RolesReport *report)
{
    size_t i;
    json_t *name;
    json_array_foreach(unconst(report->passwords_set), i, name)
    {
        (void)record_once(saga, FACT_ROLES_SET, json_string_value(name));
    }
}

static const char *why_not(const RolesReport *report, const char *role)
{
    for (size_t i = 0; i < report->count; i++) {
        const RolesChange *change = &report->changes[i];
        if (change->blocked && strcmp(change->object, role) == 0) {
            return change->reason;
        }
    }
    return "it isn't there";
}

// Names those that keep the password they had; returns how many.
static size_t name_missing(const Saga *saga, const RolesReport *report, Text *ret_text)
{
    size_t count = 0;
    size_t i;
    json_t *name;
    json_array_foreach(unconst(to_set(saga)), i, name)
    {
        const char *role = json_string_value(name);
        if (record_holds(saga, FACT_ROLES_SET, role)) {
            continue;
        }
        count++;
        text_printf(ret_text, "%s%s: %s", count > 1 ? "; " : "", role, why_not(report, role));
    }
    return count;
}

static Lesson not_set(Saga *saga, const char *named)
{
    return lesson_fail(saga, ERROR_CONFLICT, "PASSWORD_NOT_SET",
                       "passwords could not be replaced (%s)%s", named,
                       is_rotating(saga) ? REMEDY : "");
}

// Of a branch no password may stay the inherited one; a rotation keeps what it came to.
Lesson secrets_learn_set(Saga *saga, const Answer *answer)
{
    if (answer->error->kind != ERROR_NONE) {
        return sql_learn_error(saga, answer);
    }
    CLEANUP(text_clear) Text missing = TEXT_INIT(MISSING_BYTES);
    secrets_note_set(saga, answer->roles);
    size_t count = name_missing(saga, answer->roles, &missing);
    bool keeps_some = is_rotating(saga) && count < json_array_size(to_set(saga));
    if (count > 0 && !keeps_some) {
        return not_set(saga, text_get(&missing));
    }
    if (count > 0) {
        journal_set_text(&saga->journal, FACT_NOT_SET, text_get(&missing));
    }
    journal_set_flag(&saga->journal, FACT_PASSWORDS_SET);
    return LESSON_LEARNT;
}

// A role that isn't ours has a next password that it will never have.
static json_t *names_to_keep(const Saga *saga)
{
    json_t *names = names_of(saga);
    for (size_t i = json_array_size(names); i-- > 0;) {
        if (!record_holds(saga, FACT_ROLES_SET, json_string_value(json_array_get(names, i)))) {
            json_array_remove(names, i);
        }
    }
    return names;
}

Ask secrets_ask_keep(Saga *saga, Effect *effect)
{
    bool is_kept = journal_has(&saga->journal, FACT_SECRETS_KEPT) &&
                   !journal_has(&saga->journal, FACT_NOT_SET);
    if (!is_due(saga) || is_kept) {
        return ASK_NOTHING;
    }
    json_t *names = names_to_keep(saga);
    if (json_array_size(names) == 0) {
        json_decref(names);
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_KEEP_SECRETS;
    effect->names = names;
    return ASK_EFFECT;
}

Lesson secrets_learn_keep(Saga *saga, const Answer *answer)
{
    (void)answer;
    journal_set_flag(&saga->journal, FACT_SECRETS_KEPT);
    return journal_has(&saga->journal, FACT_NOT_SET)
               ? not_set(saga, journal_text(&saga->journal, FACT_NOT_SET))
               : LESSON_LEARNT;
}
