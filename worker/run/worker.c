#include "run/worker.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "run/flight.h"
#include "run/intake.h"
#include "run/leave.h"
#include "run/memory_bound.h"
#include "run/note.h"
#include "run/outbox.h"
#include "run/press.h"
#include "run/sight.h"
#include "run/supersede.h"
#include "run/sweep_period.h"
#include "run/tally.h"
#include "sys/clock.h"
#include "sys/log.h"

enum {
    PURGE_SOON_MS = 1000,
    PURGE_MS = 10 * 60 * 1000,
    THAW_MS = 2000, // librdkafka checks once a second whether its session has timed out
};

static void on_record(void *context, KafkaAssignment *assignment, const rd_kafka_message_t *message)
{
    intake_record(context, assignment, message);
}

static void on_assigned(void *context, KafkaAssignment *const *assignments, size_t count)
{
    sight_assigned(((Worker *)context)->sight);
    intake_assigned(context, assignments, count);
}

static void on_revoked(void *context, KafkaAssignment *const *assignments, size_t count, bool lost)
{
    // the publisher finds out by itself: its transaction gets a generation error
    Worker *worker = context;
    uint64_t *ids = alloc_zeroed(count + 1, sizeof(*ids));
    for (size_t i = 0; i < count; i++) {
        ids[i] = assignments[i]->id;
    }
    sight_revoked(worker->sight);
    intake_revoked(worker, assignments, count, lost);
    publisher_revoke(worker->publisher, ids, count);
    free(ids);
}

static void on_publisher_revoked(void *context)
{
    kafka_in_revoke_done(((Worker *)context)->kafka_in);
}

static void on_health(void *context, const Error *err)
{
    Worker *worker = context;
    sight_kafka(worker->sight, err->kind != ERROR_NONE);
    if (err->kind == ERROR_NONE) {
        log_write(LOG_LEVEL_INFO, NULL, "Kafka is reached again");
    } else if (err->kind == ERROR_UNAVAILABLE) {
        log_write(LOG_LEVEL_WARNING, &(LogFields){.error = err}, "Kafka is away");
    } else {
        log_write(LOG_LEVEL_ERROR, &(LogFields){.error = err}, "the consumer can't go on");
        leave_after(worker, WORKER_EXIT_TEMPORARY);
    }
}

static void on_published(void *context, const uint64_t *ids, size_t count, uint32_t took_ms)
{
    log_write(LOG_LEVEL_DEBUG, NULL, "published %zu outcomes in %" PRIu32 " ms", count, took_ms);
    tally_transaction(context, count, took_ms);
    outbox_published(context, ids, count);
}

static void on_dropped(void *context, const uint64_t *ids, size_t count)
{
    log_write(LOG_LEVEL_INFO, NULL, "%zu outcomes are left to the partitions' next owner", count);
    metrics_add(((Worker *)context)->metrics, METRIC_OUTCOMES_DROPPED, NULL, (double)count);
    outbox_dropped(context, ids, count);
}

static void on_fatal(void *context, const Error *err)
{
    log_write(LOG_LEVEL_ERROR, &(LogFields){.error = err}, "the producer can't go on");
    leave_after(context, WORKER_EXIT_TEMPORARY);
}

static void on_trouble(void *context, const Error *err)
{
    bool is_over = err->kind == ERROR_NONE;
    const Worker *worker = context;
    sight_transactions(worker->sight, !is_over);
    metrics_add(worker->metrics, METRIC_TRANSACTION_TROUBLES, NULL, is_over ? 0 : 1);
    log_write(is_over ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
              &(LogFields){.error = is_over ? NULL : err},
              is_over ? "transactions work again"
                      : "a transaction was aborted; the same outcomes go first");
}

static const KafkaInHandler KAFKA_HANDLER = {on_record, on_assigned, on_revoked, on_health};
static const PublisherHandler PUBLISHER_HANDLER = {on_published, on_dropped, on_publisher_revoked,
                                                   on_fatal, on_trouble};

