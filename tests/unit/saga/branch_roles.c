/*
 * The roles' part of CreateEnvironment and BranchEnvironment.
 */
#include "branch_lines.h"

#define CREATE_WITH(more)                                                                          \
    "'createEnvironment':{'environment':'production','account':'main','regionId':'aws-eu-central-" \
    "1'" more "}"
#define SERVICES "'services':[{'name':'api','databases':[{'database':'app'}]}]"
#define SPEC                                                                                       \
    "{'prefix':'encore','policy':'additive','adopt':false,'databases':['app'],"                    \
    "'services':[{'name':'api','access':{'app':'write'}}]}"
#define LOGINS "'encore_platform','encore_reader','encore_writer','encore_admin','svc_api'"
#define OF_ENVIRONMENT(more) BRANCH_FROM("'sourceEnvironment':'staging'" more)
#define UP_TO_ROLES                                                                                \
    {"announce", "ok"}, {"check_source_stays", "0"}, PROJECT_READ, {"find_branch", NO_BRANCHES},   \
        PARENT_ROLES, CREATED_AND_READY
#define INHERITED                                                                                  \
    ROLES(ROLE("app_owner") "," ROLE("svc_api") "," ROLE("svc_gone") "," ROLE(                     \
        "svc_alien") "," ROLE("db_app_reader") "," ROLE("db_app_writer"))
#define RESET(role)                                                                                \
    {"reveal_password", PASSWORD("old"), "/roles/" role "/"},                                      \
    {                                                                                              \
        "reset_password", "200 {'role':{}}", "/roles/" role "/"                                    \
    }

static void source_with_roles(Stage *stage)
{
    LedgerEnvironment *source = &stage->claimed.source;
    source->state = LEDGER_STATE_READY;
    (void)!text_copy(source->branch_id, sizeof source->branch_id, "br-parent");
    (void)!text_copy(source->project_id, sizeof source->project_id, "p-1");
    json_object_update_new(source->details,
                           talk_json("{'role':'app_owner','roles_spec':" SPEC "}"));
}

static void source_with_a_strange_spec(Stage *stage)
{
    source_with_roles(stage);
    json_object_update_new(stage->claimed.source.details, talk_json("{'roles_spec':7}"));
}

static void without_logins(Stage *stage)
{
    source_with_roles(stage);
    stage->rules.check_login = false;
}

