#include "drive/pg_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/secret.h"

static void copy_statement(PgJobStatement *to, const PgStatement *from)
{
    to->sql = from->sql;
    to->param_count = from->param_count;
    to->is_prepared = from->is_prepared;
    to->params = alloc_zeroed((size_t)from->param_count + 1, sizeof(char *));
    for (int i = 0; i < from->param_count; i++) {
        to->params[i] = from->params[i] != NULL ? alloc_text(from->params[i]) : NULL;
    }
}

PgJob *pg_job_new(const PgStatement *statements, int count, PgCallback *callback, void *context)
{
    PgJob *job = alloc_zeroed(1, sizeof(*job));
    list_link_init(&job->link);
    job->count = count;
    job->statements = alloc_zeroed((size_t)count, sizeof(job->statements[0]));
    job->results = alloc_zeroed((size_t)count, sizeof(PGresult *));
    job->callback = callback;
    job->context = context;
    for (int i = 0; i < count; i++) {
        copy_statement(&job->statements[i], &statements[i]);
    }
    return job;
}

void pg_job_free(PgJob *job)
{
    for (int i = 0; i < job->count; i++) {
        PgJobStatement *statement = &job->statements[i];
        for (int p = 0; p < statement->param_count; p++) {
            if (statement->params[p] != NULL) {
                secret_zero(statement->params[p], strlen(statement->params[p]));
                free(statement->params[p]);
            }
        }
        free(statement->params);
    }
    for (int i = 0; i < job->result_count; i++) {
        PQclear(job->results[i]);
    }
    free(job->results);
    free(job->statements);
    free(job);
}

// One preparation goes before the first statement of a job that needs it.
static bool is_being_prepared(const PgJob *job, const PgPlan *plan)
{
    for (int i = 0; i < job->count; i++) {
        if (job->statements[i].preparing == plan) {
            return true;
        }
    }
    return false;
}

static bool send_prepared(const PgJob *job, PgJobStatement *statement, PGconn *conn, PgPlans *plans)
{
    char name[PG_PLAN_NAME_BYTES];
    PgPlan *plan = pg_plans_find(plans, statement->sql, name);
    if (!plan->is_ready && !is_being_prepared(job, plan)) {
        statement->preparing = plan;
        if (PQsendPrepare(conn, name, statement->sql, 0, NULL) != 1) {
            return false;
        }
    }
    return PQsendQueryPrepared(conn, name, statement->param_count,
                               (const char *const *)statement->params, NULL, NULL, 0) == 1;
}

static bool send_statement(const PgJob *job, PgJobStatement *statement, PGconn *conn,
                           PgPlans *plans)
{
    if (statement->is_prepared) {
        return send_prepared(job, statement, conn, plans);
    }
    return PQsendQueryParams(conn, statement->sql, statement->param_count, NULL,
                             (const char *const *)statement->params, NULL, NULL, 0) == 1;
}

bool pg_job_send(PgJob *job, PGconn *conn, PgPlans *plans)
{
    for (int i = 0; i < job->count; i++) {
        if (!send_statement(job, &job->statements[i], conn, plans) ||
            (job->has_each && PQpipelineSync(conn) != 1)) {
            return false;
        }
    }
    return job->has_each || PQpipelineSync(conn) == 1;
}

static bool is_end_of_session(const PGresult *result)
{
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    return severity == NULL || strcmp(severity, "ERROR") != 0;
}

// The first failure; the detail is left out: it quotes values.
static void note_failure(PgJob *job, const PGresult *result)
{
    if (job->err.kind == ERROR_NONE) {
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        error_set(&job->err, ERROR_INTERNAL, sqlstate != NULL ? sqlstate : "XX000", "%s",
                  message != NULL ? message : "no message");
    }
}

static bool keep(PgJob *job, PGresult *result)
{
    if (job->err.kind != ERROR_NONE || job->result_count == job->count) {
        return false;
    }
    job->results[job->result_count++] = result;
    return true;
}

// The statement whose result comes next; NULL: all are there.
static PgJobStatement *present(PgJob *job)
{
    return job->result_count < job->count ? &job->statements[job->result_count] : NULL;
}

// The result of a preparation is not the statement's.
static bool take_preparation(PgJob *job)
{
    PgJobStatement *statement = present(job);
    if (statement == NULL || statement->preparing == NULL || job->err.kind != ERROR_NONE) {
        return false;
    }
    statement->preparing->is_ready = true;
    statement->preparing = NULL;
    return true;
}

// "cached plan must not change result type", or it is gone (a pooler's other connection).
static bool is_plan_lost(PgJob *job, const PGresult *result)
{
    const PgJobStatement *statement = present(job);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return statement != NULL && statement->is_prepared && sqlstate != NULL &&
           (strcmp(sqlstate, "0A000") == 0 || strcmp(sqlstate, "26000") == 0);
}

static PgJobProgress take_failure(PgJob *job, PGresult *result)
{
    if (is_end_of_session(result) || is_plan_lost(job, result)) {
        PQclear(result);
        return PG_JOB_BROKEN;
    }
    if (!job->has_each) {
        note_failure(job, result);
        PQclear(result);
    } else if (!keep(job, result)) {
        PQclear(result);
    }
    return PG_JOB_GOES_ON;
}

static PgJobProgress take_sync(PgJob *job)
{
    job->sync_count++;
    return job->sync_count == (job->has_each ? job->count : 1) ? PG_JOB_DONE : PG_JOB_GOES_ON;
}

PgJobProgress pg_job_take(PgJob *job, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    bool is_answer =
        status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
    if (status == PGRES_FATAL_ERROR) {
        return take_failure(job, result);
    }
    if (is_answer && take_preparation(job)) {
        PQclear(result);
        return PG_JOB_GOES_ON;
    }
    if (is_answer && keep(job, result)) {
        return PG_JOB_GOES_ON;
    }
    PQclear(result);
    if (status == PGRES_PIPELINE_SYNC) {
        return take_sync(job);
    }
    // the rest would be COPY
    return status == PGRES_PIPELINE_ABORTED ? PG_JOB_GOES_ON : PG_JOB_BROKEN;
}

void pg_job_report(const PgJob *job)
{
    if (job->callback != NULL) {
        job->callback(job->context, job->results, job->result_count, &job->err);
    }
}
