/* Branches that end by themselves: https://neon.com/docs/guides/branch-expiration */
#include "handlers.h"
#include "log.h"

enum { EXPIRY_MAX_DAYS = 30, EXPIRY_RETRY_MS = 100, EXPIRY_LAG_MS = 5000 };

bool branches_read_expiry(Exchange *exchange, const json_t *object, int64_t *ret_expires_ms)
{
    enum { DAY_MS = 86400000 };
    const char *text = NULL;
    int64_t time_us = 0;
    if (!exchange_get_string(exchange, object, "branch", "expires_at", 1, TEXT_TIME_BYTES - 1,
                             &text)) {
        return false;
    }
    if (text == NULL) {
        return true;
    }
    if (!text_parse_time_us(text, &time_us) || time_us / 1000 <= exchange->now_ms) {
        exchange_fail(exchange, 400, "",
                      "invalid request: branch.expires_at: a future time in RFC 3339 expected");
        return false;
    }
    if (time_us / 1000 - exchange->now_ms > (int64_t)EXPIRY_MAX_DAYS * DAY_MS) {
        exchange_fail(exchange, 400, "",
                      "invalid request: branch.expires_at: at most %d days in the future",
                      EXPIRY_MAX_DAYS);
        return false;
    }
    *ret_expires_ms = time_us / 1000;
    return true;
}

static void expire(void *argument);

static void expire_at(Sandbox *sandbox, Branch *branch, int64_t delay_ms)
{
    branch->expiry = (BranchExpiry){sandbox, branch->expiry.waiting + 1};
    timers_after(&sandbox->timers, delay_ms, expire, branch);
}

static void expire(void *argument)
{
    Branch *branch = argument;
    Sandbox *sandbox = branch->expiry.sandbox;
    int64_t now_ms = text_now_ms();
    branch->expiry.waiting--;
    if (branch->expires_ms == 0 || !store_is_alive(&branch->life) ||
        !store_is_alive(&branch->project->life)) {
        return;
    }
    if (now_ms < branch->expires_ms) {
        /* The time was moved since this timer was set, or the loop's clock lags a little. */
        int64_t rest_ms = branch->expires_ms - now_ms;
        if (branch->expiry.waiting == 0 || rest_ms < EXPIRY_LAG_MS) {
            expire_at(sandbox, branch, rest_ms);
        }
        return;
    }
    if (store_is_locked(branch->project)) {
        expire_at(sandbox, branch, EXPIRY_RETRY_MS);
        return;
    }
    log_line("%s expired", branch->id);
    branch->is_expired = true;
    branches_remove(sandbox, branch, false, now_ms);
}

void branches_set_expiry(Sandbox *sandbox, Branch *branch, int64_t expires_ms, int64_t now_ms)
{
    branch->expires_ms = expires_ms;
    branch->ttl_seconds = expires_ms == 0 ? 0 : (expires_ms - now_ms + 500) / 1000;
    branches_watch_expiry(sandbox, branch, now_ms);
}

void branches_watch_expiry(Sandbox *sandbox, Branch *branch, int64_t now_ms)
{
    if (branch->expires_ms != 0) {
        int64_t rest_ms = branch->expires_ms - now_ms;
        expire_at(sandbox, branch, rest_ms > 0 ? rest_ms : 0);
    }
}
