#include "talk.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "contract/json.h"

static const int64_t START_WALL_MS = 1795334820000;

json_t *talk_json(const char *text)
{
    char *quoted = alloc_text(text);
    for (char *c = quoted; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    json_error_t problem;
    json_t *json = json_loads(quoted, JSON_DECODE_ANY, &problem);
    free(quoted);
    if (json == NULL) {
        fail_msg("%s at %d in %s", problem.text, problem.position, text);
    }
    return json;
}

void talk_free_json(json_t **json)
{
    json_decref(*json);
}

// ---- what stands before the conversation

static Command *decode_command(const char *action)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(100000);
    text_printf(&text, "{'commandId':'" TALK_ID "','applicationId':'shop',%s}", action);
    json_t *json CLEANUP(talk_free_json) = talk_json(text_get(&text));
    CLEANUP(buffer_clear) Buffer packed = {NULL, 0};
    Error err = ERROR_INIT;
    if (!json_to_message(json, &provisioning__v1__command__descriptor, &packed, &err)) {
        fail_msg("%s in %s", err.text, action);
    }
    Record record = {.topic = "provisioning.commands",
                     .partition = 3,
                     .offset = 41,
                     .timestamp_ms = START_WALL_MS - 1000,
                     .key = bytes_of("shop"),
                     .value = buffer_view(&packed)};
    CommandRules rules = {.max_bytes = 1024 * 1024, .allow_plaintext_key = true};
    Rejection rejection;
    Command *command = command_decode(&record, &rules, &rejection);
    if (command == NULL) {
        fail_msg("%s: %s in %s", rejection.error.code, rejection.error.text, action);
    }
    return command;
}

static void set_text(char *field, size_t bytes, const json_t *object, const char *key,
                     const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_true(text_copy(field, bytes, text != NULL ? text : otherwise));
}

static LedgerState state_of(const char *name)
{
    for (LedgerState state = LEDGER_STATE_CREATING; state <= LEDGER_STATE_GONE; state++) {
        if (strcmp(ledger_state_name(state), name) == 0) {
            return state;
        }
    }
    return LEDGER_STATE_NONE;
}

#define SET(field, object, key, otherwise) set_text(field, sizeof field, object, key, otherwise)

static void set_row(Stage *stage, const char *text)
{
    LedgerEnvironment *row = &stage->claimed.environment;
    json_t *json CLEANUP(talk_free_json) = talk_json(text);
    char state[16];
    SET(state, json, "state", "ready");
    row->state = state_of(state);
    assert_true(text_copy(row->environment, sizeof row->environment, stage->command->writes.name));
    SET(row->origin, json, "origin", "created");
    SET(row->command_id, json, "command_id", TALK_OTHER_ID);
    SET(row->action, json, "action", "CreateEnvironment");
    SET(row->account, json, "account", "main");
    SET(row->project_id, json, "project_id", "");
    SET(row->branch_id, json, "branch_id", "");
    SET(row->endpoint_id, json, "endpoint_id", "");
    json_decref(row->details);
    json_t *details = json_object_get(json, "details");
    row->details = details != NULL ? json_incref(details) : json_object();
    row->unsettled_in_ms = json_integer_value(json_object_get(json, "unsettled_in_ms"));
    if (json_object_get(json, "same") != NULL) {
        command_spec_digest(stage->command->message, row->spec_digest);
    }
}

static const char *default_row(const Command *command)
{
    if (command->action == PROVISIONING__V1__COMMAND__ACTION_BRANCH_ENVIRONMENT) {
        return "{'state':'creating','origin':'branched','command_id':'" TALK_ID
               "','action':'BranchEnvironment'}";
    }
    if (command->action == PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT) {
        return "{'state':'creating','command_id':'" TALK_ID "'}";
    }
    return "{'state':'none'}";
}

static void fill_claimed(Stage *stage)
{
    LedgerClaimed *claimed = &stage->claimed;
    stage->epoch++;
    *claimed = (LedgerClaimed){.answered = true,
                               .result = LEDGER_CLAIM_TAKEN,
                               .epoch = stage->epoch,
                               .undoing = stage->undoing,
                               .first_error = json_incref(stage->first_error),
                               .journal = json_deep_copy(stage->journal),
                               .had_intent = stage->intent.number > 0,
                               .subject_sequence = 4};
    claimed->intent = stage->intent;
    json_incref(stage->intent.result);
    claimed->intent.settled_in_ms = stage->settled_at_ms - stage->now.boot_ms;
    claimed->unsettled_in_ms = stage->unsettled_at_ms - stage->now.boot_ms;
    assert_true(text_copy(claimed->stop, sizeof claimed->stop, stage->stop));
    assert_true(text_copy(claimed->stopped_by, sizeof claimed->stopped_by, TALK_OTHER_ID));
    claimed->source.details = json_object();
    claimed->environment.details = json_object();
    claimed->account.found = true;
    assert_true(text_copy(claimed->account.account, sizeof claimed->account.account, "main"));
    assert_true(
        text_copy(claimed->account.key_kind, sizeof claimed->account.key_kind, "organization"));
    assert_true(text_copy(claimed->account.neon_account_id, sizeof claimed->account.neon_account_id,
                          "neon-1"));
    assert_true(text_copy(claimed->account.org_id, sizeof claimed->account.org_id, "org-1"));
    set_row(stage, stage->talk->row != NULL ? stage->talk->row : default_row(stage->command));
    if (stage->talk->setup != NULL) {
        stage->talk->setup(stage);
    }
}

