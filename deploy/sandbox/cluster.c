#include "cluster.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "sql.h"
#include "text.h"

enum {
    CLUSTER_START_MS = 60000,
    CLUSTER_STOP_MS = 20000,
    CLUSTER_POLL_MS = 10,
    CLUSTER_ADDRESS_TRIES = 3,
};

static const char PORT_TEXT[] = "5432";

static void ignore_notice(void *argument, const char *message)
{
    (void)argument;
    (void)message;
}

PGconn *cluster_connect(const Cluster *cluster, const char *database)
{
    const char *const names[] = {"host", "port", "user", "dbname", "connect_timeout", NULL};
    const char *const values[] = {
        cluster->socket_dir, PORT_TEXT, "cloud_admin", database, "20", NULL};
    PGconn *connection = PQconnectdbParams(names, values, 0);
    if (connection == NULL) {
        abort();
    }
    PQsetNoticeProcessor(connection, ignore_notice, NULL);
    return connection;
}

static bool wait_until_ready(pid_t pid, const char *socket_dir)
{
    const char *const names[] = {"host", "port", "user", "dbname", NULL};
    const char *const values[] = {socket_dir, PORT_TEXT, "cloud_admin", "postgres", NULL};
    int64_t deadline_us = text_monotonic_us() + CLUSTER_START_MS * 1000LL;
    while (PQpingParams(names, values, 0) != PQPING_OK) {
        if (text_monotonic_us() > deadline_us || !spawn_is_running(pid)) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = CLUSTER_POLL_MS * 1000000L}, NULL);
    }
    return true;
}

pid_t cluster_start_server(const Versions *versions, const Version *version,
                           const char *const *argv, const char *socket_dir, const char *log_path,
                           char *ret_error, size_t error_bytes)
{
    pid_t pid = spawn_start(&versions->user, argv, log_path);
    if (pid > 0 && wait_until_ready(pid, socket_dir)) {
        return pid;
    }
    if (pid > 0 && spawn_is_running(pid)) {
        kill(pid, SIGQUIT);
        spawn_wait(pid, CLUSTER_STOP_MS);
    }
    text_format(ret_error, error_bytes, "PostgreSQL %d did not start, see %s", version->major,
                log_path);
    return -1;
}

static void pick_address(Cluster *cluster)
{
    text_build(cluster->address, sizeof(cluster->address), "127.%u.%u.%u",
               64 + randombytes_uniform(190), randombytes_uniform(256),
               1 + randombytes_uniform(253));
}

static bool issue_certificate(Cluster *cluster)
{
    char certificate[CLUSTER_PATH_BYTES + 16];
    char key[CLUSTER_PATH_BYTES + 16];
    const char *names[] = {cluster->host[0] != '\0' ? cluster->host : "localhost",
                           cluster->pooler_host};
    text_build(certificate, sizeof(certificate), "%s/server.crt", cluster->dir);
    text_build(key, sizeof(key), "%s/server.key", cluster->dir);
    text_build(cluster->issued_host, sizeof(cluster->issued_host), "%s", cluster->host);
    return tls_issue(cluster->tls, names, cluster->host[0] != '\0' ? 2 : 1, certificate, key,
                     &cluster->versions->user);
}

static bool try_start(Cluster *cluster, char *ret_error, size_t error_bytes)
{
    char program[CLUSTER_PATH_BYTES];
    char data[CLUSTER_PATH_BYTES + 16];
    char log[CLUSTER_PATH_BYTES + 16];
    char certificate[CLUSTER_PATH_BYTES + 32];
    char key[CLUSTER_PATH_BYTES + 32];
    char preload[CLUSTER_PATH_BYTES + 64];
    text_build(program, sizeof(program), "%s/bin/postgres", cluster->version->prefix);
    text_build(data, sizeof(data), "%s/data", cluster->dir);
    text_build(log, sizeof(log), "%s/postgres.log", cluster->dir);
    text_build(certificate, sizeof(certificate), "ssl_cert_file=%s/server.crt", cluster->dir);
    text_build(key, sizeof(key), "ssl_key_file=%s/server.key", cluster->dir);
    text_build(preload, sizeof(preload), "shared_preload_libraries=\"%s\"%s",
               cluster->versions->module_path,
               cluster->version->has_statistics ? ",pg_stat_statements" : "");
    const char *logged =
        cluster->versions->logs_statements ? "log_statement=all" : "log_statement=none";
    const char *const argv[] = {program,
                                "-D",
                                data,
                                "-k",
                                cluster->socket_dir,
                                "-h",
                                cluster->address,
                                "-p",
                                PORT_TEXT,
                                "-c",
                                "ssl=on",
                                "-c",
                                certificate,
                                "-c",
                                key,
                                "-c",
                                preload,
                                "-c",
                                logged,
                                NULL};
    pick_address(cluster);
    pid_t pid = cluster_start_server(cluster->versions, cluster->version, argv, cluster->socket_dir,
                                     log, ret_error, error_bytes);
    cluster->pid = pid > 0 ? pid : 0;
    return pid > 0;
}

