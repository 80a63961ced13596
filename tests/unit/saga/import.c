/*
 * ImportEnvironment: somebody's branch, looked at and left as it is.
 */
#include "neon.h"

#include "base/text.h"

#define IMPORT_WITH(branch, more)                                                                  \
    "'importEnvironment':{'environment':'production','branch':{'account':'main','projectId':"      \
    "'p-1','branch':'" branch "'}" more "}"
#define IMPORT IMPORT_WITH("theirs", "")
#define MAKING IMPORT_WITH("theirs", ",'createEndpoint':true")
#define SHARED IMPORT_WITH("theirs", ",'shared':true")
#define THEIRS BRANCHES(CHILD("br-1", "theirs"), "")
#define READ_PROJECT "200 {'project':" PROJECT("p-1", "theirs", "8") "}"
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define NO_ENDPOINT "200 {'endpoints':[]}"
#define MADE_ENDPOINT                                                                              \
    "201 {'endpoint':{'id':'ep-1','branch_id':'br-1','host':'ep-1.eu.aws.neon.tech','type':"       \
    "'read_write','current_state':'init','autoscaling_limit_min_cu':0.25,"                         \
    "'autoscaling_limit_max_cu':0.25,'suspend_timeout_seconds':0},'operations':[{'id':'op-1'}]}"
#define ENDPOINT_EXISTS ERROR("409", "", "read_write endpoint already exists")
#define NOT_STORED ERROR("412", "", "passwords are not stored")
#define WITHOUT_PASSWORD "200 {'uri':'postgresql://app_owner@ep-1.eu.aws.neon.tech/app'}"
#define THEIR_ROLES                                                                                \
    ROLES(ROLE("app_owner") "," ROLE("svc_api") ",{'name':'encore_reader','no_login':true}")
#define ROW(more)                                                                                  \
    "{" more "'action':'ImportEnvironment','state':'ready','origin':'imported','account':'main','" \
    "project_id':'p-1','branch_id':'br-1',"                                                        \
    "'details':{'branch_name':'theirs','login_works':true}}"

#define FOUND                                                                                      \
    {                                                                                              \
        "find_branch", THEIRS, "GET /projects/p-1/branches?|search=theirs"                         \
    }
#define ANNOUNCED                                                                                  \
    {                                                                                              \
        "announce", "ok", "lock=p-1 state=none account=main branch=br-1"                           \
    }
#define BEGUN                                                                                      \
    FOUND, ANNOUNCED, {"check_alone", "0", "lock=p-1"}, {"read_project", READ_PROJECT},            \
    {                                                                                              \
        "await_branch", ONE_BRANCH(CHILD("br-1", "theirs"))                                        \
    }
#define LISTED                                                                                     \
    {"list_databases", DATABASES, "GET /projects/p-1/branches/br-1/databases"},                    \
    {                                                                                              \
        "list_roles", THEIR_ROLES                                                                  \
    }
#define CONNECTED                                                                                  \
    {"find_connection", CONNECTION_URI("ep-1"), "role_name=app_owner&pooled=false"},               \
    {                                                                                              \
        "find_pooled_host", CONNECTION_URI("ep-1-pooler"), "pooled=true"                           \
    }
#define MISSING "['','encore_platform','CREATE ROLE encore_platform','role is missing',false]"
#define BUSY_LOGIN                                                                                 \
    {                                                                                              \
        "check_login", "error 57P03: the database system is starting up"                           \
    }

static void without_account(Stage *stage)
{
    stage->claimed.account.found = false;
}

static void without_logins(Stage *stage)
{
    stage->rules.check_login = false;
}

static void one_login(Stage *stage)
{
    stage->rules.login_attempts = 1;
}

static void without_patience(Stage *stage)
{
    stage->rules.max_wait_ms = 1000;
    stage->rules.operation_timeout_ms = 1000;
}

static void scoped_elsewhere(Stage *stage)
{
    TALK_SET(stage->claimed.account.key_kind, NULL, "", "project");
    TALK_SET(stage->claimed.account.project_id, NULL, "", "p-9");
}

