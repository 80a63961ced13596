#include <string.h>

#include "base/recipients.h"
#include "base/unconst.h"
#include "roles/names.h"
#include "roles/spec.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/sql.h"
#include "saga/steps.h"
#include "saga/uri.h"
#include "saga/wanted.h"

/*
 * A role's password and where it logs in. Password and URIs live in memory only: who takes over
 * asks for them again, though the journal knows that they were there.
 */

static const Provisioning__V1__RevealCredentials *action_of(const Saga *saga)
{
    return saga->command->message->reveal_credentials;
}

static bool check_recipient(const Saga *saga, Error *err)
{
    return recipients_has(saga->rules->reveal_recipients, saga->command->application_id,
                          action_of(saga)->reply_public_key.data) ||
           error_set_field(err, ERROR_DENIED, "RECIPIENT_NOT_LISTED",
                           "reveal_credentials.reply_public_key",
                           "the workers don't list the key for this application: add it to their "
                           "setting reveal.recipients");
}

bool reveal_check(Saga *saga, Error *err)
{
    return check_recipient(saga, err) &&
           sql_check_environment(saga, "reveal_credentials.environment", err);
}

// The role that is asked for; without a word of it, `usual`.
static void name_role(const Saga *saga, const char *usual, char ret_role[ROLES_NAME_BYTES])
{
    const Provisioning__V1__RevealCredentials *action = action_of(saga);
    bool fits = true;
    switch ((int)action->target_case) {
    case PROVISIONING__V1__REVEAL_CREDENTIALS__TARGET_ROLE:
        fits = text_copy(ret_role, ROLES_NAME_BYTES, action->role);
        break;
    case PROVISIONING__V1__REVEAL_CREDENTIALS__TARGET_SERVICE:
        roles_name_service(action->service, ret_role);
        break;
    default:
        fits = text_copy(ret_role, ROLES_NAME_BYTES, usual);
        break;
    }
    (void)fits; // checked with the command
}

Ask reveal_ask_role(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_ROLE_LISTED)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_roles(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID),
                       journal_text(&saga->journal, FACT_BRANCH_ID));
    return ASK_EFFECT;
}

// The names in the list; `ret_others`: as many as fit.
static json_t *read_names(const json_t *items, Text *ret_others, Error *err)
{
    json_t *names = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(unconst(items), i, item)
    {
        NeonRole role;
        if (!neon_decode_role_item(item, &role, err)) {
            break;
        }
        json_array_append_new(names, json_string(role.name));
        text_printf(ret_others, "%s%s", i > 0 ? ", " : "", role.name);
    }
    return names;
}

static Lesson role_unknown(Saga *saga, const char *wanted, const Text *others)
{
    Error err = ERROR_INIT;
    bool is_service =
        action_of(saga)->target_case == PROVISIONING__V1__REVEAL_CREDENTIALS__TARGET_SERVICE;
    error_set_field(&err, ERROR_CONFLICT, "ROLE_UNKNOWN",
                    is_service ? "reveal_credentials.service" : "reveal_credentials.role",
                    "the environment has no role %s; it has %s%s", wanted, text_get(others),
                    text_ok(others) ? "" : ", ...");
    return lesson_fail_with(saga, &err);
}

static bool is_made_by_sql(const Saga *saga)
{
    return journal_has(&saga->journal, FACT_BOOTSTRAP);
}

// One that SetupRoles has made: the ledger has its password.
static bool is_ours(const Saga *saga, const char *role)
{
    const json_t *spec = wanted_of_row(&saga->ledger->environment);
    json_t *logins = spec != NULL ? roles_spec_logins(spec) : NULL;
    bool has = record_has_text(logins, role);
    json_decref(logins);
    return has;
}

// A database that the role can be in; NULL: none.
static const char *own_database(const Saga *saga)
{
    const json_t *spec = wanted_of_row(&saga->ledger->environment);
    size_t i;
    json_t *name;
    json_array_foreach(unconst(journal_value(&saga->journal, FACT_DATABASES)), i, name)
    {
        if (roles_spec_may_connect(spec, journal_text(&saga->journal, FACT_ROLE),
                                   json_string_value(name))) {
            return json_string_value(name);
        }
    }
    return NULL;
}

