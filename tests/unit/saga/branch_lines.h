/*
 * What conversations with BranchEnvironment have in common.
 */
#ifndef SAGA_BRANCH_LINES_H
#define SAGA_BRANCH_LINES_H

#include "neon.h"

#define PROJECT_READ                                                                               \
    {                                                                                              \
        "read_project", "200 {'project':" PROJECT("p-1", "shop", "8") "}", "GET /projects/p-1"     \
    }
#define PARENT_ROLES                                                                               \
    {                                                                                              \
        "list_parent_roles", ROLES(ROLE("app_owner")), "/projects/p-1/branches/br-parent/roles"    \
    }
#define START                                                                                      \
    {"find_source", BRANCHES(ROOT("br-parent"), ""), "/projects/p-1/branches?|search=main"},       \
        {"announce", "ok", "lock=p-1|state=none|account=main"}, {"check_source_stays", "0"},       \
        PROJECT_READ, {"find_branch", NO_BRANCHES, "search=shop-production|!include_deleted"},     \
        PARENT_ROLES
#define OUR_BRANCH BRANCHES(CHILD("br-1", "shop-production"), OURS("br-1"))
#define FOREIGN_BRANCH BRANCHES(CHILD("br-6", "shop-production"), "")
#define EARLIER_BRANCH BRANCHES(CHILD("br-6", "shop-production"), EARLIER("br-6"))
#define READY                                                                                      \
    {"await_branch", ONE_BRANCH(CHILD("br-1", "shop-production")), "/branches/br-1"},              \
        {"await_endpoint", ENDPOINT("active"), "/branches/br-1/endpoints"},                        \
    {                                                                                              \
        "find_databases", DATABASES                                                                \
    }
#define LAST                                                                                       \
    {"find_connection", CONNECTION_URI("ep-1"), "pooled=false"},                                   \
        {"find_pooled_host", CONNECTION_URI("ep-1-pooler"), "pooled=true"}, {"check_login", "ok"}, \
    {                                                                                              \
        "!end", "EnvironmentBranched", "'created':true"                                            \
    }
#define ROTATED                                                                                    \
    {"list_roles", ROLES(ROLE("app_owner"))}, {"reveal_password", PASSWORD("old")},                \
    {                                                                                              \
        "reset_password", "200 {'role':{}}"                                                        \
    }
#define CREATED_AND_READY                                                                          \
    {"create_branch", BRANCHED}, {"await_operations", OPERATION("finished")}, READY
#define UNDONE                                                                                     \
    {"undo_delete_branch", "200 {'branch':{},'operations':[{'id':'op-9'}]}",                       \
     "DELETE /projects/p-1/branches/br-1|lock=p-1"},                                               \
    {                                                                                              \
        "undo_find_branch", NO_BRANCHES                                                            \
    }

#endif