static void on_purged(LedgerOp *op)
{
    Worker *worker = LIST_ENTRY(op, Worker, purge);
    bool more = op->answer.purged == LEDGER_PURGE_MAX;
    if (op->answer.purged > 0) {
        log_write(LOG_LEVEL_INFO, NULL,
                  "%" PRId64 " commands older than ledger.retention are forgotten",
                  op->answer.purged);
    }
    loop_timer_start(worker->purge_timer, more ? PURGE_SOON_MS : PURGE_MS);
}

static void on_purge_timer(void *context)
{
    Worker *worker = context;
    worker->purge = (LedgerOp){
        .kind = LEDGER_OP_PURGE,
        .ask.purge_retention_ms = settings_number(worker->settings, SETTING_LEDGER_RETENTION),
        .done = on_purged,
    };
    ledger_queue_put(worker->ledger, &worker->purge);
}

// A worker that was frozen may have lost its partitions: it learns that some polls after it thawed,
// and claims nothing before, nor what it had handed over when it froze. Until when claims may be
// written; 0: they wait.
static int64_t claims_until_boot_ms(Worker *worker)
{
    int64_t now_ms = clock_boot_ms();
    int64_t limit_ms = kafka_in_session_timeout_ms(worker->kafka_in) / 2;
    int64_t before_ms = loop_turn_before_ms(worker->loop);
    if (before_ms != 0 && loop_turn_started_ms(worker->loop) - before_ms > limit_ms) {
        worker->claims_from_boot_ms = now_ms + THAW_MS;
    }
    int64_t until_ms = kafka_in_last_poll_boot_ms(worker->kafka_in) + limit_ms;
    return now_ms < worker->claims_from_boot_ms || now_ms > until_ms ? 0 : until_ms;
}

// The turn that it makes serves the buckets.
static void on_bucket_timer(void *context)
{
    (void)context;
}

static void serve_buckets(Worker *worker)
{
    int64_t wait_ms = buckets_serve(worker->buckets, clock_boot_ms());
    if (wait_ms >= 0) {
        loop_timer_start(worker->bucket_timer, (uint64_t)wait_ms);
    }
}

static void serve_gate(Worker *worker)
{
    GateEntry *entry;
    while ((entry = gate_next(worker->inventories)) != NULL) {
        flight_admit(LIST_ENTRY(entry, Flight, inventory));
    }
    while ((entry = gate_next(worker->role_runs)) != NULL) {
        flight_on_role_run(LIST_ENTRY(entry, Flight, role_run));
    }
    while ((entry = gate_next(worker->gate)) != NULL) {
        flight_claim(LIST_ENTRY(entry, Flight, place));
    }
}

static void on_turn(void *context)
{
    Worker *worker = context;
    sight_turn(worker->sight);
    serve_buckets(worker);
    serve_gate(worker);
    ledger_queue_flush(worker->ledger, claims_until_boot_ms(worker));
    leave_when_idle(worker);
}

void worker_set_names(Worker *worker)
{
    const char *instance = settings_text(worker->settings, SETTING_INSTANCE_ID);
    const char *source = settings_text(worker->settings, SETTING_EVENTS_SOURCE);
    char host[64] = "";
    (void)gethostname(host, sizeof host - 1);
    if (instance[0] != '\0') {
        (void)snprintf(worker->name, sizeof worker->name, "%s", instance);
    } else {
        (void)snprintf(worker->name, sizeof worker->name, "%s-%ld", host, (long)getpid());
    }
    if (source[0] != '\0') {
        (void)snprintf(worker->source, sizeof worker->source, "%s", source);
    } else {
        (void)snprintf(worker->source, sizeof worker->source, "/neon-provisioner/%s",
                       worker->installation);
    }
}

static uint32_t duration_ms(const Settings *settings, SettingId id)
{
    return (uint32_t)settings_number(settings, id);
}

static void set_digest_key(Worker *worker)
{
    const Bytes purpose = bytes_of("password digest");
    crypto_hmac_sha256(keys_encryption(&worker->keys), &purpose, 1, worker->saga_rules.digest_key);
}

