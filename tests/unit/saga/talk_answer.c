#include "talk.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void read_reply(const Stage *stage, const char *text, NeonReply *ret_reply)
{
    CLEANUP(text_clear) Text body = TEXT_INIT(4000000);
    char *end = NULL;
    bool is_lost = strcmp(text, "lost") == 0;
    int status = is_lost ? 0 : (int)strtol(text, &end, 10);
    assert_true(is_lost || end != text);
    const char *retry_after = "";
    if (!is_lost && strncmp(end, " after ", 7) == 0) {
        retry_after = end + 7;
    } else if (!is_lost) {
        text_append(&body, *end == ' ' ? end + 1 : end);
    }
    for (size_t i = 0; i < body.length; i++) {
        if (body.data[i] == '\'') {
            body.data[i] = '"';
        }
    }
    NeonRawReply raw = {.status = status,
                        .content_type = "application/json",
                        .request_id = "req-7",
                        .retry_after = retry_after,
                        .now_ms = stage->now.wall_ms,
                        .transport_error = is_lost ? "connection reset" : "",
                        .body = text_bytes(&body)};
    neon_reply_read(&raw, ret_reply);
}

// "2 [{'application':'shop','environment':'pr','state':'ready','origin':'branched'},…]"
static size_t read_dependents(const char *text, LedgerDependent list[SAGA_DEPENDENTS_MAX])
{
    char *end = NULL;
    size_t count = strtoul(text, &end, 10);
    json_t *json CLEANUP(talk_free_json) = *end == ' ' ? talk_json(end + 1) : json_array();
    for (size_t i = 0; i < json_array_size(json) && i < SAGA_DEPENDENTS_MAX; i++) {
        const json_t *one = json_array_get(json, i);
        char state[16];
        TALK_SET(list[i].application_id, one, "application", "shop");
        TALK_SET(list[i].environment, one, "environment", "other");
        TALK_SET(list[i].origin, one, "origin", "branched");
        TALK_SET(list[i].branch_id, one, "branch_id", "br-other");
        TALK_SET(state, one, "state", "ready");
        list[i].state = talk_state(state);
    }
    return count;
}

// "running …", "finished OUTCOME-TYPE …" or "new", with the rest of the row as JSON
static void read_stopped(const char *text, LedgerStopped *ret_stopped)
{
    const char *json_text = strchr(text, '{');
    json_t *json CLEANUP(talk_free_json) = talk_json(json_text != NULL ? json_text : "{}");
    char type[64] = "";
    *ret_stopped = (LedgerStopped){.found = true, .finished = strncmp(text, "finished", 8) == 0};
    TALK_SET(ret_stopped->stop, json, "stop", "cancelled");
    TALK_SET(ret_stopped->stopped_by, json, "stopped_by", TALK_ID);
    TALK_SET(ret_stopped->action, json, "action", "");
    TALK_SET(type, json, "type", "");
    ret_stopped->had_intent = json_object_get(json, "had_intent") != NULL;
    ret_stopped->undoing = json_object_get(json, "undoing") != NULL;
    ret_stopped->journal = json_incref(json_object_get(json, "journal"));
    if (type[0] != '\0') {
        stage_pack_outcome(type, &ret_stopped->outcome);
    }
}

static char *copy_of(const json_t *row, size_t index)
{
    return alloc_text(json_string_value(json_array_get(row, index)));
}

// "{'changes':[['database','object','change','reason',blocked]],'managed':[…],'owners':[…],
// 'set':[…],'extensions':[…]}"
static void read_report(const json_t *json, RolesReport *ret_report)
{
    const json_t *rows = json_object_get(json, "changes");
    *ret_report = ROLES_REPORT_INIT;
    ret_report->changes = alloc_zeroed(json_array_size(rows) + 1, sizeof(RolesChange));
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        ret_report->changes[ret_report->count++] =
            (RolesChange){copy_of(row, 0), copy_of(row, 1), copy_of(row, 2), copy_of(row, 3),
                          json_is_true(json_array_get(row, 4))};
    }
    ret_report->omitted = (size_t)json_integer_value(json_object_get(json, "omitted"));
    ret_report->fence_seen = json_integer_value(json_object_get(json, "seen"));
    ret_report->remains = json_is_true(json_object_get(json, "remains"));
    ret_report->managed_logins = json_incref(json_object_get(json, "managed"));
    ret_report->owners = json_incref(json_object_get(json, "owners"));
    ret_report->passwords_set = json_incref(json_object_get(json, "set"));
    ret_report->extensions = json_incref(json_object_get(json, "extensions"));
}