static Lesson learn_names(Saga *saga, const json_t *names, const Text *others)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    const char *known = json_string_value(json_object_get(row->details, FACT_ROLE));
    const char *bootstrap = wanted_bootstrap(saga, names, known != NULL ? known : "");
    char role[ROLES_NAME_BYTES];
    if (bootstrap == NULL) {
        bootstrap = journal_text(&saga->journal, FACT_ROLE);
    }
    name_role(saga, bootstrap, role);
    if (is_ours(saga, role)) {
        journal_set_text(&saga->journal, FACT_BOOTSTRAP, bootstrap);
    } else if (!record_has_text(names, role)) {
        return role_unknown(saga, role, others);
    }
    journal_set_text(&saga->journal, FACT_ROLE, role);
    journal_set_flag(&saga->journal, FACT_ROLE_LISTED);
    if (is_made_by_sql(saga) && own_database(saga) == NULL) {
        return lesson_fail(saga, ERROR_CONFLICT, "ROLE_WITHOUT_DATABASE",
                           "role %s may use none of the environment's databases", role);
    }
    return LESSON_LEARNT;
}

Lesson reveal_learn_role(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the branch's roles");
    }
    CLEANUP(text_clear) Text others = TEXT_INIT(300);
    Error err = ERROR_INIT;
    json_t *names = read_names(neon_decode_roles(reply->body, &err), &others, &err);
    Lesson lesson = err.kind != ERROR_NONE ? lesson_unreadable(saga, &err, PROTECTED_READ)
                                           : learn_names(saga, names, &others);
    json_decref(names);
    return lesson;
}

Ask reveal_ask_password(Saga *saga, Effect *effect)
{
    if (is_made_by_sql(saga) || !secret_is_empty(&saga->connection.password)) {
        return ASK_NOTHING;
    }
    const Journal *journal = &saga->journal;
    effect->kind = EFFECT_NEON;
    neon_request_reveal_password(&effect->request, journal_text(journal, FACT_PROJECT_ID),
                                 journal_text(journal, FACT_BRANCH_ID),
                                 journal_text(journal, FACT_ROLE));
    return ASK_EFFECT;
}

Lesson reveal_learn_password(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    // the list has the role: what Neon doesn't find is its password
    if (reply->meaning == NEON_PRECONDITION || reply->meaning == NEON_NOT_FOUND) {
        return lesson_fail(saga, ERROR_CONFLICT, "PASSWORD_NOT_STORED",
                           "Neon keeps no password of role %s (%s): it reveals those of roles made "
                           "by its API or console, in projects with store_passwords, after their "
                           "next reset",
                           journal_text(&saga->journal, FACT_ROLE), reply->message);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "reveal the role's password");
    }
    Error err = ERROR_INIT;
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    if (neon_decode_password(reply->body, &password, &err) && secret_is_empty(&password)) {
        error_set(&err, ERROR_INTERNAL, "UNEXPECTED_REPLY", "Neon revealed no password");
    }
    if (err.kind != ERROR_NONE) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    secret_move(&saga->connection.password, &password);
    journal_set_flag(&saga->journal, FACT_REVEALED);
    return LESSON_LEARNT;
}

