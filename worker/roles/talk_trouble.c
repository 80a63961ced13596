#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "roles/talk_parts.h"

static void report_blocked(RolesTalk *talk, const Error *err)
{
    char no_statement[] = "";
    CLEANUP(text_clear) Text reason = TEXT_INIT(sizeof(err->text) + sizeof(err->code));
    text_printf(&reason, "%s: %s", err->code, err->text);
    char *text = alloc_text(text_get(&reason));
    RolesStep step = {.kind = ROLES_STEP_BLOCKED,
                      .statement = no_statement,
                      .reason = text,
                      .object = talk->database};
    roles_report_add_planned(&talk->report, talk->database, &step);
    free(text);
}

// Races that PostgreSQL loses between sessions that change roles, and what ends by itself.
bool talk_is_passing(const char *sqlstate)
{
    static const char *const STATES[] = {
        "23505", // unique_violation: another made the same row
        "42710", // duplicate_object
        "42P04", // duplicate_database
        "XX000", // "tuple concurrently updated"; Neon's control plane refused a COMMIT
        "40P01", // deadlock_detected
        "40001", // serialization_failure
        "55P03", // lock_not_available
        "55006", // object_in_use: the template of a database has a session
        "57P01", // admin_shutdown
    };
    for (size_t i = 0; i < sizeof(STATES) / sizeof(STATES[0]); i++) {
        if (strcmp(STATES[i], sqlstate) == 0) {
            return true;
        }
    }
    return false;
}

bool talk_has_failed(const PGresult *result)
{
    return PQresultStatus(result) == PGRES_FATAL_ERROR;
}

void talk_read_failure(const PGresult *result, Error *ret_err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    error_set(ret_err, ERROR_INTERNAL, sqlstate != NULL ? sqlstate : "XX000", "%s",
              message != NULL ? message : "no message");
}

bool talk_may_retry(const RolesTalk *talk)
{
    bool at_once = talk->state == TALK_APPLIES && !talk->is_one_by_one;
    return talk->attempts < (at_once ? TALK_ATTEMPTS_AT_ONCE : TALK_ATTEMPTS_MAX);
}

void talk_wait_for(RolesTalk *talk, TalkState then)
{
    talk->attempts++;
    talk->after_wait = then;
    talk->is_compared = false;
    talk_go(talk, TALK_WAITS);
}

// A database that refuses what the others took is no reason to fail all of them.
static void give_up(RolesTalk *talk, const Error *err)
{
    Error told = *err;
    if (talk_is_passing(err->code)) {
        bool is_held = text_get(&talk->holder)[0] != '\0';
        error_set(&told, ERROR_BUSY, "ROLES_BUSY", "%s: %s%s%s%s", err->code, err->text,
                  is_held ? "; the lock is held by " : "", text_get(&talk->holder),
                  is_held ? "; end that session" : "");
        talk_fail(talk, &told);
    } else if (talk->database != NULL) {
        report_blocked(talk, err);
        talk_go(talk, TALK_DONE);
    } else {
        error_set(&told, ERROR_CONFLICT, "ROLES_FAILED", "%s: %s", err->code, err->text);
        talk_fail(talk, &told);
    }
}

void talk_stumble(RolesTalk *talk, const Error *err)
{
    if (err->kind == ERROR_UNAVAILABLE) {
        talk_fail(talk, err);
    } else if (talk->state == TALK_OPENS && strcmp(err->code, "55P03") == 0 &&
               talk_may_retry(talk)) {
        talk_go(talk, TALK_ASKS);
    } else if (talk_is_passing(err->code) && talk_may_retry(talk)) {
        talk_wait_for(talk, talk->state == TALK_OPENS ? TALK_OPENS : TALK_LOOKS);
    } else if (talk->state == TALK_APPLIES && !talk->is_one_by_one) {
        talk->is_one_by_one = true;
        talk->attempts = TALK_ATTEMPTS_AT_ONCE;
        talk_go(talk, TALK_APPLIES);
    } else {
        give_up(talk, err);
    }
}

bool roles_talk_is_refusal(const Error *err)
{
    static const char *const FOR_GOOD[] = {
        "42501", // insufficient_privilege: no CONNECT
        "3D000", // invalid_catalog_name
        "55000", // object_not_in_prerequisite_state: "not currently accepting connections"
    };
    for (size_t i = 0; i < sizeof(FOR_GOOD) / sizeof(FOR_GOOD[0]); i++) {
        if (strcmp(FOR_GOOD[i], err->code) == 0) {
            return true;
        }
    }
    return false;
}

void roles_talk_refused(RolesTalk *talk, const Error *err)
{
    if (talk->database == NULL || !roles_talk_is_refusal(err)) {
        talk_fail(talk, err);
    } else {
        roles_talk_leave_out(talk, err);
    }
}

void roles_talk_leave_out(RolesTalk *talk, const Error *err)
{
    if (talk->task->mode != ROLES_MODE_OWNER) { // who may not connect owns nothing there, mostly
        report_blocked(talk, err);
    }
    talk_go(talk, TALK_DONE);
}
