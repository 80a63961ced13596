#include <string.h>

#include "chain.h"
#include "compute.h"
#include "handlers.h"
#include "plans.h"
#include "render.h"
#include "settings.h"

enum {
    ENDPOINTS_SUSPEND_LEAST_SECONDS = 60,
    ENDPOINTS_SUSPEND_MOST_SECONDS = 604800,
    ENDPOINTS_AUTOSCALING_SPAN_CU = 8,
};

/* https://neon.com/docs/introduction/autoscaling: 0.25, 0.5, 1 to 16 by 1, fixed ones to 56 by 2.
 */
static bool is_size(double cu)
{
    if (cu == 0.25 || cu == 0.5) {
        return true;
    }
    int whole = cu <= 56 ? (int)cu : 0;
    return (double)whole == cu && whole >= 1 && (whole <= 16 || whole % 2 == 0);
}

static bool check_settings(Exchange *exchange, const EndpointSettings *settings)
{
    double span = settings->max_cu - settings->min_cu;
    if (!is_size(settings->min_cu) || !is_size(settings->max_cu) || span < 0 ||
        span > ENDPOINTS_AUTOSCALING_SPAN_CU || (settings->max_cu > 16 && span > 0)) {
        exchange_fail(exchange, 400, "",
                      "invalid autoscaling limits; autoscaling_limit_min_cu:\"%g\", "
                      "autoscaling_limit_max_cu:\"%g\"",
                      settings->min_cu, settings->max_cu);
        return false;
    }
    int64_t timeout = settings->suspend_timeout_seconds;
    if (timeout > 0 && timeout < ENDPOINTS_SUSPEND_LEAST_SECONDS) {
        exchange_fail(exchange, 400, "", "suspend_timeout_seconds is below the minimum; min:\"%d\"",
                      ENDPOINTS_SUSPEND_LEAST_SECONDS);
        return false;
    }
    return plans_allow_settings(exchange, settings);
}

bool endpoints_read_settings(Exchange *exchange, const json_t *object, const char *path,
                             EndpointSettings *settings)
{
    bool had_min = json_object_get(object, "autoscaling_limit_min_cu") != NULL;
    bool had_max = json_object_get(object, "autoscaling_limit_max_cu") != NULL;
    if (!exchange_get_number(exchange, object, path, "autoscaling_limit_min_cu", 0.25,
                             &settings->min_cu) ||
        !exchange_get_number(exchange, object, path, "autoscaling_limit_max_cu", 0.25,
                             &settings->max_cu) ||
        !exchange_get_integer(exchange, object, path, "suspend_timeout_seconds", -1,
                              ENDPOINTS_SUSPEND_MOST_SECONDS, &settings->suspend_timeout_seconds)) {
        return false;
    }
    /* One limit alone moves the other along, so that it stays a range. */
    if (had_min && !had_max && settings->max_cu < settings->min_cu) {
        settings->max_cu = settings->min_cu;
    }
    if (had_max && !had_min && settings->min_cu > settings->max_cu) {
        settings->min_cu = settings->max_cu;
    }
    return check_settings(exchange, settings);
}

static void reply_list(Exchange *exchange, const Branch *branch)
{
    json_t *list = json_array();
    const Endpoint *endpoint = branch == NULL ? exchange->project->endpoints : branch->endpoints;
    while (endpoint != NULL) {
        if (store_is_listed(&endpoint->life, exchange->now_ms)) {
            json_array_append_new(list, render_endpoint(endpoint));
        }
        endpoint = branch == NULL ? endpoint->next : endpoint->branch_next;
    }
    exchange_reply(exchange, 200, json_pack("{s:o}", "endpoints", list));
}

void endpoints_list(Exchange *exchange)
{
    reply_list(exchange, NULL);
}

void endpoints_list_of_branch(Exchange *exchange)
{
    reply_list(exchange, exchange->branch);
}

Endpoint *endpoints_find(Exchange *exchange)
{
    Endpoint *endpoint =
        store_find_endpoint(&exchange->sandbox->store, exchange->project, exchange->parameters[1]);
    bool is_read = strcmp(exchange->route->method, "GET") == 0;
    if (endpoint == NULL || (is_read && !store_is_found(&endpoint->life, exchange->now_ms))) {
        exchange_fail(exchange, 404, "", "endpoint not found");
        return NULL;
    }
    return endpoint;
}

void endpoints_get(Exchange *exchange)
{
    const Endpoint *endpoint = endpoints_find(exchange);
    if (endpoint != NULL) {
        exchange_reply(exchange, 200, json_pack("{s:o}", "endpoint", render_endpoint(endpoint)));
    }
}

void endpoints_reply(Exchange *exchange, int status, const Endpoint *endpoint,
                     const Operation *first)
{
    exchange_reply(exchange, status,
                   json_pack("{s:o, s:o}", "endpoint", render_endpoint(endpoint), "operations",
                             render_operations_from(first)));
}

/* What POST endpoints asks for. */
typedef struct EndpointRequest {
    const char *branch_id;
    const char *type;
    EndpointSettings settings;
    EndpointDetails details;
} EndpointRequest;

