// What goes for every command: in which form, by whom, when, and how often it may be sent.
#include "rules/rule.h"

#define SAME_ID "'commandId': '<create.command>', "
#define FORGET DELETE_OF("live", "")
#define NOT_RIGHT REJECTED("SIGNATURE_INVALID", NULL)

static const Rule RULES[] = {
    // ---- what is no message, or stands where it doesn't belong
    {"a record without a value", "nothing", "@empty " FORGET, REJECTED("RECORD_EMPTY", NULL), NULL,
     0},
    {"bytes that are no message", "nothing", "@unreadable " FORGET,
     REJECTED("RECORD_UNREADABLE", NULL), NULL, 0},
    {"a message that ends too early", "nothing", "@cut " FORGET,
     REJECTED("RECORD_UNREADABLE", "delete_environment"), "cut off", 0},
    {"a byte 0 in a text", "nothing", "@nul " DELETE_OF("live~other", ""),
     REJECTED("RECORD_UNREADABLE", "delete_environment.environment"), NULL, 0},
    {"a text that isn't UTF-8", "nothing", "@not-utf8 " DELETE_OF("live~", ""),
     REJECTED("RECORD_UNREADABLE", "delete_environment.environment"), NULL, 0},
    {"two actions at once", "nothing", "@twice " FORGET,
     REJECTED("RECORD_UNREADABLE", "disconnect_account"), "only one", 0},
    {"more bytes than a command may have", "nothing", "@large " FORGET,
     REJECTED("RECORD_TOO_LARGE", NULL), "commands.max_bytes", 0},
    {"the frame of another message", "nothing", "@framed " FORGET,
     REJECTED("FRAMING_UNREADABLE", NULL), NULL, 0},
    {"a field that this worker doesn't know", "nothing", "@new-field " FORGET,
     REJECTED("FIELD_NOT_SUPPORTED", "#99"), "provisioning.v1.Command has no field number 99", 0},
    {"a partition that isn't its key's", "nothing", "@misplaced " FORGET,
     REJECTED("WRONG_PARTITION", NULL), "murmur2_random", 0},
    // ---- who has sent it
    {"a command that nobody has signed", "nothing", "@unsigned " FORGET,
     REJECTED("SIGNATURE_MISSING", NULL), NULL, 0},
    {"a command that a stranger has signed", "nothing", "@stranger " FORGET,
     REJECTED("SIGNATURE_KEY_UNKNOWN", NULL), NULL, 0},
    {"a command that another application's key has signed", "nothing", "@other " FORGET,
     REJECTED("SIGNATURE_KEY_UNKNOWN", NULL), NULL, 0},
    {"a signature for another application", "nothing", "@for-other " FORGET, NOT_RIGHT, NULL, 0},
    {"a signature of another record", "nothing", "@of-another " FORGET, NOT_RIGHT, NULL, 0},
    {"a signature without its end", "nothing", "@short " FORGET, NOT_RIGHT, NULL, 0},
    {"a signature that isn't base64", "nothing", "@mangled " FORGET, NOT_RIGHT, NULL, 0},
    {"two signatures", "nothing", "@doubled " FORGET, NOT_RIGHT, "send one", 0},
    {"a signed command without its time", "nothing", "@untimed " FORGET,
     REJECTED("FIELD_REQUIRED", "requested_at"), "signed", 0},
    {"a signed command out of another year", "live",
     "'requestedAt': '2020-01-01T00:00:00Z', " RETENTION_OF("live", "3600"),
     REJECTED("EXPIRED", "requested_at"), NULL, 0},
    {"a signed deletion out of another year", "branched",
     "'requestedAt': '2020-01-01T00:00:00Z', " DELETE_OF("try", ""),
     REJECTED("EXPIRED", "requested_at"), NULL, 0},
    {"a signed command of tomorrow", "live",
     "'requestedAt': '<in 86400>', " RETENTION_OF("live", "3600"),
     REJECTED("REQUESTED_IN_FUTURE", "requested_at"), NULL, 0},
    // ---- what it says
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
    {"a deadline that passes on the way", "branch-unread",
     "'deadline': '<in 12>', " BRANCH_OF("try", "live", ""),
     FAILED("DEADLINE_EXCEEDED", "deadline"), NULL, 2},
    {"a project that stays locked", "locked", RETENTION_OF("live", "3600"),
     FAILED("NEON_UNAVAILABLE", NULL), "423", 0},
    {"an id that another command has", "live", SAME_ID DELETE_OF("live", ", 'deleteData': true"),
     REJECTED("COMMAND_ID_REUSED", "command_id"), NULL, 0},
    {"the same command again", "live", SAME_ID CREATE_OF("live", ""), ENDS("EnvironmentCreated"),
     "created=true; environment.projectId=<live.project>", 0},
};

RuleTable table_records(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
