#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "base/text.h"
#include "contract/outcome.h"
#include "kit.h"

typedef Provisioning__Internal__V1__OutcomeRecord OutcomeRecord;

#define TOPIC(name) PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_##name

static const Bytes VALUE = KIT_BYTES("\xff\x00garbage");

static Error reason(const char *code)
{
    Error err = ERROR_INIT;
    (void)error_set(&err, ERROR_INVALID, code, "the reason of %s", code);
    return err;
}

static Record broken_record(void)
{
    static const RecordHeader HEADERS[] = {{"traceparent", KIT_BYTES("x")},
                                           {"empty", {NULL, 0}},
                                           {"gr\xfc\xdf", KIT_BYTES("\xff\x00")}};
    Record record = kit_record(&(Buffer){NULL, 0});
    record.value = VALUE;
    record.headers = HEADERS;
    record.header_count = KIT_COUNT(HEADERS);
    return record;
}

static OutcomeMessage *letter_for(const Record *record, const Error *err, size_t max_value_bytes)
{
    OutcomeContext context = {.source = "test", .max_record_bytes = 1};
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_new(&context);
    outcome_add_dead_letter(outcome, record, err, "worker-1", max_value_bytes);
    Buffer packed CLEANUP(buffer_clear) = {NULL, 0};
    outcome_pack(outcome, &packed);
    OutcomeMessage *message = outcome_unpack(buffer_view(&packed));
    assert_non_null(message);
    assert_int_equal(message->n_records, 1);
    return message;
}

static void expect_header(const OutcomeRecord *record, size_t index, const char *name, Bytes value)
{
    assert_true(index < record->n_headers);
    assert_string_equal(record->headers[index]->name, name);
    assert_true(bytes_equal(
        (Bytes){record->headers[index]->value.data, record->headers[index]->value.len}, value));
}

static void a_dead_letter_is_the_record_with_its_reason(void **state)
{
    (void)state;
    Record record = broken_record();
    Error err = reason("RECORD_UNREADABLE");
    OutcomeMessage *message CLEANUP(outcome_message_free_at) =
        letter_for(&record, &err, VALUE.size);
    const OutcomeRecord *letter = message->records[0];
    assert_int_equal(letter->topic, TOPIC(DEAD_LETTERS));
    assert_false(letter->tombstone);
    assert_true(bytes_equal((Bytes){letter->key.data, letter->key.len}, record.key));
    assert_true(bytes_equal((Bytes){letter->value.data, letter->value.len}, VALUE));
    for (size_t i = 0; i < record.header_count; i++) {
        expect_header(letter, i, record.headers[i].name, record.headers[i].value);
    }
    expect_header(letter, 3, "dlq-topic", bytes_of("provisioning.commands"));
    expect_header(letter, 4, "dlq-partition", bytes_of("3"));
    expect_header(letter, 5, "dlq-offset", bytes_of("41"));
    expect_header(letter, 6, "dlq-timestamp", bytes_of("1795334820000"));
    expect_header(letter, 7, "dlq-reason", bytes_of("RECORD_UNREADABLE"));
    expect_header(letter, 8, "dlq-detail", bytes_of("the reason of RECORD_UNREADABLE"));
    expect_header(letter, 9, "dlq-worker", bytes_of("worker-1"));
    assert_int_equal(letter->n_headers, 10);
}

static void a_record_without_a_timestamp_says_none(void **state)
{
    (void)state;
    Record record = broken_record();
    record.timestamp_ms = 0;
    Error err = reason("RECORD_UNREADABLE");
    OutcomeMessage *message CLEANUP(outcome_message_free_at) =
        letter_for(&record, &err, VALUE.size);
    expect_header(message->records[0], 6, "dlq-reason", bytes_of("RECORD_UNREADABLE"));
}

// The headers from `index` on say what was left out.
static void expect_hash(const OutcomeRecord *letter, size_t index, const char *part, Bytes bytes)
{
    uint8_t hash[CRYPTO_SHA256_BYTES];
    char name[32];
    char size[32];
    crypto_sha256(&bytes, 1, hash);
    Text hex CLEANUP(text_clear) = TEXT_INIT(KIT_HASH_TEXT_BYTES);
    crypto_hex_append(&hex, (Bytes){hash, sizeof hash});
    (void)snprintf(name, sizeof name, "dlq-%s-sha256", part);
    expect_header(letter, index, name, text_bytes(&hex));
    (void)snprintf(name, sizeof name, "dlq-%s-bytes", part);
    (void)snprintf(size, sizeof size, "%zu", bytes.size);
    expect_header(letter, index + 1, name, bytes_of(size));
}

