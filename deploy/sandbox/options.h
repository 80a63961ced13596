/* The command line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { OPTIONS_POSTGRES_MAX = 8, OPTIONS_TOPICS_MAX = 32 };

typedef struct Plan Plan; /* plans.h */

typedef struct Options {
    int port;          /* 0: any free one */
    int postgres_port; /* every endpoint's, beside its own; 0: any free one, -1: none */
    const char *state_dir;
    const char *cache_dir; /* NULL: inside the state folder */
    bool ephemeral;
    bool compute;       /* false with --no-compute */
    bool keeps_deleted; /* deleted projects' clusters, for recovery */
    int64_t latency_ms;
    int64_t operation_ms;
    int64_t rate_limit;   /* calls a second for each account; 0: none */
    int rate_retry_after; /* seconds that a 429 of it tells; -1: it doesn't */
    const Plan *plan;     /* NULL: none of its limits */
    int64_t suspend_ms;   /* what suspend_timeout_seconds 0 stands for */
    const char *postgres_dirs[OPTIONS_POSTGRES_MAX];
    int postgres_count;
    const char *user;
    const char *keys_file;
    const char *faults_file;
    const char *seed_file; /* NULL: none */
    const char *log_file;
    const char *record_file;
    bool quiet;
    int64_t history_mb;   /* of log for each branch's points in time; 0: none */
    bool logs_statements; /* the clusters' logs */
    bool reverts;         /* clusters get what only the control plane knows */
    bool kafka;
    int kafka_brokers;
    const char *kafka_topics[OPTIONS_TOPICS_MAX];
    int kafka_topic_count;
} Options;

/* Reads the command line; the strings stay the caller's argv. Ends the process for --help,
 * --version and usage errors (status 64). */
void options_parse(int argc, char **argv, Options *ret_options);
