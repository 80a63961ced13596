// SetupRoles, RotateCredentials and RevealCredentials, on branches that can be logged in to.
#include "rules/rule.h"

#define FIELD "setup_roles.environment"
#define ROTATE_FIELD "rotate_credentials.environment"
#define ORDERS                                                                                     \
    ", 'services': [{'name': 'orders', 'databases': [{'database': 'neondb'}]}, {'name': 'idle'}]"
#define PLAN ", 'mode': 'ROLES_MODE_PLAN'"
#define ALL ", 'all': true"
#define DONE ENDS("RolesConfigured")
#define READ_ONLY(field) REJECTED("IMPORTED_READ_ONLY", field)

static const Rule RULES[] = {
    {"roles of an environment that isn't there", "with-roles", SETUP_OF("nowhere", ""),
     REJECTED("ENVIRONMENT_UNKNOWN", FIELD), NULL, 0},
    {"new passwords of an environment that isn't there", "with-roles", ROTATE_OF("nowhere", ALL),
     REJECTED("ENVIRONMENT_UNKNOWN", ROTATE_FIELD), NULL, 0},
    {"roles of an environment without endpoint", "imported-bare", SETUP_OF("live", ""),
     REJECTED("ENVIRONMENT_NOT_READY", FIELD), "no endpoint", 0},
    {"new passwords of an environment without endpoint", "imported-bare", ROTATE_OF("live", ALL),
     REJECTED("ENVIRONMENT_NOT_READY", ROTATE_FIELD), NULL, 0},
    {"a service of a database that isn't there", "with-roles",
     SETUP_OF("live", ", 'services': [{'name': 'x', 'databases': [{'database': 'nowhere'}]}]"),
     REJECTED("INVALID_FIELD", "setup_roles.services[0].databases"), NULL, 0},
    {"new passwords of a role that isn't there", "with-roles",
     ROTATE_OF("live", ", 'role': 'nobody'"), REJECTED("ROLE_UNKNOWN", "rotate_credentials.role"),
     "nobody", 0},
    {"new passwords of a service that isn't there", "with-roles",
     ROTATE_OF("live", ", 'service': 'nobody'"),
     REJECTED("ROLE_UNKNOWN", "rotate_credentials.service"), "svc_nobody", 0},
    {"credentials of a service that isn't there", "with-roles",
     REVEAL_OF("live", ", 'service': 'nobody'"),
     REJECTED("ROLE_UNKNOWN", "reveal_credentials.service"), "neondb_owner", 0},
    {"credentials of a service that uses no database", "with-roles",
     REVEAL_OF("live", ", 'service': 'idle'"), REJECTED("ROLE_WITHOUT_DATABASE", NULL), "svc_idle",
     0},
    {"credentials of a service whose password nobody knows", "password-lost",
     REVEAL_OF("live", ", 'service': 'orders'"), REJECTED("PASSWORD_NOT_SET", NULL), "svc_orders",
     0},
    {"credentials of a role that only has a service's name", "blocked-role",
     REVEAL_OF("live", ", 'service': 'pay'"), REJECTED("PASSWORD_NOT_SET", NULL), "svc_pay", 0},
    {"new passwords of a role that only has a service's name", "blocked-role",
     ROTATE_OF("live", ", 'service': 'pay'"), FAILED("PASSWORD_NOT_SET", NULL), "svc_pay", 0},
    {"credentials of a service", "with-roles", REVEAL_OF("live", ", 'service': 'orders'"),
     ENDS("CredentialsIssued"), "environment=live", 0},
    {"the same roles again", "with-roles", SETUP_OF("live", ORDERS), DONE,
     "environment=live; changes.0.object=", 0},
    {"a plan of other roles", "with-roles",
     SETUP_OF("live", PLAN ", 'services': [{'name': 'fresh'}]"), DONE, "plannedOnly=true", 0},
    {"new passwords of a service", "with-roles", ROTATE_OF("live", ", 'service': 'orders'"),
     ENDS("CredentialsRotated"), "roles.0=svc_orders; roles.1=", 0},
    {"new passwords of the role that it was made with", "with-roles",
     ROTATE_OF("live", ", 'role': 'neondb_owner'"), ENDS("CredentialsRotated"),
     "roles.0=neondb_owner", 1},
    // ---- imported
    {"roles of what was imported", "imported", SETUP_OF("live", ORDERS),
     READ_ONLY("setup_roles.adopt"), "adopt", 0},
    {"all new passwords of what was imported", "imported", ROTATE_OF("live", ALL),
     READ_ONLY("rotate_credentials.role"), "SetupRoles made", 0},
    {"new passwords of a foreign role of what was imported", "imported",
     ROTATE_OF("live", ", 'role': 'neondb_owner'"), READ_ONLY("rotate_credentials.role"), NULL, 0},
    {"a plan for what was imported", "imported", SETUP_OF("live", PLAN ORDERS), DONE,
     "plannedOnly=true", 0},
    {"roles of what was imported, adopted", "imported", SETUP_OF("live", ", 'adopt': true" ORDERS),
     DONE, "environment=live; plannedOnly=false", 0},
    {"roles, where somebody has a role of a service's name", "foreign-role",
     SETUP_OF("live", ", 'adopt': true" ORDERS), DONE,
     "changes.*.blocked=true; changes.*.object=svc_orders", 0},
    // ---- the account
    {"roles, the account gone", "roles-account-lost", SETUP_OF("live", ""),
     REJECTED("ACCOUNT_UNKNOWN", FIELD), NULL, 0},
    {"new passwords, the account gone", "roles-account-lost", ROTATE_OF("live", ALL),
     REJECTED("ACCOUNT_UNKNOWN", ROTATE_FIELD), NULL, 0},
    {"roles out of the key's scope", "roles-key-elsewhere", SETUP_OF("live", ""),
     REJECTED("KEY_SCOPE", FIELD), NULL, 0},
    {"new passwords out of the key's scope", "roles-key-elsewhere", ROTATE_OF("live", ALL),
     REJECTED("KEY_SCOPE", ROTATE_FIELD), NULL, 0},
};

RuleTable table_roles(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
