#include <sodium.h>
#include <string.h>

#include "chain.h"
#include "handlers.h"
#include "render.h"

enum { ROLES_MAX = 500 };

static const char *const RESERVED[] = {"neon_superuser", "cloud_admin", "zenith_admin", "public",
                                       "none"};

bool roles_check_name(Exchange *exchange, const char *name)
{
    bool is_reserved = strncmp(name, "pg_", 3) == 0;
    for (size_t i = 0; i < sizeof(RESERVED) / sizeof(RESERVED[0]); i++) {
        is_reserved = is_reserved || strcmp(name, RESERVED[i]) == 0;
    }
    if (is_reserved) {
        exchange_fail(exchange, 400, "", "role name is reserved; role_name:\"%s\"", name);
    }
    return !is_reserved;
}

void roles_list(Exchange *exchange)
{
    json_t *list = json_array();
    for (const Role *role = exchange->branch->roles; role != NULL; role = role->next) {
        if (store_is_listed(&role->life, exchange->now_ms)) {
            json_array_append_new(list, render_role(exchange->branch, role, false));
        }
    }
    exchange_reply(exchange, 200, json_pack("{s:o}", "roles", list));
}

static Role *find_role(Exchange *exchange)
{
    Role *role = store_find_role(exchange->branch, exchange->parameters[2]);
    bool is_read = strcmp(exchange->route->method, "GET") == 0;
    if (role == NULL || (is_read && !store_is_found(&role->life, exchange->now_ms))) {
        exchange_fail(exchange, 404, "", "role not found");
        return NULL;
    }
    return role;
}

void roles_get(Exchange *exchange)
{
    const Role *role = find_role(exchange);
    if (role != NULL) {
        exchange_reply(exchange, 200,
                       json_pack("{s:o}", "role", render_role(exchange->branch, role, false)));
    }
}

static void reply_operations(Exchange *exchange, int status, json_t *role, const Operation *first)
{
    exchange_reply(
        exchange, status,
        json_pack("{s:o, s:o}", "role", role, "operations", render_operations_from(first)));
}

/* Begins the operation that brings the role to the cluster. */
static const Operation *begin_change(Exchange *exchange, ChangeKind kind, const Role *role)
{
    Change change = {.kind = kind, .no_login = role->no_login};
    text_build(change.name, sizeof(change.name), "%s", role->name);
    text_build(change.password, sizeof(change.password), "%s", role->password);
    const Operation *first = chain_add_apply(exchange->sandbox, exchange->branch, &change);
    sodium_memzero(&change, sizeof(change));
    chain_start(exchange->sandbox, exchange->project);
    return first;
}

static int count_roles(const Branch *branch)
{
    int count = 0;
    for (const Role *role = branch->roles; role != NULL; role = role->next) {
        count += store_is_alive(&role->life) ? 1 : 0;
    }
    return count;
}

static bool check_new(Exchange *exchange, const char *name)
{
    if (name == NULL) {
        exchange_fail_required(exchange, "role", "name");
        return false;
    }
    if (!roles_check_name(exchange, name)) {
        return false;
    }
    if (store_find_role(exchange->branch, name) != NULL) {
        exchange_fail(exchange, 409, "ROLE_ALREADY_EXISTS", "role already exists; role_name:\"%s\"",
                      name);
        return false;
    }
    if (count_roles(exchange->branch) >= ROLES_MAX) {
        exchange_fail(exchange, 422, "ROLES_LIMIT_EXCEEDED", "roles limit exceeded");
        return false;
    }
    return true;
}

void roles_create(Exchange *exchange)
{
    json_t *body = NULL;
    const char *name = NULL;
    bool no_login = false;
    if (!exchange_get_object(exchange, exchange->body, "", "role", &body)) {
        return;
    }
    if (body == NULL) {
        exchange_fail_required(exchange, "", "role");
        return;
    }
    if (!exchange_get_sql_name(exchange, body, "role", "name", &name) ||
        !exchange_get_boolean(exchange, body, "role", "no_login", &no_login) ||
        !check_new(exchange, name)) {
        return;
    }
    Role *role =
        store_add_role(&exchange->sandbox->store, exchange->branch, name, exchange->now_ms);
    role->no_login = no_login;
    role->was_made_no_login = no_login;
    role->is_known = true;
    role->is_ours = !no_login;
    if (!no_login) {
        ids_make_password(role->password);
    }
    const Operation *first = begin_change(exchange, CHANGE_CREATE_ROLE, role);
    reply_operations(exchange, 201, render_role(exchange->branch, role, true), first);
}

static const Database *find_owned(const Branch *branch, const char *owner)
{
    for (const Database *database = branch->databases; database != NULL;
         database = database->next) {
        if (store_is_alive(&database->life) && strcmp(database->owner, owner) == 0) {
            return database;
        }
    }
    return NULL;
}

void roles_delete(Exchange *exchange)
{
    Role *role = store_find_role(exchange->branch, exchange->parameters[2]);
    if (role == NULL) {
        exchange_reply(exchange, 204, NULL);
        return;
    }
    const Database *owned = find_owned(exchange->branch, role->name);
    if (owned != NULL) {
        exchange_fail(exchange, 422, "",
                      "cannot delete role that owns a database; role_name:\"%s\", "
                      "database_name:\"%s\"",
                      role->name, owned->name);
        return;
    }
    store_delete_role(&exchange->sandbox->store, role, exchange->now_ms);
    const Operation *first = begin_change(exchange, CHANGE_DROP_ROLE, role);
    reply_operations(exchange, 200, render_role(exchange->branch, role, false), first);
}

void roles_reveal_password(Exchange *exchange)
{
    const Role *role = find_role(exchange);
    if (role == NULL) {
        return;
    }
    if (!exchange->project->store_passwords) {
        exchange_fail(exchange, 412, "", "Storing passwords is disabled");
        return;
    }
    if (!role->is_ours) {
        exchange_fail(exchange, 404, "", "password of the role not found");
        return;
    }
    exchange_reply(exchange, 200, json_pack("{s:s}", "password", role->password));
}

void roles_reset_password(Exchange *exchange)
{
    Role *role = find_role(exchange);
    if (role == NULL) {
        return;
    }
    if (role->was_made_no_login) {
        exchange_fail(exchange, 422, "", "role cannot log in; role_name:\"%s\"", role->name);
        return;
    }
    /* The cluster takes the old one until the operation has run. */
    ids_make_password(role->password);
    role->is_ours = true;
    /* Neon's compute says LOGIN with every password, also to a group that SQL made. */
    role->no_login = false;
    role->is_known = true;
    role->is_pending = false;
    role->life.updated_ms = exchange->now_ms;
    const Operation *first = begin_change(exchange, CHANGE_SET_PASSWORD, role);
    reply_operations(exchange, 200, render_role(exchange->branch, role, true), first);
}
