#include "compute.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#include "files.h"
#include "instance.h"
#include "log.h"
#include "module.h"

enum { COMPUTE_SWEEP_MS = 200, COMPUTE_STATE_PATH_MOST = 80 };

bool compute_add_endpoint(Compute *compute, Endpoint *endpoint)
{
    endpoint->relay = relay_open(&compute->sandbox->loop, endpoint, 0, &compute->relay_owner);
    if (endpoint->relay == NULL) {
        return false;
    }
    endpoint->port = relay_port(endpoint->relay);
    return true;
}

void compute_remove_endpoint(Compute *compute, Endpoint *endpoint)
{
    (void)compute;
    if (endpoint->relay != NULL) {
        relay_close(endpoint->relay);
        endpoint->relay = NULL;
    }
}

static void end_stop(Work *work, const char *error)
{
    (void)error;
    instance_merge(work);
}

static void end_silently(Work *work, const char *error)
{
    (void)work;
    (void)error;
}

void compute_remove_project(Compute *compute, Project *project)
{
    for (Endpoint *endpoint = project->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        compute_remove_endpoint(compute, endpoint);
    }
    for (Branch *branch = project->branches; branch != NULL; branch = branch->next) {
        if (branch->instance != NULL && !branch->instance->is_removed && !compute->is_closing) {
            instance_remove(instance_new_work(branch->instance, compute, end_silently));
        }
    }
}

void compute_stop_project(Compute *compute, Project *project)
{
    for (Endpoint *endpoint = project->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        compute_remove_endpoint(compute, endpoint);
    }
    for (Branch *branch = project->branches; branch != NULL; branch = branch->next) {
        if (branch->instance != NULL && !branch->instance->is_removed && !compute->is_closing) {
            instance_stop(instance_new_work(branch->instance, compute, end_stop));
        }
    }
}

static void end_sync(Work *work, const char *error)
{
    (void)error;
    /* At the end the calls that wait are gone already. */
    if (work->compute->is_closing) {
        return;
    }
    if (!store_is_locked(work->instance->branch->project)) {
        instance_merge(work);
    }
    work->then(work->argument);
}

void compute_sync(Compute *compute, Branch *branch, ComputeFunction done, void *argument)
{
    Instance *instance = branch == NULL ? NULL : branch->instance;
    if (instance == NULL || !instance->is_up || store_is_locked(branch->project) ||
        compute->is_closing) {
        done(argument);
        return;
    }
    Work *work = instance_new_work(instance, compute, end_sync);
    work->then = done;
    work->argument = argument;
    instance_read(work);
}

static void end_dump(Work *work, const char *error)
{
    if (work->compute->is_closing) {
        return;
    }
    json_t *sql = json_object_get(work->contents, "sql");
    if (sql != NULL) {
        json_object_set(work->result, "sql", sql);
    } else {
        json_object_set_new(work->result, "error", json_string(error == NULL ? "" : error));
    }
    work->then(work->argument);
}

void compute_dump(Compute *compute, Branch *branch, const char *database, json_t *ret,
                  ComputeFunction done, void *argument)
{
    Instance *instance = branch->instance;
    if (instance == NULL || compute->is_closing) {
        done(argument);
        return;
    }
    Work *work = instance_new_work(instance, compute, end_dump);
    work->then = done;
    work->argument = argument;
    work->result = ret;
    text_build(work->database, sizeof(work->database), "%s", database);
    instance_dump(work);
}

static int64_t suspend_ms(const Compute *compute, const Endpoint *endpoint)
{
    int64_t seconds = endpoint->settings.suspend_timeout_seconds;
    if (seconds < 0) {
        return INT64_MAX;
    }
    return seconds == 0 ? compute->sandbox->options.suspend_ms : seconds * 1000;
}

static void sweep_endpoint(Compute *compute, Endpoint *endpoint, int64_t now_ms)
{
    Instance *instance = endpoint->branch->instance;
    if (relay_has_waiting(endpoint->relay)) {
        if (compute_has_failed(endpoint)) {
            relay_give_up(endpoint->relay);
        } else {
            relay_continue(endpoint->relay);
        }
        return;
    }
    bool is_idle = endpoint->state == ENDPOINT_ACTIVE && instance != NULL && instance->is_up &&
                   relay_connections(endpoint->relay) == 0 && jobs_is_idle(&instance->jobs) &&
                   !store_is_locked(endpoint->project);
    if (is_idle && now_ms - endpoint->last_active_ms > suspend_ms(compute, endpoint)) {
        log_line("%s suspended", endpoint->id);
        endpoint->state = ENDPOINT_IDLE;
        endpoint->suspended_ms = now_ms;
        store_touch(&endpoint->mark);
        instance_stop(instance_new_work(instance, compute, end_stop));
    }
}

