#include "talk.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "contract/json.h"

enum { START_BOOT_MS = 5000000 };

static const int64_t START_WALL_MS = 1795334820000;

json_t *talk_json(const char *text)
{
    char *quoted = alloc_text(text);
    for (char *c = quoted; *c != '\0'; c++) {
        if (*c == '\'') {
            *c = '"';
        }
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
    CommandRules rules = {.max_bytes = 1048576, .allow_plaintext_key = true};
    Rejection rejection;
    Command *command = command_decode(&record, &rules, &rejection);
    if (command == NULL) {
        fail_msg("%s: %s in %s", rejection.error.code, rejection.error.text, action);
    }
    return command;
}

void talk_set(char *field, size_t bytes, const json_t *object, const char *key,
              const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_true(text_copy(field, bytes, text != NULL ? text : otherwise));
}

LedgerState talk_state(const char *name)
{
    for (LedgerState state = LEDGER_STATE_CREATING; state <= LEDGER_STATE_GONE; state++) {
        if (strcmp(ledger_state_name(state), name) == 0) {
            return state;
        }
    }
    return LEDGER_STATE_NONE;
}

static void set_row(Stage *stage, const char *text)
{
    LedgerEnvironment *row = &stage->claimed.environment;
    json_t *json CLEANUP(talk_free_json) = talk_json(text);
    char state[16];
    TALK_SET(state, json, "state", "ready");
    row->state = talk_state(state);
    assert_true(text_copy(row->environment, sizeof row->environment, stage->command->writes.name));
    TALK_SET(row->origin, json, "origin", "created");
    TALK_SET(row->command_id, json, "command_id", TALK_OTHER_ID);
    TALK_SET(row->action, json, "action", "CreateEnvironment");
    TALK_SET(row->account, json, "account", "main");
    TALK_SET(row->project_id, json, "project_id", "");
    TALK_SET(row->branch_id, json, "branch_id", "");
    TALK_SET(row->endpoint_id, json, "endpoint_id", "");
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
    if (command->action == PROVISIONING__V1__COMMAND__ACTION_OPEN_PREVIEW) {
        return "{'state':'creating','origin':'branched','command_id':'" TALK_ID
               "','action':'OpenPreview'}";
    }
    if (command->action == PROVISIONING__V1__COMMAND__ACTION_IMPORT_ENVIRONMENT) {
        return "{'state':'creating','origin':'imported','command_id':'" TALK_ID
               "','action':'ImportEnvironment'}";
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
                               .subject_sequence = 4,
                               .now_ms = START_WALL_MS + stage->now.boot_ms - START_BOOT_MS};
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
                  .memory_ms = 48 * INT64_C(3600000),
                  .login_attempts = 3,
                  .crash_limit = 5,
                  .check_login = true,
                  .reveal_recipients = "shop=" TALK_RECIPIENT,
                  .roles_prefix = "encore"},
        .now = {.boot_ms = START_BOOT_MS, .wall_ms = START_WALL_MS},
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

#define TOPIC(name) PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_##name

static void keep_journal(Stage *stage)
{
    char *packed = journal_pack(&stage->saga.journal);
    json_decref(stage->journal);
    stage->journal = json_loads(packed, 0, NULL);
    free(packed);
}

void stage_open_intent(Stage *stage, const Decision *decision)
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

void stage_close_intent(Stage *stage)
{
    char *delta = journal_pack_delta(&stage->saga.journal);
    json_decref(stage->intent.result);
    stage->intent.result = json_loads(delta, 0, NULL);
    stage->intent.status = LEDGER_INTENT_CLOSED;
    free(delta);
    keep_journal(stage);
}

void stage_save(Stage *stage)
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

void stage_pack_outcome(const char *type, Buffer *ret_outcome)
{
    Provisioning__Internal__V1__OutcomeHeader other;
    Provisioning__Internal__V1__OutcomeHeader header;
    Provisioning__Internal__V1__OutcomeRecord record;
    OutcomeMessage outcome;
    provisioning__internal__v1__outcome_header__init(&other);
    provisioning__internal__v1__outcome_header__init(&header);
    provisioning__internal__v1__outcome_record__init(&record);
    provisioning__internal__v1__outcome__init(&outcome);
    other.name = unconst("ce_id");
    header.name = unconst("ce_type");
    header.value = (ProtobufCBinaryData){strlen(type), unconst(type)};
    record.topic = TOPIC(EVENTS);
    record.headers = (Provisioning__Internal__V1__OutcomeHeader *[]){&other, &header};
    record.n_headers = 2;
    outcome.records = (Provisioning__Internal__V1__OutcomeRecord *[]){&record};
    outcome.n_records = 1;
    Buffer packed = {NULL, provisioning__internal__v1__outcome__get_packed_size(&outcome)};
    packed.data = alloc_bytes(packed.size);
    provisioning__internal__v1__outcome__pack(&outcome, packed.data);
    *ret_outcome = packed;
}

void talk_unquote(Text *text)
{
    for (size_t i = 0; i < text->length; i++) {
        if (text->data[i] == '"') {
            text->data[i] = '\'';
        }
    }
}

// ---- endings

// What only the recipient sees.
static void print_credentials(const Provisioning__V1__SealedBox *sealed, Text *text)
{
    uint8_t private_key[CRYPTO_KEY_BYTES];
    for (size_t i = 0; i < sizeof private_key; i++) {
        private_key[i] = (uint8_t)i;
    }
    CLEANUP(secret_clear) Secret plain = SECRET_INIT;
    assert_true(
        crypto_open_box((Bytes){sealed->box.data, sealed->box.len}, private_key, &plain, NULL));
    Provisioning__V1__Credentials *credentials =
        provisioning__v1__credentials__unpack(NULL, plain.size, secret_bytes(&plain).data);
    assert_non_null(credentials);
    for (size_t i = 0; i < credentials->n_credentials; i++) {
        const Provisioning__V1__Credential *one = credentials->credentials[i];
        text_printf(text, "box{%s %s direct=%s pooled=%s} ", one->role, one->database,
                    one->direct_uri, one->pooled_uri);
    }
    provisioning__v1__credentials__free_unpacked(credentials, NULL);
}

static void print_record(const Provisioning__Internal__V1__OutcomeRecord *record, Text *text)
{
    if (record->topic == TOPIC(DEAD_LETTERS)) {
        text_append(text, "dead letter ");
        return;
    }
    if (record->tombstone) {
        text_append(text, "tombstone ");
        return;
    }
    static const struct {
        const char *name;
        const ProtobufCMessageDescriptor *descriptor;
    } KINDS[] = {
        [TOPIC(EVENTS)] = {"event", &provisioning__v1__event__descriptor},
        [TOPIC(STATE)] = {"state", &provisioning__v1__state__descriptor},
        [TOPIC(COMMANDS)] = {"command", &provisioning__v1__command__descriptor},
    };
    bool is_event = record->topic == TOPIC(EVENTS);
    ProtobufCMessage *message = protobuf_c_message_unpack(KINDS[record->topic].descriptor, NULL,
                                                          record->value.len, record->value.data);
    assert_non_null(message);
    json_t *json = json_from_message(message);
    char *dump = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    text_printf(text, "%s%s ", KINDS[record->topic].name, dump);
    free(dump);
    json_decref(json);
    const Provisioning__V1__Event *event = (const Provisioning__V1__Event *)message;
    if (is_event && event->body_case == PROVISIONING__V1__EVENT__BODY_CREDENTIALS_ISSUED) {
        print_credentials(event->credentials_issued->sealed, text);
    }
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
    uint8_t ephemeral_key[CRYPTO_KEY_BYTES] = {64};
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
        .ephemeral_key = ephemeral_key,
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
    talk_unquote(ret_text);
    assert_true(text_ok(ret_text));
}
