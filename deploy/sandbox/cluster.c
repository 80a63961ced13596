#include "cluster.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "log.h"
#include "text.h"

enum {
    CLUSTER_START_MS = 60000,
    CLUSTER_STOP_MS = 20000,
    CLUSTER_POLL_MS = 10,
    CLUSTER_ADDRESS_TRIES = 3,
    CLUSTER_SETTINGS_MAX = 16,
    CLUSTER_ARGUMENTS_MAX = 9 + 2 * CLUSTER_SETTINGS_MAX + 2 * (CLUSTER_CHOSEN_MAX + 1),
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

/* A server's command line. */
typedef struct Arguments {
    const char *list[CLUSTER_ARGUMENTS_MAX + 1];
    char texts[CLUSTER_SETTINGS_MAX][CLUSTER_PATH_BYTES + 64];
    int count;
    int text_count;
} Arguments;

static void add(Arguments *arguments, const char *argument)
{
    assert(arguments->count < CLUSTER_ARGUMENTS_MAX);
    arguments->list[arguments->count++] = argument;
}

static void set(Arguments *arguments, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void set(Arguments *arguments, const char *format, ...)
{
    assert(arguments->text_count < CLUSTER_SETTINGS_MAX);
    char *text = arguments->texts[arguments->text_count++];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text, sizeof(arguments->texts[0]), format, values);
    va_end(values);
    assert(length > 0 && (size_t)length < sizeof(arguments->texts[0]));
    (void)length;
    add(arguments, "-c");
    add(arguments, text);
}

/* Segments are never written again once they are full, since copies share them (wal.h). A commit
 * has its log written when it returns, so that a position which was read after it covers it. */
static void set_log(Arguments *arguments, const Cluster *cluster)
{
    int64_t kept_mb = cluster->versions->history_mb;
    if (kept_mb > 0) {
        set(arguments, "wal_keep_size=%" PRId64 "MB", kept_mb);
    }
    set(arguments, "wal_recycle=off");
    set(arguments, "wal_init_zero=off");
    set(arguments, "synchronous_commit=on");
}

/* At Neon a branch at a position has the records that end there or before, one at a time the
 * commits up to it and at it. All of the log is in pg_wal already, so nothing has to be fetched. */
static void set_recovery(Arguments *arguments, const Cluster *cluster)
{
    char text[TEXT_TIME_BYTES];
    const ClusterPoint *point = &cluster->recovery;
    set(arguments, "restore_command=false");
    set(arguments, "recovery_target_action=promote");
    set(arguments, "recovery_target_timeline=%u", cluster->recovery_timeline);
    /* Ready is then promoted. */
    set(arguments, "hot_standby=off");
    if (point->lsn != 0) {
        wal_render_lsn(point->lsn, text);
        set(arguments, "recovery_target_lsn=%s", text);
        set(arguments, "recovery_target_inclusive=off");
    } else {
        text_time_us(point->time_ms * 1000, text);
        /* "Z" is an abbreviation, and those are not loaded yet when this is read. */
        text[strcspn(text, "Z")] = '\0';
        set(arguments, "recovery_target_time=%s+00", text);
    }
}

/* What the endpoint asks for comes first: the last of a name holds. */
static void add_settings(Arguments *arguments, const Cluster *cluster)
{
    size_t i = 0;
    const json_t *setting = NULL;
    json_array_foreach(cluster->settings, i, setting)
    {
        add(arguments, "-c");
        add(arguments, json_string_value(setting));
    }
}

static bool try_start(Cluster *cluster, char *ret_error, size_t error_bytes)
{
    Arguments arguments = {0};
    char program[CLUSTER_PATH_BYTES];
    char data[CLUSTER_PATH_BYTES + 16];
    char log[CLUSTER_PATH_BYTES + 16];
    text_build(program, sizeof(program), "%s/bin/postgres", cluster->version->prefix);
    text_build(data, sizeof(data), "%s/data", cluster->dir);
    text_build(log, sizeof(log), "%s/postgres.log", cluster->dir);
    pick_address(cluster);
    const char *const first[] = {program,          "-D", data,     "-k", cluster->socket_dir, "-h",
                                 cluster->address, "-p", PORT_TEXT};
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
        add(&arguments, first[i]);
    }
    add_settings(&arguments, cluster);
    set(&arguments, "ssl=on");
    set(&arguments, "ssl_cert_file=%s/server.crt", cluster->dir);
    set(&arguments, "ssl_key_file=%s/server.key", cluster->dir);
    const char *libraries = cluster->version->has_statistics ? ",pg_stat_statements" : "";
    libraries = cluster->libraries != NULL ? cluster->libraries : libraries;
    set(&arguments, "shared_preload_libraries=\"%s\"%s", cluster->versions->module_path, libraries);
    set(&arguments, "log_statement=%s", cluster->versions->logs_statements ? "all" : "none");
    set_log(&arguments, cluster);
    if (cluster->recovery_timeline != 0) {
        set_recovery(&arguments, cluster);
    }
    pid_t pid = cluster_start_server(cluster->versions, cluster->version, arguments.list,
                                     cluster->socket_dir, log, ret_error, error_bytes);
    cluster->pid = pid > 0 ? pid : 0;
    return pid > 0;
}

static bool try_addresses(Cluster *cluster, char *ret_error, size_t error_bytes)
{
    for (int i = 0; i < CLUSTER_ADDRESS_TRIES; i++) {
        if (try_start(cluster, ret_error, error_bytes)) {
            return true;
        }
    }
    return false;
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
    if (try_addresses(cluster, ret_error, error_bytes)) {
        return true;
    }
    if (cluster->settings == NULL) {
        return false;
    }
    /* A branch must not be lost to a setting that PostgreSQL can't take. */
    log_warn("%s: started without the settings of its endpoint: %s", cluster->dir, ret_error);
    cluster->settings = NULL;
    return try_addresses(cluster, ret_error, error_bytes);
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

/* The servers that are left, asked to end: a fast shutdown ends sessions. */
static int signal_left(const char *dir, int signal_number)
{
    int count = 0;
    DIR *list = opendir(dir);
    for (const struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL;
         entry = readdir(list)) {
        char data[PATH_MAX];
        pid_t pid = 0;
        if (entry->d_name[0] != '.' &&
            text_format(data, sizeof(data), "%s/%s/data", dir, entry->d_name)) {
            pid = find_left(data);
        }
        if (pid != 0) {
            kill(pid, signal_number);
            count++;
        }
    }
    if (list != NULL) {
        closedir(list);
    }
    return count;
}

static bool wait_for_left(const char *dir)
{
    int64_t deadline_us = text_monotonic_us() + CLUSTER_STOP_MS * 1000LL;
    while (signal_left(dir, 0) > 0) {
        if (text_monotonic_us() > deadline_us) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = CLUSTER_POLL_MS * 1000000L}, NULL);
    }
    return true;
}

void cluster_end_left(const char *dir)
{
    if (signal_left(dir, SIGINT) > 0 && !wait_for_left(dir)) {
        signal_left(dir, SIGQUIT);
        (void)wait_for_left(dir);
    }
}
