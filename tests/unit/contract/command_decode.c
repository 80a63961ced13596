#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/murmur2.h"
#include "contract/command_parts.h"
#include "kit.h"

#define DELETE "'deleteEnvironment':{'environment':'staging','deleteData':true}"
#define OTHER_ID "00000000-0000-4000-8000-000000000001"

static Command *decode(const Record *record, Rejection *ret_rejection)
{
    CommandRules rules = kit_rules();
    return command_decode(record, &rules, ret_rejection);
}

static void a_command_is_decoded_whole(void **state)
{
    (void)state;
    Buffer packed CLEANUP(buffer_clear) = kit_pack_command(
        "{'commandId':'919108F7-52D1-4320-9BAC-F847DB4148A8','applicationId':'shop',"
        "'deadline':'2026-11-22T08:07:00.250Z'," DELETE "}");
    Record record = kit_record(&packed);
    Rejection rejection;
    Command *command CLEANUP(command_free_at) = decode(&record, &rejection);
    assert_non_null(command);
    assert_string_equal(command->application_id, "shop");
    assert_string_equal(command->command_id, KIT_ID);
    assert_int_equal(command->action, PROVISIONING__V1__COMMAND__ACTION_DELETE_ENVIRONMENT);
    assert_string_equal(command->action_name, "DeleteEnvironment");
    assert_int_equal(command->partition, record.partition);
    assert_int_equal(command->offset, record.offset);
    assert_int_equal(command->timestamp_ms, record.timestamp_ms);
    assert_int_equal(command->deadline_ms, 1795334820250);
    assert_string_equal(command->traceparent, "");
    assert_true(secret_is_empty(&command->api_key));
    assert_true(command->message->delete_environment->delete_data);
}

static void a_deadline_at_the_epoch_is_not_none(void **state)
{
    (void)state;
    Command *without CLEANUP(command_free_at) = kit_decode(KIT_COMMAND(DELETE));
    assert_int_equal(without->deadline_ms, 0);
    Command *with CLEANUP(command_free_at) =
        kit_decode(KIT_COMMAND("'deadline':'1970-01-01T00:00:00Z'," DELETE));
    assert_int_equal(with->deadline_ms, 1);
}

typedef struct SubjectCase {
    const char *command;
    const char *writes;
    const char *reads;
    SubjectKind writes_kind;
    SubjectKind reads_kind; // SUBJECT_NONE: reads nothing
    SubjectKind also_reads;
    SubjectKind reads_last;
    SubjectKind excludes;
    SubjectKind joins;
} SubjectCase;

