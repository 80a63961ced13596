/* One PostgreSQL cluster: the data of a branch. All functions block and run on libuv's threads, one
 * at a time for each cluster (compute.c queues them). */
#pragma once

#include <jansson.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tls.h"
#include "versions.h"

enum { CLUSTER_PATH_BYTES = 512, CLUSTER_ADDRESS_BYTES = 16, CLUSTER_PORT = 5432 };

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
    Versions *versions;
    Version *version;
    const Tls *tls;
};

typedef struct Cluster Cluster;

/* A copy of the template of its version. */
bool cluster_create(Cluster *cluster, char *ret_error, size_t error_bytes);
/* A consistent copy of the parent, which may be running and written to. */
bool cluster_copy(const Cluster *parent, Cluster *cluster, char *ret_error, size_t error_bytes);
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
