/*
 * CPU time and memory of the programs that a bench looks at, from the kernel's own accounts: what
 * else runs on the machine changes how long a bench takes, but hardly these.
 */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdint.h>
#include <sys/types.h>

#include "support/world.h"

typedef enum MeterPart {
    METER_WORKER,
    METER_LEDGER, // all processes of the PostgreSQL cluster
    METER_SANDBOX,
    METER_KAFKA,
    METER_BENCH, // this program: sends and reads
    METER_PART_COUNT,
} MeterPart;

typedef struct Meter {
    pid_t pids[METER_PART_COUNT];
} Meter;

typedef struct MeterReading {
    int64_t at_us; // CLOCK_MONOTONIC
    int64_t cpu_us[METER_PART_COUNT];
} MeterReading;

// Kafka and the ledger have to run on this machine; what others do with them counts, too.
Meter meter_open(World *world, const Process *worker);
void meter_read(const Meter *meter, MeterReading *ret_reading);
const char *meter_part_name(MeterPart part);
// CPU time between two readings.
double meter_cpu_s(const MeterReading *from, const MeterReading *to, MeterPart part);
// Largest resident set of a process so far.
double meter_peak_mib(pid_t pid);
int64_t meter_now_us(void);
// Machine, system and commit, on lines of their own.
void meter_print_machine(void);

#endif
