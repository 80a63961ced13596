#include "instance.h"

#include <dirent.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "knowledge.h"
#include "render.h"
#include "sql.h"
#include "sql_schema.h"
#include "told.h"

/* Numbers are a cluster's own; the id before it is that of the branch it was made for, which
 * another name may have taken over (preserve_under_name). */
static void build_dir(const Compute *compute, const Branch *branch, char *ret_dir, size_t size)
{
    char ending[16];
    text_format(ending, sizeof(ending), ".%d", branch->cluster_number);
    text_build(ret_dir, size, "%s/clusters/%s%s", compute->state_dir, branch->id, ending);
    if (access(ret_dir, F_OK) == 0) {
        return;
    }
    char clusters[CLUSTER_PATH_BYTES];
    text_build(clusters, sizeof(clusters), "%s/clusters", compute->state_dir);
    DIR *list = opendir(clusters);
    for (const struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL;
         entry = readdir(list)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot != NULL && dot != entry->d_name && strcmp(dot, ending) == 0) {
            text_build(ret_dir, size, "%s/%s", clusters, entry->d_name);
        }
    }
    if (list != NULL) {
        closedir(list);
    }
}

Instance *instance_new(Compute *compute, Branch *branch)
{
    /* A restored branch gets a new cluster while the old one may still be there. */
    branch->cluster_number = ++compute->next_number;
    branch->told_bytes = 0;
    store_touch(&branch->mark);
    return instance_open(compute, branch);
}

Instance *instance_open(Compute *compute, Branch *branch)
{
    Instance *instance = calloc(1, sizeof(*instance));
    if (instance == NULL) {
        abort();
    }
    Cluster *cluster = &instance->cluster;
    build_dir(compute, branch, cluster->dir, sizeof(cluster->dir));
    text_build(cluster->socket_dir, sizeof(cluster->socket_dir), "%s/sockets/%d",
               compute->state_dir, branch->cluster_number);
    cluster->told_bytes = (long)branch->told_bytes;
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
        work->settings = settings_build(endpoint);
    }
    settings_build_libraries(endpoint, instance->cluster.version, work->libraries);
    return work;
}

static void end_work(Job *job)
{
    Work *work = job->context;
    if (job->is_ok) {
        knowledge_note_done(work->instance->branch, work->known);
    }
    if (work->end_lsn != 0) {
        work->instance->end_lsn = work->end_lsn;
    }
    work->done(work, job->is_ok ? NULL : job->error);
    store_touch(&work->instance->branch->mark);
    json_decref(work->contents);
    json_decref(work->known);
    json_decref(work->settings);
    sodium_memzero(work->changes, sizeof(work->changes));
    free(work);
}

/* Before anybody is let in, as at Neon. */
static bool configure(Job *job)
{
    Work *work = job->context;
    if (work->known == NULL) {
        return true;
    }
    PGconn *connection = cluster_connect(&work->instance->cluster, "postgres");
    bool configured = sql_configure(connection, work->known, job->error, sizeof(job->error));
    PQfinish(connection);
    return configured;
}

static bool run_start(Job *job)
{
    Work *work = job->context;
    Cluster *cluster = &work->instance->cluster;
    text_build(cluster->host, sizeof(cluster->host), "%s", work->host);
    text_build(cluster->pooler_host, sizeof(cluster->pooler_host), "%s", work->pooler_host);
    cluster->settings = work->settings;
    cluster->libraries = work->libraries;
    bool started = cluster_start(cluster, job->error, sizeof(job->error));
    cluster->settings = NULL;
    cluster->libraries = NULL;
    return started && configure(job);
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
    Cluster *cluster = &work->instance->cluster;
    return cluster_create(cluster, job->error, sizeof(job->error)) && run_apply(job) &&
           cluster_begin_history(cluster, work->begin_ms, &work->end_lsn);
}

static bool empty_databases(Job *job)
{
    Work *work = job->context;
    Cluster *cluster = &work->instance->cluster;
    PGconn *connection = cluster_connect(cluster, "postgres");
    json_t *contents = sql_read_contents(connection);
    PQfinish(connection);
    size_t i = 0;
    const json_t *row = NULL;
    bool emptied = contents != NULL;
    json_array_foreach(json_object_get(contents, "databases"), i, row)
    {
        connection = cluster_connect(cluster, json_string_value(json_array_get(row, 0)));
        emptied = emptied && sql_empty_tables(connection, job->error, sizeof(job->error));
        PQfinish(connection);
    }
    json_decref(contents);
    return emptied;
}

