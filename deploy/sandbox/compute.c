#include "compute.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#include "chain.h"
#include "files.h"
#include "instance.h"
#include "log.h"
#include "refuse.h"
#include "render.h"

enum { COMPUTE_SWEEP_MS = 200, COMPUTE_STATE_PATH_MOST = 80 };

static void note_up(Instance *instance)
{
    instance->is_up = !instance->is_removed;
    text_build(instance->address, sizeof(instance->address), "%s", instance->cluster.address);
    const Endpoint *endpoint = instance->branch->endpoint;
    if (endpoint != NULL && endpoint->relay != NULL) {
        relay_continue(endpoint->relay);
    }
}

static void end_operation(Work *work, const char *error)
{
    if (error != NULL) {
        log_warn("%s of %s: %s", render_action(work->operation->action),
                 work->operation->branch->id, error);
    }
    chain_end_work(work->compute->sandbox, work->operation, error);
}

static void end_created(Work *work, const char *error)
{
    Branch *branch = work->instance->branch;
    if (error == NULL) {
        branch->roles->is_applied = true;
        branch->databases->is_applied = true;
        note_up(work->instance);
    }
    end_operation(work, error);
}

static void end_started(Work *work, const char *error)
{
    if (error == NULL) {
        note_up(work->instance);
    }
    end_operation(work, error);
}

static void end_stopped(Work *work, const char *error)
{
    instance_merge(work);
    end_operation(work, error);
}

static void add_change(Work *work, ChangeKind kind, const char *name, const char *owner,
                       const char *password)
{
    Change *change = &work->changes[work->change_count++];
    change->kind = kind;
    text_build(change->name, sizeof(change->name), "%s", name);
    text_build(change->owner, sizeof(change->owner), "%s", owner);
    text_build(change->password, sizeof(change->password), "%s", password);
}

static void begin_create(Compute *compute, Operation *operation)
{
    Branch *branch = operation->branch;
    Instance *instance =
        branch->instance != NULL ? branch->instance : instance_new(compute, branch);
    Work *work = instance_new_work(instance, compute, end_created);
    work->operation = operation;
    add_change(work, CHANGE_CREATE_ROLE, branch->roles->name, "", branch->roles->password);
    add_change(work, CHANGE_CREATE_DATABASE, branch->databases->name, branch->databases->owner, "");
    instance_create(work);
}

static void begin_copy(Compute *compute, Operation *operation)
{
    Branch *branch = operation->branch;
    Instance *instance =
        branch->instance != NULL ? branch->instance : instance_new(compute, branch);
    Work *work = instance_new_work(instance, compute, end_operation);
    work->operation = operation;
    work->parent = branch->parent->instance;
    instance_copy(work);
}

static void end_nothing(void *argument)
{
    Operation *operation = argument;
    chain_end_work(operation->sandbox, operation, NULL);
}

static void begin_on_instance(Compute *compute, Operation *operation)
{
    Work *work = instance_new_work(operation->branch->instance, compute, end_operation);
    work->operation = operation;
    switch (operation->action) {
    case ACTION_START_COMPUTE:
        work->done = end_started;
        instance_start(work);
        break;
    case ACTION_APPLY_CONFIG:
        work->done = end_started;
        work->changes[work->change_count++] = operation->change;
        instance_apply(work);
        break;
    case ACTION_SUSPEND_COMPUTE:
        work->done = end_stopped;
        instance_stop(work);
        break;
    case ACTION_DELETE_TIMELINE:
    case ACTION_CREATE_TIMELINE:
    case ACTION_CREATE_BRANCH:
        instance_remove(work);
        break;
    }
}

void compute_begin(Compute *compute, Operation *operation)
{
    if (compute->is_closing) {
        return;
    }
    if (operation->action == ACTION_CREATE_TIMELINE) {
        begin_create(compute, operation);
    } else if (operation->action == ACTION_CREATE_BRANCH) {
        begin_copy(compute, operation);
    } else if (operation->branch->instance == NULL) {
        timers_after(&compute->sandbox->timers, 0, end_nothing, operation);
    } else {
        begin_on_instance(compute, operation);
    }
}

static void end_wake(Work *work, const char *error)
{
    Instance *instance = work->instance;
    Endpoint *endpoint = instance->branch->endpoint;
    instance->is_waking = false;
    if (error != NULL) {
        log_warn("waking %s: %s", instance->branch->id, error);
        if (endpoint != NULL && endpoint->relay != NULL) {
            relay_give_up(endpoint->relay);
        }
        return;
    }
    if (endpoint != NULL && endpoint->state == ENDPOINT_IDLE) {
        log_line("%s woken", endpoint->id);
        endpoint->state = ENDPOINT_ACTIVE;
        endpoint->last_active_ms = text_now_ms();
    }
    note_up(instance);
}

