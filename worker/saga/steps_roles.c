#include <assert.h>
#include <string.h>

#include "base/unconst.h"
#include "roles/spec.h"
#include "saga/changes.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/sql.h"
#include "saga/steps.h"
#include "saga/wanted.h"

/*
 * Brings the roles of a branch to what is wanted: compared first, then applied under the fence that
 * came with the passwords. What only a session of its owner can hand over is handed over by that,
 * where the API knows its password, and what our own sessions have left is applied once more.
 */

static const Provisioning__V1__SetupRoles *setup_of(const Saga *saga)
{
    bool is_setup = saga->command->action == PROVISIONING__V1__COMMAND__ACTION_SETUP_ROLES;
    return is_setup ? saga->command->message->setup_roles : NULL;
}

static bool only_plans(const Saga *saga)
{
    const Provisioning__V1__SetupRoles *setup = setup_of(saga);
    return setup != NULL && setup->mode == PROVISIONING__V1__ROLES_MODE__ROLES_MODE_PLAN;
}

bool roles_check_setup(Saga *saga, Error *err)
{
    if (!sql_check_login(saga, "setup_roles", err) ||
        !sql_check_environment(saga, "setup_roles.environment", err)) {
        return false;
    }
    const LedgerEnvironment *row = &saga->ledger->environment;
    if (strcmp(row->origin, "imported") == 0 && !setup_of(saga)->adopt && !only_plans(saga)) {
        return error_set_field(
            err, ERROR_DENIED, "IMPORTED_READ_ONLY", "setup_roles.adopt",
            "environment %s was imported: its roles are changed with adopt=true only, which also "
            "takes over the owners of its databases",
            row->environment);
    }
    return true;
}

bool roles_is_final(const Saga *saga)
{
    return journal_has(&saga->journal, FACT_APPLIED);
}

Ask roles_ask_find(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_API_ROLES)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_roles(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID),
                       journal_text(&saga->journal, FACT_BRANCH_ID));
    return ASK_EFFECT;
}

Lesson roles_learn_find(Saga *saga, const Answer *answer)
{
    Error err = ERROR_INIT;
    Lesson lesson = sql_learn_roles(saga, answer);
    if (lesson == LESSON_LEARNT && !wanted_set_for_setup(saga, &err)) {
        return lesson_fail_with(saga, &err);
    }
    return lesson;
}

Ask roles_ask_plan(Saga *saga, Effect *effect)
{
    if (wanted_spec(saga) == NULL || journal_has(&saga->journal, FACT_PLANNED)) {
        return ASK_NOTHING;
    }
    sql_ask(saga, ROLES_MODE_PLAN, wanted_spec(saga), effect);
    effect->names = roles_spec_logins(wanted_spec(saga));
    return ASK_EFFECT;
}

static void record_owners(Saga *saga, const RolesReport *report)
{
    journal_set_again(&saga->journal, FACT_OWNERS,
                      report->owners != NULL ? json_deep_copy(report->owners) : json_array());
}

static const char *member_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

// Who owns what our own sessions can't have, and can be asked for it.
static const char *next_owner(const Saga *saga)
{
    size_t i;
    json_t *one;
    json_array_foreach(unconst(journal_value(&saga->journal, FACT_OWNERS)), i, one)
    {
        const char *owner = member_text(one, "owner");
        if (record_holds(saga, FACT_API_ROLES, owner) &&
            !record_holds(saga, FACT_OWNERS_TRIED, owner)) {
            return owner;
        }
    }
    return NULL;
}

Lesson roles_learn_plan(Saga *saga, const Answer *answer)
{
    if (answer->error->kind != ERROR_NONE) {
        return sql_learn_error(saga, answer);
    }
    changes_add(saga, answer->roles, false);
    record_owners(saga, answer->roles);
    journal_set_flag(&saga->journal, FACT_PLANNED);
    bool has_work = changes_has_work(answer->roles) || next_owner(saga) != NULL ||
                    json_array_size(answer->unknown) > 0;
    if (only_plans(saga) || !has_work) {
        journal_set_flag(&saga->journal, FACT_NOTHING_TO_DO);
    }
    return LESSON_LEARNT;
}