static void read_contents(Work *work)
{
    Cluster *cluster = &work->instance->cluster;
    PGconn *connection = cluster_connect(cluster, "postgres");
    /* First what was told: it comes before its commit. */
    json_t *told = told_read(cluster);
    json_t *contents = sql_read_contents(connection);
    work->contents = contents == NULL ? json_object() : contents;
    json_object_set_new(work->contents, "forwarded", told);
    json_object_set_new(work->contents, "told_bytes", json_integer(cluster->told_bytes));
    PGresult *result = PQexec(connection, "SELECT pg_current_wal_insert_lsn()");
    if (PQntuples(result) == 1) {
        (void)wal_parse_lsn(PQgetvalue(result, 0, 0), &work->end_lsn);
    }
    PQclear(result);
    PQfinish(connection);
}

static bool copy_data(Job *job)
{
    Work *work = job->context;
    Cluster *cluster = &work->instance->cluster;
    if (work->point.lsn == 0 && work->point.time_ms == 0) {
        return cluster_copy(&work->parent->cluster, cluster, &work->copied_lsn, job->error,
                            sizeof(job->error));
    }
    if (!cluster_copy_at(&work->parent->cluster, cluster, &work->point, &work->copied_lsn,
                         job->error, sizeof(job->error))) {
        return false;
    }
    read_contents(work);
    return true;
}

static bool run_copy(Job *job)
{
    Work *work = job->context;
    Cluster *cluster = &work->instance->cluster;
    int64_t begin_us = text_monotonic_us();
    bool copied = copy_data(job);
    work->copied_ms = (text_monotonic_us() - begin_us) / 1000;
    files_measure_tree(cluster->dir, &work->usage);
    if (copied && work->empties) {
        copied = cluster_start(cluster, job->error, sizeof(job->error)) && empty_databases(job) &&
                 cluster_begin_history(cluster, work->begin_ms, &work->end_lsn);
    }
    cluster_stop(cluster, false);
    if (copied) {
        work->end_lsn = cluster_read_lsn(cluster);
    }
    return copied;
}

static bool run_read(Job *job)
{
    Work *work = job->context;
    if (work->instance->cluster.pid != 0) {
        read_contents(work);
    }
    return true;
}

static bool run_dump(Job *job)
{
    Work *work = job->context;
    Cluster *cluster = &work->instance->cluster;
    bool was_down = cluster->pid == 0;
    if (!run_start(job)) {
        return false;
    }
    PGconn *connection = cluster_connect(cluster, work->database);
    char *sql = sql_dump_schema(connection, job->error, sizeof(job->error));
    PQfinish(connection);
    if (sql != NULL) {
        work->contents = json_pack("{s:o}", "sql", json_string(sql));
    }
    free(sql);
    if (was_down) {
        cluster_stop(cluster, false);
    }
    return work->contents != NULL;
}

static bool run_stop(Job *job)
{
    Work *work = job->context;
    Cluster *cluster = &work->instance->cluster;
    run_read(job);
    cluster_stop(cluster, false);
    work->end_lsn = cluster_read_lsn(cluster);
    return true;
}

static bool run_remove(Job *job)
{
    Work *work = job->context;
    cluster_remove(&work->instance->cluster);
    return true;
}

static void set_known(Work *work)
{
    bool reverts = work->compute->sandbox->options.reverts;
    work->known = knowledge_build(work->instance->branch, reverts);
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
    set_known(work);
    jobs_submit(&work->instance->jobs, run_start, end_work, work);
}

void instance_apply(Work *work)
{
    set_known(work);
    jobs_submit(&work->instance->jobs, run_apply, end_work, work);
}

void instance_read(Work *work)
{
    jobs_submit(&work->instance->jobs, run_read, end_work, work);
}

void instance_dump(Work *work)
{
    set_known(work);
    jobs_submit(&work->instance->jobs, run_dump, end_work, work);
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

void instance_merge(Work *work)
{
    Branch *branch = work->instance->branch;
    if (work->contents != NULL && store_is_alive(&branch->life)) {
        knowledge_merge(&work->compute->sandbox->store, branch, work->contents, text_now_ms());
        branch->told_bytes = json_integer_value(json_object_get(work->contents, "told_bytes"));
    }
}
