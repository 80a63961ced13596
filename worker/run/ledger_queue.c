#include "run/ledger_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "run/ledger_rows.h"
#include "sys/clock.h"
#include "sys/log.h"

enum {
    CONNECTIONS_MAX = 32,
    RETRY_MS = 1000,
    BATCHES_MAX = 2, // on a connection: one under way, one that follows it at once
};

typedef struct Connection {
    LedgerQueue *queue;
    Pg *pg;
    bool told_away;
} Connection;

struct LedgerQueue {
    Metrics *metrics; // may be NULL
    Connection connections[CONNECTIONS_MAX];
    size_t connection_count;
    List waiting[LEDGER_OP_COUNT_OF];
    size_t waiting_count;
    LoopTimer *retry;
    List flushes;
    List refused;     // rows, until the retry timer fires
    bool is_troubled; // connected, but it takes nothing
    LedgerOpKind troubled_kind;
    size_t turn; // the kind that goes next
};

// Rows on their way: one batch.
typedef struct Flush {
    ListLink link;
    LedgerQueue *queue;
    LedgerOpKind kind;
    LedgerOp *ops[LEDGER_ROWS_MAX];
    size_t count;
    size_t bytes;
    LedgerBatch batch;
    int64_t sent_boot_us;
} Flush;

static void on_retry(void *context)
{
    LedgerQueue *queue = context;
    LIST_EACH(&queue->refused, link)
    {
        LedgerOp *op = LIST_ENTRY(link, LedgerOp, link);
        list_remove(link);
        list_append(&queue->waiting[op->kind], link); // flushed at the end of this turn
    }
}

static void on_state(void *context, PgState state, const Error *err)
{
    Connection *connection = context;
    if (state == PG_READY && connection->told_away) {
        connection->told_away = false;
        log_write(LOG_LEVEL_INFO, NULL, "the ledger is reached again");
    } else if (state == PG_FAILED && !connection->told_away) {
        connection->told_away = true;
        log_write(LOG_LEVEL_WARNING, &(LogFields){.error = err}, "the ledger is away");
    }
}

LedgerQueue *ledger_queue_open(Loop *loop, Resolver *resolver, const Settings *settings)
{
    LedgerQueue *queue = alloc_zeroed(1, sizeof(*queue));
    for (size_t i = 0; i < LEDGER_OP_COUNT_OF; i++) {
        list_init(&queue->waiting[i]);
    }
    list_init(&queue->flushes);
    list_init(&queue->refused);
    queue->retry = loop_timer_new(loop, on_retry, queue);
    queue->connection_count = (size_t)settings_number(settings, SETTING_LEDGER_CONNECTIONS);
    assert(queue->connection_count <= CONNECTIONS_MAX);
    PgOptions options = {
        .uri = settings_secret(settings, SETTING_LEDGER_URI),
        .connect_timeout_ms = (uint32_t)settings_number(settings, SETTING_LEDGER_TIMEOUT),
        .statement_timeout_ms = (uint32_t)settings_number(settings, SETTING_LEDGER_TIMEOUT),
        .application_name = "provision-worker",
        .reconnect = true,
    };
    for (size_t i = 0; i < queue->connection_count; i++) {
        queue->connections[i].queue = queue;
        queue->connections[i].pg =
            pg_open(loop, resolver, &options, on_state, &queue->connections[i]);
    }
    return queue;
}

static void flush_free(Flush *flush)
{
    list_remove(&flush->link);
    ledger_batch_clear(&flush->batch);
    free(flush);
}

void ledger_queue_close(LedgerQueue *queue)
{
    if (queue == NULL) {
        return;
    }
    for (size_t i = 0; i < queue->connection_count; i++) {
        pg_close(queue->connections[i].pg);
    }
    LIST_EACH(&queue->flushes, link)
    {
        flush_free(LIST_ENTRY(link, Flush, link));
    }
    loop_timer_free(queue->retry);
    free(queue);
}

void ledger_queue_measure(LedgerQueue *queue, Metrics *metrics)
{
    queue->metrics = metrics;
}

void ledger_queue_put(LedgerQueue *queue, LedgerOp *op)
{
    assert(!op->pending);
    op->pending = true;
    op->is_alone = false;
    list_append(&queue->waiting[op->kind], &op->link);
    queue->waiting_count++;
}

