/*
 * Every metric of provision-worker, once: METRIC(symbol, name, type, labels, buckets, series,
 * help). The exposition, --print-metrics, the README's table and the checks of deploy/ come from
 * here.
 *
 * Types: COUNTER, GAUGE, HISTOGRAM. Labels: names, comma-separated. Buckets: a set of
 * METRICS_BUCKETS, for histograms. Series: the most combinations of label values that are kept;
 * what comes after those counts under "other". Values of labels never come from outside: no
 * application, account, environment, host or message.
 */
// clang-format off
// Upper bounds, rising; a histogram of CALL counts from 5 ms to a minute.
#define METRICS_BUCKETS(BUCKETS)                                                                                       \
BUCKETS(NONE,    0)                                                                                                    \
BUCKETS(CALL,    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60)                                          \
BUCKETS(WORK,    0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800)                                             \
BUCKETS(TURN,    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)                                \
BUCKETS(NUMBER,  1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

#define METRICS_TABLE(METRIC)                                                                                          \
METRIC(READY,               "provision_ready",                           GAUGE,     "",               NONE,   1,    "1 while /readyz says so") \
METRIC(RECORDS,             "provision_records_total",                   COUNTER,   "result",         NONE,   16,   "records taken from the command topic: command, rejected, finished (before), attached (to its parked command)") \
METRIC(COMMANDS,            "provision_commands_total",                  COUNTER,   "action,outcome", NONE,   400,  "commands that ended; outcome: done, expired, cancelled, superseded or the code of the failure") \
METRIC(CRASH_LOOPS,         "provision_crash_loops_total",               COUNTER,   "",               NONE,   1,    "commands that were given up, because workers ended while they executed them") \
METRIC(COMMAND_SECONDS,     "provision_command_seconds",                 HISTOGRAM, "action",         WORK,   32,   "from the record's arrival at this worker to the command's end") \
METRIC(STEP_SECONDS,        "provision_step_seconds",                    HISTOGRAM, "action,step",    CALL,   250,  "one effect of a step, with its waits for lock, rate and intent") \
METRIC(IN_FLIGHT,           "provision_commands_in_flight",              GAUGE,     "",               NONE,   1,    "commands that this worker works on, or that wait for their lanes") \
METRIC(WORKING,             "provision_commands_working",                GAUGE,     "",               NONE,   1,    "commands at work: in flight, and waiting for nothing but an answer; commands.in_flight bounds those that begin") \
METRIC(GATE_WAITING,        "provision_commands_waiting",                GAUGE,     "",               NONE,   1,    "commands that may begin, and wait for one of those places") \
METRIC(HELD,                "provision_commands_held",                   GAUGE,     "",               NONE,   1,    "commands in memory, with outcomes not yet published: what pauses partitions") \
METRIC(HELD_BYTES,          "provision_held_bytes",                      GAUGE,     "",               NONE,   1,    "their records and outcomes") \
METRIC(LANES_WAITING,       "provision_lanes_waiting",                   GAUGE,     "",               NONE,   1,    "commands that wait for an earlier one of their application") \
METRIC(PARKED,              "provision_commands_parked",                 GAUGE,     "",               NONE,   1,    "commands whose partition was taken away and that rest, kept in case it comes back") \
METRIC(PARTITIONS,          "provision_partitions_assigned",             GAUGE,     "",               NONE,   1,    "partitions of the command topic that this worker has") \
METRIC(PARTITION_UNFINISHED, "provision_partition_unfinished",           GAUGE,     "partition",      NONE,   1000, "records of a partition that were taken and are not finished") \
METRIC(PARTITION_BACKLOG,   "provision_partition_backlog",               GAUGE,     "partition",      NONE,   1000, "records of a partition that are not finished, those not yet taken included, known some seconds after it was assigned (a transaction of their producer adds one)") \
METRIC(PARTITION_BLOCKED,   "provision_partition_blocked_seconds_total", COUNTER,   "partition",      NONE,   1000, "how long a partition was paused: the worker or its share of it was full, the ledger away, or the worker stopping") \
METRIC(NEON_REQUESTS,       "provision_neon_requests_total",             COUNTER,   "route,status",   NONE,   400,  "requests to Neon's API; status: of the reply, or none") \
METRIC(KEYS_REFUSED,        "provision_neon_keys_refused_total",         COUNTER,   "",               NONE,   1,    "requests to Neon's API that it refused for their key (401, 403)") \
METRIC(NEON_SECONDS,        "provision_neon_request_seconds",            HISTOGRAM, "route",          CALL,   64,   "from sending a request to its whole reply") \
METRIC(NEON_WAITS,          "provision_neon_waits_total",                COUNTER,   "reason",         NONE,   8,    "times that a command waited for Neon: locked (423), rate_limited (429), unavailable (503), bucket (for its account's rate at this worker)") \
METRIC(NEON_WAIT_SECONDS,   "provision_neon_wait_seconds_total",         COUNTER,   "reason",         NONE,   8,    "how long those waits were, up to now; each second counts for one reason, for which its wait began") \
METRIC(ACCOUNTS_THROTTLED,  "provision_neon_accounts_throttled",         GAUGE,     "",               NONE,   1,    "Neon accounts whose calls wait for their rate now") \
METRIC(INTENTS,             "provision_intents_total",                   COUNTER,   "event",          NONE,   8,    "intents of mutating calls: opened, left_unknown (no reply that tells), taken_over (open at a claim)") \
METRIC(SWEEPS,              "provision_sweeps_total",                    COUNTER,   "result",         NONE,   4,    "accounts swept by this worker: clean, found (something that no environment owns, or that has expired), doubtful (its listing was not whole, so nothing was deleted)") \
METRIC(SWEEP_FINDINGS,      "provision_sweep_findings_total",            COUNTER,   "verdict",        NONE,   8,    "what those sweeps found, anew in each: orphan, expired, failed_environment, unknown_command, doubtful, in_flight") \
METRIC(SWEEP_SENT,          "provision_sweep_sent_total",                COUNTER,   "",               NONE,   1,    "commands SweepAccount that this worker sent by sweep.interval") \
METRIC(LEDGER_SECONDS,      "provision_ledger_statement_seconds",        HISTOGRAM, "kind",           CALL,   32,   "a statement to the ledger, from sending it to its last row") \
METRIC(LEDGER_ROWS,         "provision_ledger_statement_rows",           HISTOGRAM, "kind",           NUMBER, 32,   "commands that a statement to the ledger was for") \
METRIC(LEDGER_WAITING,      "provision_ledger_rows_waiting",             GAUGE,     "",               NONE,   1,    "rows that wait for the ledger, or are under way") \
METRIC(LEDGER_CONNECTIONS,  "provision_ledger_connections_ready",        GAUGE,     "",               NONE,   1,    "connections to the ledger that work") \
METRIC(TRANSACTION_SECONDS, "provision_transaction_seconds",             HISTOGRAM, "",               CALL,   1,    "a Kafka transaction that committed") \
METRIC(TRANSACTION_OUTCOMES, "provision_transaction_outcomes",           HISTOGRAM, "",               NUMBER, 1,    "outcomes published in one transaction") \
METRIC(TRANSACTION_TROUBLES, "provision_transaction_troubles_total",     COUNTER,   "",               NONE,   1,    "Kafka transactions that were aborted, or waited for brokers; tried again") \
METRIC(OUTCOMES_DROPPED,    "provision_outcomes_dropped_total",          COUNTER,   "",               NONE,   1,    "outcomes left to the next owner of their partition") \
METRIC(OUTCOMES_WAITING,    "provision_outcomes_waiting",                GAUGE,     "",               NONE,   1,    "outcomes that are not published yet") \
METRIC(MAPS_IGNORED,        "provision_completion_maps_ignored_total",   COUNTER,   "",               NONE,   1,    "committed offsets whose completion map was unknown or belonged to another topic") \
METRIC(LOOP_TURN,           "provision_loop_turn_seconds",               HISTOGRAM, "",               TURN,   1,    "a turn of the loop, without its wait for something to do") \
METRIC(LOOP_TURN_MAX,       "provision_loop_turn_seconds_max",           GAUGE,     "",               NONE,   1,    "the longest turn since the start") \
METRIC(BUILD_INFO,          "provision_build_info",                      GAUGE,     "version,librdkafka,libcurl,libpq", NONE, 1, "1; versions of the worker and of its libraries") \
METRIC(PROCESS_CPU,         "process_cpu_seconds_total",                 COUNTER,   "",               NONE,   1,    "CPU time of the process, user and system") \
METRIC(PROCESS_MEMORY,      "process_resident_memory_bytes",             GAUGE,     "",               NONE,   1,    "resident memory of the process") \
METRIC(MEMORY_BOUND,        "provision_memory_bound_bytes",              GAUGE,     "",               NONE,   1,    "resident memory that this configuration may come to at most") \
METRIC(PROCESS_START,       "process_start_time_seconds",                GAUGE,     "",               NONE,   1,    "when the process started, in seconds since 1970")
// clang-format on
