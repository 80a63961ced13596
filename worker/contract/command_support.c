#include "base/attr.h"
#include "base/text.h"
#include "contract/command_parts.h"
#include "contract/field.h"

#define ACTION(name) PROVISIONING__V1__COMMAND__ACTION_##name

enum { FIELDS_MAX = 16, PATH_MAX_BYTES = sizeof((Error *)NULL)->field - 1 };

// What this version executes; whatever else a sender sets is refused, never ignored. Field numbers
// end with 0.
typedef struct Supported {
    Action action;
    uint32_t fields[FIELDS_MAX];
} Supported;

static const Supported SUPPORTED[] = {
    {ACTION(CANCEL_COMMAND), {1}},
    {ACTION(CONNECT_ACCOUNT), {1, 2, 3, 4, 5}},
    {ACTION(CREATE_ENVIRONMENT), {1, 2, 3, 4, 5, 6, 7, 8, 9}},
    {ACTION(BRANCH_ENVIRONMENT), {1, 2, 3, 4, 9}},
    {ACTION(REVEAL_CREDENTIALS), {1, 2, 3, 4}},
    {ACTION(DELETE_ENVIRONMENT), {1, 2}},
};

static const Supported *find_supported(Action action)
{
    for (size_t i = 0; i < sizeof SUPPORTED / sizeof SUPPORTED[0]; i++) {
        if (SUPPORTED[i].action == action) {
            return &SUPPORTED[i];
        }
    }
    return NULL;
}

static bool has_field(const Supported *supported, uint32_t number)
{
    for (size_t i = 0; i < FIELDS_MAX && supported->fields[i] != 0; i++) {
        if (supported->fields[i] == number) {
            return true;
        }
    }
    return false;
}

bool command_supports_field(Action action, uint32_t field_number)
{
    const Supported *supported = find_supported(action);
    return supported != NULL && has_field(supported, field_number);
}

const ProtobufCFieldDescriptor *command_action_field(const Provisioning__V1__Command *message)
{
    return protobuf_c_message_descriptor_get_field(message->base.descriptor,
                                                   (unsigned)message->action_case);
}

const ProtobufCMessage *command_action_message(const Provisioning__V1__Command *message)
{
    // All members of the union are pointers to messages.
    return (const ProtobufCMessage *)message->create_environment;
}

static bool refuse(const char *path, const char *what, Error *err)
{
    return error_set_field(err, ERROR_INVALID, "ACTION_NOT_SUPPORTED", path,
                           "%s is not executed by this version: %s", path, what);
}

static bool check_each_field(const Supported *supported, const ProtobufCMessage *action,
                             const char *action_path, Error *err)
{
    for (unsigned i = 0; i < action->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &action->descriptor->fields[i];
        if (field_is_set(action, field) && !has_field(supported, field->id)) {
            Text path CLEANUP(text_clear) = TEXT_INIT(PATH_MAX_BYTES);
            text_printf(&path, "%s.%s", action_path, field->name);
            return refuse(text_get(&path), "leave it out, or upgrade the workers", err);
        }
    }
    return true;
}

bool command_check_supported(const Provisioning__V1__Command *message, Error *err)
{
    if (message->action_case == PROVISIONING__V1__COMMAND__ACTION__NOT_SET) {
        return error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", "action",
                               "the command has no action: set one");
    }
    const ProtobufCFieldDescriptor *field = command_action_field(message);
    const Supported *supported = find_supported(message->action_case);
    if (supported == NULL) {
        return refuse(field->name, "upgrade the workers", err);
    }
    if (!check_each_field(supported, command_action_message(message), field->name, err)) {
        return false;
    }
    return message->action_case != ACTION(CREATE_ENVIRONMENT) ||
           message->create_environment->n_databases <= 1 ||
           error_set_field(err, ERROR_INVALID, "ACTION_NOT_SUPPORTED",
                           "create_environment.databases",
                           "this version creates an environment with one database: name at most "
                           "one in create_environment.databases");
}
