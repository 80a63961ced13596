#include "talk.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"

// ---- effects

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
    if ((effect->kind == EFFECT_MARK || effect->kind == EFFECT_DEPENDENTS) &&
        effect->branch_id != NULL) {
        text_printf(&text, " branch=%s", effect->branch_id);
    }
    print_roles(effect, &text);
    talk_unquote(&text);
    expect_pieces(line, text_get(&text));
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
    Lesson lesson = talk_answer(stage, decision, line->reply);
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
