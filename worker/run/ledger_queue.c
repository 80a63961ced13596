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

_Static_assert((int)LEDGER_OP_COUNT_OF <= (int)LEDGER_TROUBLE_KINDS_MAX, "each kind is counted");

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
    List refused[LEDGER_OP_COUNT_OF]; // rows, until the retry timer fires
    LedgerTrouble trouble;            // connected, but it takes nothing
    bool probes;                      // one is under way
    size_t turn;                      // the kind that goes next
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

// NULL where all have enough to do: what waits meanwhile goes into fewer, larger statements, which
// is all that helps while the ledger is slow. Claims go to one that has nothing to do: behind other
// statements they would wait where nothing holds them back when a frozen worker thaws.
static Connection *idlest(LedgerQueue *queue, LedgerOpKind kind)
{
    size_t most = kind == LEDGER_OP_CLAIM ? 1 : BATCHES_MAX;
    Connection *best = NULL;
    for (size_t i = 0; i < queue->connection_count; i++) {
        Connection *connection = &queue->connections[i];
        if (pg_state(connection->pg) == PG_READY && pg_waiting(connection->pg) < most &&
            (best == NULL || pg_waiting(connection->pg) < pg_waiting(best->pg))) {
            best = connection;
        }
    }
    return best;
}

// So many of the refused rows of a kind are sent again, at the end of this turn.
static void release(LedgerQueue *queue, LedgerOpKind kind, size_t count)
{
    ListLink *link = NULL;
    for (; count > 0 && (link = list_first(&queue->refused[kind])) != NULL; count--) {
        list_remove(link);
        list_append(&queue->waiting[kind], link);
    }
}

static void tell_end(const LedgerQueue *queue, bool was_troubled, const char *text)
{
    if (was_troubled && !ledger_trouble_stands(&queue->trouble)) {
        log_write(LOG_LEVEL_INFO, NULL, "%s", text);
    }
}

// Reading works on a full disk, too: rows of one kind tell nothing about another.
static void forget_trouble(LedgerQueue *queue, LedgerOpKind kind)
{
    if (ledger_trouble_suspects(&queue->trouble, (int)kind) > 0) {
        release(queue, kind, SIZE_MAX);
    }
    bool was_troubled = ledger_trouble_stands(&queue->trouble);
    ledger_trouble_take(&queue->trouble, (int)kind);
    tell_end(queue, was_troubled, "the ledger takes rows again");
}

static void on_probed(void *context, PGresult *const *results, int count, const Error *err)
{
    LedgerQueue *queue = context;
    (void)results;
    (void)count;
    queue->probes = false;
    for (int kind = 0; kind < LEDGER_OP_COUNT_OF && err->kind == ERROR_NONE; kind++) {
        forget_trouble(queue, (LedgerOpKind)kind);
    }
}

