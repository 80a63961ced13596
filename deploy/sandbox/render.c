#include "render.h"

#include <sodium.h>

static void set_time(json_t *json, const char *name, int64_t time_ms)
{
    char text[TEXT_TIME_BYTES];
    text_time(time_ms, text);
    json_object_set_new(json, name, json_string(text));
}

static void set_life(json_t *json, const Lifetime *life)
{
    set_time(json, "created_at", life->created_ms);
    set_time(json, "updated_at", life->updated_ms);
}

/* 0.25 stays a real, whole numbers are written without a fraction, as Neon does. */
static json_t *render_cu(double cu)
{
    bool is_whole = cu == (double)(json_int_t)cu;
    return is_whole ? json_integer((json_int_t)cu) : json_real(cu);
}

static json_t *render_settings(const EndpointSettings *settings)
{
    return json_pack("{s:o, s:o, s:I}", "autoscaling_limit_min_cu", render_cu(settings->min_cu),
                     "autoscaling_limit_max_cu", render_cu(settings->max_cu),
                     "suspend_timeout_seconds", (json_int_t)settings->suspend_timeout_seconds);
}

static json_t *render_project_base(const Project *project)
{
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:O, s:i, s:s, s:i, s:i, s:b, s:i, s:s, s:s, s:s}", "id",
        project->id, "platform_id", "aws", "region_id", project->region, "name", project->name,
        "provisioner", "k8s-neonvm", "default_endpoint_settings",
        render_settings(&project->endpoint_defaults), "settings", project->settings, "pg_version",
        project->pg_version, "proxy_host", "localhost", "branch_logical_size_limit", 512,
        "branch_logical_size_limit_bytes", 536870912, "store_passwords", project->store_passwords,
        "cpu_used_sec", 0, "creation_source", "console", "owner_id", project->owner_id, "org_id",
        project->org_id);
    if (project->pg_settings != NULL) {
        json_object_set(json_object_get(json, "default_endpoint_settings"), "pg_settings",
                        project->pg_settings);
    }
    json_object_set_new(json, "history_retention_seconds",
                        json_integer(project->history_retention_seconds));
    json_object_set_new(json, "synthetic_storage_size", json_integer(0));
    set_life(json, &project->life);
    return json;
}

json_t *render_project(const Project *project)
{
    static const char *const COUNTERS[] = {"data_storage_bytes_hour", "data_transfer_bytes",
                                           "written_data_bytes", "compute_time_seconds",
                                           "active_time_seconds"};
    json_t *json = render_project_base(project);
    for (size_t i = 0; i < sizeof(COUNTERS) / sizeof(COUNTERS[0]); i++) {
        json_object_set_new(json, COUNTERS[i], json_integer(0));
    }
    json_object_set_new(json, "consumption_period_start", json_string("0001-01-01T00:00:00Z"));
    json_object_set_new(json, "consumption_period_end", json_string("0001-01-01T00:00:00Z"));
    return json;
}

json_t *render_project_item(const Project *project)
{
    json_t *json = render_project_base(project);
    json_object_set_new(json, "active_time", json_integer(0));
    if (project->is_recoverable) {
        set_time(json, "deleted_at", project->life.deleted_ms);
        set_time(json, "recoverable_until",
                 project->life.deleted_ms + RENDER_DAYS_RECOVERABLE * 86400000LL);
    }
    return json;
}

static void set_recovery(json_t *json, const Branch *branch)
{
    json_t *recovery = json_pack("{s:s}", "deletion_method", branch->is_expired ? "ttl" : "user");
    set_time(recovery, "deleted_at", branch->life.deleted_ms);
    set_time(recovery, "recoverable_until",
             branch->life.deleted_ms + RENDER_DAYS_RECOVERABLE * 86400000LL);
    json_object_set_new(json, "recovery", recovery);
}

