#include "run/memory_bound.h"

#include "neon/reply.h"
#include "run/ledger_queue.h"
#include "run/roles_run.h"
#include "saga/inventory.h"

enum {
    KIB = 1024,
    MIB = 1024 * KIB,
    // Program, libraries, their threads' stacks and heaps, tables, certificates, metrics: an
    // estimate that leaves room (a release build had 19 MiB resident right after its start).
    BASE_BYTES = 40 * MIB,
    // curl's and TLS's buffers of one connection.
    CONNECTION_BYTES = 128 * KIB,
    // Of a command at work, above what it is held for: decoded reply, statement, its answer; and
    // the connection of one that tries a login.
    WORK_BYTES = 64 * KIB,
    // JSON in memory, of its text: an estimate for jansson and listings like Neon's, whose members
    // are short; a reply of nothing but tiny values takes more.
    DECODE_FACTOR = 8,
    // Of the accounts that are listed at once: 7.0 times what is counted where names are like
    // Neon's, as a listing of branches shows; and what it is packed into.
    INVENTORIES_BYTES = MEMORY_BOUND_INVENTORIES * DECODE_FACTOR * INVENTORY_BYTES_MAX,
    // Rows of a plan, each field of which takes 16 bytes more in libpq's result and is then copied;
    // libpq's buffer, which grows by doubling.
    ROLES_FACTOR = 8,
    ROLES_BYTES = MEMORY_BOUND_ROLE_RUNS * ROLES_RUN_SESSIONS * CONNECTION_BYTES +
                  ROLES_FACTOR * MEMORY_BOUND_ROLE_ANSWERS_BYTES,
    // A batch of rows as parameters, in libpq's buffer, its answer; and what waits behind it. Of
    // outcomes, which the ledger sends as hexadecimal digits, an answer holds as much as a batch
    // (ledger/claim.c), and the one that went beyond.
    LEDGER_COPIES = 4,
    // An outcome in the publisher, in librdkafka's queue, in its request.
    BATCH_COPIES = 3,
    // glibc's heap: what was freed between what is in use.
    SLACK_PER_CENT = 25,
};

static int64_t less_of(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// Commands and outcomes, as many again that are parked in a rebalance, and one record a partition
// that was taken when the partition wasn't full yet (kept as bytes and as a message), with headers.
static int64_t held_bytes(const Settings *settings, const MemoryFacts *facts)
{
    return 2 * settings_number(settings, SETTING_COMMANDS_MEMORY) +
           2 * (settings_number(settings, SETTING_COMMANDS_MAX_BYTES) + MIB) * facts->partitions;
}

static int64_t neon_bytes(const Settings *settings, const MemoryFacts *facts)
{
    int64_t replies_bytes = settings_number(settings, SETTING_NEON_REPLY_MEMORY);
    return facts->connections * CONNECTION_BYTES + replies_bytes +
           DECODE_FACTOR * less_of(replies_bytes, NEON_REPLY_BYTES_MAX); // one at a time
}

int64_t memory_bound_bytes(const Settings *settings, const MemoryFacts *facts)
{
    int64_t sum =
        facts->consumer_bytes + BATCH_COPIES * facts->batch_bytes + held_bytes(settings, facts) +
        neon_bytes(settings, facts) + INVENTORIES_BYTES + ROLES_BYTES +
        settings_number(settings, SETTING_COMMANDS_IN_FLIGHT) * (WORK_BYTES + CONNECTION_BYTES) +
        settings_number(settings, SETTING_LEDGER_CONNECTIONS) * LEDGER_COPIES * LEDGER_BATCH_BYTES;
    return BASE_BYTES + sum + sum / 100 * SLACK_PER_CENT;
}