static void set_rules(Worker *worker)
{
    const Settings *settings = worker->settings;
    worker->intent_times = intent_times(settings);
    worker->saga_rules = (SagaRules){
        .installation = worker->installation,
        .poll_ms = duration_ms(settings, SETTING_NEON_POLL),
        .listing_lag_ms = duration_ms(settings, SETTING_NEON_LISTING_LAG),
        .operation_timeout_ms = duration_ms(settings, SETTING_NEON_OPERATION_LIMIT),
        .max_wait_ms = duration_ms(settings, SETTING_COMMANDS_MAX_WAIT),
        .max_age_ms = settings_number(settings, SETTING_COMMANDS_MAX_AGE),
        .memory_ms = settings_number(settings, SETTING_LEDGER_RETENTION),
        .login_attempts = (uint32_t)settings_number(settings, SETTING_POSTGRES_ATTEMPTS),
        .crash_limit = settings_number(settings, SETTING_COMMANDS_CRASH_LIMIT),
        .check_login = settings_flag(settings, SETTING_CHECK_LOGIN),
        .sweep_min_age_ms = settings_number(settings, SETTING_SWEEP_MIN_AGE),
        .reveal_recipients = settings_text(settings, SETTING_REVEAL_RECIPIENTS),
        .roles_prefix = settings_text(settings, SETTING_ROLES_PREFIX),
    };
    set_digest_key(worker);
    worker->signers = keys_new_signers(&worker->keys, settings);
    worker->command_rules = (CommandRules){
        .max_bytes = (size_t)settings_number(settings, SETTING_COMMANDS_MAX_BYTES),
        .check_partition = settings_text(settings, SETTING_COMMANDS_PARTITIONER)[0] == 'm',
        .allow_plaintext_key = settings_flag(settings, SETTING_ALLOW_PLAINTEXT),
        .fleet_keys = worker->keys.fleet,
        .fleet_key_count = worker->keys.fleet_count,
        .signers = worker->signers,
    };
}

static bool open_drivers(Worker *worker, Error *err)
{
    const Settings *settings = worker->settings;
    HttpOptions http = {
        .base_url = settings_text(settings, SETTING_NEON_API_URL),
        .ca_file = settings_text(settings, SETTING_NEON_CA_FILE),
        .user_agent = "neon-provisioner/" PROVISION_VERSION,
        .connect_timeout_ms = 10000,
        .request_timeout_ms = duration_ms(settings, SETTING_NEON_REQUEST_TIMEOUT),
        .max_reply_bytes = NEON_REPLY_BYTES_MAX,
        .max_replies_bytes = (size_t)settings_number(settings, SETTING_NEON_REPLY_MEMORY),
        .max_connections = (uint32_t)settings_number(settings, SETTING_NEON_CONNECTIONS),
    };
    worker->resolver = resolver_new(worker->loop);
    if (!sight_open(worker->sight, err)) {
        return false;
    }
    worker->http = http_new(worker->loop, worker->resolver, &http, err);
    if (worker->http == NULL) {
        return false;
    }
    worker->ledger = ledger_queue_open(worker->loop, worker->resolver, settings);
    ledger_queue_measure(worker->ledger, worker->metrics);
    worker->publisher = publisher_open(worker->loop, settings, &PUBLISHER_HANDLER, worker, err);
    if (worker->publisher == NULL) {
        return false;
    }
    worker->kafka_in = kafka_in_open(worker->loop, settings, &KAFKA_HANDLER, worker, err);
    if (worker->kafka_in == NULL) {
        leave_without_consumer(worker);
    }
    return worker->kafka_in != NULL;
}

static void tell_memory_bound(const Worker *worker)
{
    const MemoryFacts facts = {
        .consumer_bytes = kafka_in_memory_bytes(worker->kafka_in),
        .batch_bytes = PUBLISHER_BATCH_BYTES,
        .connections = settings_number(worker->settings, SETTING_NEON_CONNECTIONS),
        .partitions = settings_number(worker->settings, SETTING_TOPICS_PARTITIONS),
    };
    int64_t bytes = memory_bound_bytes(worker->settings, &facts);
    metrics_set(worker->metrics, METRIC_MEMORY_BOUND, NULL, (double)bytes);
    log_write(LOG_LEVEL_INFO, NULL, "takes at most %" PRId64 " MiB of memory by its configuration",
              bytes / (1024L * 1024) + 1);
}