static void on_sweep(uv_timer_t *timer)
{
    Compute *compute = timer->data;
    int64_t now_ms = text_now_ms();
    const Project *project = compute->sandbox->store.projects;
    for (; project != NULL; project = project->next) {
        for (Endpoint *endpoint = project->endpoints; endpoint != NULL; endpoint = endpoint->next) {
            if (endpoint->relay != NULL) {
                sweep_endpoint(compute, endpoint, now_ms);
            }
        }
    }
}

/* What a crash left, and what this run needs. */
static bool prepare_folders(Compute *compute, const SpawnUser *user, char *ret_error,
                            size_t error_bytes)
{
    static const char *const NAMES[] = {"clusters", "sockets", "scratch"};
    char path[CLUSTER_PATH_BYTES];
    text_build(path, sizeof(path), "%s/clusters", compute->state_dir);
    cluster_end_left(path);
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        text_build(path, sizeof(path), "%s/%s", compute->state_dir, NAMES[i]);
        if (i > 0 || compute->sandbox->options.ephemeral) {
            files_remove_tree(path);
        }
        if (!files_make_dir(path, user)) {
            text_format(ret_error, error_bytes, "%s can't be made", path);
            return false;
        }
    }
    const char *const argv[] = {"/usr/bin/test", "-w", path, NULL};
    if (!spawn_run(user, argv, "/dev/null")) {
        text_format(ret_error, error_bytes,
                    "--state %s can't be reached by the user of the clusters (--user); choose a "
                    "folder whose parents others may enter",
                    compute->state_dir);
        return false;
    }
    return true;
}

static bool resolve_state_dir(Compute *compute, char *ret_error, size_t error_bytes)
{
    char real[PATH_MAX];
    const char *dir = compute->sandbox->options.state_dir;
    if (realpath(dir, real) == NULL || strlen(real) > COMPUTE_STATE_PATH_MOST) {
        text_format(ret_error, error_bytes,
                    "--state %s: the path may have %d bytes at most (sockets have short names)",
                    dir, COMPUTE_STATE_PATH_MOST);
        return false;
    }
    text_build(compute->state_dir, sizeof(compute->state_dir), "%s", real);
    return true;
}

static bool open_cache(const Compute *compute, const SpawnUser *user, char ret_dir[PATH_MAX],
                       char *ret_error, size_t error_bytes)
{
    const char *wanted = compute->sandbox->options.cache_dir;
    if (wanted == NULL) {
        return text_copy(ret_dir, PATH_MAX, compute->state_dir) &&
               files_make_dir(compute->state_dir, &(SpawnUser){0});
    }
    if (!files_make_dir(wanted, user) || realpath(wanted, ret_dir) == NULL) {
        text_format(ret_error, error_bytes, "--cache %s can't be made", wanted);
        return false;
    }
    return true;
}

static bool open_parts(Compute *compute, char *ret_error, size_t error_bytes)
{
    SpawnUser user;
    char cache[PATH_MAX];
    char scratch[CLUSTER_PATH_BYTES];
    const Options *options = &compute->sandbox->options;
    if (!resolve_state_dir(compute, ret_error, error_bytes) ||
        !spawn_find_user(options->user, &user, ret_error, error_bytes) ||
        !prepare_folders(compute, &user, ret_error, error_bytes) ||
        !open_cache(compute, &user, cache, ret_error, error_bytes)) {
        return false;
    }
    versions_remove_left(cache);
    text_build(scratch, sizeof(scratch), "%s/scratch", compute->state_dir);
    char module[CLUSTER_PATH_BYTES];
    text_build(module, sizeof(module), "%s/neon_ddl.so", compute->state_dir);
    if (!module_write(module, &user)) {
        text_format(ret_error, error_bytes, "%s can't be written", module);
        return false;
    }
    if (!versions_open(&compute->versions, options, &user, cache, scratch, ret_error,
                       error_bytes)) {
        return false;
    }
    text_build(compute->versions.module_path, sizeof(compute->versions.module_path), "%s", module);
    compute->versions.logs_statements = options->logs_statements;
    compute->versions.history_mb = options->history_mb;
    compute->tls = tls_open(compute->state_dir);
    if (compute->tls == NULL) {
        text_format(ret_error, error_bytes, "no certificate authority could be made");
        return false;
    }
    return true;
}

