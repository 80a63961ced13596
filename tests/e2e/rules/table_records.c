// What goes for every command: who may send it, when, and how often.
#include "rules/rule.h"

#define SAME_ID "'commandId': '<create.command>', "

static const Rule RULES[] = {
    {"a label's key of 64 bytes", "nothing",
     "'labels': [{'key': '<many 64 k>'}], " DELETE_OF("live", ""),
     REJECTED("INVALID_VALUE", "labels[0]"), NULL, 0},
    {"a sender's name of 256 bytes", "nothing",
     "'requestedBy': '<many 256 s>', " DELETE_OF("live", ""),
     REJECTED("INVALID_VALUE", "requested_by"), NULL, 0},
    {"a replay of what is no command", "nothing", "'replayOf': 'that one', " DELETE_OF("live", ""),
     REJECTED("INVALID_VALUE", "replay_of"), NULL, 0},
    {"no action at all", "nothing", "'requestedBy': 'somebody'",
     REJECTED("FIELD_REQUIRED", "action"), NULL, 0},
    {"another application's key", "nothing",
     "'applicationId': 'somebody-else', " DELETE_OF("live", ""),
     REJECTED("KEY_MISMATCH", "application_id"), NULL, 0},
    {"a deadline that has passed", "live",
     "'deadline': '2020-01-01T00:00:00Z', " RETENTION_OF("live", "3600"),
     REJECTED("EXPIRED", "deadline"), NULL, 0},
    {"a deadline that has passed, of a deletion", "branched",
     "'deadline': '2020-01-01T00:00:00Z', " DELETE_OF("try", ""), REJECTED("EXPIRED", "deadline"),
     NULL, 0},
    {"a deadline that lies ahead", "live", "'deadline': '<in 3600>', " RETENTION_OF("live", "3600"),
     ENDS("ProjectEdited"), "changed=true", 1},
    {"an id that another command has", "live", SAME_ID DELETE_OF("live", ", 'deleteData': true"),
     REJECTED("COMMAND_ID_REUSED", "command_id"), NULL, 0},
    {"the same command again", "live", SAME_ID CREATE_OF("live", ""), ENDS("EnvironmentCreated"),
     "created=true; environment.projectId=<live.project>", 0},
};

RuleTable table_records(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