static void a_command_names_what_it_writes_and_reads(void **state)
{
    (void)state;
    static const SubjectCase CASES[] = {
        {KIT_COMMAND("'connectAccount':{'account':'main','plaintext':'k'}"), "main", "",
         SUBJECT_ACCOUNT, SUBJECT_NONE, SUBJECT_NONE, SUBJECT_NONE, SUBJECT_ACCOUNT, SUBJECT_NONE},
        {KIT_COMMAND("'disconnectAccount':{'account':'main'}"), "main", "", SUBJECT_ACCOUNT,
         SUBJECT_NONE, SUBJECT_NONE, SUBJECT_NONE, SUBJECT_ACCOUNT, SUBJECT_NONE},
        {KIT_COMMAND("'setPreviewBase':{'environment':'b'}"), "", "b", SUBJECT_APPLICATION,
         SUBJECT_ENVIRONMENT, SUBJECT_NONE, SUBJECT_NONE, SUBJECT_NONE, SUBJECT_NONE},
        {KIT_COMMAND("'createEnvironment':{'environment':'a','account':'main','regionId':'r'}"),
         "a", "main", SUBJECT_ENVIRONMENT, SUBJECT_ACCOUNT, SUBJECT_NONE, SUBJECT_NONE,
         SUBJECT_NONE, SUBJECT_ENVIRONMENT},
        {KIT_COMMAND("'branchEnvironment':{'environment':'a','sourceEnvironment':'b'}"), "a", "b",
         SUBJECT_ENVIRONMENT, SUBJECT_ENVIRONMENT, SUBJECT_ACCOUNT, SUBJECT_APPLICATION,
         SUBJECT_NONE, SUBJECT_ENVIRONMENT},
        {KIT_COMMAND("'branchEnvironment':{'environment':'a','sourceBranch':{'account':'main',"
                     "'projectId':'p','branch':'b'}}"),
         "a", "main", SUBJECT_ENVIRONMENT, SUBJECT_ACCOUNT, SUBJECT_APPLICATION, SUBJECT_NONE,
         SUBJECT_NONE, SUBJECT_ENVIRONMENT},
        {KIT_COMMAND("'revealCredentials':{'environment':'a','replyPublicKey':"
                     "'j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8='}"),
         "a", "", SUBJECT_ENVIRONMENT, SUBJECT_ACCOUNT, SUBJECT_NONE, SUBJECT_NONE, SUBJECT_NONE,
         SUBJECT_NONE},
        {KIT_COMMAND(DELETE), "staging", "", SUBJECT_ENVIRONMENT, SUBJECT_ACCOUNT, SUBJECT_NONE,
         SUBJECT_NONE, SUBJECT_APPLICATION, SUBJECT_NONE},
        {KIT_COMMAND("'setupRoles':{'environment':'a'}"), "a", "", SUBJECT_ENVIRONMENT,
         SUBJECT_ACCOUNT, SUBJECT_NONE, SUBJECT_NONE, SUBJECT_NONE, SUBJECT_ENVIRONMENT},
        {KIT_COMMAND("'rotateCredentials':{'environment':'a','all':true}"), "a", "",
         SUBJECT_ENVIRONMENT, SUBJECT_ACCOUNT, SUBJECT_NONE, SUBJECT_NONE, SUBJECT_NONE,
         SUBJECT_ENVIRONMENT},
    };
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        Command *command CLEANUP(command_free_at) = kit_decode(CASES[i].command);
        assert_int_equal(command->writes.kind, CASES[i].writes_kind);
        assert_string_equal(command->writes.name, CASES[i].writes);
        int reads = (CASES[i].reads_kind != SUBJECT_NONE) + (CASES[i].also_reads != SUBJECT_NONE) +
                    (CASES[i].reads_last != SUBJECT_NONE);
        assert_int_equal(command->read_count, reads);
        assert_int_equal(command->reads[0].kind, CASES[i].reads_kind);
        assert_string_equal(command->reads[0].name, CASES[i].reads);
        assert_int_equal(command->reads[1].kind, CASES[i].also_reads);
        assert_int_equal(command->reads[2].kind, CASES[i].reads_last);
        assert_int_equal(command->excludes.kind, CASES[i].excludes);
        assert_int_equal(command->joins.kind, CASES[i].joins);
        assert_string_equal(command->joins.name, "");
        assert_int_equal(command->only_reads, strstr(CASES[i].command, "reveal") != NULL);
    }
}

static void a_cancellation_writes_nothing_and_is_about_the_application(void **state)
{
    (void)state;
    Command *cancel CLEANUP(command_free_at) = kit_decode(
        KIT_COMMAND("'cancelCommand':{'commandId':'5D1C6B7E-0000-4000-8000-00000000000A'}"));
    assert_int_equal(cancel->writes.kind, SUBJECT_NONE);
    assert_int_equal(cancel->read_count, 0);
    assert_int_equal(cancel->excludes.kind, SUBJECT_NONE);
    assert_string_equal(cancel->stops, "5d1c6b7e-0000-4000-8000-00000000000a");
    assert_int_equal(command_subject(cancel).kind, SUBJECT_APPLICATION);
    Command *other CLEANUP(command_free_at) = kit_decode(KIT_COMMAND(DELETE));
    assert_string_equal(other->stops, "");
    Subject subject = command_subject(other);
    assert_true(subject_equal(&subject, &other->writes));
}

typedef struct KeyCase {
    const char *command;
    Bytes key;
    const char *code;
    const char *field;
    const char *application_id; // of the rejection
    const char *command_id;
} KeyCase;

