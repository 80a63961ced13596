#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "roles/talk_pad.h"
#include "roles/talk_parts.h"

enum { COLUMN_ROLE = 0, COLUMN_EXTENSION = 0, COLUMN_VERIFIER = 1 };

static bool has_password(const TalkSecret *secret)
{
    return secret->wanted.password != NULL;
}

// JSON array of the roles whose passwords are known; NULL: of none.
static char *roles_text(const RolesTalk *talk)
{
    json_t *list = json_array();
    for (size_t i = 0; i < talk->task->secret_count; i++) {
        if (has_password(&talk->secrets[i])) {
            json_array_append_new(list, json_string(talk->secrets[i].wanted.role));
        }
    }
    char *text = json_array_size(list) > 0 ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    return text;
}

void talk_look_begin(RolesTalk *talk)
{
    size_t count = talk->task->secret_count;
    talk->secrets = alloc_zeroed(count + 1, sizeof(talk->secrets[0]));
    talk->asked = alloc_zeroed(count + 1, sizeof(talk->asked[0]));
    talk->checks = alloc_zeroed(count + 1, sizeof(talk->checks[0]));
    for (size_t i = 0; i < count; i++) {
        talk->secrets[i].wanted = talk->task->secrets[i];
        talk->secrets[i].wanted.set = false;
    }
    talk->roles = roles_text(talk);
    talk->verifies =
        talk->database == NULL && talk->roles != NULL && talk->task->mode != ROLES_MODE_OWNER;
}

void talk_look_clear(RolesTalk *talk)
{
    for (size_t i = 0; i < talk->task->secret_count; i++) {
        free(talk->secrets[i].verifier);
        free(talk->secrets[i].covered);
    }
    secret_clear(&talk->pad);
    free(talk->secrets);
    free(talk->asked);
    free(talk->checks);
    free(talk->parameter);
    free(talk->roles);
    for (int i = 0; i < TALK_PLANS; i++) {
        roles_plan_clear(&talk->plans[i]);
    }
}

static void make_parameter(RolesTalk *talk)
{
    const RolesTask *task = talk->task;
    size_t count = talk->database == NULL ? task->secret_count : 0;
    bool only_plans = talk->database != NULL || task->mode == ROLES_MODE_PLAN;
    for (size_t i = 0; i < count; i++) {
        talk->asked[i] = talk->secrets[i].wanted;
    }
    free(talk->parameter);
    talk->parameter =
        roles_spec_parameter(task->spec, talk->asked, count, only_plans ? NULL : &task->fence);
}

static void add_look(RolesTalk *talk, RolesQuery query)
{
    assert(talk->look_count < TALK_LOOKS_MAX);
    talk->looks[talk->look_count++] = query;
    talk_batch_add_with(&talk->batch, roles_query_sql(query),
                        query == ROLES_QUERY_VERIFIERS ? talk->roles : talk->parameter);
}

void talk_look_add(RolesTalk *talk, bool with_verifiers, bool with_second)
{
    RolesMode mode = talk->task->mode;
    make_parameter(talk);
    talk->look_count = 0;
    talk->look_at = talk->batch.count;
    if (talk->database != NULL) {
        add_look(talk, ROLES_QUERY_OWNER);
        if (with_second) {
            add_look(talk, mode == ROLES_MODE_OWNER ? ROLES_QUERY_CREATOR : ROLES_QUERY_PRIVILEGES);
        }
        if (mode == ROLES_MODE_PLAN && talk->task->lists_extensions) {
            add_look(talk, ROLES_QUERY_EXTENSIONS);
        }
    } else if (mode != ROLES_MODE_OWNER) {
        if (with_verifiers && talk->verifies) {
            add_look(talk, ROLES_QUERY_VERIFIERS);
        }
        add_look(talk, ROLES_QUERY_CLUSTER);
        if (mode != ROLES_MODE_PASSWORDS) {
            add_look(talk, ROLES_QUERY_DATABASES);
            add_look(talk, ROLES_QUERY_LOGINS);
        }
    }
}