bool cluster_start(Cluster *cluster, char *ret_error, size_t error_bytes)
{
    bool is_running = cluster->pid != 0 && spawn_is_running(cluster->pid);
    if (is_running && strcmp(cluster->issued_host, cluster->host) == 0) {
        return true;
    }
    if (is_running) {
        cluster_stop(cluster, false);
    }
    cluster->pid = 0;
    if (!files_make_dir(cluster->socket_dir, &cluster->versions->user) ||
        !issue_certificate(cluster)) {
        text_format(ret_error, error_bytes, "no certificate or socket folder for %s", cluster->dir);
        return false;
    }
    for (int i = 0; i < CLUSTER_ADDRESS_TRIES; i++) {
        if (try_start(cluster, ret_error, error_bytes)) {
            return true;
        }
    }
    return false;
}

void cluster_stop(Cluster *cluster, bool immediate)
{
    if (cluster->pid == 0) {
        return;
    }
    if (spawn_is_running(cluster->pid)) {
        kill(cluster->pid, immediate ? SIGQUIT : SIGINT);
        if (!spawn_wait(cluster->pid, CLUSTER_STOP_MS)) {
            kill(cluster->pid, SIGKILL);
            spawn_wait(cluster->pid, CLUSTER_STOP_MS);
        }
    }
    cluster->pid = 0;
}

