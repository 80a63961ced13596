/* The PostgreSQL installations that can be used, and a template cluster of each: made once by
 * initdb with Neon's own roles, then copied for every new project. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "spawn.h"

enum { VERSIONS_PATH_BYTES = 400 };

typedef struct Version {
    int major;
    char prefix[VERSIONS_PATH_BYTES];
    char template_dir[VERSIONS_PATH_BYTES]; /* its data directory */
    bool has_statistics;                    /* pg_stat_statements */
    pthread_mutex_t making;                 /* one thread makes the template, others wait */
} Version;

typedef struct Versions {
    Version list[OPTIONS_POSTGRES_MAX];
    int count;
    SpawnUser user;
    char scratch_dir[VERSIONS_PATH_BYTES];      /* sockets and logs while a template is made */
    char module_path[VERSIONS_PATH_BYTES + 32]; /* what clusters preload */
    bool logs_statements;
    int64_t history_mb; /* of log that each cluster keeps for its history; 0: it has none */
} Versions;

/* Asks each installation for its version, as the user the clusters run as. `cache_dir` keeps
 * templates, `scratch_dir` must have a short path. False with a sentence in ret_error. */
bool versions_open(Versions *versions, const Options *options, const SpawnUser *user,
                   const char *cache_dir, const char *scratch_dir, char *ret_error,
                   size_t error_bytes);
/* Removes templates in the making of processes that are no more. */
void versions_remove_left(const char *cache_dir);
void versions_close(Versions *versions);
Version *versions_find(Versions *versions, int major);
/* Whether its server can load that. */
bool versions_has_library(const Version *version, const char *name);
/* Makes the template where it is not there yet. On libuv's threads: takes about a second. */
bool versions_make_template(Versions *versions, Version *version, char *ret_error,
                            size_t error_bytes);