static const Talk BRANCHES_IMPORTED[] = {
    {"all that stands on the branch is told, and nothing is asked for",
     IMPORT,
     NULL,
     NULL,
     {BEGUN,
      {"find_endpoint", ENDPOINT("idle"), "GET /projects/p-1/branches/br-1/endpoints"},
      LISTED,
      CONNECTED,
      {"check_login", "ok"},
      {"plan_roles",
       "{'changes':[" MISSING "],'extensions':['plpgsql','postgis','plpgsql'],'remains':true}",
       "mode=plan fence=0 branch=br-1|'policy':'additive','adopt':false,'databases':['app','jobs'],"
       "'services':[]"},
      {"!end", "EnvironmentImported",
       "'loginWorks':true|'databases':[{'name':'app','owner':'app_owner'},{'name':'jobs','owner':"
       "'app_owner'}]|'extensions':['plpgsql','postgis']|'reservedRoles':['svc_api',"
       "'encore_reader']|'change':'CREATE ROLE encore_platform'|'sequence':'5'|state{|"
       "'projectName':'theirs'|'branchName':'theirs'|'endpointId':'ep-1'|"
       "'roles':['app_owner','svc_api']|'host':'ep-1.eu.aws.neon.tech'|'role':'app_owner'|"
       "!roles_spec|!pw-1|state=ready seq=5 account=main project=p-1 branch=br-1 endpoint=ep-1"}}},
    {"a branch may be named by its id, and stand on a later page",
     IMPORT_WITH("br-1", ""),
     NULL,
     without_logins,
     {{"find_branch", BRANCHES_PAGE(CHILD("br-9", "br-10"), "", "c-1"), "search=br-1|!cursor"},
      {"find_branch", THEIRS, "cursor=c-1"},
      ANNOUNCED,
      {"check_alone", "0"},
      {"read_project", READ_PROJECT},
      {"await_branch", ONE_BRANCH(CHILD("br-1", "theirs"))},
      {"find_endpoint", ENDPOINT("idle")},
      LISTED,
      CONNECTED,
      {"!end", "EnvironmentImported", "!'loginWorks'|!'setupWouldChange'|state=ready"}}},
    {"a branch without endpoint is imported without",
     IMPORT,
     NULL,
     NULL,
     {BEGUN,
      {"find_endpoint", NO_ENDPOINT},
      LISTED,
      {"!end", "EnvironmentImported", "!'loginWorks'|!'endpointId'|endpoint= |state=ready"}}},
    {"a branch without databases and roles",
     IMPORT,
     NULL,
     NULL,
     {BEGUN,
      {"find_endpoint", ENDPOINT("idle")},
      {"list_databases", "200 {'databases':[]}"},
      {"list_roles", ROLES("")},
      {"!end", "EnvironmentImported", "!'loginWorks'|!'databases':[{|state=ready"}}},
    {"databases that no roles can be made for are told as they are",
     IMPORT,
     NULL,
     NULL,
     {BEGUN,
      {"find_endpoint", ENDPOINT("idle")},
      {"list_databases", "200 {'databases':[{'name':'app','owner_name':'app_owner'},{'name':'" X64
                         "','owner_name':'x'},"
                         "{'name':'app','owner_name':'app_owner'}]}"},
      {"list_roles", THEIR_ROLES},
      CONNECTED,
      {"check_login", "ok"},
      {"!end", "EnvironmentImported", "'loginWorks':true|'blocked':true|stands there twice"}}},
    {"passwords that Neon doesn't store",
     IMPORT,
     NULL,
     NULL,
     {BEGUN,
      {"find_endpoint", ENDPOINT("idle")},
      LISTED,
      {"find_connection", WITHOUT_PASSWORD},
      {"find_pooled_host", WITHOUT_PASSWORD},
      {"!end", "EnvironmentImported", "!'loginWorks'|state=ready"}}},
    {"a URI that Neon doesn't give",
     IMPORT,
     NULL,
     NULL,
     {BEGUN,
      {"find_endpoint", ENDPOINT("idle")},
      LISTED,
      {"find_connection", NOT_STORED},
      {"!end", "EnvironmentImported", "!'loginWorks'|state=ready"}}},
    {"a login that is refused again and again fails nothing",
     IMPORT,
     NULL,
     NULL,
     {BEGUN,
      {"find_endpoint", ENDPOINT("idle")},
      LISTED,
      CONNECTED,
      BUSY_LOGIN,
      {"check_login", "error 28P01: password authentication failed", NULL, 125},
      {"check_login", "error 28P01: password authentication failed", NULL, -1},

      {"!end", "EnvironmentImported", "!'loginWorks'|!'setupWouldChange'|state=ready"}}},
    {"roles that can't be compared: the report says why",
     IMPORT,
     NULL,
     one_login,
     {BEGUN,
      {"find_endpoint", ENDPOINT("idle")},
      LISTED,
      CONNECTED,
      {"check_login", "ok"},
      {"plan_roles", "busy 53300"},
      {"plan_roles", "unavailable 28P01", NULL, 125},
      {"!end", "EnvironmentImported",
       "'loginWorks':true|'setupWouldChange':[{'blocked':true,'reason':'no login to the branch "
       "worked"}}},
    {"a branch that is another environment's is imported where that is said",
     SHARED,
     NULL,
     without_logins,
     {FOUND,
      ANNOUNCED,
      {"check_alone", "1 [{'application':'blog','environment':'x','branch_id':'br-1'}]"},
      {"read_project", READ_PROJECT},
      {"await_branch", ONE_BRANCH(CHILD("br-1", "theirs"))},
      {"find_endpoint", NO_ENDPOINT},
      LISTED,
      {"!end", "EnvironmentImported", "state=ready"}}},
    {"the same again, later",
     IMPORT,
     ROW("'same':true,"),
     NULL,
     {{"!end", "EnvironmentImported",
       "'loginWorks':true|'branchName':'theirs'|!'sequence'|!state{"}}},
    {"replies that can't be read are read again",
     IMPORT,
     NULL,
     without_logins,
     {{"find_branch", UNREADABLE},
      {"find_branch", "200 {'branches':[{'id':'br-1'}],'annotations':{}}", NULL, 500},
      {"find_branch", THEIRS, NULL, 1000},
      ANNOUNCED,
      {"check_alone", "0"},
      {"read_project", READ_PROJECT},
      {"await_branch", ONE_BRANCH(CHILD("br-1", "theirs"))},
      {"find_endpoint", UNREADABLE},
      {"find_endpoint", AWAY, NULL, 500},
      {"find_endpoint", ENDPOINT("idle"), NULL, 1000},
      {"list_databases", UNREADABLE},
      {"list_databases", "200 {'databases':[{'name':3}]}", NULL, 500},
      {"list_databases", AWAY, NULL, 1000},
      {"list_databases", DATABASES, NULL, 2000},
      {"list_roles", "200 {'roles':[{'name':3}]}"},
      {"list_roles", AWAY, NULL, 500},
      {"list_roles", THEIR_ROLES, NULL, 1000},
      {"find_connection", UNREADABLE},
      {"find_connection", CONNECTION_URI("ep-1"), NULL, 500},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"!end", "EnvironmentImported", "state=ready"}}},
};