void cluster_remove(Cluster *cluster)
{
    cluster_stop(cluster, true);
    files_remove_tree(cluster->dir);
    files_remove_tree(cluster->socket_dir);
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* What a copy of a running cluster leaves out, as pg_basebackup does; the log comes after the copy.
 */
static bool skip_running(const char *path, bool is_directory)
{
    static const char *const EMPTIED[] = {"pg_wal",      "pg_replslot", "pg_dynshmem",
                                          "pg_notify",   "pg_serial",   "pg_snapshots",
                                          "pg_stat_tmp", "pg_subtrans"};
    for (size_t i = 0; i < sizeof(EMPTIED) / sizeof(EMPTIED[0]); i++) {
        if (is_below(path, EMPTIED[i])) {
            return !is_directory;
        }
    }
    return strcmp(path, "postmaster.pid") == 0 || strcmp(path, "postmaster.opts") == 0 ||
           strcmp(path, "global/pg_control") == 0 || strstr(path, "pgsql_tmp") != NULL ||
           strstr(path, "pg_internal.init") != NULL;
}

static bool skip_stopped(const char *path, bool is_directory)
{
    return !is_directory && (is_below(path, "pg_replslot") || strcmp(path, "postmaster.pid") == 0 ||
                             strcmp(path, "postmaster.opts") == 0);
}

static bool copy_files(const Cluster *parent, const Cluster *cluster, FilesSkip skip,
                       char *ret_error, size_t error_bytes)
{
    char from[CLUSTER_PATH_BYTES + 16];
    char to[CLUSTER_PATH_BYTES + 16];
    text_build(from, sizeof(from), "%s/data", parent->dir);
    text_build(to, sizeof(to), "%s/data", cluster->dir);
    return files_copy_tree(from, to, &cluster->versions->user, skip, ret_error, error_bytes);
}

/* Segments from `first` on: names sort as the log runs. */
static bool copy_wal(const Cluster *parent, const Cluster *cluster, const char *first)
{
    char from[CLUSTER_PATH_BYTES + 16];
    text_build(from, sizeof(from), "%s/data/pg_wal", parent->dir);
    DIR *dir = opendir(from);
    bool copied = dir != NULL;
    for (const struct dirent *entry = copied ? readdir(dir) : NULL; copied && entry != NULL;
         entry = readdir(dir)) {
        char source[CLUSTER_PATH_BYTES + 300];
        char target[CLUSTER_PATH_BYTES + 300];
        bool is_segment = strlen(entry->d_name) == strlen(first) &&
                          strspn(entry->d_name, "0123456789ABCDEF") == strlen(first);
        if (!is_segment || strcmp(entry->d_name, first) < 0) {
            continue;
        }
        text_build(source, sizeof(source), "%s/%s", from, entry->d_name);
        text_build(target, sizeof(target), "%s/data/pg_wal/%s", cluster->dir, entry->d_name);
        copied = files_copy(source, target, &cluster->versions->user);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return copied;
}

static bool copy_control(const Cluster *parent, const Cluster *cluster)
{
    char from[CLUSTER_PATH_BYTES + 32];
    char to[CLUSTER_PATH_BYTES + 32];
    text_build(from, sizeof(from), "%s/data/global/pg_control", parent->dir);
    text_build(to, sizeof(to), "%s/data/global/pg_control", cluster->dir);
    return files_copy(from, to, &cluster->versions->user);
}

/* Ends the backup; its label makes the copy recover from where the backup began. */
static bool end_backup(PGconn *connection, const Cluster *cluster)
{
    char path[CLUSTER_PATH_BYTES + 32];
    text_build(path, sizeof(path), "%s/data/backup_label", cluster->dir);
    PGresult *result = PQexec(connection, "SELECT labelfile FROM pg_backup_stop(false)");
    bool ended = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
                 files_write(path, PQgetvalue(result, 0, 0), strlen(PQgetvalue(result, 0, 0)), 0600,
                             &cluster->versions->user);
    PQclear(result);
    return ended;
}

static bool copy_with(PGconn *connection, const Cluster *parent, const Cluster *cluster,
                      char *ret_error, size_t error_bytes)
{
    PGresult *result =
        PQexec(connection, "SELECT pg_walfile_name(pg_backup_start('neon-sandbox branch', true))");
    bool begun = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    char first[64] = "";
    if (begun) {
        text_copy(first, sizeof(first), PQgetvalue(result, 0, 0));
    }
    PQclear(result);
    if (!begun) {
        text_format(ret_error, error_bytes, "%.300s", PQerrorMessage(connection));
        return false;
    }
    if (!copy_files(parent, cluster, skip_running, ret_error, error_bytes)) {
        return false;
    }
    if (!copy_control(parent, cluster) || !end_backup(connection, cluster) ||
        !copy_wal(parent, cluster, first)) {
        text_format(ret_error, error_bytes, "copying %s failed", parent->dir);
        return false;
    }
    return true;
}

bool cluster_copy(const Cluster *parent, Cluster *cluster, char *ret_error, size_t error_bytes)
{
    if (!files_make_dir(cluster->dir, &cluster->versions->user)) {
        text_format(ret_error, error_bytes, "%s: %s", cluster->dir, strerror(errno));
        return false;
    }
    if (parent->pid == 0 || !spawn_is_running(parent->pid)) {
        return copy_files(parent, cluster, skip_stopped, ret_error, error_bytes);
    }
    PGconn *connection = cluster_connect(parent, "postgres");
    bool copied = copy_with(connection, parent, cluster, ret_error, error_bytes);
    PQfinish(connection);
    return copied;
}

bool cluster_create(Cluster *cluster, char *ret_error, size_t error_bytes)
{
    char data[CLUSTER_PATH_BYTES + 16];
    text_build(data, sizeof(data), "%s/data", cluster->dir);
    if (!versions_make_template(cluster->versions, cluster->version, ret_error, error_bytes)) {
        return false;
    }
    if (!files_make_dir(cluster->dir, &cluster->versions->user)) {
        text_format(ret_error, error_bytes, "%s: %s", cluster->dir, strerror(errno));
        return false;
    }
    return files_copy_tree(cluster->version->template_dir, data, &cluster->versions->user, NULL,
                           ret_error, error_bytes);
}

/* The pid in a data directory's postmaster.pid, when that process works in this very directory. */
static pid_t find_left(const char *data)
{
    char path[PATH_MAX];
    char real[PATH_MAX];
    char cwd[PATH_MAX];
    if (realpath(data, real) == NULL ||
        !text_format(path, sizeof(path), "%s/postmaster.pid", data)) {
        return 0;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    char line[32] = "";
    bool has_line = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    pid_t pid = has_line ? (pid_t)strtol(line, NULL, 10) : 0;
    text_build(path, sizeof(path), "/proc/%d/cwd", (int)pid);
    ssize_t length = pid > 1 ? readlink(path, cwd, sizeof(cwd) - 1) : -1;
    if (length < 0) {
        return 0;
    }
    cwd[length] = '\0';
    return strcmp(cwd, real) == 0 ? pid : 0;
}

static void end_left_server(const char *data)
{
    pid_t pid = find_left(data);
    if (pid == 0) {
        return;
    }
    kill(pid, SIGQUIT);
    int64_t deadline_us = text_monotonic_us() + CLUSTER_STOP_MS * 1000LL;
    while (find_left(data) == pid && text_monotonic_us() < deadline_us) {
        nanosleep(&(struct timespec){.tv_nsec = CLUSTER_POLL_MS * 1000000L}, NULL);
    }
}

void cluster_end_left(const char *dir)
{
    DIR *list = opendir(dir);
    if (list == NULL) {
        return;
    }
    for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        char data[PATH_MAX];
        if (entry->d_name[0] != '.' &&
            text_format(data, sizeof(data), "%s/%s/data", dir, entry->d_name)) {
            end_left_server(data);
        }
    }
    closedir(list);
}
