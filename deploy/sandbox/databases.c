#include <string.h>

#include "chain.h"
#include "handlers.h"
#include "render.h"

enum { DATABASES_MAX = 500 };

void databases_list(Exchange *exchange)
{
    json_t *list = json_array();
    const Database *database = exchange->branch->databases;
    for (; database != NULL; database = database->next) {
        if (store_is_listed(&database->life, exchange->now_ms)) {
            json_array_append_new(list, render_database(exchange->branch, database));
        }
    }
    exchange_reply(exchange, 200, json_pack("{s:o}", "databases", list));
}

void databases_get(Exchange *exchange)
{
    const Database *database = store_find_database(exchange->branch, exchange->parameters[2]);
    if (database == NULL || !store_is_found(&database->life, exchange->now_ms)) {
        exchange_fail(exchange, 404, "", "database not found");
        return;
    }
    exchange_reply(exchange, 200,
                   json_pack("{s:o}", "database", render_database(exchange->branch, database)));
}

static void begin(Exchange *exchange, const Change *change, const Database *database, int status)
{
    const Operation *first = chain_add_apply(exchange->sandbox, exchange->branch, change);
    chain_start(exchange->sandbox, exchange->project);
    exchange_reply(exchange, status,
                   json_pack("{s:o, s:o}", "database", render_database(exchange->branch, database),
                             "operations", render_operations_from(first)));
}

static void begin_change(Exchange *exchange, ChangeKind kind, const Database *database, int status)
{
    Change change = {.kind = kind};
    text_build(change.name, sizeof(change.name), "%s", database->name);
    text_build(change.owner, sizeof(change.owner), "%s", database->owner);
    begin(exchange, &change, database, status);
}

/* `name` and `owner` may be the database's own. */
static void begin_update(Exchange *exchange, Database *database, const char *name,
                         const char *owner)
{
    Change change = {.kind = CHANGE_ALTER_DATABASE};
    text_build(change.name, sizeof(change.name), "%s", database->name);
    text_build(change.new_name, sizeof(change.new_name), "%s", name);
    text_build(change.owner, sizeof(change.owner), "%s", owner);
    text_build(database->name, sizeof(database->name), "%s", change.new_name);
    text_build(database->owner, sizeof(database->owner), "%s", change.owner);
    database->is_pending = false;
    database->life.updated_ms = exchange->now_ms;
    begin(exchange, &change, database, 200);
}

static int count_databases(const Branch *branch)
{
    int count = 0;
    for (const Database *database = branch->databases; database != NULL;
         database = database->next) {
        count += store_is_alive(&database->life) ? 1 : 0;
    }
    return count;
}

static bool is_reserved(const char *name)
{
    return strcmp(name, "postgres") == 0 || strncmp(name, "template0", 9) == 0 ||
           strncmp(name, "template1", 9) == 0;
}

static bool check_name(Exchange *exchange, const char *name)
{
    if (is_reserved(name)) {
        exchange_fail(exchange, 400, "", "database name is reserved; database_name:\"%s\"", name);
        return false;
    }
    if (store_find_database(exchange->branch, name) != NULL) {
        exchange_fail(exchange, 409, "DATABASE_ALREADY_EXISTS",
                      "database already exists; database_name:\"%s\"", name);
        return false;
    }
    return true;
}

static bool check_owner(Exchange *exchange, const char *owner)
{
    if (store_find_role(exchange->branch, owner) == NULL) {
        exchange_fail(exchange, 404, "", "database owner not found; role_name:\"%s\"", owner);
        return false;
    }
    return true;
}

static bool check_new(Exchange *exchange, const char *name, const char *owner)
{
    if (name == NULL || owner == NULL) {
        exchange_fail_required(exchange, "database", name == NULL ? "name" : "owner_name");
        return false;
    }
    if (!check_name(exchange, name) || !check_owner(exchange, owner)) {
        return false;
    }
    if (count_databases(exchange->branch) >= DATABASES_MAX) {
        exchange_fail(exchange, 422, "DATABASES_LIMIT_EXCEEDED", "databases limit exceeded");
        return false;
    }
    return true;
}

void databases_create(Exchange *exchange)
{
    json_t *body = NULL;
    const char *name = NULL;
    const char *owner = NULL;
    if (!exchange_get_object(exchange, exchange->body, "", "database", &body)) {
        return;
    }
    if (body == NULL) {
        exchange_fail_required(exchange, "", "database");
        return;
    }
    if (!exchange_get_sql_name(exchange, body, "database", "name", &name) ||
        !exchange_get_sql_name(exchange, body, "database", "owner_name", &owner) ||
        !check_new(exchange, name, owner)) {
        return;
    }
    const Database *database = store_add_database(&exchange->sandbox->store, exchange->branch, name,
                                                  owner, exchange->now_ms);
    begin_change(exchange, CHANGE_CREATE_DATABASE, database, 201);
}

void databases_update(Exchange *exchange)
{
    json_t *body = NULL;
    Database *database = store_find_database(exchange->branch, exchange->parameters[2]);
    if (database == NULL) {
        exchange_fail(exchange, 404, "", "database not found");
        return;
    }
    const char *name = database->name;
    const char *owner = database->owner;
    if (!exchange_get_object(exchange, exchange->body, "", "database", &body)) {
        return;
    }
    if (body == NULL) {
        exchange_fail_required(exchange, "", "database");
        return;
    }
    if (!exchange_get_sql_name(exchange, body, "database", "name", &name) ||
        !exchange_get_sql_name(exchange, body, "database", "owner_name", &owner) ||
        (strcmp(name, database->name) != 0 && !check_name(exchange, name)) ||
        !check_owner(exchange, owner)) {
        return;
    }
    begin_update(exchange, database, name, owner);
}

void databases_delete(Exchange *exchange)
{
    Database *database = store_find_database(exchange->branch, exchange->parameters[2]);
    if (database == NULL) {
        exchange_reply(exchange, 204, NULL);
        return;
    }
    store_delete_database(&exchange->sandbox->store, database, exchange->now_ms);
    begin_change(exchange, CHANGE_DROP_DATABASE, database, 200);
}
