#include "run/gauges.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>

#include "run/flight.h"
#include "sys/clock.h"
#include "sys/usage.h"

static const double MS_PER_S = 1000;

void gauges_begin(const Worker *worker)
{
    char libpq[32];
    int version = PQlibVersion(); // 150017: 15.17
    (void)snprintf(libpq, sizeof libpq, "%d.%d", version / 10000, version % 10000);
    metrics_set(worker->metrics, METRIC_BUILD_INFO,
                METRIC_LABELS(PROVISION_VERSION, rd_kafka_version_str(),
                              curl_version_info(CURLVERSION_NOW)->version, libpq),
                1);
}

static void read_partition(const Worker *worker, const Partition *partition)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%" PRId32, partition->assignment->partition);
    const char *const *labels = METRIC_LABELS(number);
    double unfinished = (double)completion_unfinished(partition->completion);
    int64_t position = completion_position(partition->completion);
    int64_t start = kafka_in_first(worker->kafka_in, partition->assignment->partition);
    int64_t end = kafka_in_end(worker->kafka_in, partition->assignment->partition);
    metrics_set(worker->metrics, METRIC_PARTITION_UNFINISHED, labels, unfinished);
    // nothing was read or committed yet, or what was has been deleted meanwhile
    position = position > start ? position : start;
    if (end >= 0 && position >= 0) {
        // both may be some seconds old
        double behind = end > position ? (double)(end - position) : 0;
        metrics_set(worker->metrics, METRIC_PARTITION_BACKLOG, labels, unfinished + behind);
    }
}

static void read_partitions(const Worker *worker)
{
    size_t count = 0;
    metrics_reset(worker->metrics, METRIC_PARTITION_UNFINISHED);
    metrics_reset(worker->metrics, METRIC_PARTITION_BACKLOG);
    LIST_EACH(&worker->partitions, link)
    {
        read_partition(worker, LIST_ENTRY(link, Partition, link));
        count++;
    }
    metrics_set(worker->metrics, METRIC_PARTITIONS, NULL, (double)count);
}

static void read_process(Metrics *metrics)
{
    Usage usage;
    if (usage_read(&usage)) {
        metrics_set(metrics, METRIC_PROCESS_CPU, NULL, usage.cpu_seconds);
        metrics_set(metrics, METRIC_PROCESS_MEMORY, NULL, (double)usage.resident_bytes);
        metrics_set(metrics, METRIC_PROCESS_START, NULL, (double)usage.started_ms / MS_PER_S);
    }
}

static void count_waits(const Worker *worker)
{
    int64_t now_boot_ms = clock_boot_ms();
    LIST_EACH(&worker->flights, link)
    {
        Flight *flight = LIST_ENTRY(link, Flight, link);
        tally_wait_look(&flight->neon_wait, worker->metrics, now_boot_ms);
    }
}

void gauges_read(const Worker *worker)
{
    size_t parked = flight_count_resting(worker);
    const struct {
        MetricId id;
        size_t value;
    } COUNTS[] = {
        {METRIC_IN_FLIGHT, worker->flight_count - parked},
        {METRIC_PARKED, parked},
        {METRIC_WORKING, gate_working(worker->gate)},
        {METRIC_GATE_WAITING, gate_waiting(worker->gate) + gate_waiting(worker->inventories) +
                                  gate_waiting(worker->role_runs)},
        {METRIC_HELD, worker->holds.all.commands},
        {METRIC_HELD_BYTES, worker->holds.all.bytes},
        {METRIC_LANES_WAITING, lanes_waiting(worker->lanes)},
        {METRIC_ACCOUNTS_THROTTLED, buckets_throttled(worker->buckets)},
        {METRIC_LEDGER_WAITING, ledger_queue_waiting(worker->ledger)},
        {METRIC_LEDGER_CONNECTIONS, ledger_queue_ready_connections(worker->ledger)},
        {METRIC_OUTCOMES_WAITING, worker->parcel_count},
    };
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++) {
        metrics_set(worker->metrics, COUNTS[i].id, NULL, (double)COUNTS[i].value);
    }
    metrics_set(worker->metrics, METRIC_LOOP_TURN_MAX, NULL,
                (double)loop_longest_turn_ms(worker->loop) / MS_PER_S);
    count_waits(worker);
    read_partitions(worker);
    read_process(worker->metrics);
}
