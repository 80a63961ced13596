#include "run/sweep_period.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "run/ledger_session.h"
#include "run/sweep_ledger.h"
#include "run/sweep_send.h"
#include "run/worker.h"
#include "sys/log.h"

enum {
    LOOKS = 4, // at the ledger in an interval, so that a worker's end delays little
    LOOK_MS_MAX = 60 * 1000,
    SOON_MS = 1000,
};

struct SweepPeriod {
    Worker *worker; // NULL: it has gone
    LoopTimer *timer;
    uv_work_t work;
    const Settings *settings; // that don't change, and outlive the loop
    int64_t interval_ms;
    bool is_working;
    // of the work that has ended
    bool was_mine;
    size_t sent;
    Error err;
};

// On one of libuv's threads.
static void work(uv_work_t *work)
{
    SweepPeriod *period = work->data;
    SweepTargets targets CLEANUP(sweep_targets_clear_at) = {.list = NULL};
    PGconn *ledger CLEANUP(ledger_session_close_at) =
        ledger_session_open(period->settings, "provision-worker sweep", &period->err);
    if (ledger != NULL &&
        sweep_ledger_take_turn(ledger, period->interval_ms, &period->was_mine, &period->err) &&
        period->was_mine && sweep_ledger_accounts(ledger, true, &targets, &period->err) &&
        sweep_send(period->settings, &targets,
                   settings_flag(period->settings, SETTING_SWEEP_DELETE), &period->err) &&
        sweep_ledger_end_turn(ledger, &period->err)) {
        period->sent = targets.count;
    }
}

static void start_timer(const SweepPeriod *period)
{
    int64_t look_ms = period->interval_ms / LOOKS;
    loop_timer_start(period->timer, (uint64_t)(look_ms < LOOK_MS_MAX ? look_ms : LOOK_MS_MAX));
}

static void on_worked(uv_work_t *work, int status)
{
    (void)status;
    SweepPeriod *period = work->data;
    period->is_working = false;
    if (period->worker == NULL) {
        free(period);
        return;
    }
    if (period->err.kind != ERROR_NONE) {
        log_write(LOG_LEVEL_WARNING, &(LogFields){.error = &period->err},
                  "a periodic sweep was not begun");
    } else if (period->was_mine) {
        log_write(LOG_LEVEL_INFO, NULL, "a periodic sweep of %zu accounts has begun", period->sent);
        metrics_add(period->worker->metrics, METRIC_SWEEP_SENT, NULL, (double)period->sent);
    }
    start_timer(period);
}

static void on_timer(void *context)
{
    SweepPeriod *period = context;
    if (period->worker->is_draining) {
        return;
    }
    period->is_working = true;
    period->was_mine = false;
    period->sent = 0;
    period->err = ERROR_INIT;
    int failed = uv_queue_work(loop_uv(period->worker->loop), &period->work, work, on_worked);
    assert(failed == 0);
    (void)failed;
}

SweepPeriod *sweep_period_new(Worker *worker)
{
    SweepPeriod *period = alloc_zeroed(1, sizeof(*period));
    period->worker = worker;
    period->settings = worker->settings;
    period->interval_ms = settings_number(worker->settings, SETTING_SWEEP_INTERVAL);
    period->timer = loop_timer_new(worker->loop, on_timer, period);
    period->work.data = period;
    return period;
}

void sweep_period_start(SweepPeriod *period)
{
    if (period->interval_ms > 0) {
        loop_timer_start(period->timer, SOON_MS);
    }
}

void sweep_period_free(SweepPeriod *period)
{
    loop_timer_free(period->timer);
    period->worker = NULL;
    if (!period->is_working) {
        free(period);
    } else {
        (void)uv_cancel((uv_req_t *)&period->work); // then, too, its end is called
    }
}
