#include "drive/pg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/backoff.h"
#include "drive/pg_job.h"
#include "drive/pg_params.h"
#include "sys/clock.h"

enum { PG_JOB_GRACE_MS = 5000 };
static const Backoff RECONNECT = {.first_ms = 200, .max_ms = 10000};

struct Pg {
    Loop *loop;
    Resolver *resolver;
    PgParams params;
    Error failure; // why it is PG_FAILED
    uint32_t connect_timeout_ms;
    uint32_t job_timeout_ms; // 0 = none
    bool reconnect;
    PgStateCallback *on_state;
    void *context;
    PgState state;
    ResolverQuery *query;
    PGconn *conn;
    uv_poll_t *poll;
    LoopTimer *timer; // of the connect, of the job under way, or until the next connect
    LoopTimer *soon;  // starts what waits, outside of pg_run
    uint32_t attempts;
    PgJob *running;
    bool flushed; // all of the running job
    List waiting;
    List ended; // their callbacks are due
    bool busy;  // in one of our callbacks: pg_close leaves the freeing to it
    bool closed;
    bool begun; // the first connect is not started within pg_open
};

static void on_event(uv_poll_t *poll, int status, int events);

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

static void poll_close(Pg *pg)
{
    if (pg->poll != NULL) {
        uv_close((uv_handle_t *)pg->poll, on_poll_closed);
        pg->poll = NULL;
    }
}

// A new handle each time while connecting: libpq may close the socket and open another one with
// the same number, of which libuv would not hear.
static void poll_open(Pg *pg, int events)
{
    poll_close(pg);
    pg->poll = alloc_zeroed(1, sizeof(*pg->poll));
    int failed = uv_poll_init(loop_uv(pg->loop), pg->poll, PQsocket(pg->conn));
    assert(failed == 0);
    (void)failed;
    pg->poll->data = pg;
    uv_poll_start(pg->poll, events, on_event);
}

// PQfinish would flush what waits in libpq: a job that is given up must not go out after all.
static void disconnect(Pg *pg)
{
    resolver_cancel(pg->query);
    pg->query = NULL;
    poll_close(pg);
    if (pg->conn != NULL && pg->running != NULL && !pg->flushed) {
        shutdown(PQsocket(pg->conn), SHUT_RDWR);
    }
    PQfinish(pg->conn);
    pg->conn = NULL;
    loop_timer_stop(pg->timer);
}

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
}

static void pg_destroy(Pg *pg)
{
    pg_params_clear(&pg->params);
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

static uint32_t reconnect_delay_ms(Pg *pg)
{
    uint32_t random = 0;
    uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
    return backoff_delay_ms(RECONNECT, pg->attempts++, random);
}

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
    disconnect(pg);
    pg->failure = *err;
    Error lost = lost_error(err);
    if (pg->running != NULL) {
        job_end(pg, pg->running, &lost);
        pg->running = NULL;
    }
    if (pg->reconnect) {
        loop_timer_start(pg->timer, reconnect_delay_ms(pg));
    } else {
        loop_timer_start(pg->soon, 0); // ends what waits
    }
    tell_state(pg, PG_FAILED, err);
}

static void lose_connection(Pg *pg)
{
    Error err;
    const char *message = PQerrorMessage(pg->conn);
    error_set(&err, ERROR_UNAVAILABLE, "CONNECTION_LOST", "%.*s", (int)strcspn(message, "\n"),
              message);
    lose(pg, &err);
}

static void lose_late(Pg *pg)
{
    Error err;
    error_set(&err, ERROR_UNAVAILABLE, "SEND_LIMIT",
              "the send limit passed before the statements were written");
    lose(pg, &err);
}

static bool is_late(const PgJob *job)
{
    return job->send_limit_boot_ms != 0 && clock_boot_ms() >= job->send_limit_boot_ms;
}

static void flush(Pg *pg)
{
    int left = PQflush(pg->conn);
    if (left < 0) {
        lose_connection(pg);
        return;
    }
    pg->flushed = left == 0;
    uv_poll_start(pg->poll, UV_READABLE | (left != 0 ? UV_WRITABLE : 0), on_event);
}