bool ledger_queue_withdraw(LedgerQueue *queue, LedgerOp *op)
{
    if (!op->pending || !list_is_linked(&op->link)) {
        return false;
    }
    list_remove(&op->link);
    queue->waiting_count--;
    op->pending = false;
    return true;
}

// NULL where all have enough to do: what waits meanwhile goes into fewer, larger statements, which
// is all that helps while the ledger is slow.
static Connection *idlest(LedgerQueue *queue)
{
    Connection *best = NULL;
    for (size_t i = 0; i < queue->connection_count; i++) {
        Connection *connection = &queue->connections[i];
        if (pg_state(connection->pg) == PG_READY && pg_waiting(connection->pg) < BATCHES_MAX &&
            (best == NULL || pg_waiting(connection->pg) < pg_waiting(best->pg))) {
            best = connection;
        }
    }
    return best;
}

size_t ledger_queue_ready_connections(const LedgerQueue *queue)
{
    size_t count = 0;
    for (size_t i = 0; i < queue->connection_count; i++) {
        count += pg_state(queue->connections[i].pg) == PG_READY ? 1 : 0;
    }
    return count;
}

bool ledger_queue_is_healthy(const LedgerQueue *queue)
{
    return ledger_queue_ready_connections(queue) > 0 && !queue->is_troubled;
}

size_t ledger_queue_waiting(const LedgerQueue *queue)
{
    return queue->waiting_count;
}

static void hold_row(LedgerQueue *queue, LedgerOp *op)
{
    if (list_is_empty(&queue->refused)) {
        loop_timer_start(queue->retry, RETRY_MS);
    }
    list_append(&queue->refused, &op->link);
}