static const char *find_address(void *context, Endpoint *endpoint)
{
    Compute *compute = context;
    Instance *instance = endpoint->branch->instance;
    if (instance != NULL && instance->is_up) {
        return instance->address;
    }
    bool is_on_its_way = instance == NULL || instance->is_waking ||
                         (endpoint->state == ENDPOINT_INIT && store_is_locked(endpoint->project));
    if (!is_on_its_way && !compute->is_closing && !instance->is_removed) {
        instance->is_waking = true;
        instance_start(instance_new_work(instance, compute, end_wake));
    }
    return NULL;
}

static void on_unreachable(void *context, Endpoint *endpoint)
{
    (void)context;
    if (endpoint->branch->instance != NULL) {
        endpoint->branch->instance->is_up = false;
    }
}

static bool refuses(void *context, Endpoint *endpoint)
{
    Compute *compute = context;
    return faults_take_login(&compute->sandbox->faults, endpoint->id, text_now_ms());
}

/* A refused login on its thread. */
typedef struct Refusal {
    JobQueue queue;
    const Tls *tls;
    char host[INSTANCE_HOST_BYTES];
    char pooler_host[INSTANCE_HOST_BYTES];
    int file;
} Refusal;

static bool run_refusal(Job *job)
{
    const Refusal *refusal = job->context;
    const char *const hosts[2] = {refusal->host, refusal->pooler_host};
    refuse_login(refusal->tls, hosts, refusal->file);
    return true;
}

static void end_refusal(Job *job)
{
    free(job->context);
}

static void refuse(void *context, Endpoint *endpoint, int file)
{
    Compute *compute = context;
    Refusal *refusal = calloc(1, sizeof(*refusal));
    if (refusal == NULL) {
        abort();
    }
    jobs_init(&refusal->queue, &compute->pool);
    refusal->tls = compute->tls;
    refusal->file = file;
    render_host(endpoint, false, refusal->host);
    render_host(endpoint, true, refusal->pooler_host);
    jobs_submit(&refusal->queue, run_refusal, end_refusal, refusal);
    log_line("%s refuses a login (fault)", endpoint->id);
}

bool compute_add_endpoint(Compute *compute, Endpoint *endpoint)
{
    endpoint->relay = relay_open(&compute->sandbox->loop, endpoint, &compute->relay_owner);
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
    Instance *instance = branch->instance;
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

static void end_suspend(Work *work, const char *error)
{
    (void)error;
    instance_merge(work);
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
        relay_continue(endpoint->relay);
        return;
    }
    bool is_idle = endpoint->state == ENDPOINT_ACTIVE && instance != NULL && instance->is_up &&
                   relay_connections(endpoint->relay) == 0 && jobs_is_idle(&instance->jobs) &&
                   !store_is_locked(endpoint->project);
    if (is_idle && now_ms - endpoint->last_active_ms > suspend_ms(compute, endpoint)) {
        log_line("%s suspended", endpoint->id);
        endpoint->state = ENDPOINT_IDLE;
        endpoint->suspended_ms = now_ms;
        instance_stop(instance_new_work(instance, compute, end_suspend));
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
        files_remove_tree(path);
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
    text_build(scratch, sizeof(scratch), "%s/scratch", compute->state_dir);
    if (!versions_open(&compute->versions, options, &user, cache, scratch, ret_error,
                       error_bytes)) {
        return false;
    }
    compute->tls = tls_open(compute->state_dir);
    if (compute->tls == NULL) {
        text_format(ret_error, error_bytes, "no certificate authority could be made");
        return false;
    }
    return true;
}

Compute *compute_open(Sandbox *sandbox, char *ret_error, size_t error_bytes)
{
    Compute *compute = calloc(1, sizeof(*compute));
    if (compute == NULL) {
        abort();
    }
    compute->sandbox = sandbox;
    compute->pool.loop = &sandbox->loop;
    compute->relay_owner = (RelayOwner){compute, refuses, refuse, find_address, on_unreachable};
    if (!open_parts(compute, ret_error, error_bytes)) {
        versions_close(&compute->versions);
        free(compute);
        return NULL;
    }
    uv_timer_init(&sandbox->loop, &compute->sweep);
    compute->sweep.data = compute;
    uv_timer_start(&compute->sweep, on_sweep, COMPUTE_SWEEP_MS, COMPUTE_SWEEP_MS);
    return compute;
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
    static const char *const NAMES[] = {"clusters", "sockets", "scratch", "ca.pem"};
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