json_t *render_branch(const Branch *branch)
{
    static const char *const STATES[] = {
        [BRANCH_INIT] = "init", [BRANCH_READY] = "ready", [BRANCH_RESETTING] = "resetting"};
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:i, s:i, s:i, s:i, s:i}", "id",
                  branch->id, "project_id", branch->project->id, "name", branch->name,
                  "current_state", STATES[branch->state], "creation_source", "console", "primary",
                  branch->is_default, "default", branch->is_default, "protected",
                  branch->is_protected, "cpu_used_sec", 0, "compute_time_seconds", 0,
                  "active_time_seconds", 0, "written_data_bytes", 0, "data_transfer_bytes", 0);
    if (branch->state != BRANCH_READY) {
        json_object_set_new(json, "pending_state", json_string("ready"));
    }
    set_time(json, "state_changed_at", branch->state_changed_ms);
    if (branch->parent != NULL) {
        json_object_set_new(json, "parent_id", json_string(branch->parent->id));
        set_time(json, "parent_timestamp",
                 branch->parent_ms != 0 ? branch->parent_ms : branch->life.created_ms);
    }
    json_object_set_new(json, "init_source",
                        json_string(branch->is_schema_only ? "schema-only" : "parent-data"));
    if (branch->parent_lsn[0] != '\0') {
        json_object_set_new(json, "parent_lsn", json_string(branch->parent_lsn));
    }
    if (branch->reset_ms != 0) {
        set_time(json, "last_reset_at", branch->reset_ms);
    }
    if (branch->expires_ms != 0) {
        set_time(json, "expires_at", branch->expires_ms);
        json_object_set_new(json, "ttl_interval_seconds", json_integer(branch->ttl_seconds));
    }
    json_object_set_new(json, "created_by",
                        json_pack("{s:s, s:s}", "name", "Sandbox", "image", ""));
    set_life(json, &branch->life);
    if (branch->is_recoverable) {
        set_recovery(json, branch);
    }
    return json;
}

json_t *render_annotation(const Branch *branch)
{
    json_t *json = json_pack("{s:{s:s, s:s}, s:O}", "object", "type", "console/branch", "id",
                             branch->id, "value", branch->annotation);
    set_time(json, "created_at", branch->life.created_ms);
    set_time(json, "updated_at", branch->life.created_ms);
    return json;
}

void render_host(const Endpoint *endpoint, bool pooled, char ret_host[RENDER_HOST_BYTES])
{
    text_build(ret_host, RENDER_HOST_BYTES, "%s%s.localhost", endpoint->id,
               pooled ? "-pooler" : "");
}

static const char *endpoint_state(EndpointState state)
{
    static const char *const NAMES[] = {"init", "active", "idle"};
    return NAMES[state];
}

json_t *render_endpoint(const Endpoint *endpoint)
{
    char host[RENDER_HOST_BYTES];
    render_host(endpoint, false, host);
    json_t *json = render_settings(&endpoint->settings);
    json_t *rest = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:b, s:b, s:s, s:s, s:s}", "host", host,
        "id", endpoint->id, "project_id", endpoint->project->id, "branch_id", endpoint->branch->id,
        "region_id", endpoint->project->region, "type", "read_write", "current_state",
        endpoint_state(endpoint->state), "pooler_enabled", 0, "pooler_mode", "transaction",
        "disabled", endpoint->is_disabled, "passwordless_access", endpoint->has_passwordless_access,
        "creation_source", "console", "proxy_host", "localhost", "provisioner", "k8s-neonvm");
    json_object_update_new(json, rest);
    json_t *settings = json_object();
    if (endpoint->pg_settings != NULL) {
        json_object_set(settings, "pg_settings", endpoint->pg_settings);
    }
    json_object_set_new(json, "settings", settings);
    if (endpoint->libraries != NULL) {
        json_object_set(settings, "preload_libraries", endpoint->libraries);
    }
    if (endpoint->name[0] != '\0') {
        json_object_set_new(json, "name", json_string(endpoint->name));
    }
    if (endpoint->is_pending_active) {
        json_object_set_new(json, "pending_state", json_string("active"));
    }
    if (endpoint->last_active_ms != 0) {
        set_time(json, "last_active", endpoint->last_active_ms);
    }
    if (endpoint->suspended_ms != 0 && endpoint->state == ENDPOINT_IDLE) {
        set_time(json, "suspended_at", endpoint->suspended_ms);
    }
    set_life(json, &endpoint->life);
    return json;
}

