#include "cluster.h"

#include <errno.h>
#include <string.h>

#include "files.h"
#include "text.h"

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* What a copy of a running cluster leaves out, as pg_basebackup does; the log comes after the copy,
 * wal_copy.
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
    return !is_directory &&
           (is_below(path, "pg_wal") || is_below(path, "pg_replslot") ||
            strcmp(path, "postmaster.pid") == 0 || strcmp(path, "postmaster.opts") == 0);
}

static void build_data(const Cluster *cluster, char ret_path[CLUSTER_PATH_BYTES + 16])
{
    text_build(ret_path, CLUSTER_PATH_BYTES + 16, "%s/data", cluster->dir);
}

static bool copy_files(const Cluster *parent, const Cluster *cluster, FilesSkip skip,
                       char *ret_error, size_t error_bytes)
{
    char from[CLUSTER_PATH_BYTES + 16];
    char to[CLUSTER_PATH_BYTES + 16];
    build_data(parent, from);
    build_data(cluster, to);
    return files_copy_tree(from, to, &cluster->versions->user, skip, ret_error, error_bytes);
}

/* One file beside the data or in it; its absence is fine. */
static bool copy_file(const Cluster *parent, const Cluster *cluster, const char *name)
{
    char from[CLUSTER_PATH_BYTES + 32];
    char to[CLUSTER_PATH_BYTES + 32];
    text_build(from, sizeof(from), "%s/%s", parent->dir, name);
    text_build(to, sizeof(to), "%s/%s", cluster->dir, name);
    return files_copy(from, to, &cluster->versions->user);
}

/* Where there is a history it goes along, with all of the log. `whole`: segments before that of
 * this position are complete. */
static bool copy_log(const Cluster *parent, const Cluster *cluster, uint32_t timeline,
                     uint64_t first, uint64_t whole)
{
    char from[CLUSTER_PATH_BYTES + 16];
    char to[CLUSTER_PATH_BYTES + 16];
    char first_name[WAL_NAME_BYTES] = "";
    char whole_name[WAL_NAME_BYTES];
    build_data(parent, from);
    build_data(cluster, to);
    if (cluster->versions->history_mb == 0) {
        wal_build_name(timeline, first, first_name);
    }
    wal_build_name(timeline, whole, whole_name);
    return wal_copy(from, to, first_name, whole_name, &cluster->versions->user) &&
           copy_file(parent, cluster, "history");
}

/* The position that a statement gives, besides more. */
static PGresult *ask(PGconn *connection, const char *statement, uint64_t *ret_lsn)
{
    PGresult *result = PQexec(connection, statement);
    bool asked = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
                 wal_parse_lsn(PQgetvalue(result, 0, 0), ret_lsn);
    if (!asked) {
        PQclear(result);
        return NULL;
    }
    return result;
}

static bool ask_lsn(PGconn *connection, const char *statement, uint64_t *ret_lsn)
{
    PGresult *result = ask(connection, statement, ret_lsn);
    bool asked = result != NULL;
    PQclear(result);
    return asked;
}

/* Ends the backup; its label makes the copy recover from where the backup began. */
static bool end_backup(PGconn *connection, const Cluster *cluster, uint64_t *ret_lsn)
{
    char path[CLUSTER_PATH_BYTES + 32];
    text_build(path, sizeof(path), "%s/data/backup_label", cluster->dir);
    PGresult *result = ask(connection, "SELECT lsn, labelfile FROM pg_backup_stop(false)", ret_lsn);
    if (result == NULL) {
        return false;
    }
    const char *label = PQgetvalue(result, 0, 1);
    bool ended = files_write(path, label, strlen(label), 0600, &cluster->versions->user);
    PQclear(result);
    return ended;
}

static bool copy_with(PGconn *connection, const Cluster *parent, const Cluster *cluster,
                      uint64_t *ret_lsn, char *ret_error, size_t error_bytes)
{
    uint64_t first = 0;
    if (!ask_lsn(connection, "SELECT pg_backup_start('neon-sandbox branch', true)", &first)) {
        text_format(ret_error, error_bytes, "%.300s", PQerrorMessage(connection));
        return false;
    }
    if (!copy_files(parent, cluster, skip_running, ret_error, error_bytes)) {
        return false;
    }
    char data[CLUSTER_PATH_BYTES + 16];
    WalControl control;
    build_data(cluster, data);
    if (!copy_file(parent, cluster, "data/global/pg_control") ||
        !wal_read_control(data, &control) || !end_backup(connection, cluster, ret_lsn) ||
        !copy_log(parent, cluster, control.timeline, first, *ret_lsn)) {
        text_format(ret_error, error_bytes, "copying %s failed", parent->dir);
        return false;
    }
    return true;
}

static bool make_dir(const Cluster *cluster, char *ret_error, size_t error_bytes)
{
    bool made = files_make_dir(cluster->dir, &cluster->versions->user);
    if (!made) {
        text_format(ret_error, error_bytes, "%s: %s", cluster->dir, strerror(errno));
    }
    return made;
}

