#include "talk.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"

// ---- effects and answers

static void expect_pieces(const TalkLine *line, const char *text)
{
    if (line->has == NULL) {
        return;
    }
    char *pieces = alloc_text(line->has);
    char *rest = pieces;
    for (char *piece = strsep(&rest, "|"); piece != NULL; piece = strsep(&rest, "|")) {
        bool unwanted = piece[0] == '!';
        if ((strstr(text, unwanted ? piece + 1 : piece) != NULL) == unwanted) {
            fail_msg("%s: \"%s\" in: %s", line->step, piece, text);
        }
    }
    free(pieces);
}

static void print_json(const char *name, const json_t *json, Text *text)
{
    char *dumped = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    text_printf(text, " %s=%s", name, dumped != NULL ? dumped : "none");
    free(dumped);
}

// "mode=apply fence=7 branch=br-1 names=['a'] renew=none spec={…}"
static void print_roles(const Effect *effect, Text *text)
{
    static const char *const MODES[] = {[ROLES_MODE_PLAN] = "plan",
                                        [ROLES_MODE_APPLY] = "apply",
                                        [ROLES_MODE_PASSWORDS] = "passwords",
                                        [ROLES_MODE_OWNER] = "owner"};
    text_printf(text, " mode=%s fence=%" PRId64 " branch=%s role=%s", MODES[effect->roles_mode],
                effect->fence, effect->branch_id != NULL ? effect->branch_id : "",
                effect->role != NULL ? effect->role : "");
    print_json("names", effect->names, text);
    print_json("renew", effect->renew, text);
    print_json("spec", effect->roles_spec, text);
}

static void expect_request(const TalkLine *line, const Effect *effect)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(100000);
    if (effect->kind == EFFECT_NEON) {
        text_printf(&text, "%s %s %s", effect->request.method, text_get(&effect->request.path),
                    text_get(&effect->request.body));
    }
    text_printf(&text, " lock=%s state=%s account=%s", effect->project_id,
                ledger_state_name(effect->state), effect->account);
    print_roles(effect, &text);
    talk_unquote(&text);
    expect_pieces(line, text_get(&text));
}

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

// "{'changes':[['database','object','change','reason',blocked]],'managed':[…],'owners':[…]}"
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

static Lesson answer(Stage *stage, const Decision *decision, const char *reply)
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
    case EFFECT_PASSWORD:
        return learn_password(stage, decision, reply);
    }
    return saga_learn(&stage->saga, decision->step, &told, stage->now);
}

static void perform(Stage *stage, const TalkLine *line, const Decision *decision)
{
    expect_request(line, &decision->effect);
    // what is protected by an intent is what changes something, and nothing else
    assert_true(decision->effect.kind != EFFECT_NEON ||
                decision->mutating == neon_route_is_mutating(decision->effect.request.route));
    if (decision->mutating) {
        stage_open_intent(stage, decision);
    }
    if (strcmp(line->reply, "unsent") == 0) {
        saga_not_sent(&stage->saga, stage->now);
        stage_close_intent(stage);
        return;
    }
    Lesson lesson = answer(stage, decision, line->reply);
    if (decision->mutating && lesson != LESSON_UNKNOWN) {
        stage_close_intent(stage);
    }
}

// ---- the conversation

// Lets the saga wait; the first decision that is no wait. `ret_waited_ms`: since the last effect.
static void decide(Stage *stage, Decision *ret_decision)
{
    for (int i = 0; i < 2000; i++) {
        saga_next(&stage->saga, stage->now, ret_decision);
        if (ret_decision->kind != DECISION_WAIT) {
            return;
        }
        assert_true(ret_decision->wait_ms > 0);
        assert_true(!ret_decision->look || ret_decision->wait_ms <= 1000);
        stage->waited_ms += ret_decision->wait_ms;
        stage->now.boot_ms += ret_decision->wait_ms;
        stage->now.wall_ms += ret_decision->wait_ms;
        decision_clear(ret_decision);
    }
    fail_msg("waits for ever");
}