static void a_large_value_is_left_out_but_known(void **state)
{
    (void)state;
    Record record = broken_record();
    Error err = reason("RECORD_TOO_LARGE");
    OutcomeMessage *message CLEANUP(outcome_message_free_at) =
        letter_for(&record, &err, VALUE.size - 1);
    const OutcomeRecord *letter = message->records[0];
    assert_int_equal(letter->value.len, 0);
    assert_true(letter->tombstone);
    expect_hash(letter, 10, "value", VALUE);
}

static void a_key_in_clear_is_not_copied_whatever_the_reason(void **state)
{
    (void)state;
    static const char *const CODES[] = {
        "PLAINTEXT_REFUSED", "KEY_MISMATCH", "WRONG_PARTITION", "FIELD_NOT_SUPPORTED",
        "COMMAND_ID_REUSED", "CRASH_LOOP",   "INVALID_NAME",    "RECORD_UNREADABLE"};
    Buffer packed CLEANUP(buffer_clear) = kit_pack_command(
        KIT_COMMAND("'connectAccount':{'account':'main','plaintext':'napi_secret'}"));
    for (size_t i = 0; i < KIT_COUNT(CODES); i++) {
        Record record = broken_record();
        record.value = buffer_view(&packed);
        Error err = reason(CODES[i]);
        OutcomeMessage *message CLEANUP(outcome_message_free_at) =
            letter_for(&record, &err, KIT_MAX_BYTES);
        const OutcomeRecord *letter = message->records[0];
        assert_int_equal(letter->value.len, 0);
        assert_true(letter->tombstone);
        expect_hash(letter, 10, "value", record.value);
    }
}

static void a_long_key_is_left_out_but_known(void **state)
{
    (void)state;
    uint8_t key[1025];
    memset(key, 'k', sizeof key);
    Record record = broken_record();
    Error err = reason("KEY_MISMATCH");
    record.key = (Bytes){key, sizeof key};
    OutcomeMessage *message CLEANUP(outcome_message_free_at) =
        letter_for(&record, &err, VALUE.size);
    assert_int_equal(message->records[0]->key.len, 0);
    expect_hash(message->records[0], 10, "key", record.key);
    assert_int_equal(message->records[0]->value.len, VALUE.size);
    record.key.size--;
    OutcomeMessage *copied CLEANUP(outcome_message_free_at) = letter_for(&record, &err, VALUE.size);
    assert_int_equal(copied->records[0]->key.len, 1024);
    assert_int_equal(copied->records[0]->n_headers, 10);
}

static void large_headers_are_left_out_but_known(void **state)
{
    (void)state;
    static uint8_t bytes[4 * 1024 * 1024] = "ab";
    memset(bytes + 2, 'x', sizeof bytes - 2);
    const RecordHeader header = {"a", {bytes + 1, sizeof bytes - 1}};
    Record record = broken_record();
    Error err = reason("RECORD_UNREADABLE");
    record.headers = &header;
    record.header_count = 1;
    OutcomeMessage *message CLEANUP(outcome_message_free_at) =
        letter_for(&record, &err, VALUE.size);
    expect_header(message->records[0], 0, "dlq-topic", bytes_of("provisioning.commands"));
    expect_hash(message->records[0], 7, "headers", (Bytes){bytes, sizeof bytes});
    assert_int_equal(message->records[0]->n_headers, 9);
    const RecordHeader longest = {"a", {bytes, 16 * 1024 - 1}};
    record.headers = &longest;
    OutcomeMessage *copied CLEANUP(outcome_message_free_at) = letter_for(&record, &err, VALUE.size);
    expect_header(copied->records[0], 0, "a", longest.value);
}

static void many_headers_are_left_out_but_known(void **state)
{
    (void)state;
    RecordHeader headers[65];
    char names[sizeof headers / sizeof headers[0] + 1] = "";
    for (size_t i = 0; i < KIT_COUNT(headers); i++) {
        headers[i] = (RecordHeader){"h", {NULL, 0}};
        names[i] = 'h';
    }
    Record record = broken_record();
    Error err = reason("RECORD_UNREADABLE");
    record.headers = headers;
    record.header_count = KIT_COUNT(headers);
    OutcomeMessage *message CLEANUP(outcome_message_free_at) =
        letter_for(&record, &err, VALUE.size);
    expect_hash(message->records[0], 7, "headers", bytes_of(names));
    record.header_count--;
    OutcomeMessage *copied CLEANUP(outcome_message_free_at) = letter_for(&record, &err, VALUE.size);
    assert_int_equal(copied->records[0]->n_headers, 64 + 7);
}

