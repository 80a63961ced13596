#include "chain.h"
#include "handlers.h"
#include "plans.h"
#include "render.h"
#include "settings.h"

/* What PATCH asks for; what wasn't sent stays as it is. */
typedef struct ProjectUpdate {
    const char *name;
    json_t *settings;
    EndpointSettings defaults;
    json_t *pg_settings;
    int64_t retention_seconds;
} ProjectUpdate;

static bool read_update(Exchange *exchange, const json_t *body, ProjectUpdate *update)
{
    static const char PATH[] = "project";
    return exchange_get_string(exchange, body, PATH, "name", 1, 256, &update->name) &&
           projects_read_settings(exchange, body, &update->settings) &&
           settings_check_libraries(exchange, exchange->project->pg_version,
                                    json_object_get(update->settings, "preload_libraries")) &&
           projects_read_defaults(exchange, body, &update->defaults, &update->pg_settings) &&
           exchange_get_integer(exchange, body, PATH, "history_retention_seconds", 0,
                                HANDLERS_RETENTION_MAX_SECONDS, &update->retention_seconds);
}

static bool is_logical(const json_t *settings)
{
    return json_is_true(json_object_get(settings, "enable_logical_replication"));
}

/* Once enabled it stays, and enabling it suspends every compute, which takes the new level when it
 * wakes (both as Neon's OpenAPI says). */
static bool check_logical(Exchange *exchange, const ProjectUpdate *update)
{
    const Project *project = exchange->project;
    const json_t *wanted = json_object_get(update->settings, "enable_logical_replication");
    if (json_is_false(wanted) && is_logical(project->settings)) {
        exchange_fail(exchange, 422, "", "logical replication cannot be disabled once enabled");
        return false;
    }
    if (json_is_true(wanted) && !is_logical(project->settings) && store_is_locked(project)) {
        exchange_fail(exchange, 423, "",
                      "project already has running conflicting operations, scheduling of new ones "
                      "is prohibited");
        return false;
    }
    return true;
}

static const Operation *suspend_all(Exchange *exchange)
{
    const Operation *first = NULL;
    Endpoint *endpoint = exchange->project->endpoints;
    for (; endpoint != NULL; endpoint = endpoint->next) {
        if (store_is_alive(&endpoint->life) && endpoint->state == ENDPOINT_ACTIVE) {
            const Operation *operation = chain_add(exchange->sandbox, endpoint->branch, endpoint,
                                                   ACTION_SUSPEND_COMPUTE, NULL);
            first = first == NULL ? operation : first;
        }
    }
    chain_start(exchange->sandbox, exchange->project);
    return first;
}

void projects_update(Exchange *exchange)
{
    Project *project = exchange->project;
    ProjectUpdate update = {
        .defaults = project->endpoint_defaults,
        .retention_seconds = project->history_retention_seconds,
    };
    json_t *body = NULL;
    if (!exchange_get_subject(exchange, "project", &body) ||
        !read_update(exchange, body, &update) ||
        !plans_allow_retention(exchange, update.retention_seconds) ||
        !check_logical(exchange, &update)) {
        return;
    }
    bool becomes_logical = !is_logical(project->settings) && is_logical(update.settings);
    if (update.name != NULL) {
        text_build(project->name, sizeof(project->name), "%s", update.name);
        project->pairs = 0;
    }
    projects_merge_settings(project->settings, update.settings);
    project->endpoint_defaults = update.defaults;
    if (update.pg_settings != NULL) {
        json_decref(project->pg_settings);
        project->pg_settings = json_deep_copy(update.pg_settings);
    }
    project->history_retention_seconds = update.retention_seconds;
    project->life.updated_ms = exchange->now_ms;
    /* Nothing else concerns a compute before its next start (recorded for the name). */
    const Operation *first = becomes_logical ? suspend_all(exchange) : NULL;
    exchange_reply(exchange, 200,
                   json_pack("{s:o, s:o}", "project", render_project(project), "operations",
                             render_operations_from(first)));
}

/* Projects that others share with the caller: nobody does here. */
void projects_list_shared(Exchange *exchange)
{
    int64_t limit = 10;
    int64_t timeout_ms = 0;
    if (exchange_query_integer(exchange, "limit", 1, 400, &limit) &&
        exchange_query_integer(exchange, "timeout", 100, 30000, &timeout_ms)) {
        exchange_reply(exchange, 200, json_pack("{s:[]}", "projects"));
    }
}