static bool copy_stopped(const Cluster *parent, const Cluster *cluster, uint64_t *ret_lsn,
                         char *ret_error, size_t error_bytes)
{
    char data[CLUSTER_PATH_BYTES + 16];
    WalControl control;
    if (!copy_files(parent, cluster, skip_stopped, ret_error, error_bytes)) {
        return false;
    }
    build_data(cluster, data);
    if (!wal_read_control(data, &control) ||
        !copy_log(parent, cluster, control.timeline, control.redo, control.redo)) {
        text_format(ret_error, error_bytes, "copying the log of %s failed", parent->dir);
        return false;
    }
    *ret_lsn = control.checkpoint;
    return true;
}

bool cluster_copy(const Cluster *parent, Cluster *cluster, uint64_t *ret_lsn, char *ret_error,
                  size_t error_bytes)
{
    if (!make_dir(cluster, ret_error, error_bytes)) {
        return false;
    }
    if (parent->pid == 0 || !spawn_is_running(parent->pid)) {
        return copy_stopped(parent, cluster, ret_lsn, ret_error, error_bytes);
    }
    PGconn *connection = cluster_connect(parent, "postgres");
    bool copied = copy_with(connection, parent, cluster, ret_lsn, ret_error, error_bytes);
    PQfinish(connection);
    return copied;
}

bool cluster_create(Cluster *cluster, char *ret_error, size_t error_bytes)
{
    char data[CLUSTER_PATH_BYTES + 16];
    build_data(cluster, data);
    return versions_make_template(cluster->versions, cluster->version, ret_error, error_bytes) &&
           make_dir(cluster, ret_error, error_bytes) &&
           files_copy_tree(cluster->version->template_dir, data, &cluster->versions->user, NULL,
                           ret_error, error_bytes);
}

/* Recovery ends at the first record behind the moment, so there has to be one; what the log has
 * before the position it then switches at is complete. */
static bool end_log(const Cluster *parent, uint64_t *ret_whole)
{
    PGconn *connection = cluster_connect(parent, "postgres");
    PGresult *result = PQexec(connection, "SELECT pg_current_xact_id()");
    bool ended = PQresultStatus(result) == PGRES_TUPLES_OK &&
                 ask_lsn(connection, "SELECT pg_switch_wal()", ret_whole);
    PQclear(result);
    PQfinish(connection);
    return ended;
}

static bool copy_past(const Cluster *parent, const Cluster *cluster, uint32_t *ret_timeline)
{
    char data[CLUSTER_PATH_BYTES + 16];
    char signal[CLUSTER_PATH_BYTES + 32];
    uint64_t whole = 0;
    WalControl control;
    build_data(parent, data);
    text_build(signal, sizeof(signal), "%s/data/recovery.signal", cluster->dir);
    if (!end_log(parent, &whole) || !wal_read_control(data, &control) ||
        !copy_log(parent, cluster, control.timeline, 0, whole) ||
        !files_write(signal, "", 0, 0600, &cluster->versions->user)) {
        return false;
    }
    *ret_timeline = control.timeline;
    return true;
}

static bool recover(Cluster *cluster, uint64_t *ret_lsn, char *ret_error, size_t error_bytes)
{
    bool recovered = cluster_start(cluster, ret_error, error_bytes);
    cluster->recovery_timeline = 0;
    if (!recovered) {
        return false;
    }
    PGconn *connection = cluster_connect(cluster, "postgres");
    recovered = ask_lsn(connection, "SELECT pg_last_wal_replay_lsn()", ret_lsn);
    PQfinish(connection);
    return recovered;
}

bool cluster_copy_at(Cluster *parent, Cluster *cluster, const ClusterPoint *point,
                     uint64_t *ret_lsn, char *ret_error, size_t error_bytes)
{
    char data[CLUSTER_PATH_BYTES + 16];
    ClusterHistory history;
    build_data(cluster, data);
    bool was_down = parent->pid == 0 || !spawn_is_running(parent->pid);
    if (!make_dir(cluster, ret_error, error_bytes) ||
        !cluster_read_history(parent, &history, ret_error, error_bytes) ||
        !files_copy_tree(cluster->version->template_dir, data, &cluster->versions->user,
                         skip_stopped, ret_error, error_bytes) ||
        (was_down && !cluster_start(parent, ret_error, error_bytes))) {
        return false;
    }
    bool copied = copy_past(parent, cluster, &cluster->recovery_timeline);
    if (was_down) {
        cluster_stop(parent, false);
    }
    cluster->recovery = *point;
    if (point->lsn == 0 && point->time_ms <= history.ready_ms) {
        cluster->recovery = (ClusterPoint){.lsn = history.begin_lsn};
    }
    if (!copied) {
        text_format(ret_error, error_bytes, "copying the log of %s failed", parent->dir);
        return false;
    }
    return recover(cluster, ret_lsn, ret_error, error_bytes);
}