static const Talk TALKS[] = {
    {"every password of ours is replaced by SQL, every other by the API",
     OF_ENVIRONMENT(""),
     NULL,
     source_with_roles,
     {UP_TO_ROLES,
      {"list_roles", INHERITED},
      {"find_old_connection", CONNECTION_URI("ep-1"), "role_name=app_owner"},
      {"find_inherited", "unavailable 57P03"},
      {"find_inherited",
       "{'managed':['svc_api','svc_gone'],'changes':[['','db_app_writer','ALTER ROLE','it can log "
       "in',false]]}",
       "mode=plan |'policy':'authoritative','adopt':true,'databases':['app'],"
       "'services':[{'name':'api','access':{'app':'write'}}]",
       -1},
      RESET("app_owner"),
      RESET("svc_alien"),
      RESET("db_app_writer"),
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      {"prepare_passwords", "3", "names=[" LOGINS ",'svc_gone'] renew=[" LOGINS ",'svc_gone']"},
      {"apply_roles",
       "{'changes':[['','x','CREATE','y',false],['app','theirs','','stays',true]],"
       "'set':['encore_admin']}",
       "mode=apply fence=3 |renew=[" LOGINS ",'svc_gone']"},
      {"set_passwords", "{'set':['svc_api','svc_gone']}", "names=['svc_api','svc_gone']"},
      {"keep_passwords", "ok", "names=['encore_admin','svc_api','svc_gone']"},
      {"!end", "EnvironmentBranched",
       "'rotatedRoles':['app_owner','svc_alien','db_app_writer','svc_api','svc_gone']|"
       "'code':'ROLES_BLOCKED'|'resources':['app: theirs: stays']|'name':'api'"}}},
    {"a password that stays the inherited one fails it",
     OF_ENVIRONMENT(""),
     NULL,
     source_with_roles,
     {UP_TO_ROLES,
      {"list_roles", ROLES(ROLE("app_owner"))},
      {"find_old_connection", CONNECTION_URI("ep-1")},
      {"find_inherited", "{'managed':['svc_api']}"},
      RESET("app_owner"),
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      {"prepare_passwords", "3"},
      {"apply_roles", "{}"},
      {"set_passwords", "{'remains':true,'set':['encore_admin']}"},
      {"!save", NULL, "PASSWORD_NOT_SET"},
      UNDONE,
      {"!end", "CommandFailed", "could not be replaced"}}},
    {"services are told, and databases are those of the branch",
     BRANCH_FROM("'sourceBranch':{'account':'main','projectId':'p-1','branch':'main'}," SERVICES),
     NULL,
     NULL,
     {START,
      CREATED_AND_READY,
      {"list_roles", ROLES(ROLE("app_owner"))},
      {"find_old_connection", CONNECTION_URI("ep-1")},
      {"find_inherited", "{}", "'databases':['app','jobs']"},
      RESET("app_owner"),
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      ROLES_MADE,
      {"!end", "EnvironmentBranched", "svc_api|!DriftReported"}}},
    {"a service of a database that the branch doesn't have",
     BRANCH_FROM("'sourceBranch':{'account':'main','projectId':'p-1','branch':'main'},"
                 "'services':[{'name':'api','databases':[{'database':'nowhere'}]}]"),
     NULL,
     NULL,
     {START,
      CREATED_AND_READY,
      {"list_roles", ROLES(ROLE("app_owner"))},
      {"!save", NULL, "INVALID_FIELD"},
      UNDONE,
      {"!end", "CommandFailed", "'field':'branch_environment.services[0].databases'"}}},
    {"a spec that can't be read is none",
     OF_ENVIRONMENT(""),
     NULL,
     source_with_a_strange_spec,
     {UP_TO_ROLES, ROTATED, LAST}},
    {"only roles with names of ours: the database's owner is asked",
     OF_ENVIRONMENT(""),
     NULL,
     source_with_a_strange_spec,
     {UP_TO_ROLES,
      {"!later", "30000"},
      {"list_roles", ROLES(ROLE("svc_api"))},
      RESET("svc_api"),
      LAST}},
    {"workers that don't log in leave roles alone",
     OF_ENVIRONMENT(""),
     NULL,
     without_logins,
     {UP_TO_ROLES,
      ROTATED,
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"!end", "EnvironmentBranched"}}},
    {"... and can't make services",
     OF_ENVIRONMENT("," SERVICES),
     NULL,
     without_logins,
     {UP_TO_ROLES,
      {"list_roles", ROLES(ROLE("app_owner"))},
      {"!save", NULL, "LOGIN_IS_OFF"},
      UNDONE,
      {"!end", "CommandFailed", "'field':'branch_environment.services'"}}},
    {"... nor several databases",
     CREATE_WITH(",'databases':['app','jobs']"),
     NULL,
     without_logins,
     {{"!end", "CommandRejected", "'code':'LOGIN_IS_OFF'"}}},
    {"an environment is created with databases and services",
     CREATE_WITH(",'databases':['app','jobs'],'services':[{'name':'api','databases':[{'database':"
                 "'jobs','access':'ACCESS_READ'}]}]"),
     NULL,
     NULL,
     {{"check_region", REGIONS},
      {"find_project", NO_PROJECTS},
      {"create_project", CREATED},
      {"await_operations", OPERATION("finished")},
      {"await_branch", ONE_BRANCH(ROOT("br-1"))},
      {"await_endpoint", ENDPOINT("active")},
      {"check_login", "ok"},
      {"prepare_passwords", "1", "names=[" LOGINS "] renew=none"},
      {"apply_roles", "busy ROLES_BUSY"},
      {"!takeover"},
      {"find_connection", CONNECTION_URI("ep-1"), NULL, -1},
      {"apply_roles", "{'changes':[['jobs','t','','theirs',true]],'set':['svc_api']}",
       "'databases':['app','jobs']|{'jobs':'read'}"},
      {"keep_passwords", "ok"},
      {"find_duplicates", NO_PROJECTS},
      {"!end", "EnvironmentCreated", "'databases':['app','jobs']|svc_api|ROLES_BLOCKED"}}},
};

int main(void)
{
    return talk_run("roles of new environments", TALKS, TALK_COUNT(TALKS));
}
