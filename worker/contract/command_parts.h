/*
 * The parts of command_decode; not for other layers.
 */
#ifndef CONTRACT_COMMAND_PARTS_H
#define CONTRACT_COMMAND_PARTS_H

#include <stdbool.h>

#include "contract/command.h"

// The action's message and its declaration in Command; the message's action must be set.
const ProtobufCFieldDescriptor *command_action_field(const Provisioning__V1__Command *message);
const ProtobufCMessage *command_action_message(const Provisioning__V1__Command *message);

// Whether it has an action: every one that the messages have is executed, with all its fields (what
// they don't have, contract/wire.h refuses). Code: FIELD_REQUIRED.
bool command_check_supported(const Provisioning__V1__Command *message, Error *err);
// Whether this version executes a field (by number) of an action. For tests.
bool command_supports_field(Action action, uint32_t field_number);
// The envelope's own fields but for application and command id. Codes: INVALID_VALUE.
bool command_check_envelope(const Provisioning__V1__Command *message, Error *err);

// The fields of each action; codes FIELD_REQUIRED, INVALID_NAME, INVALID_VALUE, REFERENCE_INVALID.
bool command_check_cancel(const Provisioning__V1__Command *message, Error *err);
bool command_check_connect(const Provisioning__V1__Command *message, Error *err);
bool command_check_disconnect(const Provisioning__V1__Command *message, Error *err);
bool command_check_discover(const Provisioning__V1__Command *message, Error *err);
bool command_check_create(const Provisioning__V1__Command *message, Error *err);
bool command_check_branch(const Provisioning__V1__Command *message, Error *err);
bool command_check_import(const Provisioning__V1__Command *message, Error *err);
bool command_check_setup_roles(const Provisioning__V1__Command *message, Error *err);
bool command_check_rotate(const Provisioning__V1__Command *message, Error *err);
bool command_check_preview_base(const Provisioning__V1__Command *message, Error *err);
bool command_check_open_preview(const Provisioning__V1__Command *message, Error *err);
bool command_check_close_preview(const Provisioning__V1__Command *message, Error *err);
bool command_check_reset(const Provisioning__V1__Command *message, Error *err);
bool command_check_reveal(const Provisioning__V1__Command *message, Error *err);
bool command_check_delete(const Provisioning__V1__Command *message, Error *err);
bool command_check_sweep(const Provisioning__V1__Command *message, Error *err);
bool command_check_orphan(const Provisioning__V1__Command *message, Error *err);
bool command_check_edit_project(const Provisioning__V1__Command *message, Error *err);
bool command_check_edit_endpoint(const Provisioning__V1__Command *message, Error *err);

// Parts of them. `path` is where the value stands in the command, as the sender knows it.
bool command_check_required(const char *text, const char *path, Error *err);
bool command_check_environment(const char *environment, const char *path, Error *err);
// ... that is there already, and may be a preview.
bool command_check_any_environment(const char *environment, const char *path, Error *err);
bool command_check_account(const char *account, const char *path, Error *err);

// NULL: it is left out. From 1970 to 9999.
bool command_check_timestamp(const Google__Protobuf__Timestamp *timestamp, const char *path,
                             Error *err);
// A project's or a branch's, which may be left out.
bool command_check_neon_name(const char *name, const char *path, Error *err);

// Who uses which databases. `known` are the databases that accesses may name; with none, any.
typedef struct CommandNames {
    char *const *list;
    size_t count;
} CommandNames;

// Each name fits and stands once. Codes: INVALID_NAME, INVALID_VALUE.
bool command_check_databases(CommandNames databases, const char *path, Error *err);
// Names, accesses, and that all the roles that it takes fit on a branch.
bool command_check_services(Provisioning__V1__Service *const *services, size_t count,
                            CommandNames known, const char *path, Error *err);

// Each value as Neon takes it. https://api-docs.neon.tech/reference
bool command_check_endpoint(const Provisioning__V1__EndpointSettings *endpoint, const char *path,
                            Error *err);
bool command_check_pg_version(int32_t version, const char *path, Error *err);
bool command_check_retention(const Google__Protobuf__Int64Value *seconds, const char *path,
                             Error *err);

// Fills writes and reads from the checked message.
void command_name_subjects(Command *command);

// Opens or takes over a ConnectAccount's key into command->api_key and removes its plaintext from
// the message; other actions and references are left as they are. Codes: SECRET_NOT_OPENABLE,
// SEALED_FOR_OTHER, PLAINTEXT_REFUSED, INVALID_VALUE.
bool command_take_key(Command *command, const CommandRules *rules, Error *err);

#endif
