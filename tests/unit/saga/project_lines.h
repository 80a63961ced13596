/*
 * What conversations with CreateEnvironment have in common.
 */
#ifndef SAGA_PROJECT_LINES_H
#define SAGA_PROJECT_LINES_H

#include "neon.h"

#define START                                                                                      \
    {"check_region", REGIONS, "GET /regions?org_id=org-1"},                                        \
    {                                                                                              \
        "find_project", NO_PROJECTS, "search=shop-production|org_id=org-1"                         \
    }
#define TAIL                                                                                       \
    {"await_operations", OPERATION("finished"), "GET /projects/p-1/operations/op-1"},              \
        {"await_branch", ONE_BRANCH(ROOT("br-1"))}, {"await_endpoint", ENDPOINT("active")},        \
        {"check_login", "ok"}, ROLES_MADE, {"find_duplicates", ONE_PROJECT("p-1")},                \
    {                                                                                              \
        "find_duplicates", BRANCHES(ROOT("br-1"), OURS("br-1"))                                    \
    }
#define ADOPTED_TAIL                                                                               \
    {"read_project", "200 {'project':" PROJECT("p-1", "shop-production", "9") "}"},                \
        {"await_branch", ONE_BRANCH(ROOT("br-1"))}, {"await_endpoint", ENDPOINT("idle")},          \
        {"find_databases", DATABASES}, {"find_connection", CONNECTION_URI("ep-1")},                \
        {"find_pooled_host", CONNECTION_URI("ep-1-pooler")}, {"check_login", "ok"}, ROLES_MADE,    \
        {"find_duplicates", NO_PROJECTS},                                                          \
    {                                                                                              \
        "!end", "EnvironmentCreated", "'created':true"                                             \
    }
#define UNDONE_TAIL(id)                                                                            \
    UNDO_GUARDED(id), {"undo_delete_project", "200 {'project':{}}", "DELETE /projects/" id},       \
    {                                                                                              \
        "undo_find_project", NO_PROJECTS                                                           \
    }

#endif
