#include <sodium.h>
#include <string.h>

#include "handlers.h"
#include "render.h"

/* The endpoint that connection_uri is asked about. False: replied. */
static bool find_endpoint(Exchange *exchange, const Endpoint **ret_endpoint)
{
    const Store *store = &exchange->sandbox->store;
    const char *branch_id = exchange_query(exchange, "branch_id");
    const char *endpoint_id = exchange_query(exchange, "endpoint_id");
    const Branch *branch = branch_id == NULL
                               ? exchange->project->default_branch
                               : store_find_branch(store, exchange->project, branch_id);
    if (branch == NULL || !store_is_found(&branch->life, exchange->now_ms)) {
        exchange_fail(exchange, 404, "", "branch not found");
        return false;
    }
    const Endpoint *endpoint = branch->endpoint;
    if (endpoint_id != NULL) {
        endpoint = store_find_endpoint(store, exchange->project, endpoint_id);
    }
    if (endpoint == NULL || (branch_id != NULL && endpoint->branch != branch) ||
        !store_is_found(&endpoint->life, exchange->now_ms)) {
        exchange_fail(exchange, 404, "", "endpoint not found");
        return false;
    }
    *ret_endpoint = endpoint;
    return true;
}

static bool find_login(Exchange *exchange, const Branch *branch, const Role **ret_role,
                       const Database **ret_database)
{
    const char *role_name = exchange_query(exchange, "role_name");
    const char *database_name = exchange_query(exchange, "database_name");
    if (role_name == NULL || database_name == NULL) {
        exchange_fail(exchange, 400, "", "invalid request: query parameter \"%s\" is required",
                      role_name == NULL ? "role_name" : "database_name");
        return false;
    }
    *ret_role = store_find_role(branch, role_name);
    *ret_database = store_find_database(branch, database_name);
    if (*ret_role == NULL || *ret_database == NULL) {
        exchange_fail(exchange, 404, "",
                      *ret_role == NULL ? "role not found" : "database not found");
        return false;
    }
    if (!exchange->project->store_passwords) {
        exchange_fail(exchange, 412, "", "Storing passwords is disabled");
        return false;
    }
    if (!(*ret_role)->is_ours) {
        exchange_fail(exchange, 404, "", "password of the role not found");
        return false;
    }
    return true;
}

void projects_get_connection_uri(Exchange *exchange)
{
    const Endpoint *endpoint = NULL;
    const Role *role = NULL;
    const Database *database = NULL;
    /* Seen at Neon: without `pooled` the pooled host is given. */
    bool pooled = true;
    if (!exchange_query_boolean(exchange, "pooled", &pooled) ||
        !find_endpoint(exchange, &endpoint) ||
        !find_login(exchange, endpoint->branch, &role, &database)) {
        return;
    }
    char uri[RENDER_URI_BYTES];
    render_uri(endpoint, role, database->name, pooled, uri);
    exchange_reply(exchange, 200, json_pack("{s:s}", "uri", uri));
    sodium_memzero(uri, sizeof(uri));
}