static const char *decided(const Decision *decision)
{
    switch (decision->kind) {
    case DECISION_EFFECT:
        return decision->step->name;
    case DECISION_SAVE:
        return "!save";
    case DECISION_CONCLUDE:
        return "!end";
    case DECISION_WAIT:
        break;
    }
    return "waits";
}

static void play_line(Stage *stage, const TalkLine *line)
{
    Decision decision;
    decide(stage, &decision);
    if (strcmp(decided(&decision), line->step) != 0) {
        fail_msg("%s instead of %s after %lld ms: %s %s; failure %s %s", decided(&decision),
                 line->step, (long long)stage->waited_ms, text_get(&decision.effect.request.path),
                 text_get(&decision.effect.request.body), stage->saga.failure.error.code,
                 stage->saga.failure.error.text);
    }
    if (line->after_ms >= 0 && stage->waited_ms != line->after_ms) {
        fail_msg("%s after %lld ms, not after %lld", line->step, (long long)stage->waited_ms,
                 (long long)line->after_ms);
    }
    stage->waited_ms = 0;
    if (decision.kind == DECISION_EFFECT) {
        perform(stage, line, &decision);
    } else if (decision.kind == DECISION_SAVE) {
        stage_save(stage);
        expect_pieces(line, stage->saga.failure.error.code);
    } else {
        CLEANUP(text_clear) Text ending = TEXT_INIT(4000000);
        stage_conclude(stage, &ending);
        if (strncmp(text_get(&ending), line->reply, strlen(line->reply)) != 0) {
            fail_msg("ends as %s", text_get(&ending));
        }
        expect_pieces(line, text_get(&ending));
    }
    decision_clear(&decision);
}

// Lines that are no answer to the saga: what happens around it.
static bool happens(Stage *stage, const TalkLine *line)
{
    if (strcmp(line->step, "!stop") == 0) {
        stage->stop = line->reply;
        saga_stop(&stage->saga, line->reply, TALK_OTHER_ID);
    } else if (strcmp(line->step, "!takeover") == 0) {
        stage_begin(stage);
    } else if (strcmp(line->step, "!closed") == 0) {
        json_t *facts = line->reply != NULL ? talk_json(line->reply) : NULL;
        saga_intent_closed(&stage->saga, facts);
        json_decref(facts);
    } else if (strcmp(line->step, "!fail") == 0) {
        Error error = ERROR_INIT;
        error_set(&error, ERROR_INTERNAL, line->reply, "given up");
        saga_fail(&stage->saga, &error, "create_project");
    } else if (strcmp(line->step, "!skew") == 0) {
        stage->now.wall_ms += strtoll(line->reply, NULL, 10);
    } else if (strcmp(line->step, "!later") == 0) {
        stage->now.boot_ms += strtoll(line->reply, NULL, 10);
        stage->now.wall_ms += strtoll(line->reply, NULL, 10);
    } else {
        return false;
    }
    return true;
}

void stage_play(Stage *stage, const TalkLine *lines)
{
    for (const TalkLine *line = lines; line->step != NULL; line++) {
        if (strcmp(line->step, "!again") == 0) {
            for (long n = strtol(line->reply, NULL, 10); n > 0; n--) {
                TalkLine same = line[-1];
                same.after_ms = -1;
                play_line(stage, &same);
            }
        } else if (!happens(stage, line)) {
            play_line(stage, line);
        }
    }
}

static void play(void **state)
{
    const Talk *talk = *state;
    Stage stage;
    stage_open(&stage, talk);
    stage_begin(&stage);
    stage_play(&stage, talk->lines);
    stage_close(&stage);
}

int talk_run(const char *group, const Talk *talks, size_t count)
{
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    assert_non_null(tests);
    for (size_t i = 0; i < count; i++) {
        // cmocka's state is not const, though nothing is changed
        tests[i] = (struct CMUnitTest){
            .name = talks[i].name, .test_func = play, .initial_state = unconst(&talks[i])};
    }
    int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    free(tests);
    return failed;
}