static TalkSecret *find_secret(const RolesTalk *talk, const char *role)
{
    for (size_t i = 0; i < talk->task->secret_count; i++) {
        if (strcmp(talk->secrets[i].wanted.role, role) == 0) {
            return &talk->secrets[i];
        }
    }
    return NULL;
}

void talk_look_add_pad(RolesTalk *talk)
{
    RolesMode mode = talk->task->mode;
    bool may_set = mode == ROLES_MODE_APPLY || mode == ROLES_MODE_PASSWORDS;
    bool is_needed = talk->database == NULL && talk->roles != NULL && may_set;
    talk->pad_at = is_needed ? talk_batch_add(&talk->batch, ROLES_SQL_MAKE_PAD) : TALK_NOT_SENT;
}

bool talk_look_learn_pad(RolesTalk *talk, PGresult *const *results)
{
    if (talk->pad_at == TALK_NOT_SENT) {
        return true;
    }
    const char *pad = PQgetvalue(results[talk->pad_at], 0, 0);
    if (!talk_pad_check(pad)) {
        Error err = ERROR_INIT;
        error_set(&err, ERROR_INTERNAL, "ROLES_ROW_INVALID", "the session's pad is none");
        talk_fail(talk, &err);
        return false;
    }
    secret_set_text(&talk->pad, pad);
    return true;
}

const char *talk_look_covered(RolesTalk *talk, const char *role)
{
    TalkSecret *secret = role != NULL ? find_secret(talk, role) : NULL;
    if (secret == NULL || !has_password(secret)) {
        return NULL;
    }
    if (secret->covered == NULL) {
        assert(!secret_is_empty(&talk->pad)); // it was asked for: a password is known
        secret->covered = talk_pad_cover(&talk->pad, role, secret->wanted.password);
    }
    return secret->covered;
}

// The role's password is the wanted one.
static void note_password(RolesTalk *talk, TalkSecret *secret)
{
    secret->wanted.set = false;
    if (secret->is_noted) {
        return;
    }
    secret->is_noted = true;
    if (talk->report.passwords_set == NULL) {
        talk->report.passwords_set = json_array();
    }
    json_array_append_new(talk->report.passwords_set, json_string(secret->wanted.role));
}

void talk_look_note_set(RolesTalk *talk, const char *role)
{
    TalkSecret *secret = find_secret(talk, role);
    if (secret == NULL || !has_password(secret)) {
        return; // a random one
    }
    secret->was_set = true;
    if (!talk->verifies) {
        note_password(talk, secret);
    }
}

static void compare_later(RolesTalk *talk, TalkSecret *secret, const char *verifier)
{
    free(secret->verifier);
    secret->verifier = alloc_text(verifier);
    talk->checks[talk->check_count++] = (RolesCheck){.role = secret->wanted.role,
                                                     .password = secret->wanted.password,
                                                     .verifier = secret->verifier};
}

// A role that isn't there needs nothing: it is created with its password.
static void learn_verifiers(RolesTalk *talk, const PGresult *rows)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        TalkSecret *secret = find_secret(talk, PQgetvalue(rows, row, COLUMN_ROLE));
        if (secret == NULL || talk->check_count == talk->task->secret_count) {
            continue;
        }
        secret->wanted.set = PQgetisnull(rows, row, COLUMN_VERIFIER) != 0;
        if (!secret->wanted.set) {
            compare_later(talk, secret, PQgetvalue(rows, row, COLUMN_VERIFIER));
        }
    }
}

static void learn_logins(RolesTalk *talk, const PGresult *rows)
{
    json_decref(talk->report.managed_logins);
    talk->report.managed_logins = json_array();
    for (int row = 0; row < PQntuples(rows); row++) {
        roles_report_add_login(&talk->report, PQgetvalue(rows, row, COLUMN_ROLE));
    }
}

static void learn_extensions(RolesTalk *talk, const PGresult *rows)
{
    json_decref(talk->report.extensions);
    talk->report.extensions = NULL;
    for (int row = 0; row < PQntuples(rows); row++) {
        roles_report_add_extension(&talk->report, PQgetvalue(rows, row, COLUMN_EXTENSION));
    }
}

