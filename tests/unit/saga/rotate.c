/*
 * RotateCredentials, and what RevealCredentials tells of roles made by SQL.
 */
#include "neon.h"

#include <string.h>

#define ROTATE(target) "'rotateCredentials':{'environment':'production'," target "}"
#define REVEAL(more)                                                                               \
    "'revealCredentials':{'environment':'production','replyPublicKey':'" TALK_REPLY_KEY "'" more "}"
#define SPEC                                                                                       \
    "{'prefix':'encore','policy':'authoritative','adopt':true,'databases':['app','jobs'],"         \
    "'services':[{'name':'api','access':{'jobs':'write'}},{'name':'idle','access':{}}]}"
#define ROW(more)                                                                                  \
    "{'state':'ready','account':'main','project_id':'p-1','branch_id':'br-1',"                     \
    "'endpoint_id':'ep-1','details':{'role':'app_owner'" more "}}"
#define READY ROW(",'roles_spec':" SPEC)
#define NO_ROLES_YET ROW("")
#define NAMES ROLE("app_owner") "," ROLE("svc_api") "," ROLE("db_app_reader")
#define LISTED                                                                                     \
    {"find_databases", DATABASES},                                                                 \
    {                                                                                              \
        "find_role", ROLES(NAMES)                                                                  \
    }
#define CONNECTED                                                                                  \
    {"find_connection", CONNECTION_URI("ep-1"), "role_name=app_owner"},                            \
    {                                                                                              \
        "check_login", "ok"                                                                        \
    }

#define ALL_SET                                                                                    \
    "{'set':['encore_platform','encore_reader','encore_writer','encore_admin','svc_api',"          \
    "'svc_idle']}"

static void imported(Stage *stage)
{
    assert_true(text_copy(stage->claimed.environment.origin,
                          sizeof stage->claimed.environment.origin, "imported"));
}

static void without_logins(Stage *stage)
{
    stage->rules.check_login = false;
}

static void without_patience(Stage *stage)
{
    stage->rules.max_wait_ms = 500;
}