static bool must_apply(const Saga *saga)
{
    return wanted_spec(saga) != NULL && !journal_has(&saga->journal, FACT_NOTHING_TO_DO);
}

Ask roles_ask_apply(Saga *saga, Effect *effect)
{
    if (!must_apply(saga) || journal_has(&saga->journal, FACT_APPLIED)) {
        return ASK_NOTHING;
    }
    sql_ask(saga, ROLES_MODE_APPLY, wanted_spec(saga), effect);
    effect->renew = secrets_renewed(saga);
    return ASK_EFFECT;
}

Lesson roles_learn_apply(Saga *saga, const Answer *answer)
{
    if (answer->error->kind != ERROR_NONE) {
        return sql_learn_error(saga, answer);
    }
    changes_add(saga, answer->roles, setup_of(saga) == NULL);
    record_owners(saga, answer->roles);
    secrets_note_set(saga, answer->roles);
    journal_set_flag(&saga->journal, FACT_APPLIED);
    return LESSON_LEARNT;
}

// An owner who is done with, whatever came of it.
static Lesson leave_owner(Saga *saga, const char *owner)
{
    journal_append_text(&saga->journal, FACT_OWNERS_TRIED, owner);
    secret_clear(&saga->connection.owner_password);
    return LESSON_LEARNT;
}

static bool has_owner_to_visit(const Saga *saga)
{
    return must_apply(saga) && journal_has(&saga->journal, FACT_APPLIED) &&
           next_owner(saga) != NULL;
}

Ask roles_ask_reveal_owner(Saga *saga, Effect *effect)
{
    if (!has_owner_to_visit(saga) || !secret_is_empty(&saga->connection.owner_password)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_reveal_password(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID),
                                 journal_text(&saga->journal, FACT_BRANCH_ID), next_owner(saga));
    return ASK_EFFECT;
}

Lesson roles_learn_reveal_owner(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    const char *owner = next_owner(saga);
    assert(owner != NULL);
    // the list has the role: what Neon doesn't find is its password, and what it has stays reported
    if (reply->meaning == NEON_PRECONDITION || reply->meaning == NEON_NOT_FOUND) {
        return leave_owner(saga, owner);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "reveal an owner's password");
    }
    Error err = ERROR_INIT;
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    if (neon_decode_password(reply->body, &password, &err) && secret_is_empty(&password)) {
        error_set(&err, ERROR_INTERNAL, "UNEXPECTED_REPLY", "Neon revealed no password");
    }
    if (err.kind != ERROR_NONE) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    secret_move(&saga->connection.owner_password, &password);
    journal_set_again(&saga->journal, FACT_REVEALED, json_true());
    return LESSON_LEARNT;
}

Ask roles_ask_adopt(Saga *saga, Effect *effect)
{
    if (!has_owner_to_visit(saga)) {
        return ASK_NOTHING;
    }
    const char *owner = next_owner(saga);
    bool fits = text_copy(saga->connection.owner, sizeof saga->connection.owner, owner);
    assert(fits); // a role's name
    (void)fits;
    sql_ask(saga, ROLES_MODE_OWNER, wanted_spec(saga), effect);
    effect->names = json_array();
    size_t i;
    json_t *one;
    json_array_foreach(unconst(journal_value(&saga->journal, FACT_OWNERS)), i, one)
    {
        if (strcmp(member_text(one, "owner"), owner) == 0) {
            json_array_append(effect->names, json_object_get(one, "database"));
        }
    }
    return ASK_EFFECT;
}

Lesson roles_learn_adopt(Saga *saga, const Answer *answer)
{
    const char *owner = next_owner(saga);
    assert(owner != NULL);
    if (answer->error->kind != ERROR_NONE) {
        Lesson lesson = sql_learn_error(saga, answer);
        if (lesson != LESSON_FAILED) {
            return lesson;
        }
        saga->failure.error = ERROR_INIT; // what it owns stays reported
        return leave_owner(saga, owner);
    }
    changes_add(saga, answer->roles, setup_of(saga) == NULL);
    journal_forget(&saga->journal, FACT_APPLIED); // what stood in the way of more may be gone
    return leave_owner(saga, owner);
}
