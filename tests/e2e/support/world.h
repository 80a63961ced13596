/*
 * What an end-to-end test runs in: topics, a ledger database, a neon-sandbox and keys of its own,
 * on the Kafka and PostgreSQL that tests/run has started, and as many real provision-workers as the
 * test wants. A test program has one world for all of its tests:
 *
 *     static int begin(void **state)
 *     {
 *         world_begin(state, NULL);
 *         worker_start(*state, "one", NULL);
 *         return 0;
 *     }
 *     int main(void)
 *     {
 *         world_require();
 *         const struct CMUnitTest tests[] = {cmocka_unit_test(…)};
 *         return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
 *     }
 *
 * A failed program keeps its folder (logs, settings) and says where it is; nothing keeps running.
 */
#ifndef E2E_WORLD_H
#define E2E_WORLD_H

#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "box.h"
#include "provision/provision.h"
#include "support/process.h"
#include "support/reader.h"

enum {
    WORLD_WORKERS_MAX = 32,
    WORLD_SECRETS_MAX = 2000,
    WORLD_PARTITIONS = 4,
    WORLD_SECONDS = 120, // in which a command ends when nothing holds it up
};

// Organization of the world's API key in the sandbox.
#define WORLD_ORG "org-sandbox-one"
#define WORLD_REGION "aws-eu-central-1"

typedef struct WorldOptions {
    const char *const *sandbox; // more arguments of neon-sandbox, ended by NULL; or NULL
    const char *const *topics;  // more of `topics create` ("--set", "name=value"); or NULL
} WorldOptions;

typedef struct WorldSecret {
    char *text;
    bool in_commands; // a test put it into a command in clear
} WorldSecret;

typedef struct World {
    char dir[64];
    char name[40]; // part of topics, database, group
    const char *bootstrap;
    char ledger_uri[512];
    char topics[4][96]; // commands, then in the order of SeenTopic
    uint8_t fleet_public_key[PROVISION_KEY_BYTES];
    char fleet_private_hex[2 * PROVISION_KEY_BYTES + 1];
    char api_key[48]; // reaches WORLD_ORG
    Box box;
    ProvisionClient *client;
    rd_kafka_t *producer; // for records that libprovision would not send
    Reader *reader;
    PGconn *ledger;
    Process workers[WORLD_WORKERS_MAX];
    size_t worker_count;
    WorldSecret secrets[WORLD_SECRETS_MAX];
    size_t secret_count;
} World;

// Ends the program as skipped where PROVISION_TEST_KAFKA, PROVISION_TEST_LEDGER or
// PROVISION_POSTGRES_DIRS is missing; as failed when CI is set. First thing in main.
void world_require(void);
// One of these three.
const char *world_env(const char *name);
// For a group's setup; `state` becomes a World *. `options` may be NULL. Without --no-compute the
// sandbox has every PostgreSQL of PROVISION_POSTGRES_DIRS.
void world_begin(void **state, const WorldOptions *options);
// The group's teardown: ends what runs. Workers have to have ended with 0, or been ended by the
// test (process_kill, worker_stop).
int world_end(void **state);
// Cleans up unless tests failed; returns the program's exit code.
int world_conclude(int failed);

// ---- workers

const char *worker_program(void); // its path
// Starts a provision-worker; `settings` ("name=value", over those of the world's file; ends with
// NULL) may be NULL. Returns when it says that it has started, and thus takes signals, or when it
// has ended; Kafka decides when it gets partitions. Its log is DIR/NAME.log.
Process *worker_start(World *world, const char *name, const char *const *settings);
// SIGTERM; it has to end with 0 within its drain time.
void worker_stop(Process *worker);
// Runs `provision-worker TASK…` with the world's settings; returns the exit code.
int worker_task(World *world, const char *const *arguments);
// Waits until the group has this many members, each of which has its partitions.
void worker_await_members(World *world, int members, int seconds);
// How many it has now; -1: they are changing.
int worker_count_members(World *world);

// ---- neighbours

// One value of the ledger as text ("" for NULL or no row), kept until the program ends.
const char *ledger_value(World *world, const char *format, ...) PRINTF_LIKE(2, 3);
// Commands that aren't finished, or finished and not marked as published.
int64_t ledger_unfinished(World *world);
// What must be found nowhere in clear; see secrets.h.
void world_add_secret(World *world, const char *text);
void world_add_secret_in_commands(World *world, const char *text);

// GET /sandbox/state of the world's sandbox.
Reply sandbox_state(World *world);
// Projects that exist with exactly this name; and branches with this name in one project.
size_t sandbox_count_projects(World *world, const char *name);
size_t sandbox_count_branches(World *world, const char *project_id, const char *name);
// Mutating calls of a route ("POST /projects") ever made.
int64_t sandbox_count_calls(World *world, const char *route);
int64_t sandbox_count_changes(World *world); // of all routes
// Sets a fault; single quotes stand for double ones. Its id.
int64_t sandbox_fault(World *world, const char *fault);
void sandbox_clear_faults(World *world);
// The password of a role as the API reveals it, added to the world's secrets; NULL where Neon knows
// none (a role that SQL made).
const char *sandbox_password(World *world, const char *project_id, const char *branch_id,
                             const char *role);
// A name that no test has used before: "<prefix>-<n>", kept until the program ends.
const char *world_fresh(const char *prefix);

#endif
