/*
 * Until a new branch can be used: the steps that Create and Branch share.
 */
#include "neon.h"

#include <string.h>

#define START                                                                                      \
    {"check_region", REGIONS}, {"find_project", NO_PROJECTS},                                      \
    {                                                                                              \
        "create_project", CREATED_AS("p-1", ROOT("br-1"), ",'operations':[{'id':'op-1'}]")         \
    }
#define UNDONE                                                                                     \
    UNDO_GUARDED("p-1"), {"undo_delete_project", "200 {'project':{}}"},                            \
    {                                                                                              \
        "undo_find_project", NO_PROJECTS                                                           \
    }
#define FAILED_WITH(code)                                                                          \
    {"!save", NULL, code}, UNDONE,                                                                 \
    {                                                                                              \
        "!end", "CommandFailed", "'code':'" code "'"                                               \
    }
#define OPERATION_FAILING(count)                                                                   \
    "200 {'operation':{'id':'op-1','action':'start_compute','status':'failed','error':'no room',"  \
    "'failures_count':" count "}}"
#define NOT_READY_BRANCH                                                                           \
    "200 {'branch':{'id':'br-1','project_id':'p-1','name':'main','current_state':'init'" AT(       \
        "9") "}}"
#define UNTIL_DATABASES                                                                            \
    START, {"await_operations", OPERATION("finished")},                                            \
        {"await_branch", ONE_BRANCH(ROOT("br-1"))},                                                \
    {                                                                                              \
        "await_endpoint", ENDPOINT("active")                                                       \
    }
#define UNTIL_LOGIN                                                                                \
    UNTIL_DATABASES, {"find_databases", DATABASES}, {"find_connection", CONNECTION_URI("ep-1")},   \
    {                                                                                              \
        "find_pooled_host", CONNECTION_URI("ep-1-pooler")                                          \
    }

static void no_login(Stage *stage)
{
    stage->rules.check_login = false;
}

