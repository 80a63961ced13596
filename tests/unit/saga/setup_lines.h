// What conversations about SetupRoles have in common.
#ifndef SAGA_SETUP_LINES_H
#define SAGA_SETUP_LINES_H

#include "neon.h"

#define SETUP(more) "'setupRoles':{'environment':'production'" more "}"
#define ROW(more)                                                                                  \
    "{'state':'ready','account':'main','project_id':'p-1','branch_id':'br-1',"                     \
    "'endpoint_id':'ep-1'" more "}"
#define READY ROW("")
#define SPEC                                                                                       \
    "{'prefix':'encore','policy':'additive','adopt':true,'databases':['app'],"                     \
    "'services':[{'name':'old','access':{'app':'admin'}}]}"
#define FOUND                                                                                      \
    {"find_databases", DATABASES, "GET /projects/p-1/branches/br-1/databases"},                    \
        {"find_role", ROLES(ROLE("jobs_owner") "," ROLE("app_owner") "," ROLE("svc_api")),         \
         "GET /projects/p-1/branches/br-1/roles"},                                                 \
    {                                                                                              \
        "find_connection", CONNECTION_URI("ep-1"), "role_name=app_owner&pooled=false"              \
    }

#endif
