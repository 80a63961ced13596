#include "knowledge.h"

#include <sodium.h>
#include <string.h>

#include "verifier.h"

static const char *read_text(const json_t *row, size_t column)
{
    const char *text = json_string_value(json_array_get(row, column));
    return text == NULL ? "" : text;
}

static const json_t *find_row(const json_t *list, const char *name)
{
    size_t i = 0;
    const json_t *row = NULL;
    json_array_foreach(list, i, row)
    {
        if (strcmp(read_text(row, 0), name) == 0) {
            return row;
        }
    }
    return NULL;
}

static void learn_forwarded(Store *store, Branch *branch, const json_t *row, int64_t now_ms)
{
    const char *name = read_text(row, 1);
    Role *role = store_find_role(branch, name);
    if (read_text(row, 0)[0] == 'D') {
        if (role != NULL) {
            store_delete_role(store, role, now_ms);
        }
        return;
    }
    if (role == NULL) {
        role = store_add_role(store, branch, name, now_ms);
    }
    role->is_known = true;
    /* Until the cluster shows it. */
    role->is_pending = true;
    if (read_text(row, 0)[0] == 'P') {
        role->is_ours = false;
        (void)text_copy(role->password, sizeof(role->password), read_text(row, 2));
    }
}

/* A role that the control plane knows is not forgotten because the cluster lost it. */
static void miss_role(Store *store, Role *role, int64_t now_ms)
{
    if (role->is_known) {
        role->is_pending = true;
        role->is_applied = false;
    } else {
        store_delete_role(store, role, now_ms);
    }
}

static void learn_role(Store *store, Branch *branch, const json_t *row, int64_t now_ms)
{
    const char *verifier = read_text(row, 2);
    Role *role = store_find_role(branch, read_text(row, 0));
    if (role == NULL) {
        role = store_add_role(store, branch, read_text(row, 0), now_ms);
    }
    role->is_applied = true;
    role->no_login = strcmp(read_text(row, 1), "t") != 0;
    if (role->is_pending &&
        (role->password[0] == '\0' || verifier_matches(verifier, role->password))) {
        role->is_pending = false;
    }
    /* PASSWORD NULL. */
    if (!role->is_pending && verifier[0] == '\0') {
        sodium_memzero(role->password, sizeof(role->password));
        role->is_ours = false;
    }
}

static void merge_roles(Store *store, Branch *branch, const json_t *contents, int64_t now_ms)
{
    size_t i = 0;
    const json_t *row = NULL;
    json_array_foreach(json_object_get(contents, "forwarded"), i, row)
    {
        learn_forwarded(store, branch, row, now_ms);
    }
    const json_t *found = json_object_get(contents, "roles");
    if (found == NULL) {
        return;
    }
    for (Role *role = branch->roles; role != NULL; role = role->next) {
        if (store_is_alive(&role->life) && role->is_applied &&
            find_row(found, role->name) == NULL) {
            miss_role(store, role, now_ms);
        }
    }
    json_array_foreach(found, i, row)
    {
        learn_role(store, branch, row, now_ms);
    }
}

static void learn_database(Store *store, Branch *branch, const json_t *row, int64_t now_ms)
{
    const char *owner = read_text(row, 1);
    Database *database = store_find_database(branch, read_text(row, 0));
    if (database == NULL) {
        database = store_add_database(store, branch, read_text(row, 0), owner, now_ms);
    }
    database->is_applied = true;
    database->is_pending = database->is_pending && strcmp(database->owner, owner) != 0;
    if (!database->is_pending) {
        text_build(database->owner, sizeof(database->owner), "%s", owner);
    }
}

static void merge_databases(Store *store, Branch *branch, const json_t *found, int64_t now_ms)
{
    for (Database *database = branch->databases; database != NULL; database = database->next) {
        if (store_is_alive(&database->life) && database->is_applied &&
            find_row(found, database->name) == NULL) {
            store_delete_database(store, database, now_ms);
        }
    }
    size_t i = 0;
    const json_t *row = NULL;
    json_array_foreach(found, i, row)
    {
        learn_database(store, branch, row, now_ms);
    }
}

void knowledge_merge(Store *store, Branch *branch, const json_t *contents, int64_t now_ms)
{
    merge_roles(store, branch, contents, now_ms);
    const json_t *databases = json_object_get(contents, "databases");
    if (databases != NULL) {
        merge_databases(store, branch, databases, now_ms);
    }
}

json_t *knowledge_build(const Branch *branch, bool reverts)
{
    json_t *roles = json_array();
    json_t *databases = json_array();
    for (const Role *role = branch->roles; role != NULL; role = role->next) {
        if (store_is_alive(&role->life) && role->is_pending && (reverts || role->is_applied)) {
            json_array_append_new(roles, json_pack("[s, s]", role->name, role->password));
        }
    }
    for (const Database *database = branch->databases; database != NULL;
         database = database->next) {
        if (store_is_alive(&database->life) && database->is_pending && reverts) {
            json_array_append_new(databases, json_pack("[s, s]", database->name, database->owner));
        }
    }
    json_t *built = json_pack("{s:o, s:o}", "roles", roles, "databases", databases);
    if (json_array_size(roles) == 0 && json_array_size(databases) == 0) {
        json_decref(built);
        return NULL;
    }
    return built;
}

void knowledge_note_done(Branch *branch, const json_t *built)
{
    size_t i = 0;
    const json_t *row = NULL;
    json_array_foreach(json_object_get(built, "roles"), i, row)
    {
        Role *role = store_find_role(branch, read_text(row, 0));
        if (role != NULL && strcmp(role->password, read_text(row, 1)) == 0) {
            role->is_pending = false;
            role->is_applied = true;
            role->no_login = false;
        }
    }
    json_array_foreach(json_object_get(built, "databases"), i, row)
    {
        Database *database = store_find_database(branch, read_text(row, 0));
        if (database != NULL && strcmp(database->owner, read_text(row, 1)) == 0) {
            database->is_pending = false;
        }
    }
}

void knowledge_set_role(Store *store, Branch *branch, const char *name, const char *password,
                        int64_t now_ms)
{
    Role *role = store_find_role(branch, name);
    store_touch(&branch->mark);
    if (role == NULL) {
        role = store_add_role(store, branch, name, now_ms);
    }
    role->is_known = true;
    role->is_pending = true;
    role->is_ours = password[0] != '\0';
    text_build(role->password, sizeof(role->password), "%s", password);
}

void knowledge_set_owner(Store *store, Branch *branch, const char *name, const char *owner,
                         int64_t now_ms)
{
    Database *database = store_find_database(branch, name);
    store_touch(&branch->mark);
    if (database == NULL) {
        database = store_add_database(store, branch, name, owner, now_ms);
    }
    text_build(database->owner, sizeof(database->owner), "%s", owner);
    database->is_pending = true;
}

void knowledge_renew_passwords(Branch *branch)
{
    for (Role *role = branch->roles; role != NULL; role = role->next) {
        if (store_is_alive(&role->life) && !role->was_made_no_login) {
            ids_make_password(role->password);
            role->is_ours = true;
            role->is_pending = true;
        }
    }
}