static const Talk ENDPOINTS_MADE[] = {
    {"an endpoint is asked for where there is none",
     MAKING,
     NULL,
     without_logins,
     {BEGUN,
      {"find_endpoint", NO_ENDPOINT},
      {"create_endpoint", MADE_ENDPOINT,
       "POST /projects/p-1/endpoints|'branch_id':'br-1'|'type':'read_write'|lock=p-1"},
      {"await_operations", OPERATION("finished")},
      {"await_endpoint", ENDPOINT("init")},
      {"await_endpoint", ENDPOINT("active"), NULL, 1000},
      LISTED,
      CONNECTED,
      {"!end", "EnvironmentImported", "'endpointId':'ep-1'|state=ready"}}},
    {"one that is there is enough",
     MAKING,
     NULL,
     without_logins,
     {BEGUN,
      {"find_endpoint", ENDPOINT("idle")},
      LISTED,
      CONNECTED,
      {"!end", "EnvironmentImported", "'endpointId':'ep-1'"}}},
    {"somebody else makes one meanwhile",
     MAKING,
     NULL,
     without_logins,
     {BEGUN,
      {"find_endpoint", NO_ENDPOINT},
      {"create_endpoint", ENDPOINT_EXISTS},
      {"find_endpoint", ENDPOINT("active"), NULL, 1000},
      LISTED,
      CONNECTED,
      {"!end", "EnvironmentImported", "'endpointId':'ep-1'"}}},
    {"a lost reply: it is looked for before anything is repeated",
     MAKING,
     NULL,
     without_logins,
     {BEGUN,
      {"find_endpoint", NO_ENDPOINT},
      {"create_endpoint", "lost"},
      {"find_endpoint", NO_ENDPOINT, NULL, 500},
      {"create_endpoint", MADE_ENDPOINT},
      {"await_operations", OPERATION("finished")},
      {"await_endpoint", ENDPOINT("idle")},
      LISTED,
      CONNECTED,
      {"!end", "EnvironmentImported", "'endpointId':'ep-1'"}}},
    {"a lost reply of a call that had worked",
     MAKING,
     NULL,
     without_logins,
     {BEGUN,
      {"find_endpoint", NO_ENDPOINT},
      {"create_endpoint", UNREADABLE},
      {"find_endpoint", ENDPOINT("init"), NULL, 500},
      {"await_endpoint", ENDPOINT("idle")},
      LISTED,
      CONNECTED,
      {"!end", "EnvironmentImported", "'endpointId':'ep-1'"}}},
    {"what was made goes where the command is stopped",
     MAKING,
     NULL,
     without_logins,
     {BEGUN,
      {"find_endpoint", NO_ENDPOINT},
      {"create_endpoint", MADE_ENDPOINT},
      {"!stop", "cancelled"},
      {"!save"},
      {"undo_delete_endpoint", NOT_FOUND, "DELETE /projects/p-1/endpoints/ep-1|lock=p-1"},
      {"undo_delete_endpoint", LOCKED, NULL, 500},
      {"undo_delete_endpoint", "200 {'endpoint':{}}", NULL, 1000},
      {"!end", "CommandCancelled", "'undone':['endpoint ep-1']|!'left'|tombstone"}}},
    {"one that may be ours is named, and left",
     MAKING,
     NULL,
     without_logins,
     {BEGUN,
      {"find_endpoint", NO_ENDPOINT},
      {"create_endpoint", "lost"},
      {"find_endpoint", ENDPOINT("init"), NULL, 500},
      {"!stop", "cancelled"},
      {"!save"},
      {"undo_find_endpoint", AWAY, NULL, -1},
      {"undo_find_endpoint", ENDPOINT("idle"), NULL, 500},
      {"!end", "CommandCancelled",
       "'left':['endpoint ep-1, which this command may have asked for']|state=failed"}}},
    {"one that never came",
     MAKING,
     NULL,
     without_logins,
     {BEGUN,
      {"find_endpoint", NO_ENDPOINT},
      {"create_endpoint", "lost"},
      {"!stop", "cancelled"},
      {"!save"},
      {"undo_find_endpoint", NOT_FOUND, NULL, -1},
      {"!end", "CommandCancelled", "!'left'|!'undone'|tombstone"}}},
    {"a plan that has no room for it",
     MAKING,
     NULL,
     without_logins,
     {BEGUN,
      {"find_endpoint", NO_ENDPOINT},
      {"create_endpoint", ERROR("422", "ENDPOINTS_LIMIT_EXCEEDED", "too many")},
      {"!save"},
      {"!end", "CommandFailed", "'code':'ENDPOINTS_LIMIT_EXCEEDED'|!'left'|tombstone"}}},
};

