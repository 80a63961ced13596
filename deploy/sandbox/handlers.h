/* The handlers of all routes, a file a topic. Each reads its exchange and sets the reply. */
#pragma once

#include "exchange.h"
#include "routes.h"

void accounts_get_auth(Exchange *exchange);
void accounts_get_me(Exchange *exchange);
void accounts_list_organizations(Exchange *exchange);
void accounts_list_regions(Exchange *exchange);
/* Whether the region can be chosen for a new project. */
bool accounts_is_region(const char *region_id);

void projects_list(Exchange *exchange);
void projects_create(Exchange *exchange);
void projects_get(Exchange *exchange);
void projects_delete(Exchange *exchange);
void projects_get_connection_uri(Exchange *exchange);

void branches_list(Exchange *exchange);
void branches_create(Exchange *exchange);
void branches_get(Exchange *exchange);
void branches_delete(Exchange *exchange);
/* The branch that POST branches copies, or NULL; the body may be anything. */
Branch *branches_find_parent(const Exchange *exchange);

void endpoints_list(Exchange *exchange);
void endpoints_list_of_branch(Exchange *exchange);
void endpoints_create(Exchange *exchange);
void endpoints_get(Exchange *exchange);
void endpoints_delete(Exchange *exchange);
void endpoints_start(Exchange *exchange);
void endpoints_suspend(Exchange *exchange);
/* Reads the settings an endpoint or its defaults may have; refuses impossible ones. */
bool endpoints_read_settings(Exchange *exchange, const json_t *object, const char *path,
                             EndpointSettings *settings);

void roles_list(Exchange *exchange);
void roles_create(Exchange *exchange);
void roles_get(Exchange *exchange);
void roles_delete(Exchange *exchange);
void roles_reveal_password(Exchange *exchange);
void roles_reset_password(Exchange *exchange);
/* 1 to 63 bytes and not reserved; else answers 400. */
bool roles_check_name(Exchange *exchange, const char *name);

void databases_list(Exchange *exchange);
void databases_create(Exchange *exchange);
void databases_get(Exchange *exchange);
void databases_update(Exchange *exchange);
void databases_delete(Exchange *exchange);

void operations_list(Exchange *exchange);
void operations_get(Exchange *exchange);

void admin_get_state(Exchange *exchange);
void admin_list_calls(Exchange *exchange);
void admin_list_faults(Exchange *exchange);
void admin_add_faults(Exchange *exchange);
void admin_clear_faults(Exchange *exchange);
void admin_remove_fault(Exchange *exchange);
void admin_add_keys(Exchange *exchange);
void admin_set_knowledge(Exchange *exchange);
