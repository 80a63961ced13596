// A worker is killed at random moments of SetupRoles and RotateCredentials; the next one ends what
// it began, and then all is as it should be.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/credentials.h"
#include "support/expect.h"
#include "support/login.h"
#include "support/secrets.h"
#include "support/world.h"

#define APPLICATION "shop"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': 'live', 'account': 'main', 'regionId': '" WORLD_REGION   \
    "', 'databases': ['main']}"

// So long at most until the kill; a whole SetupRoles takes about half of it.
enum { ROUNDS = 5, KILL_MS = 900, NANOSECONDS_PER_MS = 1000000 };

static Recipient recipient;
static unsigned seed;
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
    seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    start(world);
    command_connect_main(world, APPLICATION);
    (void)command_run(world, APPLICATION, "EnvironmentCreated", CREATE);
    return 0;
}

// The moment is what is random here: nothing is waited for.
static void kill_at_some_moment(void)
{
    long ms = rand_r(&seed) % KILL_MS;
    const struct timespec moment = {.tv_nsec = ms * NANOSECONDS_PER_MS};
    (void)nanosleep(&moment, NULL);
    process_kill(worker);
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
        const char *id = command_send(world, APPLICATION, "%s", command_quote(setup_of(round, "")));
        kill_at_some_moment();
        start(world);
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
        const char *id = command_send(world, APPLICATION,
                                      "'rotateCredentials': {'environment': 'live', 'service': "
                                      "'of 0'}");
        kill_at_some_moment();
        start(world);
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
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