static const Talk REFUSALS[] = {
    {"an unknown account",
     IMPORT,
     NULL,
     without_account,
     {{"!end", "CommandRejected", "'code':'ACCOUNT_UNKNOWN'"}}},
    {"a key that is kept to another project",
     IMPORT,
     NULL,
     scoped_elsewhere,
     {{"!end", "CommandRejected",
       "'code':'KEY_SCOPE'|'field':'import_environment.branch.project_id'|p-9"}}},
    {"an environment that is something else",
     IMPORT,
     ROW(""),
     NULL,
     {{"!end", "CommandRejected", "'code':'ENVIRONMENT_EXISTS'"}}},
    {"a branch that isn't there: part of a name is none",
     IMPORT,
     NULL,
     NULL,
     {{"find_branch", BRANCHES(CHILD("br-2", "theirs-too"), "")},
      {"!end", "CommandRejected",
       "'code':'BRANCH_NOT_FOUND'|'field':'import_environment.branch.branch'|state=gone"}}},
    {"a project that the key doesn't see",
     IMPORT,
     NULL,
     NULL,
     {{"find_branch", NOT_FOUND}, {"!end", "CommandRejected", "'code':'BRANCH_NOT_FOUND'"}}},
    {"a key that is refused",
     IMPORT,
     NULL,
     NULL,
     {{"find_branch", DENIED}, {"!end", "CommandRejected", "'code':'NEON_DENIED'"}}},
    {"a branch that another application has imported",
     IMPORT,
     NULL,
     NULL,
     {FOUND,
      ANNOUNCED,
      {"check_alone", "2 [{'application':'blog','environment':'y','branch_id':'br-2'},"
                      "{'application':'blog','environment':'x','branch_id':'br-1'}]"},
      {"!end", "CommandRejected",
       "'code':'ALREADY_IMPORTED'|environment x of application blog|state=gone"}}},
    {"of two at once the first by name waits, and has it where the other gives up",
     IMPORT,
     NULL,
     without_logins,
     {FOUND,
      ANNOUNCED,
      {"check_alone",
       "1 [{'application':'zoo','environment':'x','branch_id':'br-1','state':'creating'}]"},
      {"check_alone", "0", NULL, 1000},
      {"read_project", READ_PROJECT},
      {"await_branch", ONE_BRANCH(CHILD("br-1", "theirs"))},
      {"find_endpoint", NO_ENDPOINT},
      LISTED,
      {"!end", "EnvironmentImported", "state=ready"}}},
    {"... but not for ever",
     IMPORT,
     NULL,
     without_patience,
     {FOUND,
      ANNOUNCED,
      {"check_alone", "1 [{'environment':'z','branch_id':'br-1','state':'creating'}]"},
      {"check_alone", "1 [{'environment':'z','branch_id':'br-1','state':'creating'}]", NULL, 1000},
      {"!end", "CommandRejected", "'code':'ALREADY_IMPORTED'"}}},
    {"... and the second gives up",
     IMPORT,
     NULL,
     NULL,
     {FOUND,
      ANNOUNCED,
      {"check_alone", "1 [{'application':'blog','environment':'z','branch_id':'br-1','state':"
                      "'creating'}]"},
      {"!end", "CommandRejected", "'code':'ALREADY_IMPORTED'"}}},
    {"a branch whose project is being deleted",
     SHARED,
     NULL,
     NULL,
     {FOUND,
      ANNOUNCED,
      {"check_alone", "1 [{'environment':'x','origin':'created','state':'deleting'}]"},
      {"!end", "CommandRejected", "'code':'SOURCE_DELETING'"}}},
};

int main(void)
{
    return talk_run("branches imported", BRANCHES_IMPORTED, TALK_COUNT(BRANCHES_IMPORTED)) +
           talk_run("endpoints made", ENDPOINTS_MADE, TALK_COUNT(ENDPOINTS_MADE)) +
           talk_run("refusals", REFUSALS, TALK_COUNT(REFUSALS));
}
