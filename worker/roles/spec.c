#include "roles/spec.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/name.h"
#include "base/unconst.h"

static const char *const POLICIES[] = {"authoritative", "additive"};
static const char *const ACCESSES[] = {"read", "write", "admin"};

enum {
    POLICY_COUNT = sizeof POLICIES / sizeof POLICIES[0],
    ACCESS_COUNT = sizeof ACCESSES / sizeof ACCESSES[0],
    ROLES_OVER_ALL = 4,
    ROLES_OF_DATABASE = 3,
};

json_t *roles_spec_new(const char *prefix, RolesPolicy policy, bool adopt)
{
    json_t *spec = json_pack("{s:s, s:s, s:b, s:[], s:[]}", "prefix", prefix, "policy",
                             POLICIES[policy], "adopt", adopt, "databases", "services");
    assert(spec != NULL && "the prefix is UTF-8");
    return spec;
}

static void append(json_t *list, json_t *item)
{
    int failed = json_array_append_new(list, item);
    assert(failed == 0 && "names are UTF-8");
    (void)failed;
}

void roles_spec_add_database(json_t *spec, const char *database)
{
    append(json_object_get(spec, "databases"), json_string(database));
}

void roles_spec_add_service(json_t *spec, const char *service)
{
    append(json_object_get(spec, "services"), json_pack("{s:s, s:{}}", "name", service, "access"));
}

void roles_spec_add_access(json_t *spec, const char *database, RolesLevel level)
{
    json_t *services = json_object_get(spec, "services");
    json_t *service = json_array_get(services, json_array_size(services) - 1);
    int failed = json_object_set_new(json_object_get(service, "access"), database,
                                     json_string(ACCESSES[level]));
    assert(failed == 0 && "names are UTF-8");
    (void)failed;
}

// ---- checks

static size_t find_text(const json_t *value, const char *const *texts, size_t count)
{
    const char *text = json_string_value(value);
    for (size_t i = 0; text != NULL && i < count; i++) {
        if (strcmp(text, texts[i]) == 0) {
            return i;
        }
    }
    return count;
}

static bool refuse(const char *field, const char *why, Error *err)
{
    return error_set_field(err, ERROR_INVALID, "INVALID_FIELD", field, "%s %s", field, why);
}

// Adds the name to those that were seen.
static bool check_new_name(const json_t *name, const char *field, json_t *seen, Error *err)
{
    const char *text = json_string_value(name);
    if (text == NULL) {
        return refuse(field, "must be a text", err);
    }
    if (!roles_check_name(text, field, err)) {
        return false;
    }
    if (json_object_get(seen, text) != NULL) {
        return refuse(field, "stands there twice", err);
    }
    json_object_set_new(seen, text, json_true());
    return true;
}

static bool check_databases(const json_t *databases, json_t *seen, Error *err)
{
    char field[64];
    size_t index = 0;
    const json_t *database = NULL;
    json_array_foreach(databases, index, database)
    {
        (void)snprintf(field, sizeof field, "databases[%zu]", index);
        if (!check_new_name(database, field, seen, err)) {
            return false;
        }
    }
    return true;
}

static bool check_access(const json_t *access, const char *field, const json_t *databases,
                         Error *err)
{
    if (!json_is_object(access)) {
        return refuse(field, "must be an object", err);
    }
    const char *database = NULL;
    json_t *level = NULL;
    json_t *each = unconst(access);
    json_object_foreach(each, database, level)
    {
        if (json_object_get(databases, database) == NULL) {
            return error_set_field(err, ERROR_INVALID, "INVALID_FIELD", field,
                                   "%s names the database %s, which isn't listed", field, database);
        }
        if (find_text(level, ACCESSES, ACCESS_COUNT) == ACCESS_COUNT) {
            return refuse(field, "must be read, write or admin", err);
        }
    }
    return true;
}

static bool check_services(const json_t *services, const json_t *databases, json_t *seen,
                           Error *err)
{
    char field[64];
    size_t index = 0;
    const json_t *service = NULL;
    json_array_foreach(services, index, service)
    {
        (void)snprintf(field, sizeof field, "services[%zu].name", index);
        if (!check_new_name(json_object_get(service, "name"), field, seen, err)) {
            return false;
        }
        (void)snprintf(field, sizeof field, "services[%zu].databases", index);
        if (!check_access(json_object_get(service, "access"), field, databases, err)) {
            return false;
        }
    }
    return true;
}

