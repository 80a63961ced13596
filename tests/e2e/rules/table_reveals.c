// RevealCredentials, and what needs a login where workers don't log in.
#include "rules/rule.h"

#define FIELD "reveal_credentials.environment"
#define STRANGER                                                                                   \
    MEMBERS(                                                                                       \
        "revealCredentials",                                                                       \
        "'environment': 'live', 'replyPublicKey': 'j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8='")

static const Rule RULES[] = {
    {"credentials to a key that isn't listed", "live", STRANGER,
     REJECTED("RECIPIENT_NOT_LISTED", "reveal_credentials.reply_public_key"), "reveal.recipients",
     0},
    {"credentials to another application's recipient", "live", "@neighbour " REVEAL_OF("live", ""),
     REJECTED("RECIPIENT_NOT_LISTED", "reveal_credentials.reply_public_key"), NULL, 0},
    {"credentials of an environment that isn't there", "live", REVEAL_OF("nowhere", ""),
     REJECTED("ENVIRONMENT_UNKNOWN", FIELD), NULL, 0},
    {"credentials of an environment that failed", "failed", REVEAL_OF("try", ""),
     REJECTED("ENVIRONMENT_NOT_READY", FIELD), NULL, 0},
    {"credentials of an environment without endpoint", "imported-bare", REVEAL_OF("live", ""),
     REJECTED("ENVIRONMENT_NOT_READY", FIELD), "no endpoint", 0},
    {"credentials of a role that isn't there", "live", REVEAL_OF("live", ", 'role': 'nobody'"),
     REJECTED("ROLE_UNKNOWN", "reveal_credentials.role"), "neondb_owner", 0},
    {"credentials of a service that isn't there", "live",
     REVEAL_OF("live", ", 'service': 'orders'"),
     REJECTED("ROLE_UNKNOWN", "reveal_credentials.service"), "svc_orders", 0},
    {"credentials that Neon doesn't keep", "no-passwords", REVEAL_OF("live", ""),
     REJECTED("PASSWORD_NOT_STORED", NULL), "store_passwords", 0},
    {"credentials of the role that it was made with", "live", REVEAL_OF("live", ""),
     ENDS("CredentialsIssued"), "environment=live", 0},
    {"credentials of a branch", "branched", REVEAL_OF("try", ", 'role': 'neondb_owner'"),
     ENDS("CredentialsIssued"), "environment=try", 0},
    {"credentials of what was imported", "imported", REVEAL_OF("live", ""),
     ENDS("CredentialsIssued"), "environment=live", 0},
    {"roles, where workers don't log in", "live", SETUP_OF("live", ""),
     REJECTED("LOGIN_IS_OFF", "setup_roles"), "environments.check_login", 0},
    {"new passwords, where workers don't log in", "live", ROTATE_OF("live", ", 'all': true"),
     REJECTED("LOGIN_IS_OFF", "rotate_credentials"), NULL, 0},
};

RuleTable table_reveals(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
