/* The `settings` of a project: members and types as in Neon's OpenAPI (ProjectSettingsData). */
#include <string.h>

#include "handlers.h"
#include "settings.h"

static const char *const FLAGS[] = {"enable_logical_replication", "block_public_connections",
                                    "block_vpc_connections", "hipaa", NULL};
static const char *const OBJECTS[] = {
    "quota", "allowed_ips", "maintenance_window", "preload_libraries", "audit_log_level", NULL};

bool projects_read_settings(Exchange *exchange, const json_t *project, json_t **ret_settings)
{
    return exchange_get_object(exchange, project, "project", "settings", ret_settings);
}

json_t *projects_build_settings(void)
{
    return json_pack("{s:{s:[], s:b}, s:b, s:b, s:b}", "allowed_ips", "ips",
                     "protected_branches_only", 0, "enable_logical_replication", 0,
                     "block_public_connections", 0, "block_vpc_connections", 0);
}

static void merge_member(json_t *settings, const char *name, const json_t *wanted)
{
    json_t *copy = json_deep_copy(wanted);
    json_t *present = json_object_get(settings, name);
    if (json_is_object(copy) && present != NULL) {
        json_object_update_new(present, copy);
    } else if (copy != NULL) {
        json_object_set_new(settings, name, copy);
    }
}

void projects_merge_settings(json_t *settings, const json_t *wanted)
{
    for (int i = 0; FLAGS[i] != NULL; i++) {
        merge_member(settings, FLAGS[i], json_object_get(wanted, FLAGS[i]));
    }
    for (int i = 0; OBJECTS[i] != NULL; i++) {
        merge_member(settings, OBJECTS[i], json_object_get(wanted, OBJECTS[i]));
    }
}

bool projects_read_defaults(Exchange *exchange, const json_t *project, EndpointSettings *defaults,
                            json_t **ret_pg_settings)
{
    static const char MEMBER[] = "default_endpoint_settings";
    json_t *object = NULL;
    return exchange_get_object(exchange, project, "project", MEMBER, &object) &&
           exchange_get_texts(exchange, object, MEMBER, "pg_settings", SETTINGS_MOST,
                              ret_pg_settings) &&
           settings_check(exchange, *ret_pg_settings) &&
           endpoints_read_settings(exchange, object, "project.default_endpoint_settings", defaults);
}
