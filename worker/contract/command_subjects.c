#include <assert.h>

#include "contract/command_parts.h"
#include "contract/command_table.h"
#include "contract/field.h"

static const Subject ALL_BRANCHES = {.kind = SUBJECT_APPLICATION};
static const Subject ALL_ACCOUNTS = {.kind = SUBJECT_ACCOUNT};
// Environments that one may branch off without naming them: the base of previews, a parent.
static const Subject ALL_BASES = {.kind = SUBJECT_ENVIRONMENT};

static const Subject EXCLUDED[] = {
    [COMMAND_EXCLUDES_NOTHING] = {.kind = SUBJECT_NONE},
    [COMMAND_EXCLUDES_ACCOUNTS] = {.kind = SUBJECT_ACCOUNT},
    [COMMAND_EXCLUDES_BRANCHES] = {.kind = SUBJECT_APPLICATION},
    [COMMAND_EXCLUDES_BASES] = {.kind = SUBJECT_ENVIRONMENT},
};

static void add_read(Command *command, Subject subject)
{
    assert(command->read_count < sizeof command->reads / sizeof command->reads[0]);
    command->reads[command->read_count++] = subject;
}

static Subject name_written(const Command *command, const CommandRow *row)
{
    if (row->subject != NULL) {
        return row->subject(command->message);
    }
    const ProtobufCMessage *action = command_action_message(command->message);
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(action->descriptor, 1);
    const char *name = *(char *const *)field_value(action, field);
    return row->writes == SUBJECT_ACCOUNT ? subject_account(name) : subject_environment(name);
}

static void name_reads(Command *command, const CommandRow *row)
{
    const char *source = command_source_environment(command);
    const char *account = command_account(command);
    if (source[0] != '\0') {
        add_read(command, subject_environment(source));
    }
    if (row->writes == SUBJECT_ENVIRONMENT) {
        add_read(command, account[0] != '\0' ? subject_account(account) : ALL_ACCOUNTS);
    }
    if (row->branches) {
        add_read(command, ALL_BRANCHES);
    }
    if (row->source_is_base) {
        add_read(command, ALL_BASES);
    }
}

// What makes an environment may be making the base anew. Nothing branches off a preview.
static bool changes_base(const Command *command, const CommandRow *row)
{
    return (row->changes_content || row->reserves != NULL) && !command->only_reads &&
           !name_is_preview(command->writes.name);
}

void command_name_subjects(Command *command)
{
    const CommandRow *row = command_row(command->action);
    if (command->action == PROVISIONING__V1__COMMAND__ACTION_CANCEL_COMMAND) {
        uuid_normalise(command->message->cancel_command->command_id, command->stops);
    }
    if (row->writes != SUBJECT_NONE) {
        command->writes = name_written(command, row);
        command->only_reads = row->only_reads != NULL && row->only_reads(command->message);
    }
    name_reads(command, row);
    if (changes_base(command, row)) {
        command->joins = ALL_BASES;
    }
    command->excludes = EXCLUDED[row->excludes];
}

Subject command_subject(const Command *command)
{
    return command->writes.kind != SUBJECT_NONE ? command->writes
                                                : (Subject){.kind = SUBJECT_APPLICATION};
}

const char *command_account(const Command *command)
{
    const CommandRow *row = command_row(command->action);
    return row->account == NULL ? "" : row->account(command->message);
}

const char *command_source_environment(const Command *command)
{
    const CommandRow *row = command_row(command->action);
    return row->source == NULL ? "" : row->source(command->message);
}

CommandStops command_stops(const Command *command)
{
    bool only_if_expired = command->action == PROVISIONING__V1__COMMAND__ACTION_CLOSE_PREVIEW &&
                           command->message->close_preview->if_expired;
    // what it would stop may be what keeps the preview from expiring
    return only_if_expired ? COMMAND_STOPS_NONE : command_row(command->action)->stops;
}

const char *command_repository(const Command *command)
{
    switch ((int)command->action) {
    case PROVISIONING__V1__COMMAND__ACTION_OPEN_PREVIEW:
        return command->message->open_preview->repository;
    case PROVISIONING__V1__COMMAND__ACTION_CLOSE_PREVIEW:
        return command->message->close_preview->repository;
    default:
        return "";
    }
}

bool command_source_is_base(const Command *command)
{
    return command_row(command->action)->source_is_base;
}

const char *command_reserves(const Command *command)
{
    const char *origin = command_row(command->action)->reserves;
    return origin == NULL ? "" : origin;
}