void stage_open(Stage *stage, const Talk *talk)
{
    *stage = (Stage){
        .talk = talk,
        .command = decode_command(talk->action),
        .rules = {.installation = TALK_INSTALLATION,
                  .poll_ms = 1000,
                  .listing_lag_ms = TALK_LAG_MS,
                  .operation_timeout_ms = 300000,
                  .max_wait_ms = TALK_PATIENCE_MS,
                  .max_age_ms = 24 * INT64_C(3600000),
                  .login_attempts = 3,
                  .crash_limit = 5,
                  .check_login = true},
        .now = {.boot_ms = 5000000, .wall_ms = START_WALL_MS},
        .journal = json_object(),
        .stop = "",
        .max_record_bytes = 1000000,
    };
}

static void release(Stage *stage)
{
    if (stage->begun) {
        saga_clear(&stage->saga);
        ledger_claimed_clear(&stage->claimed);
        stage->begun = false;
    }
}

void stage_close(Stage *stage)
{
    release(stage);
    command_free(stage->command);
    json_decref(stage->journal);
    json_decref(stage->first_error);
    json_decref(stage->intent.result);
}

void stage_begin(Stage *stage)
{
    release(stage);
    fill_claimed(stage);
    saga_begin(&stage->saga, stage->command, &stage->rules, &stage->claimed, stage->now);
    stage->begun = true;
}

// ---- the ledger

static void keep_journal(Stage *stage)
{
    char *packed = journal_pack(&stage->saga.journal);
    json_decref(stage->journal);
    stage->journal = json_loads(packed, 0, NULL);
    free(packed);
}

static void open_intent(Stage *stage, const Decision *decision)
{
    if (stage->intent.status == LEDGER_INTENT_OPEN && stage->intent.settles &&
        stage->settled_at_ms > stage->unsettled_at_ms) {
        stage->unsettled_at_ms = stage->settled_at_ms;
    }
    json_decref(stage->intent.result);
    stage->intent = (LedgerIntent){.status = LEDGER_INTENT_OPEN,
                                   .number = stage->intent.number + 1,
                                   .epoch = stage->epoch,
                                   .settles = decision->settles};
    assert_true(text_copy(stage->intent.step, sizeof stage->intent.step, decision->step->name));
    stage->settled_at_ms = stage->now.boot_ms + TALK_SETTLE_MS;
    keep_journal(stage);
    saga_opened(&stage->saga, decision->step, decision->settles, stage->settled_at_ms);
}

static void close_intent(Stage *stage)
{
    char *delta = journal_pack_delta(&stage->saga.journal);
    json_decref(stage->intent.result);
    stage->intent.result = json_loads(delta, 0, NULL);
    stage->intent.status = LEDGER_INTENT_CLOSED;
    free(delta);
    keep_journal(stage);
}

static void save(Stage *stage)
{
    char *error = saga_first_error(&stage->saga);
    assert_non_null(error);
    stage->undoing = true;
    if (stage->first_error == NULL) {
        stage->first_error = json_loads(error, 0, NULL);
    }
    free(error);
    keep_journal(stage);
}

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

static void unquote(Text *text)
{
    for (size_t i = 0; i < text->length; i++) {
        text->data[i] = text->data[i] == '"' ? '\'' : text->data[i];
    }
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
    unquote(&text);
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
        body.data[i] = body.data[i] == '\'' ? '"' : body.data[i];
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
        SET(list[i].application_id, one, "application", "shop");
        SET(list[i].environment, one, "environment", "other");
        SET(list[i].origin, one, "origin", "branched");
        SET(list[i].branch_id, one, "branch_id", "br-other");
        SET(state, one, "state", "ready");
        list[i].state = state_of(state);
    }
    return count;
}

