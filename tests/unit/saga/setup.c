/*
 * SetupRoles.
 */
#include "setup_lines.h"

#include "base/text.h"

#define SERVICES                                                                                   \
    ",'services':[{'name':'api','databases':[{'database':'app'},{'database':'jobs','access':"      \
    "'ACCESS_READ'}]}]"
#define KEPT                                                                                       \
    ROW(",'details':{'role':'jobs_owner','roles':['jobs_owner','svc_old'],"                        \
        "'roles_spec':" SPEC "}")
#define MISSING "['','svc_api','CREATE ROLE svc_api LOGIN','role is missing',false]"
#define GRANTED "['app','item','GRANT SELECT','privilege is missing',false]"
#define BLOCKED "['app','theirs','','only its owner can hand it over',true]"
#define OWNED "'owners':[{'database':'app','owner':'jobs_owner'},{'database':'app','owner':'x'}]"
#define PLANNED                                                                                    \
    {                                                                                              \
        "plan_roles", "{'changes':[" MISSING "],'remains':true}"                                   \
    }
#define LOGINS "'encore_platform','encore_reader','encore_writer','encore_admin','svc_api'"
#define PREPARED                                                                                   \
    {                                                                                              \
        "prepare_passwords", "7", "fence=1 |names=[" LOGINS "] renew=none"                         \
    }
#define SET "'set':[" LOGINS "]"
#define LAST                                                                                       \
    {                                                                                              \
        "keep_passwords", "ok", "names=[" LOGINS "]"                                               \
    }

static void imported(Stage *stage)
{
    assert_true(text_copy(stage->claimed.environment.origin,
                          sizeof stage->claimed.environment.origin, "imported"));
}

static void without_logins(Stage *stage)
{
    stage->rules.check_login = false;
}