static void find_sharing(Compute *compute)
{
    char path[CLUSTER_PATH_BYTES];
    text_build(path, sizeof(path), "%s/clusters", compute->state_dir);
    compute->shares_blocks = files_share_blocks(path);
    if (compute->shares_blocks) {
        log_line("branches share blocks with their parents: they cost disk for what changes");
    } else {
        log_line("branches are whole copies on disk: the file system of %s can't share blocks "
                 "(XFS and Btrfs can)",
                 compute->state_dir);
    }
}

Compute *compute_open(Sandbox *sandbox, char *ret_error, size_t error_bytes)
{
    Compute *compute = calloc(1, sizeof(*compute));
    if (compute == NULL) {
        abort();
    }
    compute->sandbox = sandbox;
    compute->pool.loop = &sandbox->loop;
    compute->relay_owner = compute_build_relay_owner(compute);
    if (!open_parts(compute, ret_error, error_bytes)) {
        versions_close(&compute->versions);
        free(compute);
        return NULL;
    }
    find_sharing(compute);
    uv_timer_init(&sandbox->loop, &compute->sweep);
    compute->sweep.data = compute;
    uv_timer_start(&compute->sweep, on_sweep, COMPUTE_SWEEP_MS, COMPUTE_SWEEP_MS);
    return compute;
}

bool compute_shares_blocks(const Compute *compute)
{
    return compute->shares_blocks;
}

const char *compute_ca_file(const Compute *compute)
{
    return tls_ca_file(compute->tls);
}

int compute_versions(const Compute *compute, int *ret_majors, int most)
{
    int count = compute->versions.count < most ? compute->versions.count : most;
    for (int i = 0; i < count; i++) {
        ret_majors[i] = compute->versions.list[i].major;
    }
    return count;
}

static void close_endpoints(Compute *compute)
{
    const Project *project = compute->sandbox->store.projects;
    for (; project != NULL; project = project->next) {
        for (Endpoint *endpoint = project->endpoints; endpoint != NULL; endpoint = endpoint->next) {
            compute_remove_endpoint(compute, endpoint);
        }
    }
}

/* All at once, then one after another: the shutdowns overlap. */
static void stop_clusters(Compute *compute, bool immediate)
{
    Instance *instance = NULL;
    DL_FOREACH(compute->instances, instance)
    {
        if (instance->cluster.pid != 0) {
            kill(instance->cluster.pid, immediate ? SIGQUIT : SIGINT);
        }
    }
    Instance *next = NULL;
    DL_FOREACH_SAFE(compute->instances, instance, next)
    {
        cluster_stop(&instance->cluster, immediate);
        free(instance);
    }
    compute->instances = NULL;
}

static void remove_files(const Compute *compute)
{
    static const char *const NAMES[] = {"clusters", "sockets", "scratch",
                                        "ca.pem",   "ca.key",  "neon_ddl.so"};
    char path[CLUSTER_PATH_BYTES];
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        text_build(path, sizeof(path), "%s/%s", compute->state_dir, NAMES[i]);
        files_remove_tree(path);
    }
    for (int i = 0; compute->sandbox->options.cache_dir == NULL && i < compute->versions.count;
         i++) {
        files_remove_tree(compute->versions.list[i].template_dir);
    }
}

void compute_close(Compute *compute, bool remove)
{
    compute->is_closing = true;
    close_endpoints(compute);
    uv_close((uv_handle_t *)&compute->sweep, NULL);
    jobs_stop(&compute->pool);
    stop_clusters(compute, remove);
    if (remove) {
        remove_files(compute);
    }
    versions_close(&compute->versions);
    tls_free(compute->tls);
    /* The closed handles are the loop's until it has run. */
    while (uv_is_active((uv_handle_t *)&compute->sweep)) {
        uv_run(&compute->sandbox->loop, UV_RUN_NOWAIT);
    }
    uv_run(&compute->sandbox->loop, UV_RUN_NOWAIT);
    compute->sandbox->compute = NULL;
    free(compute);
}
