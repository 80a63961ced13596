#include <string.h>

#include "chain.h"
#include "handlers.h"

bool endpoints_read_details(Exchange *exchange, const json_t *body, EndpointDetails *details)
{
    static const char PATH[] = "endpoint";
    const char *provisioner = NULL;
    const char *mode = "transaction";
    bool flag = false;
    if (!exchange_get_string(exchange, body, PATH, "name", 1, 64, &details->name) ||
        !exchange_get_string(exchange, body, PATH, "provisioner", 0, 64, &provisioner) ||
        !exchange_get_string(exchange, body, PATH, "pooler_mode", 1, 64, &mode) ||
        !exchange_get_boolean(exchange, body, PATH, "pooler_enabled", &flag) ||
        !exchange_get_boolean(exchange, body, PATH, "disabled", &details->is_disabled) ||
        !exchange_get_boolean(exchange, body, PATH, "passwordless_access",
                              &details->has_passwordless_access)) {
        return false;
    }
    if (strcmp(mode, "transaction") != 0) {
        exchange_fail(exchange, 400, "", "invalid request: endpoint.pooler_mode");
        return false;
    }
    return true;
}

void endpoints_set_details(Endpoint *endpoint, const EndpointDetails *details)
{
    if (details->name != NULL) {
        text_build(endpoint->name, sizeof(endpoint->name), "%s", details->name);
    }
    if (details->pg_settings != NULL) {
        json_decref(endpoint->pg_settings);
        endpoint->pg_settings = json_deep_copy(details->pg_settings);
    }
    if (details->libraries != NULL) {
        json_decref(endpoint->libraries);
        endpoint->libraries = json_deep_copy(details->libraries);
    }
    endpoint->is_disabled = details->is_disabled;
    endpoint->has_passwordless_access = details->has_passwordless_access;
}

/* What PATCH asks for; what wasn't sent stays as it is. */
typedef struct EndpointUpdate {
    const char *branch_id;
    EndpointSettings settings;
    EndpointDetails details;
} EndpointUpdate;

static bool read_update(Exchange *exchange, const json_t *body, EndpointUpdate *update)
{
    static const char PATH[] = "endpoint";
    return exchange_get_string(exchange, body, PATH, "branch_id", 1, 60, &update->branch_id) &&
           endpoints_read_details(exchange, body, &update->details) &&
           endpoints_read_settings(exchange, body, PATH, &update->settings) &&
           endpoints_read_pg_settings(exchange, body, PATH, &update->details);
}

/* A running compute takes new settings by a restart, which drops its connections. */
static const Operation *begin_restart(Exchange *exchange, Endpoint *endpoint)
{
    Sandbox *sandbox = exchange->sandbox;
    const Operation *first =
        chain_add(sandbox, endpoint->branch, endpoint, ACTION_SUSPEND_COMPUTE, NULL);
    if (!endpoint->is_disabled) {
        chain_add(sandbox, endpoint->branch, endpoint, ACTION_START_COMPUTE, NULL);
    }
    chain_start(sandbox, exchange->project);
    return first;
}

static bool changes_compute(const Endpoint *endpoint, const EndpointUpdate *update)
{
    const EndpointDetails *details = &update->details;
    bool sets =
        (details->pg_settings != NULL &&
         !json_equal(details->pg_settings, endpoint->pg_settings)) ||
        (details->libraries != NULL && !json_equal(details->libraries, endpoint->libraries));
    return sets || update->settings.min_cu != endpoint->settings.min_cu ||
           update->settings.max_cu != endpoint->settings.max_cu ||
           update->details.is_disabled != endpoint->is_disabled;
}

void endpoints_update(Exchange *exchange)
{
    Endpoint *endpoint = endpoints_find(exchange);
    json_t *body = NULL;
    if (endpoint == NULL || !exchange_get_subject(exchange, "endpoint", &body)) {
        return;
    }
    EndpointUpdate update = {
        .settings = endpoint->settings,
        .details = {.is_disabled = endpoint->is_disabled,
                    .has_passwordless_access = endpoint->has_passwordless_access},
    };
    if (!read_update(exchange, body, &update)) {
        return;
    }
    if (update.branch_id != NULL && strcmp(update.branch_id, endpoint->branch->id) != 0) {
        exchange_fail(exchange, 400, "", "endpoint.branch_id is not supported by this sandbox");
        return;
    }
    bool restarts = endpoint->state == ENDPOINT_ACTIVE && changes_compute(endpoint, &update);
    endpoint->settings = update.settings;
    endpoints_set_details(endpoint, &update.details);
    endpoint->life.updated_ms = exchange->now_ms;
    endpoints_reply(exchange, 200, endpoint, restarts ? begin_restart(exchange, endpoint) : NULL);
}

void endpoints_restart(Exchange *exchange)
{
    Endpoint *endpoint = endpoints_find(exchange);
    if (endpoint != NULL) {
        endpoints_reply(exchange, 200, endpoint, begin_restart(exchange, endpoint));
    }
}
