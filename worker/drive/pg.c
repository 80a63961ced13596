#include "drive/pg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/backoff.h"
#include "drive/pg_job.h"
#include "drive/pg_link.h"
#include "sys/clock.h"
#include "sys/random.h"

enum { PG_JOB_GRACE_MS = 5000 };
static const Backoff RECONNECT = {.first_ms = 200, .max_ms = 10000};

struct Pg {
    Loop *loop;
    PgLink link;
    PgState state;
    PgStateCallback *on_state;
    void *context;
    Error failure;           // why it is PG_FAILED
    uint32_t job_timeout_ms; // 0 = none
    size_t max_answer_bytes;
    bool reconnect;
    uint32_t attempts;
    LoopTimer *timer; // of the job under way, or until the next connect
    LoopTimer *soon;  // starts what waits, outside of pg_run
    PgJob *running;
    bool flushed; // all of the running job
    PgPlans plans;
    List waiting;
    List ended; // their callbacks are due
    bool busy;  // in one of our callbacks: pg_close leaves the freeing to it
    bool closed;
};

static void job_end(Pg *pg, PgJob *job, const Error *err)
{
    if (err != NULL) {
        job->err = *err;
    }
    list_remove(&job->link);
    list_append(&pg->ended, &job->link);
}

static void jobs_free(List *jobs)
{
    LIST_EACH(jobs, link)
    {
        pg_job_free(LIST_ENTRY(link, PgJob, link));
    }
    list_init(jobs);
}

static void pg_destroy(Pg *pg)
{
    pg_link_clear(&pg->link);
    free(pg);
}

// Every callback of the loop runs between these two, so that what it calls may close.
static void enter(Pg *pg)
{
    assert(!pg->busy);
    pg->busy = true;
}

static void leave(Pg *pg)
{
    ListLink *link = NULL;
    while (!pg->closed && (link = list_first(&pg->ended)) != NULL) {
        PgJob *job = LIST_ENTRY(link, PgJob, link);
        list_remove(&job->link);
        pg_job_report(job);
        pg_job_free(job);
    }
    pg->busy = false;
    if (pg->closed) {
        pg_destroy(pg);
    }
}

static void tell_state(Pg *pg, PgState state, const Error *err)
{
    pg->state = state;
    pg->on_state(pg->context, state, err);
}

// What a job is told; only a send limit tells that nothing was done.
static Error lost_error(const Error *err)
{
    Error lost = *err;
    if (strcmp(err->code, "SEND_LIMIT") != 0) {
        error_set(&lost, ERROR_UNAVAILABLE, "CONNECTION_LOST", "%s", err->text);
    }
    return lost;
}

static void lose(Pg *pg, const Error *err)
{
    pg_link_close(&pg->link, pg->running != NULL && !pg->flushed);
    pg->failure = *err;
    loop_timer_stop(pg->timer);
    if (pg->running != NULL) {
        Error lost = lost_error(err);
        job_end(pg, pg->running, &lost);
        pg->running = NULL;
    }
    if (pg->reconnect) {
        loop_timer_start(pg->timer, backoff_delay_ms(RECONNECT, pg->attempts++, random_u32()));
    } else {
        loop_timer_start(pg->soon, 0); // ends what waits
    }
    tell_state(pg, PG_FAILED, err);
}

static void lose_connection(Pg *pg)
{
    Error err;
    const char *message = PQerrorMessage(pg->link.conn);
    error_set(&err, ERROR_UNAVAILABLE, "CONNECTION_LOST", "%.*s", (int)strcspn(message, "\n"),
              message);
    lose(pg, &err);
}

static Error late_error(void)
{
    Error err;
    error_set(&err, ERROR_UNAVAILABLE, "SEND_LIMIT",
              "the send limit passed before the statements were written");
    return err;
}

static bool is_late(const PgJob *job)
{
    return job->send_limit_boot_ms != 0 && clock_boot_ms() >= job->send_limit_boot_ms;
}

static void flush(Pg *pg)
{
    int left = PQflush(pg->link.conn);
    if (left < 0) {
        lose_connection(pg);
        return;
    }
    pg->flushed = left == 0;
    pg_link_want(&pg->link, UV_READABLE | (left != 0 ? UV_WRITABLE : 0));
}

static void start(Pg *pg, PgJob *job)
{
    if (is_late(job)) {
        Error err = late_error();
        job_end(pg, job, &err);
        return;
    }
    list_remove(&job->link);
    pg->running = job;
    pg->flushed = false;
    pg_scan_answer(&pg->link.guard.scan, pg->max_answer_bytes);
    if (!pg_job_send(job, pg->link.conn, &pg->plans)) {
        lose_connection(pg);
        return;
    }
    if (pg->job_timeout_ms != 0) {
        loop_timer_start(pg->timer, pg->job_timeout_ms);
    }
    flush(pg);
}

// Starts the first job that waits, or ends all where no connection will come any more.
static void pump(Pg *pg)
{
    ListLink *link = NULL;
    bool is_over = pg->state == PG_FAILED && !pg->reconnect;
    while (!pg->closed && pg->running == NULL && (pg->state == PG_READY || is_over) &&
           (link = list_first(&pg->waiting)) != NULL) {
        PgJob *job = LIST_ENTRY(link, PgJob, link);
        if (is_over) {
            Error lost = lost_error(&pg->failure);
            job_end(pg, job, &lost);
        } else {
            start(pg, job);
        }
    }
}

static void on_soon(void *context)
{
    Pg *pg = context;
    enter(pg);
    pump(pg);
    leave(pg);
}

// A job that left its transaction open, as one that failed after a BEGIN of its own does, must not
// hand it to the next one.
static void roll_back(Pg *pg)
{
    PgStatement statement = {.sql = "ROLLBACK"};
    PgJob *job = pg_job_new(&statement, 1, NULL, NULL);
    list_append(&pg->waiting, &job->link);
    start(pg, job);
}

