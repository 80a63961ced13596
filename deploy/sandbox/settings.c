#include "settings.h"

#include <string.h>

#include "compute.h"
#include "handlers.h"

static const char NAME_CHARACTERS[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";

/* Where the server is found, what it logs (statements may hold passwords), what it runs as a
 * command, and its log's place in history. */
static const char *const RESERVED[] = {
    "archive_",
    "config_file",
    "cluster_name",
    "data_directory",
    "dynamic_library",
    "external_pid",
    "hba_file",
    "hot_standby",
    "ident_file",
    "include",
    "krb_",
    "listen_",
    "local_preload",
    "log_",
    "logging_",
    "neon",
    "port",
    "primary_",
    "recovery_",
    "restore_",
    "session_preload",
    "shared_preload",
    "ssl",
    "synchronous_standby_",
    "syslog_",
    "unix_socket_",
    "wal_level",
    "wal_keep_size",
    "wal_recycle",
    "wal_init_zero",
};

typedef struct Library {
    const char *name;
    const char *description;
    bool is_default;
} Library;

static const Library LIBRARIES[] = {
    {"auto_explain", "Logs execution plans of slow statements automatically", false},
    {"pg_cron", "A cron-based job scheduler that runs inside the database", false},
    {"pg_prewarm", "Loads relation data into the buffer cache", false},
    {"pg_stat_statements", "Tracks planning and execution statistics of all statements", true},
    {"pgaudit", "Session and object audit logging", false},
    {"timescaledb", "Scalable inserts and complex queries for time-series data", false},
};

enum { LIBRARY_COUNT = sizeof(LIBRARIES) / sizeof(LIBRARIES[0]) };

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof(RESERVED) / sizeof(RESERVED[0]); i++) {
        if (strncasecmp(name, RESERVED[i], strlen(RESERVED[i])) == 0) {
            return true;
        }
    }
    return false;
}

bool settings_check(Exchange *exchange, json_t *pg_settings)
{
    if (json_object_size(pg_settings) > SETTINGS_MOST) {
        exchange_fail(exchange, 400, "", "invalid request: pg_settings: %d at most", SETTINGS_MOST);
        return false;
    }
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(pg_settings, name, value)
    {
        bool is_name = name[0] != '\0' && strspn(name, NAME_CHARACTERS) == strlen(name);
        if (!is_name || is_reserved(name)) {
            exchange_fail(exchange, 400, "", "%s; name:\"%s\"",
                          is_name ? "Postgres setting is not allowed" : "invalid Postgres setting",
                          name);
            return false;
        }
    }
    return true;
}

static bool is_known(const char *name)
{
    for (int i = 0; i < LIBRARY_COUNT; i++) {
        if (strcmp(LIBRARIES[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool settings_check_libraries(Exchange *exchange, int major, const json_t *preload_libraries)
{
    const Compute *compute = exchange->sandbox->compute;
    char version[COMPUTE_VERSION_BYTES];
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(json_object_get(preload_libraries, "enabled_libraries"), i, item)
    {
        const char *name = json_string_value(item);
        if (compute != NULL &&
            (!is_known(name) || !compute_find_library(compute, major, name, version))) {
            exchange_fail(exchange, 400, "",
                          "preload library is not available; library_name:\"%s\"", name);
            return false;
        }
    }
    return true;
}

/* Those of the project's version of PostgreSQL; none without clusters. */
void projects_list_preload_libraries(Exchange *exchange)
{
    const Compute *compute = exchange->sandbox->compute;
    json_t *list = json_array();
    for (int i = 0; compute != NULL && i < LIBRARY_COUNT; i++) {
        char version[COMPUTE_VERSION_BYTES];
        const Library *library = &LIBRARIES[i];
        if (compute_find_library(compute, exchange->project->pg_version, library->name, version)) {
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:b, s:b, s:s}", "library_name", library->name,
                                "description", library->description, "is_default",
                                library->is_default, "is_experimental", 0, "version", version));
        }
    }
    exchange_reply(exchange, 200, json_pack("{s:o}", "libraries", list));
}

json_t *settings_build(const Endpoint *endpoint)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_t *list = json_array();
    json_object_foreach(endpoint->pg_settings, name, value)
    {
        json_array_append_new(list, json_sprintf("%s=%s", name, json_string_value(value)));
    }
    if (json_is_true(json_object_get(endpoint->project->settings, "enable_logical_replication"))) {
        json_array_append_new(list, json_string("wal_level=logical"));
    }
    if (json_array_size(list) == 0) {
        json_decref(list);
        list = NULL;
    }
    return list;
}

static bool is_enabled(const json_t *wanted, const char *name)
{
    size_t i = 0;
    const json_t *item = NULL;
    json_array_foreach(json_object_get(wanted, "enabled_libraries"), i, item)
    {
        if (strcmp(json_string_value(item), name) == 0) {
            return true;
        }
    }
    return false;
}

/* Where neither endpoint nor project asks for any, Neon's defaults are loaded. */
void settings_build_libraries(const Endpoint *endpoint, const Version *version,
                              char ret_libraries[SETTINGS_LIBRARIES_BYTES])
{
    const json_t *wanted = endpoint == NULL ? NULL
                           : endpoint->libraries != NULL
                               ? endpoint->libraries
                               : json_object_get(endpoint->project->settings, "preload_libraries");
    bool uses_defaults = !json_is_false(json_object_get(wanted, "use_defaults"));
    ret_libraries[0] = '\0';
    for (int i = 0; i < LIBRARY_COUNT; i++) {
        const Library *library = &LIBRARIES[i];
        bool is_wanted =
            (library->is_default && uses_defaults) || is_enabled(wanted, library->name);
        if (is_wanted && versions_has_library(version, library->name)) {
            size_t length = strlen(ret_libraries);
            text_build(ret_libraries + length, SETTINGS_LIBRARIES_BYTES - length, ",%s",
                       library->name);
        }
    }
}
