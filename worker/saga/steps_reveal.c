#include <string.h>

#include "base/recipients.h"
#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/steps.h"
#include "saga/uri.h"

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

static bool check_environment(const Saga *saga, Error *err)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    bool is_known = row->state != LEDGER_STATE_NONE && row->state != LEDGER_STATE_GONE &&
                    row->state != LEDGER_STATE_CREATING;
    if (!is_known) {
        return error_set_field(
            err, ERROR_CONFLICT, "ENVIRONMENT_UNKNOWN", "reveal_credentials.environment",
            "the application has no environment %s; see `provisionctl environments`",
            saga->command->writes.name);
    }
    return (row->state == LEDGER_STATE_READY && row->endpoint_id[0] != '\0') ||
           error_set_field(err, ERROR_CONFLICT, "ENVIRONMENT_NOT_READY",
                           "reveal_credentials.environment",
                           "environment %s is %s and has %s endpoint; see `provisionctl show %s`",
                           saga->command->writes.name, ledger_state_name(row->state),
                           row->endpoint_id[0] != '\0' ? "an" : "no", saga->command->writes.name);
}

static bool check_account(const Saga *saga, Error *err)
{
    return saga->ledger->account.found ||
           error_set_field(
               err, ERROR_CONFLICT, "ACCOUNT_UNKNOWN", "reveal_credentials.environment",
               "the environment's account %s is not connected any more; connect it again",
               saga->ledger->environment.account);
}

bool reveal_check(Saga *saga, Error *err)
{
    if (!check_recipient(saga, err) || !check_environment(saga, err) || !check_account(saga, err)) {
        return false;
    }
    const LedgerEnvironment *row = &saga->ledger->environment;
    journal_set_text(&saga->journal, FACT_PROJECT_ID, row->project_id);
    journal_set_text(&saga->journal, FACT_BRANCH_ID, row->branch_id);
    journal_set_text(&saga->journal, FACT_ENDPOINT_ID, row->endpoint_id);
    return true;
}

// The role that is asked for; without a word of it, the owner of the first database.
static void name_role(const Saga *saga, Text *ret_role)
{
    const Provisioning__V1__RevealCredentials *action = action_of(saga);
    switch ((int)action->target_case) {
    case PROVISIONING__V1__REVEAL_CREDENTIALS__TARGET_ROLE:
        text_append(ret_role, action->role);
        break;
    case PROVISIONING__V1__REVEAL_CREDENTIALS__TARGET_SERVICE:
        text_printf(ret_role, "svc_%s", action->service);
        break;
    default:
        text_append(ret_role, journal_text(&saga->journal, FACT_ROLE));
        break;
    }
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

// Whether the list has the role; `ret_others`: what else it has, as many as fit.
static bool find_role(const json_t *items, const char *wanted, Text *ret_others, Error *err)
{
    bool found = false;
    size_t i;
    json_t *item;
    json_array_foreach(unconst(items), i, item)
    {
        NeonRole role;
        if (!neon_decode_role_item(item, &role, err)) {
            return false;
        }
        found = found || strcmp(role.name, wanted) == 0;
        text_printf(ret_others, "%s%s", i > 0 ? ", " : "", role.name);
    }
    return found;
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

Lesson reveal_learn_role(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the branch's roles");
    }
    CLEANUP(text_clear) Text wanted = TEXT_INIT(NAME_ROLE_BYTES);
    CLEANUP(text_clear) Text others = TEXT_INIT(300);
    Error err = ERROR_INIT;
    name_role(saga, &wanted);
    bool found = find_role(neon_decode_roles(reply->body, &err), text_get(&wanted), &others, &err);
    if (err.kind != ERROR_NONE) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    if (!found) {
        return role_unknown(saga, text_get(&wanted), &others);
    }
    journal_set_text(&saga->journal, FACT_ROLE, text_get(&wanted));
    journal_set_flag(&saga->journal, FACT_ROLE_LISTED);
    return LESSON_LEARNT;
}

Ask reveal_ask_password(Saga *saga, Effect *effect)
{
    if (!secret_is_empty(&saga->connection.password)) {
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

static Lesson learn_uri(Saga *saga, const Answer *answer, Secret *ret_uri, const char *host_fact)
{
    NeonUri parts;
    CLEANUP(secret_clear) Secret uri = SECRET_INIT;
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    Lesson lesson = uri_learn(saga, answer->reply, &uri, &parts, &password);
    if (lesson == LESSON_LEARNT) {
        secret_move(ret_uri, &uri);
        journal_set_text(&saga->journal, host_fact, parts.host);
    }
    return lesson;
}

Ask reveal_ask_uri(Saga *saga, Effect *effect)
{
    if (!secret_is_empty(&saga->connection.uri)) {
        return ASK_NOTHING;
    }
    uri_ask(saga, false, effect);
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
    uri_ask(saga, true, effect);
    return ASK_EFFECT;
}

Lesson reveal_learn_pooled_uri(Saga *saga, const Answer *answer)
{
    return learn_uri(saga, answer, &saga->connection.pooled_uri, FACT_POOLED_HOST);
}