static void start(Pg *pg, PgJob *job)
{
    if (is_late(job)) {
        Error err;
        error_set(&err, ERROR_UNAVAILABLE, "SEND_LIMIT",
                  "the send limit passed before the statements were sent");
        job_end(pg, job, &err);
        return;
    }
    list_remove(&job->link);
    pg->running = job;
    pg->flushed = false;
    if (!pg_job_send(job, pg->conn)) {
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
    if (PQtransactionStatus(pg->conn) != PQTRANS_IDLE) {
        roll_back(pg);
    }
    pump(pg);
}

static void take_results(Pg *pg)
{
    // Between two statements there is one NULL; a second one means that nothing is there yet.
    int nulls = 0;
    while (pg->running != NULL && pg->conn != NULL && nulls < 2 && PQisBusy(pg->conn) == 0) {
        PGresult *result = PQgetResult(pg->conn);
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
        lose_late(pg);
        return;
    }
    if ((events & UV_READABLE) != 0 && PQconsumeInput(pg->conn) == 0) {
        lose_connection(pg);
        return;
    }
    if (pg->running != NULL && !pg->flushed) {
        flush(pg);
    }
    if (pg->state == PG_READY) {
        take_results(pg);
    }
}

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static void connected(Pg *pg)
{
    loop_timer_stop(pg->timer);
    pg->attempts = 0;
    if (PQsetnonblocking(pg->conn, 1) != 0 || PQenterPipelineMode(pg->conn) != 1) {
        lose_connection(pg);
        return;
    }
    poll_open(pg, UV_READABLE);
    Error none = ERROR_INIT;
    tell_state(pg, PG_READY, &none);
    pump(pg);
}

static void connect_failed(Pg *pg)
{
    Error err;
    pg_params_explain(pg->conn, &err);
    lose(pg, &err);
}

static void connect_step(Pg *pg)
{
    PostgresPollingStatusType wanted = PQconnectPoll(pg->conn);
    if (wanted == PGRES_POLLING_OK) {
        connected(pg);
    } else if (wanted == PGRES_POLLING_READING) {
        poll_open(pg, UV_READABLE);
    } else if (wanted == PGRES_POLLING_WRITING) {
        poll_open(pg, UV_WRITABLE);
    } else {
        connect_failed(pg);
    }
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    Pg *pg = poll->data;
    enter(pg);
    if (pg->state == PG_CONNECTING) {
        connect_step(pg);
    } else if (pg->state == PG_READY) {
        // An error of the socket shows when libpq reads it.
        run_event(pg, status == 0 ? events : UV_READABLE);
    }
    leave(pg);
}

static void connect_to(Pg *pg, const char *address)
{
    pg->conn = pg_params_connect(&pg->params, address);
    if (pg->conn == NULL) {
        abort();
    }
    PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE); // see pg_params_explain
    PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
    if (PQstatus(pg->conn) == CONNECTION_BAD) {
        connect_failed(pg);
    } else {
        poll_open(pg, UV_WRITABLE);
    }
}

static void on_address(void *context, const char *address, const Error *err)
{
    Pg *pg = context;
    enter(pg);
    pg->query = NULL;
    if (address == NULL) {
        lose(pg, err);
    } else {
        connect_to(pg, address);
    }
    leave(pg);
}

static void begin(Pg *pg)
{
    Error none = ERROR_INIT;
    if (pg->state != PG_CONNECTING) {
        tell_state(pg, PG_CONNECTING, &none);
    }
    if (pg->closed) {
        return;
    }
    if (pg->failure.kind == ERROR_INVALID) { // the parameters can't be used
        lose(pg, &pg->failure);
        return;
    }
    loop_timer_start(pg->timer, pg->connect_timeout_ms);
    const char *name = pg_params_name(&pg->params);
    if (name != NULL) {
        pg->query = resolver_ask(pg->resolver, name, on_address, pg);
    } else {
        connect_to(pg, NULL);
    }
}

static void on_timer(void *context)
{
    Pg *pg = context;
    Error err;
    enter(pg);
    if (pg->state == PG_FAILED || !pg->begun) {
        pg->begun = true;
        begin(pg);
    } else if (pg->state == PG_CONNECTING) {
        error_set(&err, ERROR_UNAVAILABLE, "CONNECT_TIMEOUT", "no connection within %u ms",
                  pg->connect_timeout_ms);
        lose(pg, &err);
    } else if (pg->running != NULL) {
        error_set(&err, ERROR_UNAVAILABLE, "CONNECTION_LOST", "no answer within %u ms",
                  pg->job_timeout_ms);
        lose(pg, &err);
    }
    leave(pg);
}

Pg *pg_open(Loop *loop, Resolver *resolver, const PgOptions *options, PgStateCallback *on_state,
            void *context)
{
    Pg *pg = alloc_zeroed(1, sizeof(*pg));
    pg->loop = loop;
    pg->resolver = resolver;
    pg->connect_timeout_ms = options->connect_timeout_ms;
    if (options->statement_timeout_ms != 0) {
        pg->job_timeout_ms = options->statement_timeout_ms + PG_JOB_GRACE_MS;
    }
    pg->reconnect = options->reconnect;
    pg->on_state = on_state;
    pg->context = context;
    pg->state = PG_CONNECTING;
    list_init(&pg->waiting);
    list_init(&pg->ended);
    pg_params_init(&pg->params, options, &pg->failure);
    pg->timer = loop_timer_new(loop, on_timer, pg);
    pg->soon = loop_timer_new(loop, on_soon, pg);
    loop_timer_start(pg->timer, 0);
    return pg;
}

PgState pg_state(const Pg *pg)
{
    return pg->state;
}

void pg_run_until(Pg *pg, const PgStatement *statements, int count, int64_t send_limit_boot_ms,
                  PgCallback *callback, void *context)
{
    PgJob *job = pg_job_new(statements, count, callback, context);
    job->send_limit_boot_ms = send_limit_boot_ms;
    list_append(&pg->waiting, &job->link);
    loop_timer_start(pg->soon, 0);
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
    disconnect(pg);
    if (pg->running != NULL) {
        pg_job_free(pg->running);
        pg->running = NULL;
    }
    jobs_free(&pg->waiting);
    jobs_free(&pg->ended);
    list_init(&pg->waiting);
    list_init(&pg->ended);
    loop_timer_free(pg->timer);
    loop_timer_free(pg->soon);
    if (!pg->busy) {
        pg_destroy(pg);
    }
}