static const Talk ROTATES[] = {
    {"a service's password is kept before it is set, and is the present one after",
     ROTATE("'service':'api'"),
     READY,
     NULL,
     {LISTED,
      CONNECTED,
      {"prepare_passwords", "7", "names=['svc_api'] renew=['svc_api']"},
      {"set_passwords", "{'set':['svc_api']}",
       "mode=passwords fence=7 branch=br-1 |names=['svc_api'] renew=['svc_api']|spec={'prefix'"},
      {"keep_passwords", "ok", "names=['svc_api']"},
      {"!end", "CredentialsRotated", "'roles':['svc_api']|'sequence':'5'|state{|state=ready"}}},
    {"a role of Neon's is reset by its API",
     ROTATE("'role':'app_owner'"),
     READY,
     NULL,
     {LISTED,
      {"reveal_password", PASSWORD("old"), "/roles/app_owner/reveal_password"},
      {"reset_password", "200 {'role':{},'operations':[{'id':'op-1'}]}"},
      {"await_operations", OPERATION("finished")},
      CONNECTED,
      {"!end", "CredentialsRotated", "'roles':['app_owner']"}}},
    {"all are ours and Neon's, but no group and no service of before",
     ROTATE("'all':true"),
     READY,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(NAMES "," ROLE("svc_before") "," ROLE("reporting"))},
      {"reveal_password", PASSWORD("old")},
      {"reset_password", "200 {'role':{}}", "/roles/app_owner/"},
      {"reveal_password", PASSWORD("old")},
      {"reset_password", "200 {'role':{}}", "/roles/reporting/"},
      CONNECTED,
      {"prepare_passwords", "7",
       "names=['encore_platform','encore_reader','encore_writer','encore_admin','svc_api',"
       "'svc_idle']"},
      {"set_passwords", "conflict ROLES_FENCED {'seen':9}"},
      {"prepare_passwords", "10", "fence=10 "},
      {"set_passwords", "busy ROLES_BUSY"},
      {"set_passwords", ALL_SET, "fence=10 ", 125},
      {"keep_passwords", "ok"},
      {"!end", "CredentialsRotated", "'roles':['app_owner','reporting','encore_platform',"}}},
    {"what was set is kept where another role could not be changed",
     ROTATE("'all':true"),
     READY,
     NULL,
     {LISTED,
      {"reveal_password", PASSWORD("old")},
      {"reset_password", "200 {'role':{}}", "/roles/app_owner/"},
      CONNECTED,
      {"prepare_passwords", "7"},
      {"set_passwords",
       "{'remains':true,'changes':[['','svc_api','','role exists, and is not ours',true]],"
       "'set':['svc_idle','encore_reader']}"},
      {"!takeover"},
      {"find_connection", CONNECTION_URI("ep-1"), NULL, -1},
      {"keep_passwords", "ok", "names=['encore_reader','svc_idle']"},
      {"!save", NULL, "PASSWORD_NOT_SET"},
      {"!end", "CommandFailed",
       "'code':'PASSWORD_NOT_SET'|svc_api: role exists, and is not ours|Rename or drop|"
       "role app_owner has its new password|role encore_reader has its new password|"
       "role svc_idle has its new password|role svc_api has no new password|"
       "!RevealCredentials|state=ready"}}},
    {"a role that can't be changed",
     ROTATE("'service':'api'"),
     READY,
     NULL,
     {LISTED,
      CONNECTED,
      {"prepare_passwords", "7"},
      {"set_passwords",
       "{'remains':true,'changes':[['','a','x','y',false],['','svc_api','','made by the API',"
       "true]]}"},
      {"!save", NULL, "PASSWORD_NOT_SET"},
      {"!end", "CommandFailed",
       "svc_api: made by the API|RevealCredentials finds out|'sequence':'5'|state=ready"}}},
    {"what was reset by the API is told",
     ROTATE("'all':true"),
     READY,
     NULL,
     {LISTED,
      {"reveal_password", PASSWORD("old")},
      {"reset_password", "200 {'role':{}}", "/roles/app_owner/"},
      {"!stop", "cancelled"},
      {"!save", NULL, "CANCELLED"},
      {"!end", "CommandCancelled", "role app_owner has its new password"}}},
    {"a stop after the passwords were set comes too late",
     ROTATE("'service':'api'"),
     READY,
     NULL,
     {LISTED,
      CONNECTED,
      {"prepare_passwords", "7"},
      {"set_passwords", "{'set':['svc_api']}"},
      {"!stop", "cancelled"},
      {"keep_passwords", "ok"},
      {"!end", "CredentialsRotated"}}},
    {"a role that is unknown",
     ROTATE("'role':'nobody'"),
     NO_ROLES_YET,
     NULL,
     {LISTED,
      {"!end", "CommandRejected", "'code':'ROLE_UNKNOWN'|'field':'rotate_credentials.role'"}}},
    {"a service that is unknown",
     ROTATE("'service':'nobody'"),
     READY,
     NULL,
     {LISTED,
      {"!end", "CommandRejected", "no role svc_nobody|'field':'rotate_credentials.service'"}}},
    {"Neon's roles of an imported environment are left alone",
     ROTATE("'role':'app_owner'"),
     READY,
     imported,
     {LISTED, {"!end", "CommandRejected", "'code':'IMPORTED_READ_ONLY'"}}},
    {"... and ours are not",
     ROTATE("'all':true"),
     READY,
     imported,
     {LISTED,
      CONNECTED,
      {"prepare_passwords", "7"},
      {"set_passwords", ALL_SET},
      {"keep_passwords", "ok"},
      {"!end", "CredentialsRotated", "!'roles':['app_owner'|'svc_api'"}}},
    {"a list that is busy",
     ROTATE("'all':true"),
     NO_ROLES_YET,
     imported,
     {{"find_databases", DATABASES},
      {"find_role", AWAY},
      {"find_role", ROLES(ROLE("app_owner")), NULL, -1},
      {"!end", "CommandRejected", "'code':'IMPORTED_READ_ONLY'"}}},
    {"workers that don't log in",
     ROTATE("'all':true"),
     READY,
     without_logins,
     {{"!end", "CommandRejected", "'code':'LOGIN_IS_OFF'"}}},
};

#define URIS                                                                                       \
    {"find_uri", CONNECTION_URI("ep-1"), "role_name=app_owner&pooled=false"},                      \
    {                                                                                              \
        "find_pooled_uri", CONNECTION_URI("ep-1-pooler"), "role_name=app_owner&pooled=true"        \
    }
#define BOX(password)                                                                              \
    "box{svc_api jobs direct=postgresql://svc_api:" password "@ep-1.eu.aws.neon.tech/"             \
    "jobs?sslmode=require pooled=postgresql://svc_api:" password "@ep-1-pooler."