static void finish_running(Pg *pg)
{
    PgJob *job = pg->running;
    pg->running = NULL;
    loop_timer_stop(pg->timer);
    job_end(pg, job, NULL);
    if (PQtransactionStatus(pg->link.conn) != PQTRANS_IDLE) {
        roll_back(pg);
    }
    pump(pg);
}

static void take_results(Pg *pg)
{
    // Between two statements there is one NULL; a second one means that nothing is there yet.
    int nulls = 0;
    while (pg->running != NULL && nulls < 2 && PQisBusy(pg->link.conn) == 0) {
        PGresult *result = PQgetResult(pg->link.conn);
        if (result == NULL) {
            nulls++;
            continue;
        }
        nulls = 0;
        PgJobProgress progress = pg_job_take(pg->running, result);
        if (progress == PG_JOB_BROKEN) {
            lose_connection(pg);
        } else if (progress == PG_JOB_DONE) {
            finish_running(pg);
        }
    }
}

static void run_event(Pg *pg, int events)
{
    if (pg->running != NULL && !pg->flushed && is_late(pg->running)) {
        Error err = late_error();
        lose(pg, &err);
        return;
    }
    Error err = ERROR_INIT;
    if ((events & UV_READABLE) != 0 && !pg_link_read(&pg->link, &err)) {
        lose(pg, &err);
        return;
    }
    if (pg->running != NULL && !pg->flushed) {
        flush(pg);
    }
    take_results(pg);
}

static void on_event(void *context, int events)
{
    Pg *pg = context;
    enter(pg);
    run_event(pg, events);
    leave(pg);
}

static void on_connected(void *context)
{
    Pg *pg = context;
    enter(pg);
    pg->attempts = 0;
    pg_plans_forget(&pg->plans);
    Error none = ERROR_INIT;
    tell_state(pg, PG_READY, &none);
    pump(pg);
    leave(pg);
}

static void on_failed(void *context, const Error *err)
{
    Pg *pg = context;
    enter(pg);
    lose(pg, err);
    leave(pg);
}

static void on_timer(void *context)
{
    Pg *pg = context;
    enter(pg);
    if (pg->state == PG_READY) {
        Error err;
        error_set(&err, ERROR_UNAVAILABLE, "CONNECTION_LOST", "no answer within %u ms",
                  pg->job_timeout_ms);
        lose(pg, &err);
    } else {
        Error none = ERROR_INIT;
        pg_link_connect(&pg->link);
        tell_state(pg, PG_CONNECTING, &none);
    }
    leave(pg);
}

Pg *pg_open(Loop *loop, Resolver *resolver, const PgOptions *options, PgStateCallback *on_state,
            void *context)
{
    static const PgLinkHandler HANDLER = {on_connected, on_failed, on_event};
    Pg *pg = alloc_zeroed(1, sizeof(*pg));
    pg->loop = loop;
    pg->job_timeout_ms = options->job_timeout_ms;
    if (pg->job_timeout_ms == 0 && options->statement_timeout_ms != 0) {
        pg->job_timeout_ms = options->statement_timeout_ms + PG_JOB_GRACE_MS;
    }
    pg->max_answer_bytes =
        options->max_answer_bytes != 0 ? options->max_answer_bytes : PG_SCAN_LOGIN_BYTES_MAX;
    pg->reconnect = options->reconnect;
    pg->on_state = on_state;
    pg->context = context;
    pg->state = PG_CONNECTING;
    list_init(&pg->waiting);
    list_init(&pg->ended);
    pg->timer = loop_timer_new(loop, on_timer, pg);
    pg->soon = loop_timer_new(loop, on_soon, pg);
    pg_link_init(&pg->link, loop, resolver, options);
    pg_link_set_handler(&pg->link, &HANDLER, pg);
    pg_link_connect(&pg->link);
    return pg;
}

PgState pg_state(const Pg *pg)
{
    return pg->state;
}

static void queue(Pg *pg, PgJob *job, int64_t send_limit_boot_ms)
{
    job->send_limit_boot_ms = send_limit_boot_ms;
    list_append(&pg->waiting, &job->link);
    loop_timer_start(pg->soon, 0);
}

void pg_run_until(Pg *pg, const PgStatement *statements, int count, int64_t send_limit_boot_ms,
                  PgCallback *callback, void *context)
{
    queue(pg, pg_job_new(statements, count, callback, context), send_limit_boot_ms);
}

void pg_run_each(Pg *pg, const PgStatement *statements, int count, int64_t send_limit_boot_ms,
                 PgCallback *callback, void *context)
{
    PgJob *job = pg_job_new(statements, count, callback, context);
    job->has_each = true;
    queue(pg, job, send_limit_boot_ms);
}

void pg_run(Pg *pg, const PgStatement *statements, int count, PgCallback *callback, void *context)
{
    pg_run_until(pg, statements, count, 0, callback, context);
}

size_t pg_waiting(const Pg *pg)
{
    size_t count = pg->running != NULL ? 1 : 0;
    LIST_EACH(&pg->waiting, link)
    {
        count++;
    }
    return count;
}

void pg_close(Pg *pg)
{
    if (pg == NULL) {
        return;
    }
    pg->closed = true;
    pg_link_close(&pg->link, pg->running != NULL && !pg->flushed);
    if (pg->running != NULL) {
        pg_job_free(pg->running);
        pg->running = NULL;
    }
    jobs_free(&pg->waiting);
    jobs_free(&pg->ended);
    loop_timer_free(pg->timer);
    loop_timer_free(pg->soon);
    if (!pg->busy) {
        pg_destroy(pg);
    }
}
