#include "run/sight.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "drive/admin.h"
#include "run/gauges.h"
#include "run/herald.h"
#include "sys/clock.h"
#include "sys/log.h"

static const double US_PER_S = 1000000;

struct Sight {
    Worker *worker;
    Admin *admin;
    Herald *herald;
    int64_t unassigned_boot_ms; // since when; 0: it has its partitions
    bool was_assigned;
    bool kafka_is_away;
    bool transactions_fail;
};

static bool lacks_partitions(const Sight *sight)
{
    return sight->unassigned_boot_ms != 0 &&
           (!sight->was_assigned ||
            clock_boot_ms() - sight->unassigned_boot_ms > SIGHT_REBALANCE_MS);
}

void sight_reasons(const Sight *sight, Text *text)
{
    const Worker *worker = sight->worker;
    const struct {
        bool holds;
        const char *reason;
    } REASONS[] = {
        {worker->is_draining || worker->is_closing, "draining"},
        {lacks_partitions(sight), "no partitions assigned yet"},
        {!ledger_queue_is_healthy(worker->ledger), "the ledger is away"},
        {sight->kafka_is_away, "Kafka is away"},
        {sight->transactions_fail, "transactions are failing"},
        {!publisher_is_ready(worker->publisher), "transactions can't begin yet"},
    };
    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++) {
        if (REASONS[i].holds) {
            text_append(text, REASONS[i].reason);
            text_append_char(text, '\n');
        }
    }
}

static void reply_ready(const Sight *sight, AdminReply *reply)
{
    sight_reasons(sight, &reply->body);
    bool is_ready = reply->body.length == 0;
    reply->status = is_ready ? 200 : 503;
    if (is_ready) {
        text_append(&reply->body, "ready\n");
    }
}

static void reply_metrics(const Sight *sight, AdminReply *reply)
{
    CLEANUP(text_clear) Text reasons = TEXT_INIT(1024);
    sight_reasons(sight, &reasons);
    metrics_set(sight->worker->metrics, METRIC_READY, NULL, reasons.length == 0 ? 1 : 0);
    gauges_read(sight->worker);
    metrics_print(sight->worker->metrics, &reply->body);
    reply->status = 200;
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
}

static void on_request(void *context, const char *path, AdminReply *reply)
{
    const Sight *sight = context;
    if (strcmp(path, "/livez") == 0) {
        reply->status = 200; // who answers, turns
        text_append(&reply->body, "alive\n");
    } else if (strcmp(path, "/readyz") == 0) {
        reply_ready(sight, reply);
    } else if (strcmp(path, "/metrics") == 0) {
        reply_metrics(sight, reply);
    }
}

Sight *sight_new(Worker *worker)
{
    Sight *sight = alloc_zeroed(1, sizeof(*sight));
    sight->worker = worker;
    sight->unassigned_boot_ms = clock_boot_ms();
    gauges_begin(worker);
    return sight;
}

bool sight_open(Sight *sight, Error *err)
{
    Worker *worker = sight->worker;
    const char *address = settings_text(worker->settings, SETTING_ADMIN_ADDRESS);
    sight->herald = herald_new(worker, sight);
    if (address[0] == '\0') {
        return true;
    }
    sight->admin = admin_open(worker->loop, address, on_request, sight, err);
    if (sight->admin == NULL) {
        return false;
    }
    log_write(LOG_LEVEL_INFO, NULL, "the admin endpoint listens on port %d",
              admin_port(sight->admin));
    return true;
}

void sight_free(Sight *sight)
{
    if (sight != NULL) {
        admin_free(sight->admin);
        herald_free(sight->herald);
        free(sight);
    }
}

void sight_assigned(Sight *sight)
{
    sight->was_assigned = true;
    sight->unassigned_boot_ms = 0;
}

void sight_revoked(Sight *sight)
{
    sight->unassigned_boot_ms = clock_boot_ms();
}

void sight_kafka(Sight *sight, bool is_away)
{
    sight->kafka_is_away = is_away;
}

void sight_transactions(Sight *sight, bool fail)
{
    sight->transactions_fail = fail;
}

void sight_leaving(Sight *sight)
{
    herald_leaving(sight->herald);
}

void sight_turn(Sight *sight)
{
    int64_t turn_us = loop_turn_us(sight->worker->loop);
    if (turn_us >= 0) {
        metrics_observe(sight->worker->metrics, METRIC_LOOP_TURN, NULL, (double)turn_us / US_PER_S);
    }
}
