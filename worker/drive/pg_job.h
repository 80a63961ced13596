/*
 * A job of a connection: its statements, and the results as they come in. Used by drive/pg only.
 */
#ifndef DRIVE_PG_JOB_H
#define DRIVE_PG_JOB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "drive/pg.h"
#include "drive/pg_plans.h"

typedef struct PgJobStatement {
    const char *sql;
    int param_count;
    char **params;
    bool is_prepared;
    PgPlan *preparing; // its preparation goes before it, and is not answered yet; NULL: none
} PgJobStatement;

typedef struct PgJob {
    ListLink link;
    PgJobStatement *statements;
    int count;
    bool has_each; // a Sync behind each
    int sync_count;
    PGresult **results;
    int result_count;
    int64_t send_limit_boot_ms; // 0 = none
    PgCallback *callback;       // NULL = nobody waits for it
    void *context;
    Error err;
} PgJob;

typedef enum PgJobProgress { PG_JOB_GOES_ON, PG_JOB_DONE, PG_JOB_BROKEN } PgJobProgress;

PgJob *pg_job_new(const PgStatement *statements, int count, PgCallback *callback, void *context);
void pg_job_free(PgJob *job); // parameters are zeroed
// Hands all statements and their Syncs to libpq; false: the connection is broken.
// `plans`: of this connection, until the job has ended.
bool pg_job_send(PgJob *job, PGconn *conn, PgPlans *plans);
// Takes one result. PG_JOB_BROKEN: the connection can't be used any more.
PgJobProgress pg_job_take(PgJob *job, PGresult *result);
void pg_job_report(const PgJob *job);

#endif
