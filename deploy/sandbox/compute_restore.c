/* After a restart: what the store says and what lies in the state folder are brought together. */
#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "files.h"
#include "instance.h"
#include "log.h"

static bool has_data(const Instance *instance)
{
    char path[PATH_MAX];
    text_build(path, sizeof(path), "%s/data/PG_VERSION", instance->cluster.dir);
    return access(path, F_OK) == 0;
}

static bool check_data(const Compute *compute, const Instance *instance, char *ret_error,
                       size_t error_bytes)
{
    char path[PATH_MAX];
    const Cluster *cluster = &instance->cluster;
    const Project *project = instance->branch->project;
    if (cluster->version == NULL) {
        text_format(
            ret_error, error_bytes,
            "project %s in --state %s has PostgreSQL %d; add its installation as --postgres",
            project->id, compute->state_dir, project->pg_version);
        return false;
    }
    text_build(path, sizeof(path), "%s/data/PG_VERSION", cluster->dir);
    if (access(path, F_OK) != 0) {
        text_format(ret_error, error_bytes,
                    "%s is missing, the data of branch %s; put it back, or remove %s to begin anew",
                    path, instance->branch->id, compute->state_dir);
        return false;
    }
    return true;
}

/* Servers that a crash left have been ended: what is still noted is another process by now. */
static void forget_server(const Cluster *cluster)
{
    char path[PATH_MAX];
    text_build(path, sizeof(path), "%s/data/postmaster.pid", cluster->dir);
    unlink(path);
}

/* A copy that was not finished is made again, from nothing. */
static bool has_cluster(const Branch *branch)
{
    return branch->cluster_number != 0 && branch->state != BRANCH_INIT &&
           (store_is_alive(&branch->life) || branch->is_recoverable);
}

static bool restore_project(Compute *compute, const Project *project, char *ret_error,
                            size_t error_bytes)
{
    for (Branch *branch = project->branches; branch != NULL; branch = branch->next) {
        if (branch->cluster_number > compute->next_number) {
            compute->next_number = branch->cluster_number;
        }
        if (!has_cluster(branch)) {
            continue;
        }
        Instance *instance = instance_open(compute, branch);
        if (branch->state == BRANCH_RESETTING && !has_data(instance)) {
            /* It gets other data anyway. */
            branch->instance = NULL;
            DL_DELETE(compute->instances, instance);
            free(instance);
            continue;
        }
        if (!check_data(compute, instance, ret_error, error_bytes)) {
            return false;
        }
        forget_server(&instance->cluster);
    }
    return true;
}

static bool is_used(const Compute *compute, const char *name)
{
    const Instance *instance = NULL;
    DL_FOREACH(compute->instances, instance)
    {
        if (strcmp(strrchr(instance->cluster.dir, '/') + 1, name) == 0) {
            return true;
        }
    }
    return false;
}

static void remove_unused(const Compute *compute)
{
    char path[PATH_MAX];
    text_build(path, sizeof(path), "%s/clusters", compute->state_dir);
    DIR *list = opendir(path);
    for (const struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL;
         entry = readdir(list)) {
        if (entry->d_name[0] != '.' && !is_used(compute, entry->d_name)) {
            text_build(path, sizeof(path), "%s/clusters/%s", compute->state_dir, entry->d_name);
            files_remove_tree(path);
        }
    }
    if (list != NULL) {
        closedir(list);
    }
}

/* The port is in connection strings that clients hold. */
bool compute_reopen_endpoint(Compute *compute, Endpoint *endpoint)
{
    endpoint->relay =
        relay_open(&compute->sandbox->loop, endpoint, endpoint->port, &compute->relay_owner);
    if (endpoint->relay != NULL) {
        return true;
    }
    int old_port = endpoint->port;
    store_touch(&endpoint->mark);
    if (!compute_add_endpoint(compute, endpoint)) {
        return false;
    }
    log_warn("port %d of %s is taken by another process: connection strings have %d now", old_port,
             endpoint->id, endpoint->port);
    return true;
}

/* It is down, and wakes at the first login. */
static void set_idle(Endpoint *endpoint, int64_t now_ms)
{
    if (endpoint->state == ENDPOINT_ACTIVE) {
        endpoint->state = ENDPOINT_IDLE;
        endpoint->suspended_ms = now_ms;
        store_touch(&endpoint->mark);
    }
}

static bool restore_endpoints(Compute *compute, const Project *project, char *ret_error,
                              size_t error_bytes)
{
    int64_t now_ms = text_now_ms();
    for (Endpoint *endpoint = project->endpoints; endpoint != NULL; endpoint = endpoint->next) {
        if (!store_is_alive(&endpoint->life)) {
            continue;
        }
        set_idle(endpoint, now_ms);
        if (store_is_alive(&project->life) && !compute_reopen_endpoint(compute, endpoint)) {
            text_format(ret_error, error_bytes, "no port could be opened for %s", endpoint->id);
            return false;
        }
    }
    return true;
}

bool compute_restore(Compute *compute, char *ret_error, size_t error_bytes)
{
    const Project *first = compute->sandbox->store.projects;
    for (const Project *project = first; project != NULL; project = project->next) {
        if (!restore_project(compute, project, ret_error, error_bytes) ||
            !restore_endpoints(compute, project, ret_error, error_bytes)) {
            return false;
        }
    }
    remove_unused(compute);
    return true;
}
