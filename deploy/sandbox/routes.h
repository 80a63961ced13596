/* The one table of routes: what is served, by whom, and what has to hold before the handler runs.
 */
#pragma once

#include "exchange.h"

enum RouteFlag {
    ROUTE_LOCKS = 1,     /* changes a project: 423 while its operations run */
    ROUTE_ABSENT_OK = 2, /* a {branch_id} that does not exist is the handler's business (204) */
    ROUTE_SYNC = 4,      /* shows roles or databases: read from the running cluster first */
    ROUTE_SCHEMA = 16,   /* with ROUTE_SYNC: shows a database's schema, read from the cluster */
    ROUTE_DELETED = 32,  /* {project_id} is one that was deleted and can come back */
    ROUTE_DELETED_BRANCH = 64, /* likewise {branch_id} */
    ROUTE_ADMIN = 8,           /* the sandbox's own, outside /api/v2, without a key */
};

typedef void (*RouteHandler)(Exchange *exchange);

struct Route {
    const char *method;
    const char *pattern;
    const char *name; /* method and pattern, as faults and calls name it */
    RouteHandler handle;
    unsigned flags;
};

/* The route of a path without query (still percent-encoded), or NULL. `path` is cut into pieces in
 * place, and ret_parameters point into it, decoded. */
const Route *routes_find(const char *method, char *path,
                         char *ret_parameters[EXCHANGE_PARAMETERS_MAX]);
/* Finds {project_id} and {branch_id} for the caller's key and checks the lock. False: replied. */
bool routes_resolve(Exchange *exchange);
