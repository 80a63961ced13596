#include <string.h>

#include "base/backoff.h"
#include "base/unconst.h"
#include "roles/names.h"
#include "roles/spec.h"
#include "saga/changes.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/sql.h"
#include "saga/steps.h"
#include "saga/uri.h"
#include "saga/wanted.h"

/*
 * What stands on a branch that was imported, for whoever decides what to do with it: databases and
 * their owners, roles in the prefixes that are ours, whether a login works, and what SetupRoles
 * would change if it adopted nothing. All of it is read; what can't be read is told, and stops
 * nothing.
 */

enum { NAMES_MAX = 500 }; // of a branch, https://neon.com/docs/manage/databases

static const Backoff LOGIN_BACKOFF = {.first_ms = 250, .max_ms = 5000};

static const char *text_of(const Saga *saga, const char *key)
{
    return journal_text(&saga->journal, key);
}

static bool has(const Saga *saga, const char *key)
{
    return journal_has(&saga->journal, key);
}

Ask preflight_ask_databases(Saga *saga, Effect *effect)
{
    if (has(saga, FACT_DATABASE_OWNERS)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_databases(&effect->request, text_of(saga, FACT_PROJECT_ID),
                           text_of(saga, FACT_BRANCH_ID));
    return ASK_EFFECT;
}

static void take_databases(Saga *saga, json_t *owners)
{
    json_t *names = json_array();
    size_t i;
    json_t *one;
    json_array_foreach(owners, i, one)
    {
        json_array_append(names, json_object_get(one, "name"));
    }
    const json_t *first = json_array_get(owners, 0);
    if (first != NULL) {
        journal_set_text(&saga->journal, FACT_DATABASE,
                         json_string_value(json_object_get(first, "name")));
        journal_set_text(&saga->journal, FACT_ROLE,
                         json_string_value(json_object_get(first, "owner")));
    }
    journal_set_value(&saga->journal, FACT_DATABASES, names);
    journal_set_value(&saga->journal, FACT_DATABASE_OWNERS, owners);
}

Lesson preflight_learn_databases(Saga *saga, const Answer *answer)
{
    if (answer->reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, answer->reply, PROTECTED_READ,
                                 "list the branch's databases");
    }
    Error err = ERROR_INIT;
    const json_t *items = neon_decode_databases(answer->reply->body, &err);
    json_t *owners = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(unconst(items), i, item)
    {
        NeonDatabase database;
        if (!neon_decode_database_item(item, &database, &err)) {
            break;
        }
        if (database.name[0] != '\0' && json_array_size(owners) < NAMES_MAX) {
            json_array_append_new(
                owners, json_pack("{s:s, s:s}", "name", database.name, "owner", database.owner));
        }
    }
    if (err.kind != ERROR_NONE) {
        json_decref(owners);
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    take_databases(saga, owners);
    return LESSON_LEARNT;
}

Ask preflight_ask_roles(Saga *saga, Effect *effect)
{
    if (has(saga, FACT_ROLES_LISTED)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_roles(&effect->request, text_of(saga, FACT_PROJECT_ID),
                       text_of(saga, FACT_BRANCH_ID));
    return ASK_EFFECT;
}

// What SetupRoles would be told: all databases, no service, nothing adopted, nothing revoked.
static void set_spec(Saga *saga)
{
    Error err = ERROR_INIT;
    const json_t *names = journal_value(&saga->journal, FACT_DATABASES);
    json_t *spec = roles_spec_new(saga->rules->roles_prefix, ROLES_ADDITIVE, false);
    size_t i;
    json_t *name;
    json_array_foreach(unconst(names), i, name)
    {
        roles_spec_add_database(spec, json_string_value(name));
    }
    if (roles_spec_check(spec, &err)) {
        journal_set_value(&saga->journal, FACT_IMPORT_SPEC, spec);
        return;
    }
    json_decref(spec);
    journal_set_value(&saga->journal, FACT_CHANGES,
                      json_pack("[{s:s, s:s, s:s, s:s, s:b}]", "database", "", "object", "",
                                "change", "", "reason", err.text, "blocked", 1));
}

// Of a list that was read already.
static json_t *reserved_of(const Saga *saga, const json_t *body)
{
    Error err = ERROR_INIT;
    json_t *reserved = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(unconst(neon_decode_roles(body, &err)), i, item)
    {
        NeonRole role;
        if (neon_decode_role_item(item, &role, &err) &&
            roles_is_reserved(saga->rules->roles_prefix, role.name) &&
            json_array_size(reserved) < NAMES_MAX) {
            json_array_append_new(reserved, json_string(role.name));
        }
    }
    return reserved;
}

Lesson preflight_learn_roles(Saga *saga, const Answer *answer)
{
    Lesson lesson = sql_learn_roles(saga, answer);
    bool has_none =
        lesson == LESSON_FAILED && strcmp(saga->failure.error.code, "ROLE_MISSING") == 0;
    if (lesson != LESSON_LEARNT && !has_none) {
        return lesson;
    }
    if (has_none) {
        saga->failure.error = ERROR_INIT; // nobody can log in, then
        journal_forget(&saga->journal, FACT_ROLE);
    }
    journal_set_value(&saga->journal, FACT_RESERVED, reserved_of(saga, answer->reply->body));
    journal_set_flag(&saga->journal, FACT_ROLES_LISTED);
    set_spec(saga);
    return LESSON_LEARNT;
}

// There is something to connect to, and somebody to connect as.
static bool has_uri(const Saga *saga)
{
    return has(saga, FACT_ENDPOINT_ID) && text_of(saga, FACT_DATABASE)[0] != '\0' &&
           text_of(saga, FACT_ROLE)[0] != '\0' && !has(saga, FACT_NO_URI);
}

static bool is_planned(const Saga *saga)
{
    return has(saga, FACT_PLANNED) || !has(saga, FACT_IMPORT_SPEC);
}

static bool needs_password(const Saga *saga)
{
    bool is_done =
        has(saga, FACT_LOGIN_TRIED) && (!has(saga, FACT_LOGIN_WORKS) || is_planned(saga));
    return saga->rules->check_login && !is_done;
}

// A password lives in memory only: who takes over a command asks for it again.
Ask preflight_ask_connection(Saga *saga, Effect *effect)
{
    bool has_password = !secret_is_empty(&saga->connection.password);
    if (!has_uri(saga) || (has(saga, FACT_HOST) && (has_password || !needs_password(saga)))) {
        return ASK_NOTHING;
    }
    uri_ask(saga, false, effect);
    return ASK_EFFECT;
}

// Neon knows of no password, or lets nobody see it.
static bool is_withheld(const Saga *saga, const NeonReply *reply)
{
    return reply->meaning == NEON_PRECONDITION || reply->meaning == NEON_REFUSED ||
           (reply->meaning == NEON_NOT_FOUND && !record_is_young(saga));
}

Lesson preflight_learn_connection(Saga *saga, const Answer *answer)
{
    NeonUri parts;
    CLEANUP(secret_clear) Secret uri = SECRET_INIT;
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    if (is_withheld(saga, answer->reply)) {
        journal_set_flag(&saga->journal, FACT_NO_URI);
        return LESSON_LEARNT;
    }
    Lesson lesson = uri_learn(saga, answer->reply, &uri, &parts, &password);
    if (lesson == LESSON_LEARNT) {
        if (secret_is_empty(&password)) {
            journal_set_flag(&saga->journal, FACT_LOGIN_TRIED);
        }
        record_uri(saga, &parts, &password);
    }
    return lesson;
}

Ask preflight_ask_pooled(Saga *saga, Effect *effect)
{
    return has_uri(saga) ? ready_ask_pooled(saga, effect) : ASK_NOTHING;
}

Lesson preflight_learn_pooled(Saga *saga, const Answer *answer)
{
    return ready_learn_pooled(saga, answer);
}

Ask preflight_ask_login(Saga *saga, Effect *effect)
{
    if (!has_uri(saga) || !saga->rules->check_login || has(saga, FACT_LOGIN_TRIED)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_LOGIN;
    return ASK_EFFECT;
}

Lesson preflight_learn_login(Saga *saga, const Answer *answer)
{
    bool works = answer->error->kind == ERROR_NONE;
    // a cold start refuses its first connections
    if (!works && saga->attempt + 1 < saga->rules->login_attempts) {
        return lesson_wait_for(saga, WAITING_LOGIN,
                               backoff_delay_ms(LOGIN_BACKOFF, saga->attempt, saga->now.random));
    }
    if (works) {
        journal_set_flag(&saga->journal, FACT_LOGIN_WORKS);
    }
    journal_set_flag(&saga->journal, FACT_LOGIN_TRIED);
    return LESSON_LEARNT;
}

Ask preflight_ask_plan(Saga *saga, Effect *effect)
{
    if (!has(saga, FACT_LOGIN_WORKS) || is_planned(saga)) {
        return ASK_NOTHING;
    }
    const json_t *spec = journal_value(&saga->journal, FACT_IMPORT_SPEC);
    sql_ask(saga, ROLES_MODE_PLAN, spec, effect);
    effect->names = roles_spec_logins(spec);
    effect->lists_extensions = true;
    return ASK_EFFECT;
}

// What could not be found out is told instead.
static void note_failure(Saga *saga)
{
    RolesChange change = {.database = unconst(""),
                          .object = unconst(""),
                          .change = unconst(""),
                          .reason = saga->failure.error.text,
                          .blocked = true};
    RolesReport report = {.changes = &change, .count = 1};
    changes_add(saga, &report, false);
    saga->failure.error = ERROR_INIT;
}

static void take_extensions(Saga *saga, const json_t *found)
{
    json_t *names = json_array();
    size_t i;
    json_t *name;
    json_array_foreach(unconst(found), i, name)
    {
        if (!record_has_text(names, json_string_value(name)) &&
            json_array_size(names) < NAMES_MAX) {
            json_array_append(names, name);
        }
    }
    journal_set_value(&saga->journal, FACT_EXTENSIONS, names);
}

Lesson preflight_learn_plan(Saga *saga, const Answer *answer)
{
    Lesson lesson = LESSON_LEARNT;
    if (answer->error->kind != ERROR_NONE) {
        lesson = sql_learn_error(saga, answer);
        if (lesson != LESSON_FAILED) {
            return lesson;
        }
        note_failure(saga);
    } else {
        changes_add(saga, answer->roles, false);
        take_extensions(saga, answer->roles->extensions);
    }
    journal_set_flag(&saga->journal, FACT_PLANNED);
    return LESSON_LEARNT;
}
