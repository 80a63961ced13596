/* Since when moments of a cluster can be had: a file beside its data directory. */
#include "cluster.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "text.h"

static bool refuse(char *ret_error, size_t error_bytes, const char *reason)
{
    text_format(ret_error, error_bytes, "%s", reason);
    return false;
}

bool cluster_begin_history(const Cluster *cluster, int64_t begin_ms, uint64_t *ret_lsn)
{
    char path[CLUSTER_PATH_BYTES + 16];
    char lsn[WAL_LSN_BYTES];
    PGconn *connection = cluster_connect(cluster, "postgres");
    PGresult *result = PQexec(connection, "SELECT pg_current_wal_insert_lsn()");
    bool begun = PQntuples(result) == 1 && wal_parse_lsn(PQgetvalue(result, 0, 0), ret_lsn);
    PQclear(result);
    PQfinish(connection);
    if (!begun || cluster->versions->history_mb == 0) {
        return begun;
    }
    wal_render_lsn(*ret_lsn, lsn);
    text_build(path, sizeof(path), "%s/history", cluster->dir);
    json_t *json = json_pack("{s:I, s:I, s:s}", "begin_ms", (json_int_t)begin_ms, "ready_ms",
                             (json_int_t)text_now_ms(), "begin_lsn", lsn);
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    begun = text != NULL && files_write(path, text, strlen(text), 0600, &cluster->versions->user);
    free(text);
    return begun;
}

static bool read_file(const Cluster *cluster, ClusterHistory *ret_history)
{
    char path[CLUSTER_PATH_BYTES + 16];
    const char *lsn = NULL;
    json_int_t begin_ms = 0;
    json_int_t ready_ms = 0;
    text_build(path, sizeof(path), "%s/history", cluster->dir);
    json_t *json = json_load_file(path, 0, NULL);
    bool got = json_unpack(json, "{s:I, s:I, s:s}", "begin_ms", &begin_ms, "ready_ms", &ready_ms,
                           "begin_lsn", &lsn) == 0 &&
               wal_parse_lsn(lsn, &ret_history->begin_lsn);
    json_decref(json);
    ret_history->begin_ms = begin_ms;
    ret_history->ready_ms = ready_ms;
    return got;
}

/* Every cluster's log began in the template of its version; that has to be the same one still. */
static bool has_beginning(const Cluster *cluster)
{
    char data[CLUSTER_PATH_BYTES + 16];
    char name[WAL_NAME_BYTES];
    char path[PATH_MAX];
    WalControl template;
    WalControl control;
    text_build(data, sizeof(data), "%s/data", cluster->dir);
    if (!wal_read_control(cluster->version->template_dir, &template) ||
        !wal_read_control(data, &control) || template.system_id != control.system_id) {
        return false;
    }
    wal_build_name(template.timeline, template.redo, name);
    return text_format(path, sizeof(path), "%s/pg_wal/%s", data, name) && access(path, R_OK) == 0;
}

bool cluster_read_history(const Cluster *cluster, ClusterHistory *ret_history, char *ret_error,
                          size_t error_bytes)
{
    if (!read_file(cluster, ret_history)) {
        return refuse(ret_error, error_bytes,
                      "this sandbox keeps no history of the branch (--history)");
    }
    return has_beginning(cluster) ||
           refuse(ret_error, error_bytes,
                  "the sandbox no longer has the beginning of the branch's history (--history)");
}

uint64_t cluster_read_lsn(const Cluster *cluster)
{
    char data[CLUSTER_PATH_BYTES + 16];
    WalControl control;
    text_build(data, sizeof(data), "%s/data", cluster->dir);
    return wal_read_control(data, &control) ? control.checkpoint : 0;
}