// "unavailable 28P01" or "conflict ROLES_FENCED {'seen':9}": kind and code, then the report; just
// the report where there is no error.
static void read_error(const char *text, Error *ret_error)
{
    static const ErrorKind KINDS[] = {ERROR_BUSY, ERROR_UNAVAILABLE, ERROR_CONFLICT};
    char code[sizeof ret_error->code] = "";
    for (size_t i = 0; i < TALK_COUNT(KINDS); i++) {
        const char *kind = error_kind_name(KINDS[i]);
        if (strncmp(text, kind, strlen(kind)) == 0) {
            (void)sscanf(text + strlen(kind), " %47s", code);
            error_set(ret_error, KINDS[i], code, "as told");
        }
    }
}

static Lesson learn_roles(Stage *stage, const Decision *decision, const char *text)
{
    const char *json_text = strchr(text, '{');
    json_t *json CLEANUP(talk_free_json) = talk_json(json_text != NULL ? json_text : "{}");
    Error error = ERROR_INIT;
    RolesReport report;
    read_error(text, &error);
    read_report(json, &report);
    Lesson lesson = saga_learn(
        &stage->saga, decision->step,
        &(Answer){.error = &error, .roles = &report, .unknown = json_object_get(json, "unknown")},
        stage->now);
    roles_report_clear(&report);
    return lesson;
}

// "present", "present next", "- next", "-" or "error".
static Lesson learn_password(Stage *stage, const Decision *decision, const char *text)
{
    CLEANUP(secret_clear) Secret present = SECRET_INIT;
    CLEANUP(secret_clear) Secret next = SECRET_INIT;
    Error error = ERROR_INIT;
    char first[64] = "";
    char second[64] = "";
    (void)sscanf(text, "%63s %63s", first, second);
    if (strcmp(first, "error") == 0) {
        error_set(&error, ERROR_INVALID, "SECRET_NOT_OPENABLE", "another key");
    } else if (strcmp(first, "-") != 0) {
        secret_set_text(&present, first);
    }
    if (second[0] != '\0') {
        secret_set_text(&next, second);
    }
    return saga_learn(&stage->saga, decision->step,
                      &(Answer){.error = &error, .password = &present, .next_password = &next},
                      stage->now);
}

// "confirmed {…}": the ledger's answer, from a copy that was confirmed; "none": no answer.
static Lesson learn_judged(Stage *stage, const Decision *decision, const char *text)
{
    const char *json_text = strchr(text, '{');
    json_t *json = json_text != NULL ? talk_json(json_text) : json_object();
    if (text[0] == 'c') {
        (void)json_object_set_new(json, "recorded", json_string("system 1"));
        (void)json_object_set_new(json, "present", json_string("system 1"));
    }
    const json_t *judged = text[0] == 'n' ? NULL : json;
    Answer answer = {.judged = judged};
    Lesson lesson = saga_learn(&stage->saga, decision->step, &answer, stage->now);
    json_decref(json);
    return lesson;
}

Lesson talk_answer(Stage *stage, const Decision *decision, const char *reply)
{
    CLEANUP(neon_reply_clear) NeonReply read = {.meaning = NEON_UNKNOWN};
    Error error = ERROR_INIT;
    LedgerDependent dependents[SAGA_DEPENDENTS_MAX] = {{.state = LEDGER_STATE_NONE}};
    CLEANUP(ledger_stopped_clear) LedgerStopped stopped = {.found = false};
    Answer told = {.dependents = dependents, .stopped = &stopped};
    stage->now.boot_ms += TALK_EFFECT_MS;
    stage->now.wall_ms += TALK_EFFECT_MS;
    switch (decision->effect.kind) {
    case EFFECT_NEON:
        read_reply(stage, reply, &read);
        told.reply = &read;
        break;
    case EFFECT_LOGIN:
        if (strcmp(reply, "ok") != 0) {
            bool is_state = strlen(reply) == 5; // a SQLSTATE
            error_set(&error, ERROR_UNAVAILABLE, is_state ? reply : "PG_REFUSED", "%s", reply);
        }
        told.error = &error;
        break;
    case EFFECT_MARK:
        assert_string_equal(reply, "ok");
        break;
    case EFFECT_DEPENDENTS:
        told.dependent_count = read_dependents(reply, dependents);
        break;
    case EFFECT_STOP:
        read_stopped(reply, &stopped);
        break;
    case EFFECT_SECRETS:
        told.fence = strtoll(reply, NULL, 10);
        assert_true(told.fence > 0);
        break;
    case EFFECT_KEEP_SECRETS:
        assert_string_equal(reply, "ok");
        break;
    case EFFECT_ROLES:
        return learn_roles(stage, decision, reply);
    case EFFECT_JUDGE:
        return learn_judged(stage, decision, reply);
    case EFFECT_CONDEMN:
        assert_string_equal(reply, "ok");
        break;
    case EFFECT_PASSWORD:
        return learn_password(stage, decision, reply);
    }
    return saga_learn(&stage->saga, decision->step, &told, stage->now);
}