static bool check_head(const json_t *spec, Error *err)
{
    const char *prefix = json_string_value(json_object_get(spec, "prefix"));
    if (prefix == NULL) {
        return refuse("prefix", "must be a text", err);
    }
    if (!name_check_prefix(prefix, "prefix", err)) {
        return false;
    }
    if (find_text(json_object_get(spec, "policy"), POLICIES, POLICY_COUNT) == POLICY_COUNT) {
        return refuse("policy", "must be authoritative or additive", err);
    }
    return (json_is_array(json_object_get(spec, "databases")) &&
            json_is_array(json_object_get(spec, "services"))) ||
           refuse("databases", "and services must be arrays", err);
}

static bool check_count(size_t databases, size_t services, Error *err)
{
    size_t roles = ROLES_OVER_ALL + ROLES_OF_DATABASE * databases + services;
    return roles <= ROLES_LIMIT ||
           error_set_field(err, ERROR_INVALID, "TOO_MANY_ROLES", "services",
                           "%zu databases and %zu services need %zu roles; a branch has at most %d",
                           databases, services, roles, ROLES_LIMIT);
}

static void decref(json_t **json)
{
    json_decref(*json);
}

bool roles_spec_check(const json_t *spec, Error *err)
{
    CLEANUP(decref) json_t *databases_seen = json_object();
    CLEANUP(decref) json_t *services_seen = json_object();
    if (!check_head(spec, err)) {
        return false;
    }
    const json_t *databases = json_object_get(spec, "databases");
    const json_t *services = json_object_get(spec, "services");
    return check_databases(databases, databases_seen, err) &&
           check_services(services, databases_seen, services_seen, err) &&
           check_count(json_array_size(databases), json_array_size(services), err);
}

// ---- parts

const char *roles_spec_prefix(const json_t *spec)
{
    return json_string_value(json_object_get(spec, "prefix"));
}

RolesPolicy roles_spec_policy(const json_t *spec)
{
    return (RolesPolicy)find_text(json_object_get(spec, "policy"), POLICIES, POLICY_COUNT);
}

static const char *service_name(const json_t *service)
{
    return json_string_value(json_object_get(service, "name"));
}

json_t *roles_spec_logins(const json_t *spec)
{
    char role[ROLES_NAME_BYTES];
    json_t *logins = json_array();
    roles_name_platform(roles_spec_prefix(spec), role);
    append(logins, json_string(role));
    for (RolesLevel level = ROLES_READER; level <= ROLES_ADMIN; level++) {
        roles_name_global(roles_spec_prefix(spec), level, role);
        append(logins, json_string(role));
    }
    size_t index = 0;
    const json_t *service = NULL;
    json_array_foreach(json_object_get(spec, "services"), index, service)
    {
        roles_name_service(service_name(service), role);
        append(logins, json_string(role));
    }
    return logins;
}

static bool has_access(const json_t *spec, const char *role, const char *database)
{
    size_t index = 0;
    const json_t *service = NULL;
    json_array_foreach(json_object_get(spec, "services"), index, service)
    {
        char name[ROLES_NAME_BYTES];
        roles_name_service(service_name(service), name);
        if (strcmp(role, name) == 0) {
            return json_object_get(json_object_get(service, "access"), database) != NULL;
        }
    }
    return false;
}

bool roles_spec_may_connect(const json_t *spec, const char *role, const char *database)
{
    size_t index = 0;
    const json_t *listed = NULL;
    json_array_foreach(json_object_get(spec, "databases"), index, listed)
    {
        if (strcmp(json_string_value(listed), database) == 0) {
            return strncmp(role, "svc_", 4) != 0 || has_access(spec, role, database);
        }
    }
    return false;
}

char *roles_spec_parameter(const json_t *spec, const RolesSecret *secrets, size_t count,
                           const RolesFence *fence)
{
    json_t *set = json_array();
    for (size_t i = 0; i < count; i++) {
        if (secrets[i].set) {
            append(set, json_string(secrets[i].role));
        }
    }
    CLEANUP(decref) json_t *parameter = json_copy(unconst(spec));
    json_object_set_new(parameter, "set", set);
    if (fence != NULL) {
        json_object_set_new(parameter, "fence",
                            json_pack("{s:s, s:I}", "branch", fence->branch_id, "number",
                                      (json_int_t)fence->number));
    }
    return json_dumps(parameter, JSON_COMPACT);
}
