#include "contract/command_parts.h"
#include "contract/command_table.h"

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

bool command_check_supported(const Provisioning__V1__Command *message, Error *err)
{
    return message->action_case != PROVISIONING__V1__COMMAND__ACTION__NOT_SET ||
           error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", "action",
                           "the command has no action: set one");
}