static bool learn_plan(RolesTalk *talk, RolesQuery query, const PGresult *rows)
{
    Error err = ERROR_INIT;
    roles_plan_clear(&talk->plans[query]);
    if (!roles_plan_decode(rows, &talk->plans[query], &err)) {
        talk_fail(talk, &err);
        return false;
    }
    return true;
}

bool talk_look_learn(RolesTalk *talk, PGresult *const *results)
{
    talk->check_count = 0;
    for (int i = 0; i < talk->look_count; i++) {
        const PGresult *rows = results[talk->look_at + i];
        RolesQuery query = talk->looks[i];
        if (query == ROLES_QUERY_VERIFIERS) {
            learn_verifiers(talk, rows);
        } else if (query == ROLES_QUERY_LOGINS) {
            learn_logins(talk, rows);
        } else if (query == ROLES_QUERY_EXTENSIONS) {
            learn_extensions(talk, rows);
        } else if (!learn_plan(talk, query, rows)) {
            return false;
        }
    }
    return true;
}

static bool any_is_to_be_set(const RolesTalk *talk)
{
    for (size_t i = 0; i < talk->task->secret_count; i++) {
        if (talk->secrets[i].wanted.set) {
            return true;
        }
    }
    return false;
}

bool talk_look_verified(RolesTalk *talk)
{
    for (size_t i = 0; i < talk->check_count; i++) {
        const RolesCheck *check = &talk->checks[i];
        TalkSecret *secret = find_secret(talk, check->role);
        // of a form we don't know: once set in this run it is ours
        bool is_ours = check->result == ROLES_VERIFIED_EQUAL ||
                       (check->result == ROLES_VERIFIED_UNKNOWN && secret->was_set);
        if (is_ours) {
            note_password(talk, secret);
        } else {
            secret->wanted.set = true;
        }
    }
    talk->check_count = 0;
    return any_is_to_be_set(talk);
}

static bool is_planned(const RolesTalk *talk, const char *role)
{
    const RolesPlan *plan = &talk->plans[ROLES_QUERY_CLUSTER];
    for (size_t i = 0; i < plan->count; i++) {
        const char *secret_of = plan->steps[i].secret_of;
        if (secret_of != NULL && strcmp(secret_of, role) == 0) {
            return true;
        }
    }
    return false;
}

// Why the plan leaves the role as it is, where it says so.
static char *why_blocked(const RolesTalk *talk, const char *role, char *otherwise)
{
    const RolesPlan *plan = &talk->plans[ROLES_QUERY_CLUSTER];
    for (size_t i = 0; i < plan->count; i++) {
        const RolesStep *step = &plan->steps[i];
        if (step->kind == ROLES_STEP_BLOCKED && strcmp(step->object, role) == 0) {
            return step->reason;
        }
    }
    return otherwise;
}

void talk_look_settle(RolesTalk *talk)
{
    char no_statement[] = "";
    char unseen[] = "the role isn't there, or can't log in, or nobody may see what it logs in with";
    for (size_t i = 0; i < talk->task->secret_count; i++) {
        const TalkSecret *secret = &talk->secrets[i];
        if (!secret->is_noted && !is_planned(talk, secret->wanted.role)) {
            RolesStep step = {.kind = ROLES_STEP_BLOCKED,
                              .statement = no_statement,
                              .reason = why_blocked(talk, secret->wanted.role, unseen),
                              .object = unconst(secret->wanted.role)};
            roles_report_add_planned(&talk->report, "", &step);
        }
    }
}

void talk_look_assume_set(RolesTalk *talk)
{
    for (size_t i = 0; i < talk->task->secret_count; i++) {
        talk->secrets[i].wanted.set = false;
    }
}

void talk_look_restart(RolesTalk *talk)
{
    for (size_t i = 0; i < talk->task->secret_count; i++) {
        TalkSecret *secret = &talk->secrets[i];
        secret->wanted.set = !talk->verifies && has_password(secret) &&
                             talk->task->secrets[i].set && !secret->was_set;
    }
}

bool talk_look_unreadable(RolesTalk *talk)
{
    talk->verifies = false;
    talk_look_restart(talk);
    return any_is_to_be_set(talk);
}
