#include <assert.h>
#include <string.h>

#include "base/backoff.h"
#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/steps.h"
#include "saga/uri.h"
#include "saga/wanted.h"

enum { DATABASES_MAX = 500 }; // of a branch, https://neon.com/docs/manage/databases

// A cold start takes less than a second, as a rule.
static const Backoff LOGIN_BACKOFF = {.first_ms = 250, .max_ms = 5000};

#define NOTE_SINCE "ready_since"       // boot time at which this step was first asked
#define NOTE_FAILURES "ready_failures" // failures_count of the operation when it was last seen

static const char *project_of(const Saga *saga)
{
    return journal_text(&saga->journal, FACT_PROJECT_ID);
}

static const char *branch_of(const Saga *saga)
{
    return journal_text(&saga->journal, FACT_BRANCH_ID);
}

// Waits for the next look, or fails when neon.operation_timeout has passed without progress.
static Lesson wait_for(Saga *saga, Waiting waiting, const char *code, const char *what)
{
    Journal *journal = &saga->journal;
    if (journal_note(journal, NOTE_SINCE) == NULL) {
        journal_set_note_number(journal, NOTE_SINCE, saga->now.boot_ms);
    }
    if (saga->now.boot_ms - journal_note_number(journal, NOTE_SINCE) >
        (int64_t)saga->rules->operation_timeout_ms) {
        return lesson_fail(saga, ERROR_UNAVAILABLE, code, "%s within neon.operation_timeout", what);
    }
    return lesson_wait_for(saga, waiting, saga->rules->poll_ms);
}

static Lesson done(Saga *saga)
{
    journal_forget_notes(&saga->journal);
    return LESSON_LEARNT;
}

Ask ready_ask_operations(Saga *saga, Effect *effect)
{
    const char *first =
        json_string_value(json_array_get(journal_value(&saga->journal, FACT_OPERATIONS), 0));
    if (first == NULL) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_operation(&effect->request, project_of(saga), first);
    return ASK_EFFECT;
}

static Lesson operation_done(Saga *saga)
{
    json_t *rest = json_deep_copy(journal_value(&saga->journal, FACT_OPERATIONS));
    json_array_remove(rest, 0);
    if (json_array_size(rest) == 0) {
        json_decref(rest);
        journal_forget(&saga->journal, FACT_OPERATIONS);
    } else {
        journal_set_value(&saga->journal, FACT_OPERATIONS, rest);
    }
    return done(saga);
}

// Neon may try a failed operation again: it is waited for while failures_count moves.
static Lesson operation_failing(Saga *saga, const NeonOperation *operation)
{
    Journal *journal = &saga->journal;
    if (journal_note_number(journal, NOTE_FAILURES) != operation->failures_count) {
        journal_forget_notes(journal);
        journal_set_note_number(journal, NOTE_FAILURES, operation->failures_count);
    }
    Lesson lesson = wait_for(saga, WAITING_OPERATION, "OPERATION_FAILED", "");
    if (lesson == LESSON_FAILED) {
        return lesson_fail(saga, ERROR_UNAVAILABLE, "OPERATION_FAILED",
                           "Neon's operation %s (%s) failed: %s", operation->id, operation->action,
                           operation->error);
    }
    return lesson;
}

Lesson ready_learn_operations(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning == NEON_NOT_FOUND) {
        if (record_is_young(saga)) {
            return lesson_wait_ms(saga, saga->rules->poll_ms);
        }
        return operation_done(saga); // pruned
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "read an operation");
    }
    Error err = ERROR_INIT;
    NeonOperation operation;
    if (!neon_decode_operation(reply->body, &operation, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    switch (operation.state) {
    case NEON_OPERATION_DONE:
    case NEON_OPERATION_CANCELLED: // the resource itself tells what came of it
        return operation_done(saga);
    case NEON_OPERATION_FAILING:
        return operation_failing(saga, &operation);
    case NEON_OPERATION_RUNNING:
        break;
    }
    return wait_for(saga, WAITING_OPERATION, "OPERATION_TIMEOUT",
                    "an operation of Neon did not finish");
}

Ask ready_ask_branch(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_BRANCH_READY)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branch(&effect->request, project_of(saga), branch_of(saga));
    return ASK_EFFECT;
}

Lesson ready_learn_branch(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning == NEON_NOT_FOUND && record_is_young(saga)) {
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "read the branch");
    }
    Error err = ERROR_INIT;
    NeonBranch branch;
    if (!neon_decode_branch(reply->body, &branch, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    if (strcmp(branch.current_state, "ready") != 0) {
        return wait_for(saga, WAITING_READY, "BRANCH_NOT_READY", "the branch did not become ready");
    }
    journal_set_text(&saga->journal, FACT_BRANCH_NAME, branch.name);
    if (branch.expires_ms > 0) { // a reset begins it anew
        journal_set_number(&saga->journal, FACT_EXPIRES_AT, branch.expires_ms);
    }
    journal_set_flag(&saga->journal, FACT_BRANCH_READY);
    return done(saga);
}

Ask ready_ask_endpoint(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_ENDPOINT_READY)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_endpoints(&effect->request, project_of(saga), branch_of(saga));
    return ASK_EFFECT;
}

