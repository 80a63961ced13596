#include "contract/command_parts.h"

static void add_read(Command *command, Subject subject)
{
    command->reads[command->read_count++] = subject;
}

// A deletion succeeds or not by what was branched off and deleted before it, anywhere in the
// application: the command itself doesn't tell which environments share a project.
static const Subject ALL_BRANCHES = {.kind = SUBJECT_APPLICATION};

// The account of an environment isn't named in commands about it: who connects one waits for all
// who may use it, and they for it.
static const Subject ALL_ACCOUNTS = {.kind = SUBJECT_ACCOUNT};

static void name_branch_subjects(Command *command)
{
    const Provisioning__V1__BranchEnvironment *action = command->message->branch_environment;
    command->writes = subject_environment(action->environment);
    if (action->source_case == PROVISIONING__V1__BRANCH_ENVIRONMENT__SOURCE_SOURCE_ENVIRONMENT) {
        add_read(command, subject_environment(action->source_environment));
        add_read(command, ALL_ACCOUNTS);
    } else {
        add_read(command, subject_account(action->source_branch->account));
    }
    add_read(command, ALL_BRANCHES);
}

void command_name_subjects(Command *command)
{
    const Provisioning__V1__Command *message = command->message;
    switch ((int)command->action) {
    case PROVISIONING__V1__COMMAND__ACTION_CANCEL_COMMAND:
        // it must not wait behind what it stops, nor hold up anything
        uuid_normalise(message->cancel_command->command_id, command->stops);
        break;
    case PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT:
        command->writes = subject_account(message->connect_account->account);
        command->excludes = ALL_ACCOUNTS;
        break;
    case PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT:
        command->writes = subject_environment(message->create_environment->environment);
        add_read(command, subject_account(message->create_environment->account));
        break;
    case PROVISIONING__V1__COMMAND__ACTION_BRANCH_ENVIRONMENT:
        name_branch_subjects(command);
        break;
    case PROVISIONING__V1__COMMAND__ACTION_REVEAL_CREDENTIALS:
        command->writes = subject_environment(message->reveal_credentials->environment);
        command->only_reads = true;
        add_read(command, ALL_ACCOUNTS);
        break;
    default:
        command->writes = subject_environment(message->delete_environment->environment);
        command->excludes = ALL_BRANCHES;
        add_read(command, ALL_ACCOUNTS);
        break;
    }
}

Subject command_subject(const Command *command)
{
    return command->writes.kind != SUBJECT_NONE ? command->writes
                                                : (Subject){.kind = SUBJECT_APPLICATION};
}