static void a_record_without_a_value_stays_so(void **state)
{
    (void)state;
    Record record = broken_record();
    record.value = (Bytes){NULL, 0};
    record.key = (Bytes){NULL, 0};
    Error err = reason("RECORD_EMPTY");
    OutcomeMessage *message CLEANUP(outcome_message_free_at) = letter_for(&record, &err, 100);
    assert_true(message->records[0]->tombstone);
    assert_int_equal(message->records[0]->n_headers, 10);
    record.value = (Bytes){VALUE.data, 0};
    OutcomeMessage *empty CLEANUP(outcome_message_free_at) = letter_for(&record, &err, 100);
    assert_false(empty->records[0]->tombstone);
    assert_int_equal(empty->records[0]->value.len, 0);
}

static void a_rejection_is_told_to_the_application_of_the_key(void **state)
{
    (void)state;
    Record record = broken_record();
    CommandRules rules = kit_rules();
    Rejection rejection;
    assert_null(command_decode(&record, &rules, &rejection));
    OutcomeContext context = {.source = "test", .max_record_bytes = 4096};
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_new(&context);
    Error err = ERROR_INIT;
    assert_true(outcome_add_rejected(outcome, &rejection, &record, &err));
    record.offset++;
    assert_true(outcome_add_rejected(outcome, &rejection, &record, &err));
    Buffer packed CLEANUP(buffer_clear) = {NULL, 0};
    outcome_pack(outcome, &packed);
    OutcomeMessage *message CLEANUP(outcome_message_free_at) = outcome_unpack(buffer_view(&packed));
    assert_int_equal(message->n_records, 2);
    const OutcomeRecord *event = message->records[0];
    assert_true(bytes_equal((Bytes){event->key.data, event->key.len}, bytes_of("shop")));
    expect_header(event, 3, "ce_type", bytes_of("provisioning.v1.CommandRejected"));
    expect_header(event, 5, "ce_subject", bytes_of("applications/shop"));
    Provisioning__V1__Event *events[2];
    for (size_t i = 0; i < 2; i++) {
        const ProtobufCBinaryData *value = &message->records[i]->value;
        events[i] = provisioning__v1__event__unpack(NULL, value->len, value->data);
    }
    assert_string_equal(events[0]->application_id, "shop");
    assert_string_equal(events[0]->command_id, "");
    assert_int_equal(events[0]->body_case, PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED);
    assert_string_equal(events[0]->command_rejected->code, rejection.error.code);
    assert_string_equal(events[0]->command_rejected->message, rejection.error.text);
    assert_string_equal(events[0]->command_rejected->field, rejection.error.field);
    assert_string_equal(events[0]->command_rejected->action, "");
    assert_string_not_equal(events[0]->event_id, events[1]->event_id);
    provisioning__v1__event__free_unpacked(events[0], NULL);
    provisioning__v1__event__free_unpacked(events[1], NULL);
}

static void a_rejection_without_an_application_is_told_to_nobody(void **state)
{
    (void)state;
    OutcomeContext context = {.source = "test", .max_record_bytes = 4096};
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_new(&context);
    Record record = broken_record();
    const Rejection rejection = {.action_name = ""};
    assert_true(outcome_add_rejected(outcome, &rejection, &record, NULL));
    Buffer packed CLEANUP(buffer_clear) = {NULL, 0};
    outcome_pack(outcome, &packed);
    assert_int_equal(packed.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_letter_is_the_record_with_its_reason),
        cmocka_unit_test(a_record_without_a_timestamp_says_none),
        cmocka_unit_test(a_large_value_is_left_out_but_known),
        cmocka_unit_test(a_key_in_clear_is_not_copied_whatever_the_reason),
        cmocka_unit_test(a_long_key_is_left_out_but_known),
        cmocka_unit_test(large_headers_are_left_out_but_known),
        cmocka_unit_test(many_headers_are_left_out_but_known),
        cmocka_unit_test(a_record_without_a_value_stays_so),
        cmocka_unit_test(a_rejection_is_told_to_the_application_of_the_key),
        cmocka_unit_test(a_rejection_without_an_application_is_told_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
