#include "neon/request_body.h"

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/instant.h"

static void json_free_at(json_t **value)
{
    json_decref(*value);
}

// Not checked here: what is no UTF-8 fails the dump, where json_string would leave the member out.
static void set_text(json_t *object, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        json_object_set_new(object, name, json_string_nocheck(value));
    }
}

// 2, not 2.0: what a reader of a log or a strict server expects of a whole number.
static json_t *compute_units(double units)
{
    bool small = units > -1e9 && units < 1e9;
    bool whole = small && units == (double)(json_int_t)units;
    return whole ? json_integer((json_int_t)units) : json_real(units);
}

static void set_endpoint_settings(json_t *object, const NeonEndpointSpec *spec)
{
    if (spec->has_min_cu) {
        json_object_set_new(object, "autoscaling_limit_min_cu", compute_units(spec->min_cu));
    }
    if (spec->has_max_cu) {
        json_object_set_new(object, "autoscaling_limit_max_cu", compute_units(spec->max_cu));
    }
    if (spec->has_suspend) {
        json_object_set_new(object, "suspend_timeout_seconds",
                            json_integer(spec->suspend_timeout_seconds));
    }
}

static json_t *new_endpoint(const NeonEndpointSpec *spec)
{
    json_t *endpoint = json_object();
    set_text(endpoint, "type", "read_write");
    set_endpoint_settings(endpoint, spec);
    return endpoint;
}

static json_t *new_annotations(const NeonMark *mark)
{
    json_t *annotations = json_object();
    set_text(annotations, NEON_MARK_INSTALLATION, mark->installation);
    set_text(annotations, NEON_MARK_APPLICATION, mark->application);
    set_text(annotations, NEON_MARK_ENVIRONMENT, mark->environment);
    set_text(annotations, NEON_MARK_COMMAND, mark->command);
    return annotations;
}

// An empty object is as good as none.
static void set_object(json_t *object, const char *name, json_t *value)
{
    if (json_object_size(value) > 0) {
        json_object_set_new(object, name, value);
    } else {
        json_decref(value);
    }
}

static int append_piece(const char *piece, size_t size, void *body)
{
    text_append_bytes(body, piece, size);
    return 0;
}

static void append_json(Text *body, const json_t *value)
{
    if (json_dump_callback(value, append_piece, body, JSON_COMPACT | JSON_REAL_PRECISION(6)) != 0) {
        body->failed = true;
    }
}

void neon_request_body_project(Text *body, const NeonProjectSpec *spec)
{
    json_t *branch = json_object();
    set_text(branch, "name", spec->branch_name);
    set_text(branch, "database_name", spec->database_name);
    set_object(branch, "annotations", new_annotations(&spec->mark));

    json_t *settings = json_object();
    set_endpoint_settings(settings, &spec->endpoint);

    json_t *project = json_object();
    set_text(project, "name", spec->name);
    set_text(project, "region_id", spec->region_id);
    set_text(project, "org_id", spec->org_id);
    if (spec->pg_version != 0) {
        json_object_set_new(project, "pg_version", json_integer(spec->pg_version));
    }
    if (spec->has_history_retention) {
        json_object_set_new(project, "history_retention_seconds",
                            json_integer(spec->history_retention_seconds));
    }
    set_object(project, "branch", branch);
    set_object(project, "default_endpoint_settings", settings);

    CLEANUP(json_free_at) json_t *root = json_object();
    json_object_set_new(root, "project", project);
    append_json(body, root);
}

static void set_expiry(json_t *branch, int64_t expires_ms)
{
    if (expires_ms != 0) {
        char expiry[INSTANT_TEXT_BYTES];
        instant_format_seconds(expires_ms, expiry);
        set_text(branch, "expires_at", expiry);
    }
}

void neon_request_body_branch(Text *body, const NeonBranchSpec *spec)
{
    json_t *branch = json_object();
    set_text(branch, "name", spec->name);
    set_text(branch, "parent_id", spec->parent_id);
    set_text(branch, "parent_lsn", spec->parent_lsn);
    if (spec->parent_ms != 0) {
        char point[INSTANT_TEXT_BYTES];
        instant_format(spec->parent_ms, point);
        set_text(branch, "parent_timestamp", point);
    }
    set_text(branch, "init_source", spec->schema_only ? "schema-only" : "");
    set_expiry(branch, spec->expires_ms);

    json_t *endpoints = json_array();
    json_array_append_new(endpoints, new_endpoint(&spec->endpoint));

    CLEANUP(json_free_at) json_t *root = json_object();
    json_object_set_new(root, "branch", branch);
    json_object_set_new(root, "endpoints", endpoints);
    json_t *annotations = new_annotations(&spec->mark);
    for (size_t i = 0; i < spec->annotation_count; i++) {
        set_text(annotations, spec->annotations[i].name, spec->annotations[i].value);
    }
    set_object(root, "annotation_value", annotations);
    append_json(body, root);
}

void neon_request_body_endpoint(Text *body, const char *branch_id, const NeonEndpointSpec *spec)
{
    json_t *endpoint = new_endpoint(spec);
    set_text(endpoint, "branch_id", branch_id);

    CLEANUP(json_free_at) json_t *root = json_object();
    json_object_set_new(root, "endpoint", endpoint);
    append_json(body, root);
}

void neon_request_body_retention(Text *body, int64_t history_retention_seconds)
{
    CLEANUP(json_free_at)
    json_t *root = json_pack("{s:{s:I}}", "project", "history_retention_seconds",
                             (json_int_t)history_retention_seconds);
    append_json(body, root);
}

void neon_request_body_changes(Text *body, const NeonEndpointSpec *changes)
{
    json_t *endpoint = json_object();
    set_endpoint_settings(endpoint, changes);
    CLEANUP(json_free_at) json_t *root = json_object();
    json_object_set_new(root, "endpoint", endpoint);
    append_json(body, root);
}

void neon_request_body_expiry(Text *body, int64_t expires_ms)
{
    json_t *branch = json_object();
    set_expiry(branch, expires_ms);
    CLEANUP(json_free_at) json_t *root = json_object();
    json_object_set_new(root, "branch", branch);
    append_json(body, root);
}

void neon_request_body_restore(Text *body, const char *source_branch_id,
                               const char *preserve_under_name)
{
    CLEANUP(json_free_at) json_t *root = json_object();
    set_text(root, "source_branch_id", source_branch_id);
    set_text(root, "preserve_under_name", preserve_under_name);
    append_json(body, root);
}
