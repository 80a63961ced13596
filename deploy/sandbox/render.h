/* Things as the JSON Neon shows. Every function returns a new reference. */
#pragma once

#include <jansson.h>

#include "store.h"

/* Where clients log in: `ep-x.localhost`, or `ep-x-pooler.localhost`. */
enum { RENDER_HOST_BYTES = 128, RENDER_URI_BYTES = 1024 };

json_t *render_project(const Project *project);
/* The shorter form of listings. */
json_t *render_project_item(const Project *project);
enum { RENDER_DAYS_RECOVERABLE = 7 };

json_t *render_branch(const Branch *branch);
json_t *render_annotation(const Branch *branch);
json_t *render_endpoint(const Endpoint *endpoint);
json_t *render_role(const Branch *branch, const Role *role, bool with_password);
json_t *render_database(const Branch *branch, const Database *database);
json_t *render_operation(const Operation *operation);
/* The operations from `first` to the project's last, oldest first. */
json_t *render_operations_from(const Operation *first);
/* {connection_uri, connection_parameters}. */
json_t *render_connection(const Endpoint *endpoint, const Role *role, const char *database);

void render_host(const Endpoint *endpoint, bool pooled, char ret_host[RENDER_HOST_BYTES]);
/* With the password; wipe it after use. */
void render_uri(const Endpoint *endpoint, const Role *role, const char *database, bool pooled,
                char ret_uri[RENDER_URI_BYTES]);
const char *render_action(Action action);
