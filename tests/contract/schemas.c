#include <jansson.h>
#include <string.h>

#include "base/settings.h"
#include "contract/command_parts.h"
#include "contract/json_parts.h"
#include "descriptor_set.h"
#include "provisioning/v1/event.pb-c.h"
#include "provisioning/v1/state.pb-c.h"

static void free_json(json_t **json)
{
    json_decref(*json);
}

static void free_settings(Settings **settings)
{
    settings_free(*settings);
}

static void expect_line(const Text *document, const char *line)
{
    Text whole CLEANUP(text_clear) = TEXT_INIT(512);
    text_printf(&whole, "\n%s\n", line);
    if (strstr(text_get(document), text_get(&whole)) == NULL) {
        fail_msg("asyncapi.yaml has no line: %s", line);
    }
}

static void asyncapi_names_every_topic(void **state)
{
    (void)state;
    static const SettingId TOPICS[] = {SETTING_TOPIC_COMMANDS, SETTING_TOPIC_EVENTS,
                                       SETTING_TOPIC_STATE, SETTING_TOPIC_DEAD_LETTERS};
    Settings *settings CLEANUP(free_settings) = settings_new();
    Text document CLEANUP(text_clear) = TEXT_INIT(DESCRIPTOR_TEXT_MAX);
    descriptor_read_file(SCHEMAS "/asyncapi.yaml", &document);
    for (size_t i = 0; i < sizeof TOPICS / sizeof TOPICS[0]; i++) {
        Text line CLEANUP(text_clear) = TEXT_INIT(256);
        text_printf(&line, "    address: %s", settings_text(settings, TOPICS[i]));
        expect_line(&document, text_get(&line));
    }
}

// In the channel and among the messages.
static void expect_event(const Text *document, const ProtobufCFieldDescriptor *body)
{
    const ProtobufCMessageDescriptor *type = body->descriptor;
    Text camel CLEANUP(text_clear) = TEXT_INIT(128);
    json_append_camel(&camel, body->name);
    Text line CLEANUP(text_clear) = TEXT_INIT(256);
    text_printf(&line, "      %s: {$ref: '#/components/messages/%s'}", text_get(&camel),
                type->short_name);
    expect_line(document, text_get(&line));
    text_clear(&line);
    text_printf(&line, "      name: %s", type->name);
    expect_line(document, text_get(&line));
}

static void asyncapi_names_every_event(void **state)
{
    (void)state;
    Text document CLEANUP(text_clear) = TEXT_INIT(DESCRIPTOR_TEXT_MAX);
    descriptor_read_file(SCHEMAS "/asyncapi.yaml", &document);
    const ProtobufCMessageDescriptor *event = &provisioning__v1__event__descriptor;
    size_t events = 0;
    for (unsigned i = 0; i < event->n_fields; i++) {
        if ((event->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
            expect_event(&document, &event->fields[i]);
            events++;
        }
    }
    assert_int_equal(events, 24);
    expect_line(&document, "      name: provisioning.v1.Command");
    expect_line(&document, "      name: provisioning.v1.State");
}

static json_t *read_schema(void)
{
    json_error_t problem;
    json_t *schema =
        json_load_file(SCHEMAS "/command.schema.json", JSON_REJECT_DUPLICATES, &problem);
    if (schema == NULL) {
        fail_msg("%s:%d: %s", problem.source, problem.line, problem.text);
    }
    return schema;
}

// A property under both of its names, or under none.
static size_t expect_property(const json_t *object, const char *name, bool expected)
{
    const json_t *properties = json_object_get(object, "properties");
    Text camel CLEANUP(text_clear) = TEXT_INIT(128);
    json_append_camel(&camel, name);
    bool found = json_object_get(properties, text_get(&camel)) != NULL;
    bool declared = json_object_get(properties, name) != NULL;
    if (found != expected || declared != expected) {
        fail_msg("command.schema.json: %s", name);
    }
    return !expected ? 0 : strcmp(text_get(&camel), name) == 0 ? 1 : 2;
}

static void expect_strict(const json_t *object, size_t properties)
{
    assert_true(json_is_false(json_object_get(object, "additionalProperties")));
    assert_int_equal(json_object_size(json_object_get(object, "properties")), properties);
}

static void the_schema_of_commands_has_exactly_what_is_executed(void **state)
{
    (void)state;
    json_t *schema CLEANUP(free_json) = read_schema();
    const json_t *definitions = json_object_get(schema, "$defs");
    const ProtobufCMessageDescriptor *command = &provisioning__v1__command__descriptor;
    size_t properties = 0;
    size_t actions = 0;
    for (unsigned i = 0; i < command->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &command->fields[i];
        const ProtobufCMessageDescriptor *action = field->descriptor;
        bool is_action = (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        properties += expect_property(schema, field->name, true);
        if (!is_action) {
            continue;
        }
        const json_t *definition = json_object_get(definitions, action->short_name);
        size_t own = 0;
        for (unsigned j = 0; j < action->n_fields; j++) {
            assert_true(command_supports_field((Action)field->id, action->fields[j].id));
            own += expect_property(definition, action->fields[j].name, true);
        }
        expect_strict(definition, own);
        actions++;
    }
    expect_strict(schema, properties);
    assert_int_equal(actions, 19);
}

static void the_schema_has_the_messages_inside_commands(void **state)
{
    (void)state;
    static const ProtobufCMessageDescriptor *const MESSAGES[] = {
        &provisioning__v1__endpoint_settings__descriptor,
        &provisioning__v1__branch_reference__descriptor,
        &provisioning__v1__sealed_box__descriptor,
        &provisioning__v1__label__descriptor,
        &provisioning__v1__service__descriptor,
        &provisioning__v1__database_access__descriptor,
    };
    json_t *schema CLEANUP(free_json) = read_schema();
    for (size_t i = 0; i < sizeof MESSAGES / sizeof MESSAGES[0]; i++) {
        const json_t *definition =
            json_object_get(json_object_get(schema, "$defs"), MESSAGES[i]->short_name);
        size_t own = 0;
        for (unsigned j = 0; j < MESSAGES[i]->n_fields; j++) {
            own += expect_property(definition, MESSAGES[i]->fields[j].name, true);
        }
        expect_strict(definition, own);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asyncapi_names_every_topic),
        cmocka_unit_test(asyncapi_names_every_event),
        cmocka_unit_test(the_schema_of_commands_has_exactly_what_is_executed),
        cmocka_unit_test(the_schema_has_the_messages_inside_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
