#include "saga/sql.h"

#include <string.h>

#include "base/backoff.h"
#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/wanted.h"

// Locks and cold starts are over within seconds; what lasts is waited for at a slow pace.
static const Backoff RETRY_BACKOFF = {.first_ms = 250, .max_ms = 10000};

bool sql_check_environment(Saga *saga, const char *field, Error *err)
{
    const char *name = saga->command->writes.name;
    return record_check_ready(saga, field, err) &&
           (saga->ledger->environment.endpoint_id[0] != '\0' ||
            error_set_field(err, ERROR_CONFLICT, "ENVIRONMENT_NOT_READY", field,
                            "environment %s has no endpoint; see `provisionctl show %s`", name,
                            name));
}

bool sql_check_login(const Saga *saga, const char *field, Error *err)
{
    return saga->rules->check_login ||
           error_set_field(err, ERROR_CONFLICT, "LOGIN_IS_OFF", field,
                           "the workers don't log in to branches (environments.check_login is "
                           "off), so they can't change roles there");
}

// Names of the roles that can log in; NULL and `err` when the list can't be read.
static json_t *read_logins(const json_t *body, Error *err)
{
    const json_t *items = neon_decode_roles(body, err);
    json_t *names = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(unconst(items), i, item)
    {
        NeonRole role;
        if (!neon_decode_role_item(item, &role, err)) {
            break;
        }
        if (!role.is_protected && !role.no_login) {
            json_array_append_new(names, json_string(role.name));
        }
    }
    if (err->kind != ERROR_NONE) {
        json_decref(names);
        return NULL;
    }
    return names;
}

Lesson sql_learn_roles(Saga *saga, const Answer *answer)
{
    if (answer->reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, answer->reply, PROTECTED_READ, "list the branch's roles");
    }
    Error err = ERROR_INIT;
    json_t *names = read_logins(answer->reply->body, &err);
    if (names == NULL) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    const char *known =
        json_string_value(json_object_get(saga->ledger->environment.details, FACT_ROLE));
    const char *role = wanted_bootstrap(saga, names, known != NULL ? known : "");
    if (role == NULL) {
        json_decref(names);
        return lesson_fail(saga, ERROR_CONFLICT, "ROLE_MISSING",
                           "Neon lists no role on the branch that could change others: make one by "
                           "its API or console");
    }
    journal_set_text(&saga->journal, FACT_ROLE, role);
    journal_set_value(&saga->journal, FACT_API_ROLES, names);
    return LESSON_LEARNT;
}

void sql_ask(const Saga *saga, RolesMode mode, const json_t *spec, Effect *effect)
{
    effect->kind = EFFECT_ROLES;
    effect->roles_mode = mode;
    effect->roles_spec = spec;
    effect->branch_id = journal_text(&saga->journal, FACT_BRANCH_ID);
    effect->fence = journal_number(&saga->journal, FACT_FENCE);
}

static Lesson learn_fenced(Saga *saga, const Answer *answer)
{
    int64_t seen = answer->roles != NULL ? answer->roles->fence_seen : 0;
    int64_t ours = journal_number(&saga->journal, FACT_FENCE);
    journal_set_again(&saga->journal, FACT_FENCE_SEEN, json_integer(seen > ours ? seen : ours));
    journal_forget(&saga->journal, FACT_FENCE); // the ledger gives a stale worker no other
    return LESSON_LEARNT;
}

// A password or a permission that was refused (SQLSTATE class 28): a new one may take a moment to
// arrive at the branch, and no longer.
static bool is_refusal(const Error *err)
{
    return strncmp(err->code, "28", 2) == 0;
}

static Lesson give_up(Saga *saga, const Error *err)
{
    if (is_refusal(err)) {
        return lesson_fail(saga, ERROR_UNAVAILABLE, "LOGIN_FAILED",
                           "no login to the branch worked (%s): %s", err->code, err->text);
    }
    return lesson_fail(saga, ERROR_UNAVAILABLE, "ROLES_UNAVAILABLE",
                       "the branch stayed busy or away (%s: %s); send the command again later",
                       err->code, err->text);
}

Lesson sql_learn_error(Saga *saga, const Answer *answer)
{
    const Error *err = answer->error;
    if (strcmp(err->code, "ROLES_FENCED") == 0) {
        return learn_fenced(saga, answer);
    }
    bool may_help = err->kind == ERROR_BUSY || err->kind == ERROR_UNAVAILABLE;
    bool is_patient = is_refusal(err) ? saga->attempt + 1 < saga->rules->login_attempts
                                      : !lesson_is_out_of_patience(saga);
    if (may_help && is_patient) {
        return lesson_wait_for(saga, WAITING_ROLES,
                               backoff_delay_ms(RETRY_BACKOFF, saga->attempt, saga->now.random));
    }
    return may_help ? give_up(saga, err) : lesson_fail_with(saga, err);
}