static const Talk REVEALS[] = {
    {"a service's URIs have the password that the ledger keeps",
     REVEAL(",'service':'api'"),
     READY,
     NULL,
     {LISTED,
      {"find_password", "pw-9", "role=svc_api"},
      URIS,
      {"!end", "CredentialsIssued", BOX("pw-9") "|!svc_api app "}}},
    {"one that was to be set is compared with what the branch keeps, and is revealed where it was",
     REVEAL(",'service':'api'"),
     READY,
     NULL,
     {LISTED,
      {"find_password", "pw-9 pw-10"},
      URIS,
      {"check_password", "unavailable CONNECTION_LOST"},
      {"check_password", "{'set':['svc_api']}", "mode=plan fence=0 branch=br-1 role=svc_api ", 125},
      {"!end", "CredentialsIssued", BOX("pw-10")}}},
    {"... else the one before it, if that is the one",
     REVEAL(",'service':'api'"),
     READY,
     NULL,
     {LISTED,
      {"find_password", "pw-9 pw-10"},
      URIS,
      {"check_password", "{}"},
      {"check_password", "{'set':['svc_api']}"},
      {"!end", "CredentialsIssued", BOX("pw-9")}}},
    {"... and who takes over compares again",
     REVEAL(",'service':'api'"),
     READY,
     NULL,
     {LISTED,
      {"find_password", "pw-9 pw-10"},
      URIS,
      {"check_password", "{'set':['svc_api']}"},
      {"!takeover"},
      LISTED,
      {"find_password", "pw-9 pw-10"},
      URIS,
      {"check_password", "{}"},
      {"check_password", "{'changes':[['','svc_api','','role exists',true]]}"},
      {"!end", "CommandRejected", "'code':'PASSWORD_NOT_SET'"}}},
    {"the first one may never have been set",
     REVEAL(",'service':'api'"),
     READY,
     NULL,
     {LISTED,
      {"find_password", "- pw-10"},
      URIS,
      {"check_password", "{'set':['svc_idle']}"},
      {"!end", "CommandRejected", "'code':'PASSWORD_NOT_SET'|SetupRoles sets one"}}},
    {"... and workers that don't log in can't tell",
     REVEAL(",'service':'api'"),
     READY,
     without_logins,
     {LISTED,
      {"find_password", "pw-9 pw-10"},
      {"!end", "CommandRejected", "'code':'PASSWORD_NOT_SET'"}}},
    {"none is kept",
     REVEAL(",'service':'api'"),
     READY,
     NULL,
     {LISTED, {"find_password", "-"}, {"!end", "CommandRejected", "PASSWORD_NOT_SET"}}},
    {"one that can't be opened",
     REVEAL(",'service':'api'"),
     READY,
     NULL,
     {LISTED,
      {"find_password", "error"},
      {"!end", "CommandRejected", "'code':'SECRET_NOT_OPENABLE'"}}},
    {"a branch that can't be logged in to",
     REVEAL(",'service':'api'"),
     READY,
     without_patience,
     {LISTED,
      {"find_password", "- pw-10"},
      URIS,
      {"check_password", "unavailable CONNECTION_LOST"},
      {"check_password", "unavailable CONNECTION_LOST", NULL, 125},
      {"check_password", "unavailable CONNECTION_LOST", NULL, 250},
      {"check_password", "unavailable CONNECTION_LOST", NULL, 500},
      {"!end", "CommandRejected", "'code':'ROLES_UNAVAILABLE'"}}},
    {"a service without a database",
     REVEAL(",'service':'idle'"),
     READY,
     NULL,
     {LISTED, {"!end", "CommandRejected", "'code':'ROLE_WITHOUT_DATABASE'"}}},
    {"a role over all has URIs of all",
     REVEAL(",'role':'encore_reader'"),
     READY,
     NULL,
     {LISTED,
      {"find_password", "pw-9", "role=encore_reader"},
      URIS,
      {"!end", "CredentialsIssued", "box{encore_reader app |box{encore_reader jobs "}}},
    {"left out: the role that the environment was made with",
     REVEAL(""),
     READY,
     NULL,
     {LISTED,
      {"reveal_password", PASSWORD("pw-2"), "/roles/app_owner/"},
      {"find_uri", CONNECTION_URI("ep-1")},
      {"find_pooled_uri", CONNECTION_URI("ep-1-pooler")},
      {"!end", "CredentialsIssued", "box{app_owner app |box{app_owner jobs "}}},
    {"a list with roles of ours only",
     REVEAL(""),
     READY,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("svc_api"))},
      {"!end", "CommandRejected", "'code':'ROLE_UNKNOWN'|no role app_owner"}}},
};

int main(void)
{
    return talk_run("RotateCredentials", ROTATES, TALK_COUNT(ROTATES)) +
           talk_run("RevealCredentials of roles made by SQL", REVEALS, TALK_COUNT(REVEALS));
}