static bool worker_init(Worker *worker, const Settings *settings, const char *installation,
                        Error *err)
{
    *worker = (Worker){.settings = settings};
    list_init(&worker->partitions);
    list_init(&worker->flights);
    list_init(&worker->parcels);
    list_init(&worker->marking);
    bool fits = text_copy(worker->installation, sizeof worker->installation, installation);
    assert(fits);
    (void)fits;
    worker_set_names(worker);
    worker->metrics = metrics_new();
    worker->loop = loop_new();
    worker->sight = sight_new(worker);
    leave_init(worker);
    note_init(worker);
    worker->purge_timer = loop_timer_new(worker->loop, on_purge_timer, worker);
    worker->bucket_timer = loop_timer_new(worker->loop, on_bucket_timer, worker);
    worker->sweep = sweep_period_new(worker);
    worker->parked = table_new();
    worker->lanes = lanes_new();
    worker->supersede = supersede_new(worker);
    worker->gate = gate_new((size_t)settings_number(settings, SETTING_COMMANDS_IN_FLIGHT));
    worker->inventories = gate_new(MEMORY_BOUND_INVENTORIES);
    worker->role_runs = gate_new(MEMORY_BOUND_ROLE_RUNS);
    worker->role_answers = (PgAnswers){.bytes_max = MEMORY_BOUND_ROLE_ANSWERS_BYTES};
    press_init(worker);
    worker->locks = locks_new();
    worker->buckets = buckets_new(settings_number(settings, SETTING_NEON_RATE),
                                  settings_number(settings, SETTING_NEON_BURST));
    if (!keys_load(settings, &worker->keys, err)) {
        return false;
    }
    set_rules(worker);
    return open_drivers(worker, err);
}

static void worker_clear(Worker *worker)
{
    sight_free(worker->sight);
    intake_clear(worker);
    outbox_clear(worker);
    ledger_queue_close(worker->ledger);
    supersede_free(worker->supersede);
    note_clear(worker);
    kafka_in_free(worker->kafka_in);
    publisher_free(worker->publisher);
    http_free(worker->http);
    resolver_free(worker->resolver);
    buckets_free(worker->buckets);
    locks_free(worker->locks);
    lanes_free(worker->lanes);
    gate_free(worker->gate);
    gate_free(worker->inventories);
    gate_free(worker->role_runs);
    press_clear(worker);
    table_free(worker->parked);
    signers_free(worker->signers);
    keys_clear(&worker->keys);
    secret_zero(worker->saga_rules.digest_key, sizeof worker->saga_rules.digest_key);
    sweep_period_free(worker->sweep);
    loop_timer_free(worker->purge_timer);
    loop_timer_free(worker->bucket_timer);
    leave_clear(worker);
    loop_free(worker->loop);
    metrics_free(worker->metrics);
}

int worker_run(const Settings *settings, const char *installation, Error *err)
{
    Worker worker;
    if (!worker_init(&worker, settings, installation, err)) {
        worker_clear(&worker);
        return WORKER_EXIT_SOFTWARE;
    }
    leave_watch_signals(&worker);
    log_write(LOG_LEVEL_INFO, NULL, "worker %s of installation %s has started", worker.name,
              installation);
    tell_memory_bound(&worker);
    loop_timer_start(worker.purge_timer, PURGE_SOON_MS);
    note_start(&worker);
    sweep_period_start(worker.sweep);
    loop_run(worker.loop, on_turn, &worker);
    log_write(LOG_LEVEL_INFO, NULL, "stopped; the longest turn of the loop took %" PRId64 " ms",
              loop_longest_turn_ms(worker.loop));
    int exit_code = worker.exit_code;
    worker_clear(&worker);
    return exit_code;
}
