// What conversations about ImportEnvironment have in common.
#ifndef SAGA_IMPORT_LINES_H
#define SAGA_IMPORT_LINES_H

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

static inline void without_logins(Stage *stage)
{
    stage->rules.check_login = false;
}

#endif