Lesson ready_learn_endpoint(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning == NEON_NOT_FOUND && record_is_young(saga)) {
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the branch's endpoints");
    }
    Error err = ERROR_INIT;
    NeonEndpoint endpoint;
    bool found = false;
    if (!neon_decode_endpoints(reply->body, &endpoint, &found, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    if (!found) {
        return wait_for(saga, WAITING_READY, "ENDPOINT_MISSING",
                        "the branch did not get its read-write endpoint");
    }
    // idle is fine: connecting wakes it
    if (strcmp(endpoint.current_state, "active") != 0 &&
        strcmp(endpoint.current_state, "idle") != 0) {
        return wait_for(saga, WAITING_READY, "ENDPOINT_NOT_READY", "the endpoint did not start");
    }
    record_endpoint(saga, &endpoint);
    journal_set_flag(&saga->journal, FACT_ENDPOINT_READY);
    return done(saga);
}

Ask ready_ask_database(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_DATABASES) &&
        journal_text(&saga->journal, FACT_DATABASE)[0] != '\0') {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_databases(&effect->request, project_of(saga), branch_of(saga));
    return ASK_EFFECT;
}

// A listing may lag: none is believed only when the branch is no longer young.
static Lesson no_database(Saga *saga)
{
    if (record_is_young(saga)) {
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    return lesson_fail(saga, ERROR_UNAVAILABLE, "DATABASE_MISSING",
                       "Neon lists no database on the branch, so nobody can log in; an environment "
                       "needs one (a branch has those of its source)");
}

Lesson ready_learn_database(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Error err = ERROR_INIT;
    if (reply->meaning == NEON_NOT_FOUND && record_is_young(saga)) {
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the branch's databases");
    }
    const json_t *items = neon_decode_databases(reply->body, &err);
    json_t *names = json_array();
    NeonDatabase first = {.name = ""};
    size_t i;
    json_t *item;
    json_array_foreach(unconst(items), i, item)
    {
        NeonDatabase database;
        if (!neon_decode_database_item(item, &database, &err)) {
            break;
        }
        if (json_array_size(names) == 0) {
            first = database;
        }
        if (database.name[0] != '\0' && json_array_size(names) < DATABASES_MAX) {
            json_array_append_new(names, json_string(database.name));
        }
    }
    if (err.kind != ERROR_NONE) {
        json_decref(names);
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    if (json_array_size(names) == 0) {
        json_decref(names);
        return no_database(saga);
    }
    journal_set_text(&saga->journal, FACT_DATABASE, first.name);
    journal_set_text(&saga->journal, FACT_ROLE, first.owner);
    journal_set_value(&saga->journal, FACT_DATABASES, names);
    return LESSON_LEARNT;
}

// A password lives in memory only: who takes over a command asks for it again.
Ask ready_ask_connection(Saga *saga, Effect *effect)
{
    bool has_password = !secret_is_empty(&saga->connection.password);
    bool has_logged_in = journal_has(&saga->journal, FACT_LOGIN_WORKS);
    bool is_done = has_logged_in &&
                   (wanted_spec(saga) == NULL || journal_has(&saga->journal, FACT_SECRETS_KEPT));
    bool needs_password = saga->rules->check_login && !is_done;
    if (journal_has(&saga->journal, FACT_HOST) && (has_password || !needs_password)) {
        return ASK_NOTHING;
    }
    uri_ask(saga, false, effect);
    return ASK_EFFECT;
}

Lesson ready_learn_connection(Saga *saga, const Answer *answer)
{
    NeonUri parts;
    CLEANUP(secret_clear) Secret uri = SECRET_INIT;
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    Lesson lesson = uri_learn(saga, answer->reply, &uri, &parts, &password);
    if (lesson == LESSON_LEARNT && secret_is_empty(&password) && saga->rules->check_login) {
        return lesson_fail(
            saga, ERROR_CONFLICT, "PASSWORD_NOT_STORED",
            "the project does not store passwords, so the login can't be proven; set "
            "store_passwords in Neon");
    }
    if (lesson == LESSON_LEARNT) {
        record_uri(saga, &parts, &password);
    }
    return lesson;
}

Ask ready_ask_pooled(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_POOLED_HOST)) {
        return ASK_NOTHING;
    }
    uri_ask(saga, true, effect);
    return ASK_EFFECT;
}

Lesson ready_learn_pooled(Saga *saga, const Answer *answer)
{
    NeonUri parts;
    CLEANUP(secret_clear) Secret uri = SECRET_INIT;
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    Lesson lesson = uri_learn(saga, answer->reply, &uri, &parts, &password);
    if (lesson == LESSON_LEARNT) {
        journal_set_text(&saga->journal, FACT_POOLED_HOST, parts.host);
    }
    return lesson;
}

Ask ready_ask_login(Saga *saga, Effect *effect)
{
    if (!saga->rules->check_login || journal_has(&saga->journal, FACT_LOGIN_WORKS)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_LOGIN;
    return ASK_EFFECT;
}

Lesson ready_learn_login(Saga *saga, const Answer *answer)
{
    if (answer->error->kind == ERROR_NONE) {
        journal_set_flag(&saga->journal, FACT_LOGIN_WORKS);
        return LESSON_LEARNT;
    }
    // a cold start refuses its first connections; a new password takes a moment to arrive
    if (saga->attempt + 1 < saga->rules->login_attempts) {
        return lesson_wait_for(saga, WAITING_LOGIN,
                               backoff_delay_ms(LOGIN_BACKOFF, saga->attempt, saga->now.random));
    }
    return lesson_fail(saga, ERROR_UNAVAILABLE, "LOGIN_FAILED",
                       "no login to the new branch worked (%s): %s", answer->error->code,
                       answer->error->text);
}
