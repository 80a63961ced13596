/* POST /sandbox/knowledge: what a branch's control plane is to know though no SQL told it. */
#include "handlers.h"
#include "knowledge.h"

static bool set_role(Exchange *exchange, const json_t *item)
{
    const char *name = NULL;
    const char *password = "";
    if (!exchange_get_sql_name(exchange, item, "roles", "name", &name) ||
        !exchange_get_string(exchange, item, "roles", "password", 0, STORE_PASSWORD_BYTES - 1,
                             &password)) {
        return false;
    }
    if (name == NULL) {
        exchange_fail_required(exchange, "roles", "name");
        return false;
    }
    knowledge_set_role(&exchange->sandbox->store, exchange->branch, name, password,
                       exchange->now_ms);
    return true;
}

static bool set_database(Exchange *exchange, const json_t *item)
{
    const char *name = NULL;
    const char *owner = NULL;
    if (!exchange_get_sql_name(exchange, item, "databases", "name", &name) ||
        !exchange_get_sql_name(exchange, item, "databases", "owner_name", &owner)) {
        return false;
    }
    if (name == NULL || owner == NULL) {
        exchange_fail_required(exchange, "databases", name == NULL ? "name" : "owner_name");
        return false;
    }
    knowledge_set_owner(&exchange->sandbox->store, exchange->branch, name, owner, exchange->now_ms);
    return true;
}

static bool set_all(Exchange *exchange, const char *list_name,
                    bool (*set)(Exchange *exchange, const json_t *item))
{
    json_t *list = NULL;
    if (!exchange_get_array(exchange, exchange->body, "", list_name, &list)) {
        return false;
    }
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(list, i, item)
    {
        if (!set(exchange, item)) {
            return false;
        }
    }
    return true;
}

void admin_set_knowledge(Exchange *exchange)
{
    const char *id = "";
    if (!exchange_get_string(exchange, exchange->body, "", "branch_id", 1, IDS_BYTES - 1, &id)) {
        return;
    }
    HASH_FIND_STR(exchange->sandbox->store.branches_by_id, id, exchange->branch);
    if (exchange->branch == NULL || !store_is_alive(&exchange->branch->life)) {
        exchange_fail(exchange, 404, "", "branch not found");
        return;
    }
    if (set_all(exchange, "roles", set_role) && set_all(exchange, "databases", set_database)) {
        exchange_reply(exchange, 201, json_pack("{}"));
    }
}
