// ConnectAccount, DisconnectAccount, DiscoverAccount, and CancelCommand.
#include "rules/rule.h"

#define ORG_ID "connect_account.org_id"
#define SEALED_FIELD "connect_account.sealed"
#define DISCONNECT(account) MEMBERS("disconnectAccount", "'account': '" account "'")
#define DISCOVER(account, more) MEMBERS("discoverAccount", "'account': '" account "'" more)
#define REACHES_NOTHING "'orgId': 'org-of-nobody'"

static const Rule RULES[] = {
    // ---- keys
    {"a key of an organization", "nothing", CONNECT("main", SEALED("main", "org")),
     ENDS("AccountConnected"),
     "account.keyKind=KEY_KIND_ORGANIZATION; account.orgId=<organization>; replaced=false", 0},
    {"a person's key with its organization", "nothing",
     CONNECT("main", SEALED("main", "personal") ", 'orgId': '<organization-b>'"),
     ENDS("AccountConnected"), "account.keyKind=KEY_KIND_PERSONAL; account.orgId=<organization-b>",
     0},
    {"a key of one project", "kept-to-project", CONNECT("kept2", SEALED("kept2", "project")),
     ENDS("AccountConnected"), "account.keyKind=KEY_KIND_PROJECT; account.projectId=<live.project>",
     0},
    {"a person's key that reaches several organizations", "nothing",
     CONNECT("main", SEALED("main", "personal")), REJECTED("ORGANIZATION_AMBIGUOUS", ORG_ID),
     "<organization-b>", 0},
    {"an organization that a person's key doesn't reach", "nothing",
     CONNECT("main", SEALED("main", "personal") ", " REACHES_NOTHING),
     REJECTED("ORGANIZATION_UNKNOWN", ORG_ID), "<organization>", 0},
    {"an organization that isn't the key's", "nothing",
     CONNECT("main", SEALED("main", "org") ", " REACHES_NOTHING),
     REJECTED("ORGANIZATION_UNKNOWN", ORG_ID), NULL, 0},
    {"a key that Neon doesn't know", "nothing", CONNECT("main", SEALED("main", "bad")),
     REJECTED("API_KEY_REJECTED", "connect_account.api_key"), "console", 0},
    {"a key in clear", "nothing", CONNECT("main", "'plaintext': 'napi_in_clear'"),
     REJECTED("PLAINTEXT_REFUSED", "connect_account.plaintext"), NULL, 0},
    {"a reference to a path", "nothing", CONNECT("main", "'reference': 'file:../key'"),
     REJECTED("REFERENCE_INVALID", "connect_account.reference"), "file:NAME", 0},
    {"a key that was sealed for another account", "nothing",
     CONNECT("main", SEALED("other", "org")), REJECTED("SEALED_FOR_OTHER", SEALED_FIELD), NULL, 0},
    {"a key that was sealed for another application", "nothing",
     "@neighbour " CONNECT("main", "'sealed': {'box': '<sealed main org app>'}"),
     REJECTED("SEALED_FOR_OTHER", SEALED_FIELD), NULL, 0},
    {"a box that is none", "nothing", CONNECT("main", "'sealed': {'box': 'AAAA'}"),
     REJECTED("SECRET_NOT_OPENABLE", SEALED_FIELD), NULL, 0},
    {"a box for another fleet", "nothing",
     CONNECT("main", "'sealed': {'box': '<sealed main org>', 'fleetKeyId': '0123456789abcdef'}"),
     REJECTED("SECRET_NOT_OPENABLE", SEALED_FIELD), "fleet key", 0},
    {"no key", "nothing", MEMBERS("connectAccount", "'account': 'main'"),
     REJECTED("FIELD_REQUIRED", "connect_account.api_key"), NULL, 0},
    {"another key of the same organization", "live", CONNECT("main", SEALED("main", "again")),
     ENDS("AccountConnected"), "replaced=true", 0},
    {"another organization's key for an account that is used", "live",
     CONNECT("main", SEALED("main", "other")),
     REJECTED("ACCOUNT_MISMATCH", "connect_account.api_key"), "another name", 0},
    {"a key of one project for an account that is used", "kept-to-project",
     CONNECT("main", SEALED("main", "project")),
     REJECTED("ACCOUNT_MISMATCH", "connect_account.api_key"), NULL, 0},
    {"another organization's key for an account that nobody uses", "connected",
     CONNECT("main", SEALED("main", "other")), ENDS("AccountConnected"),
     "replaced=true; account.orgId=<organization-b>", 0},
    // ---- disconnecting
    {"an account that isn't there", "nothing", DISCONNECT("main"),
     REJECTED("ACCOUNT_UNKNOWN", "disconnect_account.account"), NULL, 0},
    {"an account that is used", "live", DISCONNECT("main"),
     REJECTED("ACCOUNT_IN_USE", "disconnect_account.account"), "live", 0},
    {"an account that imported environments use", "imported", DISCONNECT("main"),
     REJECTED("ACCOUNT_IN_USE", "disconnect_account.account"), "live", 0},
    {"an account that nobody uses", "two-accounts", DISCONNECT("second"),
     ENDS("AccountDisconnected"), "account=second", 0},
    {"an account that was disconnected", "disconnected", DISCONNECT("main"),
     REJECTED("ACCOUNT_UNKNOWN", "disconnect_account.account"), NULL, 0},
    // ---- discovering
    {"what an account that isn't there sees", "nothing", DISCOVER("main", ""),
     REJECTED("ACCOUNT_UNKNOWN", "account"), NULL, 0},
    {"what an account sees", "live", DISCOVER("main", ""), ENDS("AccountInventory"),
     "account=main; projects.0.projectId=<live.project>; projects.0.branches.0.name=main", 0},
    {"what an account sees of another name", "live", DISCOVER("main", ", 'projectFilter': 'xyz'"),
     ENDS("AccountInventory"), "projects.0.projectId=; page=1", 0},
    {"what an account sees, some of it not now", "partly-listed", DISCOVER("main", ""),
     REJECTED("INVENTORY_PARTIAL", NULL), "later", 0},
    {"what a key of one project sees", "kept-to-project", DISCOVER("kept", ""),
     ENDS("AccountInventory"), "projects.0.projectId=<live.project>; projects.1.projectId=", 0},
    // ---- stopping
    {"to stop what has ended", "live", CANCEL_OF("<create.command>"),
     REJECTED("ALREADY_FINISHED", NULL), "EnvironmentCreated", 0},
    {"to stop what hasn't come yet", "live", CANCEL_OF("5f0e2d3c-4b5a-4697-8877-665544332211"),
     ENDS("CancelAccepted"), "commandId=5f0e2d3c-4b5a-4697-8877-665544332211; action=", 0},
    {"to stop a deletion that has begun", "deleting", CANCEL_OF("<delete.command>"),
     REJECTED("TOO_LATE", NULL), "DeleteEnvironment", 0},
};

RuleTable table_accounts(void)
{
    return (RuleTable){RULES, sizeof(RULES) / sizeof(RULES[0])};
}