json_t *render_role(const Branch *branch, const Role *role, bool with_password)
{
    json_t *json =
        json_pack("{s:s, s:s, s:b}", "branch_id", branch->id, "name", role->name, "protected", 0);
    if (with_password && role->is_ours) {
        json_object_set_new(json, "password", json_string(role->password));
    }
    json_object_set_new(json, "authentication_method",
                        json_string(role->no_login ? "no_login" : "password"));
    set_life(json, &role->life);
    return json;
}

json_t *render_database(const Branch *branch, const Database *database)
{
    json_t *json = json_pack("{s:I, s:s, s:s, s:s}", "id", (json_int_t)database->id, "branch_id",
                             branch->id, "name", database->name, "owner_name", database->owner);
    set_life(json, &database->life);
    return json;
}

const char *render_action(Action action)
{
    static const char *const NAMES[] = {
        [ACTION_CREATE_TIMELINE] = "create_timeline", [ACTION_CREATE_BRANCH] = "create_branch",
        [ACTION_DELETE_TIMELINE] = "delete_timeline", [ACTION_START_COMPUTE] = "start_compute",
        [ACTION_SUSPEND_COMPUTE] = "suspend_compute", [ACTION_APPLY_CONFIG] = "apply_config",
    };
    return NAMES[action];
}

json_t *render_operation(const Operation *operation)
{
    static const char *const STATUSES[] = {
        [OPERATION_SCHEDULING] = "scheduling", [OPERATION_RUNNING] = "running",
        [OPERATION_FINISHED] = "finished",     [OPERATION_FAILED] = "failed",
        [OPERATION_CANCELLED] = "cancelled",
    };
    int64_t took_us =
        operation->started_us == 0 ? 0 : operation->updated_us - operation->started_us;
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "id", operation->id, "project_id",
        operation->project->id, "branch_id", operation->branch->id, "action",
        render_action(operation->action), "status", STATUSES[operation->status], "failures_count",
        operation->failures_count, "total_duration_ms", (json_int_t)(took_us / 1000));
    if (operation->endpoint != NULL) {
        json_object_set_new(json, "endpoint_id", json_string(operation->endpoint->id));
    }
    if (operation->error[0] != '\0') {
        json_object_set_new(json, "error", json_string(operation->error));
    }
    if (operation->retry_ms != 0) {
        set_time(json, "retry_at", operation->retry_ms);
    }
    set_time(json, "created_at", operation->created_us / 1000);
    set_time(json, "updated_at", operation->updated_us / 1000);
    return json;
}

json_t *render_operations_from(const Operation *first)
{
    json_t *list = json_array();
    for (const Operation *operation = first; operation != NULL; operation = operation->next) {
        json_array_append_new(list, render_operation(operation));
    }
    return list;
}

void render_uri(const Endpoint *endpoint, const Role *role, const char *database, bool pooled,
                char ret_uri[RENDER_URI_BYTES])
{
    char host[RENDER_HOST_BYTES];
    char role_text[3 * STORE_SQL_NAME_BYTES + 1];
    char database_text[3 * STORE_SQL_NAME_BYTES + 1];
    render_host(endpoint, pooled, host);
    text_encode_percent(role_text, sizeof(role_text), role->name);
    text_encode_percent(database_text, sizeof(database_text), database);
    /* Not every resolver knows names below localhost. */
    text_build(ret_uri, RENDER_URI_BYTES,
               "postgresql://%s:%s@%s:%d/%s?sslmode=require&hostaddr=127.0.0.1", role_text,
               role->password, host, endpoint->port, database_text);
}

json_t *render_connection(const Endpoint *endpoint, const Role *role, const char *database)
{
    char uri[RENDER_URI_BYTES];
    char host[RENDER_HOST_BYTES];
    char pooler_host[RENDER_HOST_BYTES];
    render_uri(endpoint, role, database, false, uri);
    render_host(endpoint, false, host);
    render_host(endpoint, true, pooler_host);
    json_t *json =
        json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "connection_uri", uri,
                  "connection_parameters", "database", database, "password", role->password, "role",
                  role->name, "host", host, "pooler_host", pooler_host);
    sodium_memzero(uri, sizeof(uri));
    return json;
}