static Lesson answer(Stage *stage, const Decision *decision, const char *reply)
{
    CLEANUP(neon_reply_clear) NeonReply read = {.meaning = NEON_UNKNOWN};
    Error error = ERROR_INIT;
    LedgerDependent dependents[SAGA_DEPENDENTS_MAX] = {{.state = LEDGER_STATE_NONE}};
    Answer told = {.dependents = dependents};
    switch (decision->effect.kind) {
    case EFFECT_NEON:
        read_reply(stage, reply, &read);
        told.reply = &read;
        break;
    case EFFECT_LOGIN:
        if (strcmp(reply, "ok") != 0) {
            error_set(&error, ERROR_UNAVAILABLE, "PG_REFUSED", "%s", reply);
        }
        told.error = &error;
        break;
    case EFFECT_MARK:
        assert_string_equal(reply, "ok");
        break;
    case EFFECT_DEPENDENTS:
        told.dependent_count = read_dependents(reply, dependents);
        break;
    }
    stage->now.boot_ms += TALK_EFFECT_MS;
    stage->now.wall_ms += TALK_EFFECT_MS;
    return saga_learn(&stage->saga, decision->step, &told, stage->now);
}

static void perform(Stage *stage, const TalkLine *line, const Decision *decision)
{
    expect_request(line, &decision->effect);
    // what is protected by an intent is what changes something, and nothing else
    assert_true(decision->effect.kind != EFFECT_NEON ||
                decision->mutating == neon_route_is_mutating(decision->effect.request.route));
    if (decision->mutating) {
        open_intent(stage, decision);
    }
    if (strcmp(line->reply, "unsent") == 0) {
        saga_not_sent(&stage->saga, stage->now);
        close_intent(stage);
        return;
    }
    Lesson lesson = answer(stage, decision, line->reply);
    if (decision->mutating && lesson != LESSON_UNKNOWN) {
        close_intent(stage);
    }
}

// ---- endings

static void print_record(const Provisioning__Internal__V1__OutcomeRecord *record, Text *text)
{
    if (record->topic == PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_DEAD_LETTERS) {
        text_append(text, "dead letter ");
        return;
    }
    if (record->tombstone) {
        text_append(text, "tombstone ");
        return;
    }
    bool is_event =
        record->topic == PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_EVENTS;
    const ProtobufCMessageDescriptor *descriptor =
        is_event ? &provisioning__v1__event__descriptor : &provisioning__v1__state__descriptor;
    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, NULL, record->value.len, record->value.data);
    assert_non_null(message);
    json_t *json = json_from_message(message);
    char *dump = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    text_printf(text, "%s%s ", is_event ? "event" : "state", dump);
    free(dump);
    json_decref(json);
    protobuf_c_message_free_unpacked(message, NULL);
}

static void print_row(const LedgerConclude *row, Text *text)
{
    text_printf(text,
                "row env=%s state=%s seq=%lld account=%s project=%s branch=%s endpoint=%s "
                "details=%s kind=%s org=%s neon=%s scope=%s",
                row->environment, ledger_state_name(row->state), (long long)row->sequence,
                row->account, row->project_id, row->branch_id, row->endpoint_id, row->details,
                row->key_kind, row->org_id, row->neon_account_id, row->account_project_id);
}

void stage_conclude(Stage *stage, Text *ret_text)
{
    uint8_t key[3] = {1, 2, 3};
    Record record = {.topic = "provisioning.commands", .key = bytes_of("shop")};
    ConcludeContext context = {
        .outcome = {.source = "/provisioner",
                    .application_id = stage->command->application_id,
                    .command_id = stage->command->command_id,
                    .traceparent = "",
                    .now_ms = stage->now.wall_ms,
                    .attempts = (int32_t)stage->epoch,
                    .max_record_bytes = stage->max_record_bytes},
        .record = &record,
        .worker = "w1",
        .max_dead_value_bytes = 1000,
        .sealed_key = {key, sizeof key},
    };
    Conclusion conclusion;
    saga_conclude(&stage->saga, &context, &conclusion);
    text_printf(ret_text, "%s ", conclusion.type);
    OutcomeMessage *message = outcome_unpack(conclusion.row.outcome);
    assert_non_null(message);
    for (size_t i = 0; i < message->n_records; i++) {
        print_record(message->records[i], ret_text);
    }
    outcome_message_free(message);
    print_row(&conclusion.row, ret_text);
    assert_int_equal(conclusion.row.key.epoch, stage->epoch);
    assert_string_equal(conclusion.row.key.command_id, TALK_ID);
    LedgerBatch batch;
    ledger_conclude_build(&conclusion.row, 1, &batch); // asserts that a row and a sequence fit
    ledger_batch_clear(&batch);
    conclusion_clear(&conclusion);
    unquote(ret_text);
    assert_true(text_ok(ret_text));
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
        save(stage);
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
        tests[i] = (struct CMUnitTest){.name = talks[i].name,
                                       .test_func = play,
                                       .initial_state = (void *)(uintptr_t)&talks[i]};
    }
    int failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
    free(tests);
    return failed;
}