// What no row is to blame for: no space or memory left (53), the system (58), an administrator
// (57P), a standby that takes no writes.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
static bool is_trouble(const Error *err)
{
    static const char *const CLASSES[] = {"53", "58", "57P", "25006"};
    for (size_t i = 0; i < sizeof CLASSES / sizeof CLASSES[0]; i++) {
        if (err->kind == ERROR_INTERNAL &&
            strncmp(err->code, CLASSES[i], strlen(CLASSES[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void tell_trouble(LedgerQueue *queue, LedgerOpKind kind, const Error *err)
{
    if (!queue->is_troubled) {
        queue->is_troubled = true;
        queue->troubled_kind = kind;
        log_write(LOG_LEVEL_WARNING, &(LogFields){.error = err},
                  "the ledger takes nothing; everything is sent again");
    }
}

// Reading works on a full disk, too.
static void forget_trouble(LedgerQueue *queue, LedgerOpKind kind)
{
    if (queue->is_troubled && kind == queue->troubled_kind) {
        queue->is_troubled = false;
        log_write(LOG_LEVEL_INFO, NULL, "the ledger takes rows again");
    }
}

// Back into the queue, in front of nothing: order between commands doesn't matter, each has one row
// under way at most.
static void put_back(Flush *flush, const Error *err)
{
    LedgerQueue *queue = flush->queue;
    bool was_refused = err->kind != ERROR_UNAVAILABLE;
    queue->waiting_count += flush->count;
    if (is_trouble(err)) {
        tell_trouble(queue, flush->kind, err);
        for (size_t i = 0; i < flush->count; i++) {
            hold_row(queue, flush->ops[i]);
        }
        return;
    }
    if (was_refused && flush->count == 1) {
        // by itself it holds up no other
        log_write(LOG_LEVEL_ERROR, &(LogFields){.error = err},
                  "the ledger refused a row; it is sent again");
        hold_row(queue, flush->ops[0]);
        return;
    }
    for (size_t i = 0; i < flush->count; i++) {
        LedgerOp *op = flush->ops[i];
        op->is_alone = was_refused;
        list_append(&queue->waiting[op->kind], &op->link);
    }
}

static void measure(const Flush *flush)
{
    Metrics *metrics = flush->queue->metrics;
    if (metrics != NULL) {
        const char *const *labels = METRIC_LABELS(ledger_rows_name(flush->kind));
        double took_s = (double)(clock_boot_us() - flush->sent_boot_us) / 1e6;
        metrics_observe(metrics, METRIC_LEDGER_SECONDS, labels, took_s);
        metrics_observe(metrics, METRIC_LEDGER_ROWS, labels, (double)flush->count);
    }
}

static void on_answer(void *context, PGresult *const *results, int count, const Error *err)
{
    Flush *flush = context;
    Error failure = *err;
    measure(flush);
    if (failure.kind == ERROR_NONE && (size_t)count != flush->batch.count) {
        error_set(&failure, ERROR_INTERNAL, "LEDGER_ANSWER",
                  "the ledger answered %d of %zu statements", count, flush->batch.count);
    }
    if (failure.kind == ERROR_NONE) {
        ledger_rows_decode(flush->kind, results[flush->batch.answer], flush->ops, flush->count,
                           &failure);
    }
    if (failure.kind != ERROR_NONE) {
        put_back(flush, &failure);
    } else {
        forget_trouble(flush->queue, flush->kind);
        // one by one: an answer to one may let go of others, but never of one that is under way
        for (size_t i = 0; i < flush->count; i++) {
            flush->ops[i]->pending = false;
            flush->ops[i]->done(flush->ops[i]);
        }
    }
    flush_free(flush);
}

// Of the kinds whose rows may be large; outcomes travel as hexadecimal digits.
static size_t row_bytes(const LedgerOp *op)
{
    if (op->kind == LEDGER_OP_CONCLUDE) {
        return 2 * op->ask.conclude.outcome.size + strlen(op->ask.conclude.journal);
    }
    return op->kind == LEDGER_OP_OPEN ? strlen(op->ask.open.journal) : 0;
}

static bool fits_batch(const Flush *flush, const LedgerOp *op)
{
    bool is_large = flush->bytes + row_bytes(op) > LEDGER_BATCH_BYTES;
    if (flush->count == LEDGER_ROWS_MAX || ((op->is_alone || is_large) && flush->count > 0)) {
        return false;
    }
    for (size_t i = 0; i < flush->count; i++) {
        if (ledger_rows_compare(flush->ops[i], op) == 0) {
            return false;
        }
    }
    return true;
}

static void send_batch(LedgerQueue *queue, Connection *connection, LedgerOpKind kind)
{
    Flush *flush = alloc_zeroed(1, sizeof(*flush));
    flush->queue = queue;
    flush->kind = kind;
    list_append(&queue->flushes, &flush->link);
    int64_t now_ms = clock_boot_ms();
    LIST_EACH(&queue->waiting[kind], link)
    {
        LedgerOp *op = LIST_ENTRY(link, LedgerOp, link);
        if (!fits_batch(flush, op)) {
            continue;
        }
        list_remove(link);
        queue->waiting_count--;
        op->handed_boot_ms = now_ms;
        flush->bytes += row_bytes(op);
        flush->ops[flush->count++] = op;
        if (op->is_alone) {
            break;
        }
    }
    ledger_rows_build(kind, flush->ops, flush->count, &flush->batch);
    PgStatement statements[LEDGER_STATEMENTS_MAX];
    const char *params[LEDGER_STATEMENTS_MAX][LEDGER_PARAMS_MAX];
    for (size_t i = 0; i < flush->batch.count; i++) {
        const LedgerStatement *statement = &flush->batch.statements[i];
        for (size_t p = 0; p < statement->param_count; p++) {
            params[i][p] = text_get(&statement->params[p]);
        }
        statements[i] = (PgStatement){statement->sql, (int)statement->param_count, params[i]};
    }
    flush->sent_boot_us = clock_boot_us();
    pg_run(connection->pg, statements, (int)flush->batch.count, on_answer, flush);
}

static bool has_rows(const LedgerQueue *queue, LedgerOpKind kind, bool hold_claims)
{
    return !list_is_empty(&queue->waiting[kind]) && !(hold_claims && kind == LEDGER_OP_CLAIM);
}

// The kinds take turns, one batch each: claims that go on coming must not keep conclusions waiting.
void ledger_queue_flush(LedgerQueue *queue, bool hold_claims)
{
    size_t idle = 0;
    while (idle < LEDGER_OP_COUNT_OF) {
        LedgerOpKind kind = (LedgerOpKind)queue->turn;
        bool has_work = has_rows(queue, kind, hold_claims);
        Connection *connection = has_work ? idlest(queue) : NULL;
        if (has_work && connection == NULL) {
            return; // flushed again when one is free
        }
        if (has_work) {
            send_batch(queue, connection, kind);
        }
        idle = has_work ? 0 : idle + 1;
        queue->turn = (queue->turn + 1) % LEDGER_OP_COUNT_OF;
    }
}
