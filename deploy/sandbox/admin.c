#include <errno.h>
#include <stdlib.h>

#include "calls.h"
#include "compute.h"
#include "handlers.h"
#include "log.h"
#include "render.h"

static json_t *render_branch_state(const Branch *branch)
{
    json_t *roles = json_array();
    for (const Role *role = branch->roles; role != NULL; role = role->next) {
        if (store_is_alive(&role->life)) {
            json_array_append_new(roles, json_string(role->name));
        }
    }
    json_t *databases = json_array();
    for (const Database *database = branch->databases; database != NULL;
         database = database->next) {
        if (store_is_alive(&database->life)) {
            json_array_append_new(databases, json_string(database->name));
        }
    }
    json_t *json = json_pack("{s:s, s:s, s:b, s:O, s:o, s:o}", "id", branch->id, "name",
                             branch->name, "default", branch->is_default, "annotations",
                             branch->annotation, "roles", roles, "databases", databases);
    if (branch->parent != NULL) {
        json_object_set_new(json, "parent_id", json_string(branch->parent->id));
    }
    if (branch->endpoint != NULL) {
        json_object_set_new(json, "endpoint", render_endpoint(branch->endpoint));
        json_object_set_new(json, "port", json_integer(branch->endpoint->port));
    }
    compute_describe(branch, json);
    return json;
}

static json_t *render_project_state(const Project *project)
{
    json_t *branches = json_array();
    for (const Branch *branch = project->branches; branch != NULL; branch = branch->next) {
        if (store_is_alive(&branch->life)) {
            json_array_append_new(branches, render_branch_state(branch));
        }
    }
    return json_pack("{s:s, s:s, s:s, s:b, s:o}", "id", project->id, "name", project->name,
                     "org_id", project->org_id, "locked", store_is_locked(project), "branches",
                     branches);
}

static json_t *render_counts(const int64_t counts[KIND_COUNT])
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "projects", (json_int_t)counts[KIND_PROJECT],
                     "branches", (json_int_t)counts[KIND_BRANCH], "endpoints",
                     (json_int_t)counts[KIND_ENDPOINT], "roles", (json_int_t)counts[KIND_ROLE],
                     "databases", (json_int_t)counts[KIND_DATABASE], "operations",
                     (json_int_t)counts[KIND_OPERATION]);
}

void admin_get_state(Exchange *exchange)
{
    const Store *store = &exchange->sandbox->store;
    json_t *projects = json_array();
    for (const Project *project = store->projects; project != NULL; project = project->next) {
        if (store_is_alive(&project->life)) {
            json_array_append_new(projects, render_project_state(project));
        }
    }
    json_t *state =
        json_pack("{s:o, s:o, s:o, s:o}", "projects", projects, "created",
                  render_counts(store->created), "deleted", render_counts(store->deleted),
                  "mutations", calls_count_mutations(&exchange->sandbox->calls));
    if (exchange->sandbox->compute != NULL) {
        json_object_set_new(state, "shares_blocks",
                            json_boolean(compute_shares_blocks(exchange->sandbox->compute)));
    }
    exchange_reply(exchange, 200, state);
}

void admin_list_calls(Exchange *exchange)
{
    int64_t since = 0;
    if (exchange_query_integer(exchange, "since", 0, INT64_MAX, &since)) {
        exchange_reply(exchange, 200, calls_list(&exchange->sandbox->calls, since));
    }
}

void admin_list_faults(Exchange *exchange)
{
    exchange_reply(exchange, 200,
                   json_pack("{s:o}", "faults", faults_list(&exchange->sandbox->faults)));
}

void admin_add_faults(Exchange *exchange)
{
    char error[FAULTS_TEXT_BYTES];
    Faults *faults = &exchange->sandbox->faults;
    int64_t first = faults->next_id;
    if (!faults_add_json(faults, exchange->body, error, sizeof(error))) {
        exchange_fail(exchange, 400, "", "%s", error);
        return;
    }
    log_line("fault %lld set", (long long)first);
    const Fault *fault = NULL;
    while (exchange->sandbox->compute != NULL && (fault = faults_take_commits(faults)) != NULL) {
        compute_fail_commits(exchange->sandbox->compute, fault->match, fault->count);
    }
    exchange_reply(exchange, 201,
                   json_pack("{s:I, s:o}", "id", (json_int_t)first, "faults", faults_list(faults)));
}

void admin_clear_faults(Exchange *exchange)
{
    faults_remove(&exchange->sandbox->faults, 0);
    if (exchange->sandbox->compute != NULL) {
        compute_fail_commits(exchange->sandbox->compute, "", 0);
    }
    exchange_reply(exchange, 204, NULL);
}

void admin_remove_fault(Exchange *exchange)
{
    char *end = NULL;
    errno = 0;
    long long id = strtoll(exchange->parameters[0], &end, 10);
    if (errno != 0 || *end != '\0' || id <= 0 || !faults_remove(&exchange->sandbox->faults, id)) {
        exchange_fail(exchange, 404, "", "fault not found");
        return;
    }
    exchange_reply(exchange, 204, NULL);
}

void admin_add_keys(Exchange *exchange)
{
    char error[FAULTS_TEXT_BYTES];
    if (!keys_add_json(&exchange->sandbox->keys, exchange->body, error, sizeof(error))) {
        exchange_fail(exchange, 400, "", "%s", error);
        return;
    }
    exchange_reply(exchange, 201, json_pack("{}"));
}
