/* One PostgreSQL cluster: the data of a branch. All functions block and run on libuv's threads, one
 * at a time for each cluster (compute.c queues them). */
#pragma once

#include <jansson.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tls.h"
#include "versions.h"
#include "wal.h"

/* CLUSTER_CHOSEN_MAX: settings that an endpoint may ask for. */
enum {
    CLUSTER_PATH_BYTES = 512,
    CLUSTER_ADDRESS_BYTES = 16,
    CLUSTER_PORT = 5432,
    CLUSTER_CHOSEN_MAX = 400
};

/* A moment in a cluster's history; both 0: now. */
typedef struct ClusterPoint {
    uint64_t lsn;
    int64_t time_ms; /* since the epoch */
} ClusterPoint;

/* From when on every moment of a cluster can be had: its template and its log since are kept. Times
 * from `begin_ms` to `ready_ms`, while it was made, stand for the position `begin_lsn`. */
typedef struct ClusterHistory {
    int64_t begin_ms;
    int64_t ready_ms;
    uint64_t begin_lsn;
} ClusterHistory;

struct Cluster {
    char dir[CLUSTER_PATH_BYTES];        /* data, certificate, log */
    char socket_dir[CLUSTER_PATH_BYTES]; /* cloud_admin's only way in */
    char host[128];                      /* what the certificate is for; empty: no endpoint */
    char pooler_host[128];
    char issued_host[128]; /* what the running server shows */
    /* Each cluster listens on an address of its own in 127.0.0.0/8, so ports can't collide. */
    char address[CLUSTER_ADDRESS_BYTES];
    pid_t pid;       /* 0: not started */
    long told_bytes; /* how much of what SQL told the control plane was read */
    /* Of what starts the first time, up to a moment of this timeline; 0: it just starts. */
    uint32_t recovery_timeline;
    const json_t *settings; /* "name=value" for the next start, borrowed; NULL: none */
    const char *libraries;  /* ",a,b" likewise; NULL: Neon's defaults */
    ClusterPoint recovery;
    Versions *versions;
    Version *version;
    const Tls *tls;
};

typedef struct Cluster Cluster;

/* A copy of the template of its version. */
bool cluster_create(Cluster *cluster, char *ret_error, size_t error_bytes);
/* A consistent copy of the parent, which may be running and written to, and up to where it has the
 * parent's log. */
bool cluster_copy(const Cluster *parent, Cluster *cluster, uint64_t *ret_lsn, char *ret_error,
                  size_t error_bytes);
/* The parent as it was at that moment, started; a suspended parent runs for a moment. *ret_lsn is
 * up to where it has the parent's log. */
bool cluster_copy_at(Cluster *parent, Cluster *cluster, const ClusterPoint *point,
                     uint64_t *ret_lsn, char *ret_error, size_t error_bytes);
/* Notes that the history begins here; the cluster runs. */
bool cluster_begin_history(const Cluster *cluster, int64_t begin_ms, uint64_t *ret_lsn);
/* False when moments of it can't be had, with a sentence on why. Touches nothing but files, on any
 * thread. */
bool cluster_read_history(const Cluster *cluster, ClusterHistory *ret_history, char *ret_error,
                          size_t error_bytes);
/* The end of its log; 0 when it can't be told. */
uint64_t cluster_read_lsn(const Cluster *cluster);
/* Starts it unless it runs with the right certificate already. */
bool cluster_start(Cluster *cluster, char *ret_error, size_t error_bytes);
/* A fast shutdown; `immediate` for what is thrown away. */
void cluster_stop(Cluster *cluster, bool immediate);
/* Stops it and removes its files. */
void cluster_remove(Cluster *cluster);
/* cloud_admin's connection; never NULL, check PQstatus. */
PGconn *cluster_connect(const Cluster *cluster, const char *database);
/* Starts a server on a data directory with nothing but its socket; for the template. */
pid_t cluster_start_server(const Versions *versions, const Version *version,
                           const char *const *argv, const char *socket_dir, const char *log_path,
                           char *ret_error, size_t error_bytes);
/* Ends servers that a crash left in the clusters below `dir`: only those that have their data
 * directory there as working directory. */
void cluster_end_left(const char *dir);