static void unknown_account(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void without_patience(Stage *stage)
{
    stage->rules.max_wait_ms = 1000;
}

static const Talk TALKS[] = {
    {"roles are compared, passwords kept, then all is applied",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{'changes':[" MISSING "," GRANTED "],'remains':true,'unknown':['svc_api']}",
       "mode=plan fence=0 branch=br-1 |names=[" LOGINS "]|spec={'prefix':'encore','policy':"
       "'authoritative','adopt':true,'databases':['app','jobs'],'services':[{'name':'api','access':"
       "{'app':'write','jobs':'read'}}]}"},
      PREPARED,
      {"apply_roles", "{'changes':[" GRANTED "]," SET "}",
       "mode=apply fence=7 branch=br-1 |renew=none"},
      LAST,
      {"!end", "RolesConfigured",
       "'change':'CREATE ROLE svc_api LOGIN'|'change':'GRANT SELECT'|!'plannedOnly':true|"
       "!'omitted'|'sequence':'5'|state{|'services':[{'databases':[{'access':'ACCESS_WRITE',"
       "'database':'app'},{'access':'ACCESS_READ','database':'jobs'}],'name':'api'}]|"
       "'roles':['jobs_owner','app_owner',|'databases':['app','jobs']|'roles_spec':{|state="
       "ready"}}},
    {"a plan is told, and nothing is done",
     SETUP(SERVICES ",'mode':'ROLES_MODE_PLAN'"),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{'changes':[" MISSING "," BLOCKED "],'omitted':3," OWNED "}"},
      {"!end", "RolesConfigured",
       "'plannedOnly':true|'omitted':3|'blocked':true|!state{|!'sequence'|row env= state=none"}}},
    {"what is as it should be opens no intent",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{'changes':[" BLOCKED "],'owners':[{'database':'app','owner':'x'}]}"},
      {"!end", "RolesConfigured", "'blocked':true|'sequence':'5'|state=ready"}}},
    {"a password that the ledger doesn't have is set",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{'unknown':['svc_api']}"},
      PREPARED,
      {"apply_roles", "{" SET "}"},
      LAST,
      {"!end", "RolesConfigured", "!'changes'"}}},
    {"the policy and the role of before are kept",
     SETUP(",'databases':['app','new']"),
     KEPT,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("app_owner") "," ROLE("jobs_owner"))},
      {"find_connection", CONNECTION_URI("ep-1"), "role_name=jobs_owner"},
      {"plan_roles", "{}",
       "'policy':'additive','adopt':true,'databases':['app','new'],"
       "'services':[]"},
      {"!end", "RolesConfigured",
       "'databases':['app','jobs','new']|!svc_old|"
       "'rolesPolicy':'ROLES_POLICY_ADDITIVE'"}}},
    {"a policy is told",
     SETUP(",'policy':'ROLES_POLICY_AUTHORITATIVE'"),
     KEPT,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("jobs_owner"))},
      {"find_connection", CONNECTION_URI("ep-1")},
      {"plan_roles", "{}", "'policy':'authoritative'"},
      {"!end", "RolesConfigured", "'rolesPolicy':'ROLES_POLICY_AUTHORITATIVE'"}}},
    {"another policy is told",
     SETUP(",'policy':'ROLES_POLICY_ADDITIVE','services':[{'name':'api','databases':[{'database':"
           "'app','access':'ACCESS_ADMIN'}]}]"),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{}", "'policy':'additive'|{'app':'admin'}"},
      {"!end", "RolesConfigured", "'access':'ACCESS_ADMIN'"}}},
    {"what only its owner can hand over is handed over in its own session",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "{'changes':[" BLOCKED "]," OWNED "}"},
      PREPARED,
      {"apply_roles", "{'changes':[" BLOCKED "],'remains':true," OWNED "," SET "}"},
      {"reveal_owner", PASSWORD("theirs"), "/roles/jobs_owner/reveal_password"},
      {"adopt_objects", "{'changes':[['app','item','ALTER TABLE item OWNER','handed over',false]]}",
       "mode=owner fence=7 |names=['app']"},
      {"apply_roles", "{'changes':[" GRANTED "]," SET "}"},
      LAST,
      {"!end", "RolesConfigured",
       "'change':'ALTER TABLE item OWNER'|'change':'GRANT SELECT'|"
       "!'blocked':true"}}},
    {"who takes over asks for the owner's password again",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "{" OWNED "," SET "}"},
      {"reveal_owner", AWAY},
      {"reveal_owner", UNREADABLE, NULL, -1},
      {"reveal_owner", "200 {'password':''}", NULL, -1},
      {"reveal_owner", PASSWORD("theirs"), NULL, -1},
      {"!takeover"},
      {"find_connection", CONNECTION_URI("ep-1")},
      {"reveal_owner", PASSWORD("theirs")},
      {"adopt_objects", "busy ROLES_BUSY"},
      {"adopt_objects", "unavailable CONNECTION_LOST", NULL, -1},
      {"adopt_objects", "conflict ROLES_FAILED", NULL, -1},
      LAST,
      {"!end", "RolesConfigured"}}},
    {"a role of that name that isn't ours keeps its password, and the next one stays the next",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles",
       "{'changes':[['','svc_api','','role exists',true]],'remains':true,'set':['encore_reader',"
       "'svc_other']}"},
      {"keep_passwords", "ok", "names=['encore_reader']"},
      {"!end", "RolesConfigured", "'blocked':true"}}},
    {"whose password was set is known to who takes over",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "{'set':['encore_reader']," OWNED "}"},
      {"reveal_owner", PASSWORD("theirs")},
      {"adopt_objects", "{}"},
      {"!takeover"},
      {"find_connection", CONNECTION_URI("ep-1"), NULL, -1},
      {"apply_roles", "{'set':['encore_reader','svc_api']}"},
      {"keep_passwords", "ok", "names=['encore_reader','svc_api']"},
      {"!end", "RolesConfigured"}}},
    {"where no password is known to be set, none is kept",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "{'changes':[['','svc_api','','role exists',true]]}"},
      {"!end", "RolesConfigured", "'blocked':true"}}},
    {"an owner whose password isn't known stays reported",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "{'changes':[" BLOCKED "]," OWNED "," SET "}"},
      {"reveal_owner", NOT_FOUND},
      LAST,
      {"!end", "RolesConfigured", "'blocked':true"}}},
    {"a newer fence is passed by one that is newer still",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "conflict ROLES_FENCED {'seen':40}", "fence=7 "},
      {"prepare_passwords", "41", "fence=41 "},
      {"apply_roles", "conflict ROLES_FENCED {}", "fence=41 "},
      {"prepare_passwords", "42", "fence=42 "},
      {"apply_roles", "{" SET "}", "fence=42 "},
      LAST,
      {"!end", "RolesConfigured"}}},
    {"who takes over in mid-apply goes on at once",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "unsent"},
      {"!takeover"},
      {"find_connection", CONNECTION_URI("ep-1"), NULL, -1},
      {"apply_roles", "{" SET "}"},
      LAST,
      {"!end", "RolesConfigured"}}},
    {"a busy branch is waited for, and an error that lasts ends the command",
     SETUP(SERVICES),
     READY,
     without_patience,
     {FOUND,
      {"plan_roles", "unavailable CONNECTION_LOST"},
      {"plan_roles", "busy ROLES_BUSY", NULL, 125},
      {"plan_roles", "busy ROLES_BUSY", NULL, 250},
      {"plan_roles", "busy ROLES_BUSY", NULL, 500},
      {"plan_roles", "busy ROLES_BUSY", NULL, 1000},
      {"!end", "CommandRejected", "'code':'ROLES_UNAVAILABLE'|ROLES_BUSY"}}},
    {"a password that is refused for good ends it sooner",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      {"plan_roles", "unavailable 28P01"},
      {"plan_roles", "unavailable 28P01", NULL, 125},
      {"plan_roles", "unavailable 28P01", NULL, 250},
      {"!end", "CommandRejected", "'code':'LOGIN_FAILED'|28P01"}}},
    {"what fails when it was begun stays, and the environment with it",
     SETUP(SERVICES),
     KEPT,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("jobs_owner"))},
      {"find_connection", CONNECTION_URI("ep-1")},
      PLANNED,
      {"prepare_passwords", "7"},
      {"apply_roles", "conflict ROLES_FAILED"},
      {"!save", NULL, "ROLES_FAILED"},
      {"!end", "CommandFailed",
       "'code':'ROLES_FAILED'|'step':'apply_roles'|SetupRoles goes on from there|'sequence':'5'|"
       "state{|svc_old|state=ready"}}},
    {"a stop after the first intent undoes nothing",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "busy ROLES_BUSY"},
      {"!stop", "cancelled"},
      {"!save", NULL, "CANCELLED"},
      {"!end", "CommandCancelled", "SetupRoles goes on from there|state=ready", -1}}},
    {"a stop after all was applied comes too late",
     SETUP(SERVICES),
     READY,
     NULL,
     {FOUND,
      PLANNED,
      PREPARED,
      {"apply_roles", "{" SET "}"},
      {"!stop", "cancelled"},
      LAST,
      {"!end", "RolesConfigured"}}},
    {"an imported environment is changed only where that is asked for",
     SETUP(SERVICES),
     READY,
     imported,
     {{"!end", "CommandRejected", "'code':'IMPORTED_READ_ONLY'|'field':'setup_roles.adopt'"}}},
    {"... and told of what would be changed in any case",
     SETUP(",'mode':'ROLES_MODE_PLAN'"),
     READY,
     imported,
     {FOUND,
      {"plan_roles", "{}", "'policy':'additive','adopt':false"},
      {"!end", "RolesConfigured", "'plannedOnly':true"}}},
    {"... and changed with adopt",
     SETUP(",'adopt':true"),
     READY,
     imported,
     {FOUND, {"plan_roles", "{}", "'adopt':true"}, {"!end", "RolesConfigured"}}},
    {"an environment that isn't there",
     SETUP(""),
     "{'state':'gone'}",
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_UNKNOWN'"}}},
    {"an account that is gone",
     SETUP(""),
     READY,
     unknown_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
    {"workers that don't log in",
     SETUP(""),
     READY,
     without_logins,
     {{"!end", "CommandRejected", "'code':'LOGIN_IS_OFF'"}}},
    {"a service of a database that isn't there",
     SETUP(",'services':[{'name':'api','databases':[{'database':'nowhere'}]}]"),
     READY,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("app_owner"))},
      {"!end", "CommandRejected", "'field':'setup_roles.services[0].databases'"}}},
    {"a list without a role that could change others",
     SETUP(""),
     READY,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", AWAY},
      {"find_role", "200 {'roles':[{'name':1}]}", NULL, 500},
      {"find_role", ROLES(ROLE("svc_api")), NULL, -1},
      {"!end", "CommandRejected", "'code':'ROLE_MISSING'"}}},
    {"no owner is known, but a role that isn't ours",
     SETUP(""),
     READY,
     NULL,
     {{"find_databases", DATABASES},
      {"find_role", ROLES(ROLE("svc_api") "," ROLE("somebody"))},
      {"find_connection", CONNECTION_URI("ep-1"), "role_name=somebody"},
      {"plan_roles", "{}"},
      {"!end", "RolesConfigured"}}},
};

int main(void)
{
    return talk_run("SetupRoles", TALKS, TALK_COUNT(TALKS));
}
