#include "base/attr.h"
#include "base/text.h"
#include "contract/command_parts.h"
#include "contract/command_table.h"
#include "contract/field.h"

enum { PATH_MAX_BYTES = sizeof((Error *)NULL)->field - 1 };

static bool has_field(const CommandRow *row, uint32_t number)
{
    for (size_t i = 0; i < COMMAND_FIELDS_MAX && row->fields[i] != 0; i++) {
        if (row->fields[i] == number) {
            return true;
        }
    }
    return false;
}

bool command_supports_field(Action action, uint32_t field_number)
{
    const CommandRow *row = command_row(action);
    return row != NULL && has_field(row, field_number);
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

// Whatever a sender sets that isn't executed is refused, never ignored.
static bool refuse(const char *path, const char *what, Error *err)
{
    return error_set_field(err, ERROR_INVALID, "ACTION_NOT_SUPPORTED", path,
                           "%s is not executed by this version: %s", path, what);
}

static bool check_each_field(const CommandRow *row, const ProtobufCMessage *action,
                             const char *action_path, Error *err)
{
    for (unsigned i = 0; i < action->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &action->descriptor->fields[i];
        if (field_is_set(action, field) && !has_field(row, field->id)) {
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
    const CommandRow *row = command_row(message->action_case);
    return row == NULL ? refuse(field->name, "upgrade the workers", err)
                       : check_each_field(row, command_action_message(message), field->name, err);
}
