#include "run/tally.h"

#include <string.h>

#include "run/sweep_report.h"
#include "sys/clock.h"

static const double MS_PER_S = 1000;
static const double US_PER_S = 1000000;

void tally_step(const Flight *flight)
{
    int64_t took_us = clock_boot_us() - flight->step_boot_us;
    metrics_observe(flight->worker->metrics, METRIC_STEP_SECONDS,
                    METRIC_LABELS(flight->command->action_name, flight->work->decision.step->name),
                    (double)took_us / US_PER_S);
}

void tally_reply(const Flight *flight, const HttpReply *reply)
{
    const char *route = neon_route_name(flight->work->decision.effect.request.route);
    char status[] = {(char)('0' + reply->status / 100 % 10), (char)('0' + reply->status / 10 % 10),
                     (char)('0' + reply->status % 10), '\0'};
    Metrics *metrics = flight->worker->metrics;
    metrics_add(metrics, METRIC_NEON_REQUESTS,
                METRIC_LABELS(route, reply->status == 0 ? "none" : status), 1);
    metrics_add(metrics, METRIC_KEYS_REFUSED, NULL,
                reply->status == 401 || reply->status == 403 ? 1 : 0);
    metrics_observe(metrics, METRIC_NEON_SECONDS, METRIC_LABELS(route),
                    (double)reply->took_us / US_PER_S);
}

void tally_wait(Flight *flight, NeonMeaning meaning)
{
    const char *reason = meaning == NEON_LOCKED         ? "locked"
                         : meaning == NEON_RATE_LIMITED ? "rate_limited"
                         : meaning == NEON_AWAY         ? "unavailable"
                                                        : NULL;
    if (reason != NULL && flight->lesson == LESSON_WAIT) {
        tally_wait_begin(&flight->neon_wait, flight->worker->metrics, reason, clock_boot_ms());
    }
}

void tally_bucket_wait(Flight *flight)
{
    tally_wait_begin(&flight->neon_wait, flight->worker->metrics, "bucket", clock_boot_ms());
}

void tally_decided(Flight *flight)
{
    int64_t since_boot_ms = 0;
    bool is_call = flight->work->decision.kind == DECISION_EFFECT; // flight_perform knows
    Waiting waiting =
        saga_waits_for(&flight->work->saga, flight->work->saga.now.boot_ms, &since_boot_ms);
    bool waits =
        flight->work->decision.kind == DECISION_WAIT &&
        (waiting == WAITING_LOCKED || waiting == WAITING_RATE_LIMIT || waiting == WAITING_AWAY);
    if (!is_call && !waits) {
        tally_went_on(flight);
    }
}

void tally_went_on(Flight *flight)
{
    tally_wait_end(&flight->neon_wait, flight->worker->metrics, clock_boot_ms());
}

void tally_intent(const Worker *worker, const char *event)
{
    metrics_add(worker->metrics, METRIC_INTENTS, METRIC_LABELS(event), 1);
}

// Of a failure its code; "CommandCancelled" and the like are theirs.
static const char *outcome_of(const char *type, const Error *error)
{
    static const char *const TYPES[][2] = {{"CommandCancelled", "cancelled"},
                                           {"CommandSuperseded", "superseded"},
                                           {"CommandExpired", "expired"}};
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if (strcmp(type, TYPES[i][0]) == 0) {
            return TYPES[i][1];
        }
    }
    return error == NULL ? "done" : error->code;
}

void tally_end(const Flight *flight, const char *type, const Error *error)
{
    Metrics *metrics = flight->worker->metrics;
    const char *action = flight->command->action_name;
    const char *outcome = outcome_of(type, error);
    int64_t took_ms = clock_boot_ms() - flight->started_boot_ms;
    metrics_add(metrics, METRIC_COMMANDS, METRIC_LABELS(action, outcome), 1);
    metrics_add(metrics, METRIC_CRASH_LOOPS, NULL, strcmp(outcome, "CRASH_LOOP") == 0 ? 1 : 0);
    metrics_observe(metrics, METRIC_COMMAND_SECONDS, METRIC_LABELS(action),
                    (double)took_ms / MS_PER_S);
}

void tally_swept(const Flight *flight)
{
    Metrics *metrics = flight->worker->metrics;
    Provisioning__V1__Event *event =
        sweep_report_event(outcome_message(flight->work->conclusion.outcome));
    if (event != NULL && event->body_case == PROVISIONING__V1__EVENT__BODY_ACCOUNT_SWEPT) {
        const Provisioning__V1__AccountSwept *swept = event->account_swept;
        metrics_add(metrics, METRIC_SWEEPS,
                    METRIC_LABELS(swept->n_doubts > 0     ? "doubtful"
                                  : swept->n_findings > 0 ? "found"
                                                          : "clean"),
                    1);
        for (size_t i = 0; i < swept->n_findings; i++) {
            metrics_add(metrics, METRIC_SWEEP_FINDINGS,
                        METRIC_LABELS(sweep_report_verdict(swept->findings[i]->verdict)), 1);
        }
    }
    provisioning__v1__event__free_unpacked(event, NULL);
}

void tally_rejected(const Worker *worker, const char *action, const char *code)
{
    const char *known_action = action[0] != '\0' ? action : "unknown";
    metrics_add(worker->metrics, METRIC_COMMANDS, METRIC_LABELS(known_action, code), 1);
}

void tally_record(const Worker *worker, const char *result)
{
    metrics_add(worker->metrics, METRIC_RECORDS, METRIC_LABELS(result), 1);
}

void tally_transaction(const Worker *worker, size_t outcomes, uint32_t took_ms)
{
    metrics_observe(worker->metrics, METRIC_TRANSACTION_SECONDS, NULL, took_ms / MS_PER_S);
    metrics_observe(worker->metrics, METRIC_TRANSACTION_OUTCOMES, NULL, (double)outcomes);
}