Ask reveal_ask_kept(Saga *saga, Effect *effect)
{
    if (!is_made_by_sql(saga) || !secret_is_empty(&saga->connection.password)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_PASSWORD;
    effect->role = journal_text(&saga->journal, FACT_ROLE);
    return ASK_EFFECT;
}

static Lesson not_set(Saga *saga)
{
    return lesson_fail(saga, ERROR_CONFLICT, "PASSWORD_NOT_SET",
                       "role %s has no password that is known to work; SetupRoles sets one, unless "
                       "it says why it can't (a role of that name that it didn't make)",
                       journal_text(&saga->journal, FACT_ROLE));
}

Lesson reveal_learn_kept(Saga *saga, const Answer *answer)
{
    if (answer->error->kind != ERROR_NONE) {
        return lesson_fail_with(saga, answer->error);
    }
    bool has_next = !secret_is_empty(answer->next_password);
    bool has_present = !secret_is_empty(answer->password);
    if ((!has_next && !has_present) || (has_next && !saga->rules->check_login)) {
        return not_set(saga);
    }
    // one that was to be set may be, and the other one still: what the branch keeps tells
    secret_move(&saga->connection.password, has_next ? answer->next_password : answer->password);
    if (has_next && has_present) {
        secret_move(&saga->connection.old_password, answer->password);
    }
    if (has_next) {
        journal_forget(&saga->journal, FACT_PASSWORD_CHECKED);
    } else {
        journal_set_flag(&saga->journal, FACT_PASSWORD_CHECKED);
    }
    journal_set_again(&saga->journal, FACT_REVEALED, json_true());
    return LESSON_LEARNT;
}

// Where the check logs in: a role made by SQL is looked at by the one that makes them.
static void set_connection(Saga *saga, const NeonUri *parts, Secret *password)
{
    SagaConnection *connection = &saga->connection;
    const char *database = is_made_by_sql(saga) ? own_database(saga) : NULL;
    bool fits = text_copy(connection->host, sizeof connection->host, parts->host);
    fits = text_copy(connection->database, sizeof connection->database,
                     database != NULL ? database : "") &&
           fits;
    fits = text_copy(connection->role, sizeof connection->role,
                     journal_text(&saga->journal, FACT_ROLE)) &&
           fits;
    fits = text_copy(connection->owner, sizeof connection->owner,
                     journal_text(&saga->journal, FACT_BOOTSTRAP)) &&
           fits;
    (void)fits; // names of PostgreSQL, and a field of the same size
    connection->port = parts->port;
    secret_move(&connection->owner_password, password);
}

static void ask_uri(const Saga *saga, bool pooled, Effect *effect)
{
    const char *fact = is_made_by_sql(saga) ? FACT_BOOTSTRAP : FACT_ROLE;
    uri_ask_for(saga, journal_text(&saga->journal, fact), pooled, effect);
}

static Lesson learn_uri(Saga *saga, const Answer *answer, Secret *ret_uri, const char *host_fact)
{
    NeonUri parts;
    CLEANUP(secret_clear) Secret uri = SECRET_INIT;
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    Lesson lesson = uri_learn(saga, answer->reply, &uri, &parts, &password);
    if (lesson == LESSON_LEARNT) {
        secret_move(ret_uri, &uri);
        set_connection(saga, &parts, &password);
        journal_set_text(&saga->journal, host_fact, parts.host);
    }
    return lesson;
}

Ask reveal_ask_uri(Saga *saga, Effect *effect)
{
    if (!secret_is_empty(&saga->connection.uri)) {
        return ASK_NOTHING;
    }
    ask_uri(saga, false, effect);
    return ASK_EFFECT;
}

Lesson reveal_learn_uri(Saga *saga, const Answer *answer)
{
    return learn_uri(saga, answer, &saga->connection.uri, FACT_HOST);
}

Ask reveal_ask_pooled_uri(Saga *saga, Effect *effect)
{
    if (!secret_is_empty(&saga->connection.pooled_uri)) {
        return ASK_NOTHING;
    }
    ask_uri(saga, true, effect);
    return ASK_EFFECT;
}

Lesson reveal_learn_pooled_uri(Saga *saga, const Answer *answer)
{
    return learn_uri(saga, answer, &saga->connection.pooled_uri, FACT_POOLED_HOST);
}

// Never by a login as the role: whoever has it may have made that cost hours of computing.
Ask reveal_ask_check(Saga *saga, Effect *effect)
{
    if (!is_made_by_sql(saga) || journal_has(&saga->journal, FACT_PASSWORD_CHECKED)) {
        return ASK_NOTHING;
    }
    sql_ask(saga, ROLES_MODE_PLAN, wanted_of_row(&saga->ledger->environment), effect);
    effect->role = journal_text(&saga->journal, FACT_ROLE);
    return ASK_EFFECT;
}

Lesson reveal_learn_check(Saga *saga, const Answer *answer)
{
    SagaConnection *connection = &saga->connection;
    if (answer->error->kind != ERROR_NONE) {
        return sql_learn_error(saga, answer);
    }
    if (record_has_text(answer->roles->passwords_set, journal_text(&saga->journal, FACT_ROLE))) {
        secret_clear(&connection->old_password);
        journal_set_flag(&saga->journal, FACT_PASSWORD_CHECKED);
        return LESSON_LEARNT;
    }
    if (secret_is_empty(&connection->old_password)) {
        return not_set(saga);
    }
    secret_move(&connection->password, &connection->old_password);
    journal_set_again(&saga->journal, FACT_REVEALED, json_true());
    return LESSON_LEARNT;
}
