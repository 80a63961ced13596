#include "seed.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "chain.h"
#include "compute.h"
#include "files.h"
#include "handlers.h"
#include "log.h"
#include "psql.h"
#include "render.h"
#include "saved.h"

/* Words that saved.h keeps: the project's id, and whether the file is in it. */
static const char WORD_PROJECT[] = "seed_project";
static const char WORD_DONE[] = "seed_done";

static void drop(Sandbox *sandbox, Project *project)
{
    store_delete_project(&sandbox->store, project, text_now_ms());
    chain_abandon(sandbox, project);
}

static Project *find_project(const Sandbox *sandbox)
{
    char id[IDS_BYTES] = "";
    if (sandbox->saved != NULL) {
        saved_get(sandbox->saved, WORD_PROJECT, id, sizeof(id));
    } else {
        text_build(id, sizeof(id), "%s", sandbox->seed_project);
    }
    return id[0] == '\0' ? NULL : store_find_project(&sandbox->store, id);
}

static bool is_done(const Sandbox *sandbox)
{
    char done[8] = "";
    if (sandbox->saved != NULL) {
        saved_get(sandbox->saved, WORD_DONE, done, sizeof(done));
    }
    return done[0] != '\0';
}

/* As a client of the API would, with a key of the first organization. */
static Project *create_project(Sandbox *sandbox, char *ret_error, size_t error_bytes)
{
    Key key = {.kind = KEY_ORGANIZATION, .organization_count = 1};
    text_build(key.organizations[0], IDS_BYTES, "%s", sandbox->keys.list[0].organizations[0]);
    text_build(key.account_id, sizeof(key.account_id), "%s", key.organizations[0]);
    json_t *body = json_pack("{s:{s:s}}", "project", "name", "seed");
    Exchange exchange = {.sandbox = sandbox, .key = &key, .body = body, .now_ms = text_now_ms()};
    projects_create(&exchange);
    const char *id =
        json_string_value(json_object_get(json_object_get(exchange.reply, "project"), "id"));
    Project *project = id == NULL ? NULL : store_find_project(&sandbox->store, id);
    if (project == NULL) {
        const char *message = json_string_value(json_object_get(exchange.reply, "message"));
        text_format(ret_error, error_bytes, "no project could be made: %s",
                    message == NULL ? "" : message);
    }
    json_decref(exchange.reply);
    json_decref(body);
    return project;
}

static bool await_project(Sandbox *sandbox, const Project *project, char *ret_error,
                          size_t error_bytes)
{
    while (store_is_locked(project) && !sandbox->is_stopping) {
        uv_run(&sandbox->loop, UV_RUN_ONCE);
    }
    if (sandbox->is_stopping) {
        text_format(ret_error, error_bytes, "stopped");
        return false;
    }
    for (const Operation *operation = project->operations; operation != NULL;
         operation = operation->next) {
        if (operation->status == OPERATION_FAILED) {
            text_format(ret_error, error_bytes, "%s", operation->error);
            return false;
        }
    }
    return true;
}

static bool note(Sandbox *sandbox, const char *word, const char *value)
{
    return sandbox->saved == NULL || saved_set(sandbox->saved, word, value);
}

static bool fill(Sandbox *sandbox, Project *project, char *ret_error, size_t error_bytes)
{
    const char *file = sandbox->options.seed_file;
    const Branch *branch = project->default_branch;
    text_build(sandbox->seed_project, sizeof(sandbox->seed_project), "%s", project->id);
    if (!note(sandbox, WORD_PROJECT, project->id) ||
        !await_project(sandbox, project, ret_error, error_bytes)) {
        return false;
    }
    int64_t begin_us = text_monotonic_us();
    if (!psql_run_file(sandbox, branch->endpoint, branch->roles, branch->databases->name, file,
                       ret_error, error_bytes)) {
        return false;
    }
    log_line("seeded branch %s of project %s from %s in %lld ms", branch->id, project->id, file,
             (long long)((text_monotonic_us() - begin_us) / 1000));
    return note(sandbox, WORD_DONE, "yes");
}

bool seed_apply(Sandbox *sandbox, char *ret_error, size_t error_bytes)
{
    char error[COMPUTE_ERROR_BYTES * 2] = "";
    const char *file = sandbox->options.seed_file;
    if (file == NULL || is_done(sandbox)) {
        return true;
    }
    if (access(file, R_OK) != 0) {
        text_format(ret_error, error_bytes, "--seed %s: %s", file, strerror(errno));
        return false;
    }
    Project *left = find_project(sandbox);
    if (left != NULL) {
        drop(sandbox, left);
    }
    Project *project = create_project(sandbox, error, sizeof(error));
    bool applied = project != NULL && fill(sandbox, project, error, sizeof(error));
    if (!applied && project != NULL) {
        drop(sandbox, project);
    }
    if (!applied) {
        text_format(ret_error, error_bytes, "--seed: %.900s", error);
    }
    return applied;
}

static void build_path(const Sandbox *sandbox, char *ret_path, size_t size)
{
    text_build(ret_path, size, "%s/seed.uri", sandbox->options.state_dir);
}

bool seed_write_uri(const Sandbox *sandbox, char *ret_path, size_t path_bytes)
{
    char uri[RENDER_URI_BYTES];
    char line[RENDER_URI_BYTES + 1];
    const Project *project = find_project(sandbox);
    const Branch *branch = project == NULL ? NULL : project->default_branch;
    seed_remove_uri(sandbox);
    if (branch == NULL || branch->endpoint == NULL || branch->roles == NULL ||
        branch->databases == NULL) {
        return false;
    }
    build_path(sandbox, ret_path, path_bytes);
    render_uri(branch->endpoint, branch->roles, branch->databases->name, false, uri);
    text_build(line, sizeof(line), "%s\n", uri);
    bool written = files_write(ret_path, line, strlen(line), 0600, &(SpawnUser){0});
    sodium_memzero(uri, sizeof(uri));
    sodium_memzero(line, sizeof(line));
    return written;
}

void seed_remove_uri(const Sandbox *sandbox)
{
    char path[PATH_MAX];
    build_path(sandbox, path, sizeof(path));
    unlink(path);
}
