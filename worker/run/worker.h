/*
 * The worker: its parts, and the one place where what decides (saga) meets what acts (drive).
 * Started by main, runs until SIGTERM or a fatal error.
 */
#ifndef RUN_WORKER_H
#define RUN_WORKER_H

#include "base/list.h"
#include "base/metrics.h"
#include "base/table.h"
#include "contract/completion.h"
#include "drive/http.h"
#include "drive/kafka_in.h"
#include "drive/pg.h"
#include "drive/publisher.h"
#include "run/buckets.h"
#include "run/gate.h"
#include "run/holds.h"
#include "run/intent.h"
#include "run/keys.h"
#include "run/lanes.h"
#include "run/ledger_queue.h"
#include "run/locks.h"
#include "saga/saga.h"

// Exit codes (sysexits.h).
enum {
    WORKER_EXIT_OK = 0,
    WORKER_EXIT_SOFTWARE = 70,
    WORKER_EXIT_TEMPORARY = 75, // start me again
};

// One partition while it is assigned.
typedef struct Partition {
    ListLink link;
    KafkaAssignment *assignment;
    Completion *completion;
    bool is_paused;
    int64_t blocked_boot_ms; // paused, and counted as such, until then
    Hold hold;
} Partition;

typedef struct Worker {
    const Settings *settings;
    Metrics *metrics;
    struct Sight *sight; // run/sight.h
    Loop *loop;
    Resolver *resolver;
    Http *http;
    KafkaIn *kafka_in;
    Publisher *publisher;
    LedgerQueue *ledger;
    struct Supersede *supersede;
    Lanes *lanes;
    Gate *gate;
    Gate *role_runs;        // places of those that talk with a branch's databases
    PgAnswers role_answers; // ... whose answers share this memory
    Gate *inventories;      // places of those that take one, each of which holds much
    Holds holds;
    LoopTimer *press_timer; // looks at paused partitions
    Locks *locks;
    Buckets *buckets;
    LoopTimer *bucket_timer; // wakes the loop when a waiting call is due
    Keys keys;
    Signers *signers; // of commands; NULL: signatures aren't required
    IntentTimes intent_times;
    SagaRules saga_rules;
    CommandRules command_rules;
    char installation[UUID_TEXT_BYTES];
    char name[128];   // of this worker: host and pid, or instance.id
    char source[128]; // ce_source

    List partitions;
    List flights;
    size_t flight_count;
    Table *parked; // "partition:offset" → Flight whose assignment is over
    List parcels;  // outcomes that the publisher has
    size_t parcel_count;
    size_t progress_count; // of them, those of commands that aren't finished
    uint64_t next_parcel;
    List marking; // published outcomes whose published_at is being set
    size_t marking_count;

    LoopTimer *note_timer; // notes what commands wait for
    List notes;            // under way
    size_t note_count;
    LoopTimer *purge_timer; // forgets what is older than ledger.retention
    LedgerOp purge;
    struct SweepPeriod *sweep; // run/sweep_period.h

    LoopTimer *drain_soft;       // hand back at the next boundary
    LoopTimer *drain_hard;       // ... and now
    LoopTimer *leave_limit;      // ... and without Kafka's consent
    int64_t claims_from_boot_ms; // none before
    uv_signal_t terminate;
    uv_signal_t interrupt;
    bool is_draining;
    bool hands_back;
    bool is_closing;
    bool has_left; // the group; the publisher has ended
    bool is_cut;   // nothing is waited for any more
    bool is_stuck; // Kafka did not let go in time
    int exit_code;
} Worker;

// Runs to the end; returns the process's exit code. `installation`: of the ledger.
int worker_run(const Settings *settings, const char *installation, Error *err);

// ---- for the other files of run/

// From its settings and its installation.
void worker_set_names(Worker *worker);
// Something came in, or the worker drains: pauses partitions that are full (run/press.h).
void worker_press(Worker *worker);

#endif
