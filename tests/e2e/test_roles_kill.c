// A worker is killed at random moments of SetupRoles and RotateCredentials; the next one ends what
// it began, and then all is as it should be. What the branch's server has written by then is the
// moment, so the worker dies in the middle of its SQL, too: e2e_crash_points_sql stops it between.
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "', 'databases': ['main']}"

#define ROTATE "'rotateCredentials': {'environment': 'live', 'service': 'of 0'}"

enum { ROUNDS = 5 };

// Bytes of its log that a server writes until the kill, at most: the first one kills at once, a
// rotation takes some hundred, making the roles some thousand and a database 6 MiB.
static const uint32_t AMOUNTS[] = {1, 1 << 10, 1 << 13, 1 << 16, 1 << 20, 1 << 23};

enum { AMOUNTS_OF_ROTATION = 2, AMOUNTS_OF_DATABASE = 6 };

static Recipient recipient;
static uint32_t seed;
static PGconn *branch; // at its server
static Process *worker;
static int generation;

static void start(World *world)
{
    const char *const settings[] = {
        box_text("reveal.recipients=" APPLICATION "=%s", recipient.public_hex),
        "group.static_membership=on", "instance.id=always-the-same", NULL};
    worker = worker_start(world, box_text("one-%d", generation++), settings);
}

static int begin(void **state)
{
    world_begin(state, NULL);
    World *world = *state;
    recipient = credentials_recipient();
    world_add_secret(world, recipient.private_hex);
    const char *given = getenv("PROVISION_TEST_SEED");
    seed = given != NULL ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)wait_now_ms();
    print_message("PROVISION_TEST_SEED=%u\n", seed);
    start(world);
    command_connect_main(world, APPLICATION);
    Environment live =
        login_environment(command_run(world, APPLICATION, "EnvironmentCreated", CREATE));
    branch = login_revealed(world, &live);
    return 0;
}

static int end(void **state)
{
    PQfinish(branch);
    return world_end(state);
}

// xorshift32
static uint32_t next_random(uint32_t below)
{
    seed = seed == 0 ? 1 : seed;
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

static int64_t number_at(PGconn *server, const char *sql)
{
    PGresult *result = PQexec(server, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(server));
    }
    int64_t number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return number;
}

static int64_t written_bytes(void)
{
    return number_at(branch, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint");
}

static int64_t database_count(void)
{
    return number_at(branch, "SELECT count(*) FROM pg_database");
}

// Looks without a pause, as moments are milliseconds apart; until the command's end at most.
static void await(World *world, const char *id, int64_t (*count)(void), int64_t reached)
{
    int64_t deadline_ms = wait_now_ms() + INT64_C(1000) * WORLD_SECONDS;
    const char *ended =
        box_text("SELECT count(*) FROM provision.command WHERE command_id = '%s' AND "
                 "finished_at IS NOT NULL",
                 id);
    while (count() < reached && number_at(world->ledger, ended) == 0) {
        assert_true(wait_now_ms() < deadline_ms);
    }
}

// Sends a command and kills its worker; when it makes a database often not before that is there.
static const char *interrupt(World *world, bool makes_database, const char *members)
{
    int64_t databases = database_count();
    int64_t written = written_bytes();
    const char *id = command_send(world, APPLICATION, "%s", members);
    if (makes_database && next_random(2) == 0) {
        await(world, id, database_count, databases + 1);
        written = written_bytes();
    }
    uint32_t amounts = makes_database ? AMOUNTS_OF_DATABASE : AMOUNTS_OF_ROTATION;
    int64_t bytes = next_random(AMOUNTS[next_random(amounts)]);
    await(world, id, written_bytes, written + bytes);
    process_kill(worker);
    print_message("killed after %lld bytes\n", (long long)(written_bytes() - written));
    start(world);
    return id;
}

// Members of a SetupRoles with so many databases, and services on each.
static const char *setup_of(int databases, const char *more)
{
    char text[4000];
    int length = snprintf(text, sizeof text, "'setupRoles': {'environment': 'live'%s, ", more);
    length += snprintf(text + length, sizeof text - (size_t)length, "'databases': ['main'");
    for (int i = 0; i < databases; i++) {
        length += snprintf(text + length, sizeof text - (size_t)length, ", 'db %d'", i);
    }
    length += snprintf(text + length, sizeof text - (size_t)length, "], 'services': [");
    for (int i = 0; i < databases; i++) {
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "%s{'name': 'of %d', 'databases': [{'database': 'db %d'}, "
                           "{'database': 'main', 'access': 'ACCESS_READ'}]}",
                           i > 0 ? ", " : "", i, i);
    }
    (void)snprintf(text + length, sizeof text - (size_t)length, "]}");
    return box_text("%s", text);
}

static void expect_converged(World *world, int databases)
{
    const Seen *seen = command_run(world, APPLICATION, "RolesConfigured", "%s",
                                   command_quote(setup_of(databases, ", 'mode': "
                                                                     "'ROLES_MODE_PLAN'")));
    assert_string_equal(seen_text(seen, "rolesConfigured.changes.0.object"), "");
}

static void what_was_begun_is_ended(void **state)
{
    World *world = *state;
    for (int round = 1; round <= ROUNDS; round++) {
        const char *id = interrupt(world, true, command_quote(setup_of(round, "")));
        (void)command_await(world, id, "RolesConfigured");
        expect_converged(world, round);
        Credential one =
            credentials_of_service(world, APPLICATION, "live", &recipient,
                                   box_text("of %d", round - 1), box_text("db %d", round - 1));
        assert_true(credentials_work(world, one.direct_uri));
    }
    assert_string_equal(ledger_value(world, "SELECT count(*) FROM provision.role_secret WHERE "
                                            "sealed_next IS NOT NULL"),
                        "0");
}

static void what_is_revealed_works_after_every_rotation(void **state)
{
    World *world = *state;
    Credential before =
        credentials_of_service(world, APPLICATION, "live", &recipient, "of 0", "db 0");
    for (int round = 0; round < ROUNDS; round++) {
        const char *id = interrupt(world, false, command_quote(ROTATE));
        (void)command_await(world, id, "CredentialsRotated");
        Credential after =
            credentials_of_service(world, APPLICATION, "live", &recipient, "of 0", "db 0");
        assert_true(credentials_work(world, after.direct_uri));
        assert_false(credentials_work(world, before.direct_uri));
        before = after;
    }
    expect_converged(world, ROUNDS);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_begun_is_ended),
        cmocka_unit_test(what_is_revealed_works_after_every_rotation),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