static const Talk TALKS[] = {
    {"operations are waited for one by one, and their states read",
     CREATE,
     NULL,
     NULL,
     {{"check_region", REGIONS},
      {"find_project", NO_PROJECTS},
      {"create_project",
       CREATED_AS(
           "p-1", ROOT("br-1"),
           ",'operations':[{'id':'op-1'},{'id':'op-2'},{'id':'op-3'}],'connection_uris':[]")},
      {"await_operations", OPERATION("scheduling"), "/op-1"},
      {"await_operations", AWAY, NULL, 1000},
      {"await_operations", UNREADABLE, NULL, 1000},
      {"await_operations", OPERATION("finished"), "/op-1", 2000},
      {"await_operations", OPERATION("cancelled"), "/op-2"},
      {"await_operations", NOT_FOUND, "/op-3"},
      {"!later", "30000"},
      {"await_operations", NOT_FOUND, "/op-3", -1},
      {"await_branch", ONE_BRANCH(ROOT("br-1"))},
      {"!stop", "cancelled"},
      {"!save"},
      UNDONE,
      {"!end", "CommandCancelled"}}},
    {"a failing operation is waited for while Neon tries it again",
     CREATE,
     NULL,
     NULL,
     {START,
      {"await_operations", OPERATION_FAILING("1")},
      {"!later", "299000"},
      {"await_operations", OPERATION_FAILING("2"), NULL, -1},
      {"!later", "299000"},
      {"await_operations", OPERATION_FAILING("2"), NULL, -1},
      {"!later", "2000"},
      {"await_operations", OPERATION_FAILING("2"), NULL, -1},
      {"!save", NULL, "OPERATION_FAILED"},
      UNDONE,
      {"!end", "CommandFailed", "op-1 (start_compute) failed: no room|'step':'await_operations'"}}},
    {"an operation that does not end",
     CREATE,
     NULL,
     NULL,
     {START,
      {"await_operations", OPERATION("running")},
      {"!later", "300001"},
      {"await_operations", OPERATION("running"), NULL, -1},
      FAILED_WITH("OPERATION_TIMEOUT")}},
    {"a branch that does not become ready",
     CREATE,
     NULL,
     NULL,
     {START,
      {"await_operations", OPERATION("finished")},
      {"await_branch", AWAY},
      {"await_branch", UNREADABLE, NULL, 500},
      {"await_branch", NOT_READY_BRANCH, NULL, 1000},
      {"!later", "300001"},
      {"await_branch", NOT_READY_BRANCH, NULL, -1},
      FAILED_WITH("BRANCH_NOT_READY")}},
    {"a branch that is gone again",
     CREATE,
     NULL,
     NULL,
     {START,
      {"await_operations", OPERATION("finished")},
      {"!later", "30000"},
      {"await_branch", NOT_FOUND},
      FAILED_WITH("NEON_NOT_FOUND")}},
    {"an endpoint that does not start",
     CREATE,
     NULL,
     NULL,
     {START,
      {"await_operations", OPERATION("finished")},
      {"await_branch", ONE_BRANCH(ROOT("br-1"))},
      {"await_endpoint", AWAY},
      {"await_endpoint", UNREADABLE, NULL, 500},
      {"await_endpoint", ENDPOINT("init"), NULL, 1000},
      {"!later", "300001"},
      {"await_endpoint", ENDPOINT("init"), NULL, -1},
      FAILED_WITH("ENDPOINT_NOT_READY")}},
    {"an endpoint that is not made",
     CREATE,
     NULL,
     NULL,
     {START,
      {"await_operations", OPERATION("finished")},
      {"await_branch", ONE_BRANCH(ROOT("br-1"))},
      {"await_endpoint", "200 {'endpoints':[]}"},
      {"!later", "300001"},
      {"await_endpoint", "200 {'endpoints':[]}", NULL, -1},
      FAILED_WITH("ENDPOINT_MISSING")}},
    {"databases and addresses: what can go wrong",
     CREATE,
     NULL,
     NULL,
     {UNTIL_DATABASES,
      {"find_databases", AWAY},
      {"find_databases", UNREADABLE, NULL, 500},
      {"find_databases", "200 {'databases':[{'name':'app','owner_name':'o'},{'name':1}]}", NULL,
       1000},
      {"find_databases", DATABASES, NULL, 2000},
      {"find_connection", AWAY},
      {"find_connection", UNREADABLE, NULL, 500},
      {"find_connection", "200 {'uri':'mysql://x'}", NULL, 1000},
      {"find_connection", CONNECTION_URI("ep-1"), NULL, 2000},
      {"find_pooled_host", AWAY},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler"), NULL, 500},
      {"check_login", "refused"},
      {"check_login", "starting up", NULL, 125},
      {"check_login", "no such host", NULL, 250},
      {"!save", NULL, "LOGIN_FAILED"},
      UNDONE,
      {"!end", "CommandFailed", "(PG_REFUSED): no such host|'step':'check_login'"}}},
    {"a login may take a moment",
     CREATE,
     NULL,
     NULL,
     {UNTIL_LOGIN,
      {"check_login", "starting up"},
      {"check_login", "ok", NULL, 125},
      {"find_duplicates", NO_PROJECTS},
      {"!end", "EnvironmentCreated"}}},
    {"a password lives in memory: who takes over asks again",
     CREATE,
     NULL,
     NULL,
     {UNTIL_LOGIN,
      {"!takeover"},
      {"await_operations", OPERATION("finished")},
      {"await_branch", ONE_BRANCH(ROOT("br-1"))},
      {"await_endpoint", ENDPOINT("active")},
      {"find_databases", DATABASES},
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "ok"},
      {"find_duplicates", NO_PROJECTS},
      {"!end", "EnvironmentCreated"}}},
    {"without a password no login can be proven",
     CREATE,
     NULL,
     NULL,
     {UNTIL_DATABASES,
      {"find_databases", DATABASES},
      {"find_connection", "200 {'uri':'postgresql://app_owner@ep-1.eu.aws.neon.tech/app'}"},
      FAILED_WITH("PASSWORD_NOT_STORED")}},
    {"... and none is needed where it is not checked",
     CREATE,
     NULL,
     no_login,
     {UNTIL_DATABASES,
      {"find_databases", DATABASES},
      {"find_connection", "200 {'uri':'postgresql://app_owner@ep-1.eu.aws.neon.tech/app'}"},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"find_duplicates", NO_PROJECTS},
      {"!end", "EnvironmentCreated", "'host':'ep-1.eu.aws.neon.tech'"}}},
    {"a creation's connection that can not be read is asked for",
     CREATE,
     NULL,
     no_login,
     {{"check_region", REGIONS},
      {"find_project", NO_PROJECTS},
      {"create_project", CREATED_AS("p-1", ROOT("br-1"),
                                    ",'operations':1,'connection_uris':[{'connection_uri':'x'}]")},
      {"await_branch", ONE_BRANCH(ROOT("br-1"))},
      {"await_endpoint", ENDPOINT("active")},
      {"find_databases", DATABASES},
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"find_duplicates", NO_PROJECTS},
      {"!end", "EnvironmentCreated"}}},
    {"a project without retention, and a connection without a pooler",
     CREATE,
     NULL,
     no_login,
     {{"check_region", REGIONS},
      {"find_project", NO_PROJECTS},
      {"create_project",
       "201 {'project':{'id':'p-1','name':'shop-production','region_id':'aws-eu-central-1',"
       "'pg_version':17,'created_at':'2026-11-22T09:00:00Z'},'branch':" ROOT(
           "br-1") ",'connection_uris':[{'connection_uri':'" URI("ep-1") "'}]}"},
      {"await_branch", ONE_BRANCH(ROOT("br-1"))},
      {"await_endpoint", ENDPOINT("active")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"find_duplicates", NO_PROJECTS},
      {"!end", "EnvironmentCreated", "!historyRetentionSeconds"}}},
};

int main(void)
{
    return talk_run("ready", TALKS, TALK_COUNT(TALKS));
}