// One row is enough to try with: the others wait until one of their kind is taken. A probe tells
// whether the ledger takes anything when none of them ever will be.
static void on_retry(void *context)
{
    LedgerQueue *queue = context;
    for (int kind = 0; kind < LEDGER_OP_COUNT_OF; kind++) {
        bool is_trial = ledger_trouble_suspects(&queue->trouble, kind) > 0;
        release(queue, (LedgerOpKind)kind, is_trial ? 1 : SIZE_MAX);
        if (!list_is_empty(&queue->refused[kind])) {
            loop_timer_start(queue->retry, RETRY_MS);
        }
    }
    Connection *connection = idlest(queue, LEDGER_OP_CLAIM);
    if (connection != NULL && !queue->probes && ledger_trouble_stands(&queue->trouble)) {
        queue->probes = true;
        ledger_trouble_probe(connection->pg, on_probed, queue);
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
        list_init(&queue->refused[i]);
    }
    list_init(&queue->flushes);
    queue->retry = loop_timer_new(loop, on_retry, queue);
    queue->connection_count = (size_t)settings_number(settings, SETTING_LEDGER_CONNECTIONS);
    assert(queue->connection_count <= CONNECTIONS_MAX);
    PgOptions options = {
        .uri = settings_secret(settings, SETTING_LEDGER_URI),
        .connect_timeout_ms = (uint32_t)settings_number(settings, SETTING_LEDGER_TIMEOUT),
        .statement_timeout_ms = (uint32_t)settings_number(settings, SETTING_LEDGER_TIMEOUT),
        .session_options = LEDGER_SESSION_OPTIONS,
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
    op->is_withdrawn = false;
    op->handed_boot_ms = 0;
    op->suspect = (LedgerSuspect){.was_refused = false};
    list_append(&queue->waiting[op->kind], &op->link);
    queue->waiting_count++;
}

bool ledger_queue_withdraw(LedgerQueue *queue, LedgerOp *op)
{
    if (!ledger_queue_holds(op)) {
        op->is_withdrawn = op->pending;
        return false;
    }
    list_remove(&op->link);
    queue->waiting_count--;
    op->pending = false;
    // else nothing that could be taken might be left, and the trouble never end
    bool was_troubled = ledger_trouble_stands(&queue->trouble);
    ledger_trouble_withdraw(&queue->trouble, (int)op->kind, &op->suspect);
    tell_end(queue, was_troubled, "no rows are left that the ledger has refused");
    return true;
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
    return ledger_queue_ready_connections(queue) > 0 && !ledger_trouble_stands(&queue->trouble);
}

size_t ledger_queue_waiting(const LedgerQueue *queue)
{
    return queue->waiting_count;
}

// Row by row from now on: by itself a row holds up no other.
static void hold_refused(Flush *flush, const Error *err)
{
    LedgerQueue *queue = flush->queue;
    bool was_troubled = ledger_trouble_stands(&queue->trouble);
    for (size_t i = 0; i < flush->count; i++) {
        LedgerOp *op = flush->ops[i];
        op->is_alone = true;
        if (ledger_trouble_is(err)) {
            ledger_trouble_refuse(&queue->trouble, (int)op->kind, &op->suspect);
        }
        list_append(&queue->refused[op->kind], &op->link);
    }
    if (!loop_timer_is_active(queue->retry)) {
        loop_timer_start(queue->retry, RETRY_MS);
    }
    bool is_troubled = ledger_trouble_stands(&queue->trouble);
    if (is_troubled && !was_troubled) {
        log_write(LOG_LEVEL_WARNING, &(LogFields){.error = err},
                  "the ledger takes nothing; everything is sent again");
    } else if (!is_troubled || !ledger_trouble_is(err)) {
        log_write(LOG_LEVEL_ERROR, &(LogFields){.error = err},
                  "the ledger refused a row; it is sent again");
    }
}

static void end_withdrawn(Flush *flush)
{
    size_t count = 0;
    for (size_t i = 0; i < flush->count; i++) {
        LedgerOp *op = flush->ops[i];
        if (!op->is_withdrawn) {
            flush->ops[count++] = op;
            continue;
        }
        ledger_trouble_withdraw(&flush->queue->trouble, (int)op->kind, &op->suspect);
        op->pending = false;
        op->done(op);
    }
    flush->count = count;
}

// Order between commands doesn't matter: each has one row under way at most.
static void put_back(Flush *flush, const Error *err)
{
    LedgerQueue *queue = flush->queue;
    end_withdrawn(flush);
    queue->waiting_count += flush->count;
    bool was_refused = err->kind != ERROR_UNAVAILABLE;
    if (flush->count > 0 && was_refused && (flush->count == 1 || ledger_trouble_is(err))) {
        hold_refused(flush, err);
        return;
    }
    for (size_t i = 0; i < flush->count; i++) {
        LedgerOp *op = flush->ops[i];
        op->is_alone = op->is_alone || was_refused;
        list_append(&queue->waiting[op->kind], &op->link);
    }
}

static void measure(const Flush *flush)
{
    Metrics *metrics = flush->queue->metrics;
    if (metrics != NULL) {
        const char *const *labels = METRIC_LABELS(ledger_rows_name(flush->kind));
        metrics_observe(metrics, METRIC_LEDGER_SECONDS, labels,
                        (double)(clock_boot_us() - flush->sent_boot_us) / 1e6);
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

static bool fits_batch(const Flush *flush, const LedgerOp *op)
{
    bool is_large = flush->bytes + ledger_rows_bytes(op) > LEDGER_BATCH_BYTES;
    if (flush->count == ledger_rows_most(op->kind) ||
        ((op->is_alone || is_large) && flush->count > 0)) {
        return false;
    }
    for (size_t i = 0; i < flush->count; i++) {
        if (ledger_rows_compare(flush->ops[i], op) == 0) {
            return false;
        }
    }
    return true;
}

static void send_batch(LedgerQueue *queue, Connection *connection, LedgerOpKind kind,
                       int64_t send_limit_boot_ms)
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
        flush->bytes += ledger_rows_bytes(op);
        flush->ops[flush->count++] = op;
        if (op->is_alone) {
            break;
        }
    }
    ledger_rows_build(kind, flush->ops, flush->count, &flush->batch);
    flush->sent_boot_us = clock_boot_us();
    ledger_rows_send(connection->pg, &flush->batch, send_limit_boot_ms, on_answer, flush);
}

// The kinds take turns, one batch each: claims that go on coming must not keep conclusions waiting.
void ledger_queue_flush(LedgerQueue *queue, int64_t claims_until_boot_ms)
{
    size_t idle = 0;
    while (idle < LEDGER_OP_COUNT_OF) {
        LedgerOpKind kind = (LedgerOpKind)queue->turn;
        bool is_claim = kind == LEDGER_OP_CLAIM;
        bool has_work =
            !list_is_empty(&queue->waiting[kind]) && !(is_claim && claims_until_boot_ms == 0);
        Connection *connection = has_work ? idlest(queue, kind) : NULL;
        if (has_work && connection == NULL) {
            return; // flushed again when one is free
        }
        if (has_work) {
            send_batch(queue, connection, kind, is_claim ? claims_until_boot_ms : 0);
        }
        idle = has_work ? 0 : idle + 1;
        queue->turn = (queue->turn + 1) % LEDGER_OP_COUNT_OF;
    }
}