bool endpoints_read_pg_settings(Exchange *exchange, const json_t *body, const char *path,
                                EndpointDetails *details)
{
    json_t *settings = NULL;
    if (!exchange_get_object(exchange, body, path, "settings", &settings) ||
        !exchange_get_texts(exchange, settings, path, "pg_settings", SETTINGS_MOST,
                            &details->pg_settings) ||
        !exchange_get_object(exchange, settings, path, "preload_libraries", &details->libraries)) {
        return false;
    }
    if (settings != NULL && details->pg_settings == NULL && details->libraries == NULL) {
        exchange_fail(exchange, 400, "", "settings must not be nil");
        return false;
    }
    return settings_check(exchange, details->pg_settings) &&
           settings_check_libraries(exchange, exchange->project->pg_version, details->libraries);
}

static bool read_request(Exchange *exchange, EndpointRequest *request)
{
    static const char PATH[] = "endpoint";
    json_t *body = NULL;
    if (!exchange_get_object(exchange, exchange->body, "", PATH, &body)) {
        return false;
    }
    if (body == NULL) {
        exchange_fail_required(exchange, "", PATH);
        return false;
    }
    if (!exchange_get_string(exchange, body, PATH, "branch_id", 1, 60, &request->branch_id) ||
        !exchange_get_string(exchange, body, PATH, "type", 1, 32, &request->type) ||
        !endpoints_read_details(exchange, body, &request->details) ||
        !endpoints_read_settings(exchange, body, PATH, &request->settings) ||
        !endpoints_read_pg_settings(exchange, body, PATH, &request->details)) {
        return false;
    }
    if (request->branch_id == NULL || request->type == NULL) {
        exchange_fail_required(exchange, PATH, request->branch_id == NULL ? "branch_id" : "type");
        return false;
    }
    return true;
}

static bool check_request(Exchange *exchange, const EndpointRequest *request, const Branch *branch)
{
    if (branch == NULL) {
        exchange_fail(exchange, 404, "", "branch not found");
        return false;
    }
    if (strcmp(request->type, "read_only") == 0) {
        exchange_fail(exchange, 422, "ENDPOINTS_LIMIT_EXCEEDED",
                      "read_only endpoints limit exceeded");
        return false;
    }
    if (strcmp(request->type, "read_write") != 0) {
        exchange_fail(exchange, 400, "", "invalid request: endpoint.type");
        return false;
    }
    if (branch->endpoint != NULL) {
        exchange_fail(exchange, 409, "ENDPOINTS_LIMIT_EXCEEDED",
                      "read_write endpoint already exists");
        return false;
    }
    return true;
}

void endpoints_create(Exchange *exchange)
{
    Sandbox *sandbox = exchange->sandbox;
    EndpointRequest request = {.settings = exchange->project->endpoint_defaults,
                               .details = {.has_passwordless_access = true}};
    if (!read_request(exchange, &request)) {
        return;
    }
    Branch *branch = store_find_branch(&sandbox->store, exchange->project, request.branch_id);
    if (!check_request(exchange, &request, branch)) {
        return;
    }
    Endpoint *endpoint = store_add_endpoint(&sandbox->store, branch, exchange->now_ms);
    endpoint->settings = request.settings;
    endpoints_set_details(endpoint, &request.details);
    if (sandbox->compute != NULL && !compute_add_endpoint(sandbox->compute, endpoint)) {
        store_delete_endpoint(&sandbox->store, endpoint, exchange->now_ms);
        exchange_fail(exchange, 503, "", "please try again later");
        return;
    }
    Operation *first = chain_add(sandbox, branch, endpoint, ACTION_START_COMPUTE, NULL);
    chain_start(sandbox, exchange->project);
    endpoints_reply(exchange, 201, endpoint, first);
}

void endpoints_delete(Exchange *exchange)
{
    Sandbox *sandbox = exchange->sandbox;
    Endpoint *endpoint =
        store_find_endpoint(&sandbox->store, exchange->project, exchange->parameters[1]);
    if (endpoint == NULL) {
        exchange_reply(exchange, 204, NULL);
        return;
    }
    if (endpoint->branch->is_protected) {
        exchange_fail(exchange, 422, "", "cannot delete endpoint of protected branch");
        return;
    }
    if (sandbox->compute != NULL) {
        compute_remove_endpoint(sandbox->compute, endpoint);
    }
    store_delete_endpoint(&sandbox->store, endpoint, exchange->now_ms);
    Operation *first = chain_add(sandbox, endpoint->branch, endpoint, ACTION_SUSPEND_COMPUTE, NULL);
    chain_start(sandbox, exchange->project);
    endpoints_reply(exchange, 200, endpoint, first);
}

static void change_state(Exchange *exchange, EndpointState wanted, Action action)
{
    Endpoint *endpoint = endpoints_find(exchange);
    if (endpoint == NULL) {
        return;
    }
    Operation *first = NULL;
    if (endpoint->state != wanted) {
        first = chain_add(exchange->sandbox, endpoint->branch, endpoint, action, NULL);
        chain_start(exchange->sandbox, exchange->project);
    }
    endpoints_reply(exchange, 200, endpoint, first);
}

void endpoints_start(Exchange *exchange)
{
    change_state(exchange, ENDPOINT_ACTIVE, ACTION_START_COMPUTE);
}

void endpoints_suspend(Exchange *exchange)
{
    change_state(exchange, ENDPOINT_IDLE, ACTION_SUSPEND_COMPUTE);
}
