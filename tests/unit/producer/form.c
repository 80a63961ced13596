#include "lib/form.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "lib/command.h"
#include "unit.h"

static void free_text(char **text)
{
    free(*text);
}

static void a_command_is_read_from_its_json_form(void **state)
{
    (void)state;
    static const char JSON[] =
        "{\"commandId\": \"919108f7-52d1-4320-9bac-f847db4148a8\", \"applicationId\": \"shop\","
        " \"requestedAt\": \"2026-11-22T08:07:00Z\", \"createEnvironment\": {\"environment\": "
        "\"production\", \"account\": \"main\", \"regionId\": \"aws-eu-central-1\", "
        "\"databases\": [\"orders\"], \"historyRetentionSeconds\": \"3600\"}}";
    ProvisionCommand *command CLEANUP(draft_free_at) = provision_command_from_json(JSON, NULL);
    assert_non_null(command);
    assert_string_equal(provision_command_id(command), "919108f7-52d1-4320-9bac-f847db4148a8");
    assert_string_equal(provision_command_application(command), "shop");
    assert_int_equal(command->message->requested_at->seconds, 1795334820);
    assert_string_equal(command->message->create_environment->databases[0], "orders");
    assert_int_equal(command->message->create_environment->history_retention_seconds->value, 3600);
}

static void what_is_printed_can_be_read_again(void **state)
{
    (void)state;
    ProvisionBranchEnvironment spec = {
        .environment = "staging", .source_environment = "production", .endpoint = {.max_cu = 2}};
    ProvisionCommand *command CLEANUP(draft_free_at) =
        provision_branch_environment("shop", &spec, NULL);
    char *json CLEANUP(free_text) = provision_command_json(command);
    ProvisionCommand *again CLEANUP(draft_free_at) = provision_command_from_json(json, NULL);
    assert_non_null(again);
    Buffer first CLEANUP(buffer_clear) = {.data = NULL};
    Buffer second CLEANUP(buffer_clear) = {.data = NULL};
    draft_pack(command, &first);
    draft_pack(again, &second);
    assert_true(bytes_equal(buffer_view(&first), buffer_view(&second)));
}

static void an_id_and_a_time_are_added(void **state)
{
    (void)state;
    static const char JSON[] =
        "{\"application_id\": \"shop\", \"deleteEnvironment\": {\"environment\": \"staging\"}}";
    ProvisionCommand *command CLEANUP(draft_free_at) = provision_command_from_json(JSON, NULL);
    assert_non_null(command);
    assert_int_equal(strlen(provision_command_id(command)), 36);
    assert_true(command->message->requested_at->seconds > 1700000000);
}

static void wrong_forms_are_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *code;
        const char *field;
    } CASES[] = {
        {"{", "JSON_INVALID", ""},
        {"[]", "JSON_INVALID", ""},
        {"{\"applicationId\": \"a\", \"applicationId\": \"b\"}", "JSON_INVALID", ""},
        {"{\"applicationId\": 3}", "JSON_INVALID", "applicationId"},
        {"{\"applicationId\": \"shop\"}", "FIELD_REQUIRED", "action"},
        {"{\"applicationId\": \"shop\", \"deleteEnvironment\": {\"environment\": \"A\"}}",
         "INVALID_NAME", "delete_environment.environment"},
        {"{\"applicationId\": \"shop\", \"connectAccount\": {\"account\": \"a\", \"plaintext\": "
         "\"napi_secret\"}}",
         "PLAINTEXT_REFUSED", "connect_account.plaintext"},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        ProvisionError error;
        assert_null(provision_command_from_json(CASES[i].json, &error));
        assert_string_equal(error.code, CASES[i].code);
        assert_string_equal(error.field, CASES[i].field);
        assert_null(strstr(error.text, "napi_secret"));
    }
}

static void a_sealed_key_is_not_printed(void **state)
{
    (void)state;
    static const char JSON[] =
        "{\"applicationId\": \"shop\", \"connectAccount\": {\"account\": \"main\"}}";
    uint8_t key[PROVISION_KEY_BYTES];
    assert_true(provision_public_key_parse(
        " de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f\n", key, NULL));
    ProvisionCommand *command CLEANUP(draft_free_at) = provision_command_from_json(JSON, NULL);
    assert_non_null(command); // the key may come later
    assert_true(provision_command_set_api_key(command, "napi_1", key, NULL));
    assert_true(provision_command_set_api_key(command, "napi_2", key, NULL)); // replaces it
    char *json CLEANUP(free_text) = provision_command_json(command);
    assert_non_null(strstr(json, "\"box\": \"***\""));
    assert_non_null(strstr(json, "\"fleetKeyId\""));
    assert_null(strstr(json, "napi"));
}

static void a_public_key_has_64_hex_digits(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "", "de9edb", "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4x",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f00"};
    for (size_t i = 0; i < UNIT_COUNT(WRONG); i++) {
        uint8_t key[PROVISION_KEY_BYTES];
        ProvisionError error;
        assert_false(provision_public_key_parse(WRONG[i], key, &error));
        assert_string_equal(error.code, "KEY_INVALID");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_read_from_its_json_form),
        cmocka_unit_test(what_is_printed_can_be_read_again),
        cmocka_unit_test(an_id_and_a_time_are_added),
        cmocka_unit_test(wrong_forms_are_refused_with_the_place),
        cmocka_unit_test(a_sealed_key_is_not_printed),
        cmocka_unit_test(a_public_key_has_64_hex_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