static void identity_comes_before_all_else(void **state)
{
    (void)state;
    static const KeyCase CASES[] = {
        {"{'applicationId':'shop','commandId':'" KIT_ID "'}", KIT_BYTES("other"), "KEY_MISMATCH",
         "application_id", "other", KIT_ID},
        {"{'applicationId':'shop','commandId':'" KIT_ID "'}", KIT_BYTES(""), "KEY_MISMATCH",
         "application_id", "", KIT_ID},
        {"{'applicationId':'shop','commandId':'" KIT_ID "'}", KIT_BYTES("shop\0"), "KEY_MISMATCH",
         "application_id", "", KIT_ID},
        {"{'applicationId':'shop','commandId':'" KIT_ID "'}", KIT_BYTES("Shop"), "KEY_MISMATCH",
         "application_id", "", KIT_ID},
        {"{'applicationId':'shop','commandId':'" KIT_ID "'}",
         KIT_BYTES("shopshopshopshopshopshopshopshopshopshopshopshopshopshopshopshop"),
         "KEY_MISMATCH", "application_id", "", KIT_ID},
        {"{'applicationId':'shop','requestedBy':'me'}", KIT_BYTES("shop"), "FIELD_REQUIRED",
         "command_id", "shop", ""},
        {"{'commandId':'" KIT_ID "'}", KIT_BYTES("shop"), "FIELD_REQUIRED", "application_id",
         "shop", KIT_ID},
        {"{'applicationId':'Shop','commandId':'" KIT_ID "'}", KIT_BYTES("Shop"), "INVALID_NAME",
         "application_id", "", KIT_ID},
        {"{'applicationId':'shop','commandId':'1'}", KIT_BYTES("shop"), "INVALID_VALUE",
         "command_id", "shop", ""},
        {"{'applicationId':'shop','commandId':'00000000-0000-0000-0000-000000000000'}",
         KIT_BYTES("shop"), "INVALID_VALUE", "command_id", "shop", ""},
    };
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        Buffer packed CLEANUP(buffer_clear) = kit_pack_command(CASES[i].command);
        Record record = kit_record(&packed);
        record.key = CASES[i].key;
        Rejection rejection;
        assert_null(decode(&record, &rejection));
        assert_string_equal(rejection.error.code, CASES[i].code);
        assert_string_equal(rejection.error.field, CASES[i].field);
        assert_string_equal(rejection.application_id, CASES[i].application_id);
        assert_string_equal(rejection.command_id, CASES[i].command_id);
        assert_string_equal(rejection.action_name, "");
    }
}

static void another_partition_than_the_keys_is_refused(void **state)
{
    (void)state;
    Buffer packed CLEANUP(buffer_clear) = kit_pack_command(KIT_COMMAND("'editProject':{}"));
    Record record = kit_record(&packed);
    int32_t right = murmur2_partition(record.key, 12);
    CommandRules rules = kit_rules();
    Rejection rejection;
    for (int32_t partition = 0; partition < 12; partition++) {
        record.partition = partition;
        rules.partitions = 12;
        rules.check_partition = true;
        assert_null(command_decode(&record, &rules, &rejection));
        assert_string_equal(rejection.error.code,
                            partition == right ? "FIELD_REQUIRED" : "WRONG_PARTITION");
        assert_string_equal(rejection.action_name, "EditProject");
        rules.check_partition = false;
        assert_null(command_decode(&record, &rules, &rejection));
        assert_string_equal(rejection.error.code, "FIELD_REQUIRED");
        rules.partitions = 0;
        rules.check_partition = true;
        assert_null(command_decode(&record, &rules, &rejection));
        assert_string_equal(rejection.error.code, "FIELD_REQUIRED");
    }
}

typedef struct BrokenCase {
    Bytes value;
    const char *code;
    const char *command_id;
} BrokenCase;

#define WIRE_ID "\x0a\x24" OTHER_ID

static void a_broken_record_is_refused_with_what_can_be_read(void **state)
{
    (void)state;
    static const BrokenCase CASES[] = {
        {KIT_BYTES(""), "RECORD_EMPTY", ""},
        {KIT_BYTES("garbage"), "RECORD_UNREADABLE", ""},
        {KIT_BYTES(WIRE_ID "\x12"), "RECORD_UNREADABLE", OTHER_ID},
        {KIT_BYTES(WIRE_ID "\x12\x04sh\x00p"), "RECORD_UNREADABLE", OTHER_ID},
        {KIT_BYTES(WIRE_ID "\x98\x06\x01"), "FIELD_NOT_SUPPORTED", OTHER_ID},
        {KIT_BYTES("\x00\x00\x00\x00\x01\x00" WIRE_ID "\x12"), "RECORD_UNREADABLE", OTHER_ID},
        {KIT_BYTES("\x00\x00\x00\x00\x01\x00"), "RECORD_EMPTY", ""},
        {KIT_BYTES("\x00\x00\x00\x00\x01\x02\x02" WIRE_ID), "FRAMING_UNREADABLE", ""},
    };
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        Record record = kit_record(&(Buffer){NULL, 0});
        record.value = CASES[i].value;
        Rejection rejection;
        assert_null(decode(&record, &rejection));
        assert_string_equal(rejection.error.code, CASES[i].code);
        assert_string_equal(rejection.command_id, CASES[i].command_id);
        assert_string_equal(rejection.application_id, "shop");
        assert_string_equal(rejection.action_name, "");
    }
}

static void a_framed_command_is_the_same_command(void **state)
{
    (void)state;
    Buffer packed CLEANUP(buffer_clear) = kit_pack_command(KIT_COMMAND(DELETE));
    uint8_t framed[256] = {0, 0, 0, 0, 7, 0};
    assert_true(packed.size + 6 <= sizeof framed);
    memcpy(framed + 6, packed.data, packed.size);
    Record record = kit_record(&(Buffer){framed, packed.size + 6});
    Rejection rejection;
    Command *command CLEANUP(command_free_at) = decode(&record, &rejection);
    assert_non_null(command);
    Command *plain CLEANUP(command_free_at) = kit_decode(KIT_COMMAND(DELETE));
    assert_memory_equal(command->digest, plain->digest, sizeof plain->digest);
}

