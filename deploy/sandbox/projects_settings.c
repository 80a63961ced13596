/* The `settings` of a project: members and types as in Neon's OpenAPI (ProjectSettingsData). */
#include <string.h>

#include "handlers.h"

static const char PATH[] = "project.settings";

static const char *const FLAGS[] = {"enable_logical_replication", "block_public_connections",
                                    "block_vpc_connections", "hipaa", NULL};
static const char *const QUOTAS[] = {"active_time_seconds", "compute_time_seconds",
                                     "written_data_bytes",  "data_transfer_bytes",
                                     "logical_size_bytes",  NULL};
static const char *const OBJECTS[] = {
    "quota", "allowed_ips", "maintenance_window", "preload_libraries", "audit_log_level", NULL};

static bool read_flags(Exchange *exchange, const json_t *settings)
{
    bool flag = false;
    for (int i = 0; FLAGS[i] != NULL; i++) {
        if (!exchange_get_boolean(exchange, settings, PATH, FLAGS[i], &flag)) {
            return false;
        }
    }
    return true;
}

static bool read_quota(Exchange *exchange, const json_t *settings)
{
    json_t *quota = NULL;
    int64_t number = 0;
    if (!exchange_get_object(exchange, settings, PATH, "quota", &quota)) {
        return false;
    }
    for (int i = 0; QUOTAS[i] != NULL; i++) {
        if (!exchange_get_integer(exchange, quota, "project.settings.quota", QUOTAS[i], 0,
                                  INT64_MAX, &number)) {
            return false;
        }
    }
    return true;
}

typedef bool (*IsType)(const json_t *value);

static bool is_string(const json_t *value)
{
    return json_is_string(value);
}

static bool is_integer(const json_t *value)
{
    return json_is_integer(value);
}

static bool read_list(Exchange *exchange, const json_t *object, const char *name, IsType is_type)
{
    json_t *list = NULL;
    if (!exchange_get_array(exchange, object, PATH, name, &list)) {
        return false;
    }
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(list, i, item)
    {
        if (!is_type(item)) {
            exchange_fail(exchange, 400, "",
                          "invalid request: decode application/json: %s.%s: wrong type of item",
                          PATH, name);
            return false;
        }
    }
    return true;
}

static bool read_window(Exchange *exchange, const json_t *settings)
{
    static const char *const NAMES[] = {"weekdays", "start_time", "end_time"};
    json_t *window = NULL;
    const char *text = NULL;
    if (!exchange_get_object(exchange, settings, PATH, "maintenance_window", &window) ||
        !read_list(exchange, window, "weekdays", is_integer) ||
        !exchange_get_string(exchange, window, PATH, "start_time", 1, 16, &text) ||
        !exchange_get_string(exchange, window, PATH, "end_time", 1, 16, &text)) {
        return false;
    }
    for (size_t i = 0; window != NULL && i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        if (json_object_get(window, NAMES[i]) == NULL) {
            exchange_fail_required(exchange, "project.settings.maintenance_window", NAMES[i]);
            return false;
        }
    }
    return true;
}

static bool read_level(Exchange *exchange, const json_t *settings)
{
    const char *level = "base";
    if (!exchange_get_string(exchange, settings, PATH, "audit_log_level", 1, 16, &level)) {
        return false;
    }
    bool is_known =
        strcmp(level, "base") == 0 || strcmp(level, "extended") == 0 || strcmp(level, "full") == 0;
    if (!is_known) {
        exchange_fail(exchange, 400, "", "invalid request: %s.audit_log_level", PATH);
    }
    return is_known;
}

static bool read_lists(Exchange *exchange, const json_t *settings)
{
    json_t *allowed = NULL;
    json_t *libraries = NULL;
    bool flag = false;
    return exchange_get_object(exchange, settings, PATH, "allowed_ips", &allowed) &&
           read_list(exchange, allowed, "ips", is_string) &&
           exchange_get_boolean(exchange, allowed, PATH, "protected_branches_only", &flag) &&
           exchange_get_object(exchange, settings, PATH, "preload_libraries", &libraries) &&
           read_list(exchange, libraries, "enabled_libraries", is_string) &&
           exchange_get_boolean(exchange, libraries, PATH, "use_defaults", &flag);
}

bool projects_read_settings(Exchange *exchange, const json_t *project, json_t **ret_settings)
{
    return exchange_get_object(exchange, project, "project", "settings", ret_settings) &&
           read_flags(exchange, *ret_settings) && read_quota(exchange, *ret_settings) &&
           read_lists(exchange, *ret_settings) && read_window(exchange, *ret_settings) &&
           read_level(exchange, *ret_settings);
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

bool projects_read_defaults(Exchange *exchange, const json_t *project, EndpointSettings *defaults)
{
    static const char MEMBER[] = "default_endpoint_settings";
    enum { SETTINGS_MAX = 500 };
    json_t *object = NULL;
    json_t *texts = NULL;
    return exchange_get_object(exchange, project, "project", MEMBER, &object) &&
           exchange_get_texts(exchange, object, MEMBER, "pg_settings", SETTINGS_MAX, &texts) &&
           exchange_get_texts(exchange, object, MEMBER, "pgbouncer_settings", SETTINGS_MAX,
                              &texts) &&
           endpoints_read_settings(exchange, object, "project.default_endpoint_settings", defaults);
}
