#include "instance.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "render.h"
#include "sql.h"

Instance *instance_new(Compute *compute, Branch *branch)
{
    Instance *instance = calloc(1, sizeof(*instance));
    if (instance == NULL) {
        abort();
    }
    Cluster *cluster = &instance->cluster;
    text_build(cluster->dir, sizeof(cluster->dir), "%s/clusters/%s", compute->state_dir,
               branch->id);
    text_build(cluster->socket_dir, sizeof(cluster->socket_dir), "%s/sockets/%u",
               compute->state_dir, ++compute->next_socket);
    cluster->versions = &compute->versions;
    cluster->version = versions_find(&compute->versions, branch->project->pg_version);
    cluster->tls = compute->tls;
    instance->branch = branch;
    jobs_init(&instance->jobs, &compute->pool);
    branch->instance = instance;
    DL_APPEND(compute->instances, instance);
    return instance;
}

Work *instance_new_work(Instance *instance, Compute *compute, WorkDone done)
{
    Work *work = calloc(1, sizeof(*work));
    if (work == NULL) {
        abort();
    }
    *work = (Work){.compute = compute, .instance = instance, .done = done};
    const Endpoint *endpoint = instance->branch->endpoint;
    if (endpoint != NULL) {
        render_host(endpoint, false, work->host);
        render_host(endpoint, true, work->pooler_host);
    }
    return work;
}

static void end_work(Job *job)
{
    Work *work = job->context;
    work->done(work, job->is_ok ? NULL : job->error);
    json_decref(work->contents);
    sodium_memzero(work->changes, sizeof(work->changes));
    free(work);
}

static bool run_start(Job *job)
{
    Work *work = job->context;
    Cluster *cluster = &work->instance->cluster;
    text_build(cluster->host, sizeof(cluster->host), "%s", work->host);
    text_build(cluster->pooler_host, sizeof(cluster->pooler_host), "%s", work->pooler_host);
    return cluster_start(cluster, job->error, sizeof(job->error));
}

static PGconn *connect_inside(void *context, const char *database)
{
    return cluster_connect(context, database);
}

static bool run_apply(Job *job)
{
    Work *work = job->context;
    Cluster *cluster = &work->instance->cluster;
    if (!run_start(job)) {
        return false;
    }
    PGconn *connection = cluster_connect(cluster, "postgres");
    bool applied = true;
    for (int i = 0; applied && i < work->change_count; i++) {
        applied = sql_apply_change(connection, &work->changes[i], connect_inside, cluster,
                                   job->error, sizeof(job->error));
    }
    PQfinish(connection);
    return applied;
}

static bool run_create(Job *job)
{
    Work *work = job->context;
    return cluster_create(&work->instance->cluster, job->error, sizeof(job->error)) &&
           run_apply(job);
}

static bool run_copy(Job *job)
{
    Work *work = job->context;
    return cluster_copy(&work->parent->cluster, &work->instance->cluster, job->error,
                        sizeof(job->error));
}

static bool run_read(Job *job)
{
    Work *work = job->context;
    if (work->instance->cluster.pid != 0) {
        PGconn *connection = cluster_connect(&work->instance->cluster, "postgres");
        work->contents = sql_read_contents(connection);
        PQfinish(connection);
    }
    return true;
}

static bool run_stop(Job *job)
{
    Work *work = job->context;
    run_read(job);
    cluster_stop(&work->instance->cluster, false);
    return true;
}

static bool run_remove(Job *job)
{
    Work *work = job->context;
    cluster_remove(&work->instance->cluster);
    return true;
}

void instance_create(Work *work)
{
    jobs_submit(&work->instance->jobs, run_create, end_work, work);
}

void instance_copy(Work *work)
{
    jobs_submit(&work->parent->jobs, run_copy, end_work, work);
}

void instance_start(Work *work)
{
    work->instance->is_up = false;
    jobs_submit(&work->instance->jobs, run_start, end_work, work);
}

void instance_apply(Work *work)
{
    jobs_submit(&work->instance->jobs, run_apply, end_work, work);
}

void instance_read(Work *work)
{
    jobs_submit(&work->instance->jobs, run_read, end_work, work);
}

void instance_stop(Work *work)
{
    work->instance->is_up = false;
    jobs_submit(&work->instance->jobs, run_stop, end_work, work);
}

void instance_remove(Work *work)
{
    work->instance->is_up = false;
    work->instance->is_removed = true;
    jobs_submit(&work->instance->jobs, run_remove, end_work, work);
}

void instance_note_up(Instance *instance)
{
    instance->is_up = !instance->is_removed;
    text_build(instance->address, sizeof(instance->address), "%s", instance->cluster.address);
    const Endpoint *endpoint = instance->branch->endpoint;
    if (endpoint != NULL && endpoint->relay != NULL) {
        relay_continue(endpoint->relay);
    }
}

static const json_t *find_pair(const json_t *list, const char *name)
{
    size_t i = 0;
    const json_t *pair = NULL;
    json_array_foreach(list, i, pair)
    {
        if (strcmp(json_string_value(json_array_get(pair, 0)), name) == 0) {
            return pair;
        }
    }
    return NULL;
}

static void merge_roles(Store *store, Branch *branch, const json_t *found, int64_t now_ms)
{
    for (Role *role = branch->roles; role != NULL; role = role->next) {
        if (store_is_alive(&role->life) && role->is_applied &&
            find_pair(found, role->name) == NULL) {
            store_delete_role(store, role, now_ms);
        }
    }
    size_t i = 0;
    const json_t *pair = NULL;
    json_array_foreach(found, i, pair)
    {
        const char *name = json_string_value(json_array_get(pair, 0));
        Role *role = store_find_role(branch, name);
        if (role == NULL) {
            role = store_add_role(store, branch, name, now_ms);
        }
        role->is_applied = true;
        role->no_login = strcmp(json_string_value(json_array_get(pair, 1)), "t") != 0;
    }
}

static void merge_databases(Store *store, Branch *branch, const json_t *found, int64_t now_ms)
{
    for (Database *database = branch->databases; database != NULL; database = database->next) {
        if (store_is_alive(&database->life) && database->is_applied &&
            find_pair(found, database->name) == NULL) {
            store_delete_database(store, database, now_ms);
        }
    }
    size_t i = 0;
    const json_t *pair = NULL;
    json_array_foreach(found, i, pair)
    {
        const char *name = json_string_value(json_array_get(pair, 0));
        const char *owner = json_string_value(json_array_get(pair, 1));
        Database *database = store_find_database(branch, name);
        if (database == NULL) {
            database = store_add_database(store, branch, name, owner, now_ms);
        }
        database->is_applied = true;
        text_build(database->owner, sizeof(database->owner), "%s", owner);
    }
}

void instance_merge(Work *work)
{
    Branch *branch = work->instance->branch;
    if (work->contents == NULL || !store_is_alive(&branch->life)) {
        return;
    }
    Store *store = &work->compute->sandbox->store;
    int64_t now_ms = text_now_ms();
    merge_roles(store, branch, json_object_get(work->contents, "roles"), now_ms);
    merge_databases(store, branch, json_object_get(work->contents, "databases"), now_ms);
}