static void a_large_record_is_refused_by_its_size(void **state)
{
    (void)state;
    Buffer packed CLEANUP(buffer_clear) = kit_pack_command(KIT_COMMAND(DELETE));
    Record record = kit_record(&packed);
    CommandRules rules = kit_rules();
    Rejection rejection;
    rules.max_bytes = packed.size;
    Command *command CLEANUP(command_free_at) = command_decode(&record, &rules, &rejection);
    assert_non_null(command);
    rules.max_bytes--;
    assert_null(command_decode(&record, &rules, &rejection));
    assert_string_equal(rejection.error.code, "RECORD_TOO_LARGE");
    assert_string_equal(rejection.command_id, KIT_ID);
    uint8_t broken[] = {0x00};
    record.value = (Bytes){broken, sizeof broken};
    rules.max_bytes = 0;
    assert_null(command_decode(&record, &rules, &rejection));
    assert_string_equal(rejection.error.code, "RECORD_TOO_LARGE");
}

// One of the first 64, whichever it is, is read: nothing is looked for among more than that.
static void a_record_of_many_headers_is_refused(void **state)
{
    (void)state;
    static const char TRACE[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    RecordHeader headers[COMMAND_HEADERS_MAX + 1];
    for (size_t i = 0; i < KIT_COUNT(headers); i++) {
        headers[i] = (RecordHeader){"h", {NULL, 0}};
    }
    headers[COMMAND_HEADERS_MAX - 1] = (RecordHeader){"traceparent", bytes_of(TRACE)};
    Buffer packed CLEANUP(buffer_clear) = kit_pack_command(KIT_COMMAND(DELETE));
    Record record = kit_record(&packed);
    CommandRules rules = kit_rules();
    Rejection rejection;
    record.headers = headers;
    record.header_count = COMMAND_HEADERS_MAX;
    Command *command CLEANUP(command_free_at) = command_decode(&record, &rules, &rejection);
    assert_non_null(command);
    assert_string_equal(command->traceparent, TRACE);
    record.header_count++;
    assert_null(command_decode(&record, &rules, &rejection));
    assert_string_equal(rejection.error.code, "RECORD_TOO_LARGE");
    assert_string_equal(rejection.error.text, "the record has 65 headers, the limit is 64");
    assert_string_equal(rejection.command_id, KIT_ID);
}

static void what_frees_or_stops_never_expires(void **state)
{
    (void)state;
    const ProtobufCMessageDescriptor *descriptor = &provisioning__v1__command__descriptor;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const char *name = descriptor->fields[i].name;
        bool frees = strcmp(name, "cancel_command") == 0 || strcmp(name, "close_preview") == 0 ||
                     strcmp(name, "delete_environment") == 0 ||
                     strcmp(name, "disconnect_account") == 0;
        assert_int_equal(command_never_expires((Action)descriptor->fields[i].id), frees);
    }
}

static void the_executed_fields_are_those_of_the_table(void **state)
{
    (void)state;
    assert_true(command_supports_field(PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT, 9));
    assert_false(command_supports_field((Action)99, 1));
    assert_false(command_supports_field(PROVISIONING__V1__COMMAND__ACTION_BRANCH_ENVIRONMENT, 11));
    assert_false(command_supports_field(PROVISIONING__V1__COMMAND__ACTION_EDIT_PROJECT, 4));
}

static void freeing_nothing_is_allowed(void **state)
{
    (void)state;
    command_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_decoded_whole),
        cmocka_unit_test(a_deadline_at_the_epoch_is_not_none),
        cmocka_unit_test(a_command_names_what_it_writes_and_reads),
        cmocka_unit_test(a_cancellation_writes_nothing_and_is_about_the_application),
        cmocka_unit_test(identity_comes_before_all_else),
        cmocka_unit_test(another_partition_than_the_keys_is_refused),
        cmocka_unit_test(a_broken_record_is_refused_with_what_can_be_read),
        cmocka_unit_test(a_framed_command_is_the_same_command),
        cmocka_unit_test(a_large_record_is_refused_by_its_size),
        cmocka_unit_test(a_record_of_many_headers_is_refused),
        cmocka_unit_test(what_frees_or_stops_never_expires),
        cmocka_unit_test(the_executed_fields_are_those_of_the_table),
        cmocka_unit_test(freeing_nothing_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
