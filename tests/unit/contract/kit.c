#include "kit.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "contract/wire.h"

json_t *kit_json(const char *text)
{
    char *quoted = alloc_text(text);
    for (char *c = quoted; *c != '\0'; c++) {
        if (*c == '\'') {
            *c = '"';
        }
    }
    json_error_t problem;
    json_t *json = json_loads(quoted, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (json == NULL) {
        fail_msg("%s in %s", problem.text, text);
    }
    free(quoted);
    return json;
}

void kit_free_json(json_t **json)
{
    json_decref(*json);
}

Buffer kit_pack(const ProtobufCMessageDescriptor *descriptor, const char *text)
{
    json_t *json CLEANUP(kit_free_json) = kit_json(text);
    Buffer packed = {NULL, 0};
    Error err = ERROR_INIT;
    if (!json_to_message(json, descriptor, &packed, &err)) {
        fail_msg("%s in %s", err.text, text);
    }
    return packed;
}

Buffer kit_pack_command(const char *text)
{
    return kit_pack(&provisioning__v1__command__descriptor, text);
}

Record kit_record(const Buffer *value)
{
    return (Record){.topic = "provisioning.commands",
                    .partition = 3,
                    .offset = 41,
                    .timestamp_ms = 1795334820000,
                    .key = bytes_of("shop"),
                    .value = buffer_view(value)};
}

CommandRules kit_rules(void)
{
    return (CommandRules){.max_bytes = KIT_MAX_BYTES};
}

Command *kit_decode(const char *text)
{
    Buffer packed CLEANUP(buffer_clear) = kit_pack_command(text);
    Record record = kit_record(&packed);
    CommandRules rules = kit_rules();
    rules.allow_plaintext_key = true;
    Rejection rejection;
    Command *command = command_decode(&record, &rules, &rejection);
    if (command == NULL) {
        fail_msg("%s: %s in %s", rejection.error.code, rejection.error.text, text);
    }
    return command;
}

void kit_check_commands(const KitCommandCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Buffer packed CLEANUP(buffer_clear) = kit_pack_command(cases[i].command);
        Record record = kit_record(&packed);
        CommandRules rules = kit_rules();
        rules.allow_plaintext_key = true;
        Rejection rejection;
        Command *command CLEANUP(command_free_at) = command_decode(&record, &rules, &rejection);
        const char *code = cases[i].code == NULL ? "" : cases[i].code;
        if ((command == NULL) != (code[0] != '\0') || strcmp(rejection.error.code, code) != 0) {
            fail_msg("%s: %s %s", cases[i].command, rejection.error.code, rejection.error.text);
        }
        assert_string_equal(rejection.error.field, cases[i].field);
        if (command == NULL) {
            assert_non_null(strstr(rejection.error.text, rejection.error.field));
            assert_string_equal(rejection.application_id, "shop");
            assert_string_equal(rejection.command_id, KIT_ID);
        }
    }
}
