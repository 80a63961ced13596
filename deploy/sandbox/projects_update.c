#include "handlers.h"
#include "plans.h"
#include "render.h"

/* What PATCH asks for; what wasn't sent stays as it is. */
typedef struct ProjectUpdate {
    const char *name;
    json_t *settings;
    EndpointSettings defaults;
    int64_t retention_seconds;
} ProjectUpdate;

static bool read_update(Exchange *exchange, const json_t *body, ProjectUpdate *update)
{
    static const char PATH[] = "project";
    return exchange_get_string(exchange, body, PATH, "name", 1, 256, &update->name) &&
           projects_read_settings(exchange, body, &update->settings) &&
           projects_read_defaults(exchange, body, &update->defaults) &&
           exchange_get_integer(exchange, body, PATH, "history_retention_seconds", 0,
                                HANDLERS_RETENTION_MAX_SECONDS, &update->retention_seconds);
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
        !plans_allow_retention(exchange, update.retention_seconds)) {
        return;
    }
    if (update.name != NULL) {
        text_build(project->name, sizeof(project->name), "%s", update.name);
    }
    projects_merge_settings(project->settings, update.settings);
    project->endpoint_defaults = update.defaults;
    project->history_retention_seconds = update.retention_seconds;
    project->life.updated_ms = exchange->now_ms;
    /* None of it concerns a compute, so nothing has to be operated (recorded for the name). */
    exchange_reply(exchange, 200,
                   json_pack("{s:o, s:[]}", "project", render_project(project), "operations"));
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
