#include "drive/pg_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/secret.h"

static void copy_statement(PgJobStatement *to, const PgStatement *from)
{
    to->sql = from->sql;
    to->param_count = from->param_count;
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

static bool send_statement(const PgJobStatement *statement, PGconn *conn)
{
    return PQsendQueryParams(conn, statement->sql, statement->param_count, NULL,
                             (const char *const *)statement->params, NULL, NULL, 0) == 1;
}

bool pg_job_send(const PgJob *job, PGconn *conn)
{
    for (int i = 0; i < job->count; i++) {
        if (!send_statement(&job->statements[i], conn) ||
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

static PgJobProgress take_failure(PgJob *job, PGresult *result)
{
    if (is_end_of_session(result)) {
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
