// Whoever answers as a branch's PostgreSQL may be hostile: its command ends within its bounds and
// says why, the loop goes on turning, others' commands go on, memory stays within its bound, and
// no password is told.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "hostile_pg.h"
#include "support/api_door.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/memory.h"
#include "support/probe.h"
#include "support/secrets.h"
#include "support/world.h"

#define APPLICATION "shop"
#define NEIGHBOUR "team"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
enum { TURN_LIMIT_MS = 1000, ENDS_SECONDS = 60, CROWD = 40 };

typedef struct Case {
    const char *name;
    HostilePg pg;
    const char *reason; // part of the error's text
} Case;

// What ends a login as well as a conversation about roles.
static const Case CASES[] = {
    {"2^31 - 1 iterations",
     {.before = hostile_pg_ask_iterations, .iterations = "2147483647"},
     "SCRAM"},
    {"... under the last message's code",
     {.before = hostile_pg_ask_iterations, .iterations = "2147483647", .as_last = true},
     "SCRAM"},
    {"a login that says nothing", {.before = hostile_pg_be_silent}, "within 2000 ms"},
    {"an error, a byte now and then", {.before = hostile_pg_drip}, "within 2000 ms"},
    {"an error of a GiB", {.before = hostile_pg_send_giant_error}, "too long"},
    {"a login without an end", {.during = hostile_pg_send_notices}, "more than is taken"},
    {"parameters without an end", {.during = hostile_pg_send_parameters}, "parameters"},
    {"an answer of rows without an end", {.after = hostile_pg_send_rows}, "more than is taken"},
    {"an answer of one row of a GiB", {.after = hostile_pg_send_giant_row}, "too long"},
    {"an answer of notices without an end",
     {.after = hostile_pg_send_notices},
     "more than is taken"},
};

static _Atomic(const HostilePg *) present;
static HostilePg *pgs[sizeof(CASES) / sizeof(CASES[0])];
static TlsServer *server;
static ApiDoor *door;

static void talk(TlsTalk *with)
{
    with->context = unconst(present);
    hostile_pg_talk(with);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    memory_use_release();
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    server = tls_server_start(&(TlsServerOptions){
        .name = "*.localhost", .prologue = hostile_pg_agree_to_tls, .script = talk});
    door = api_door_open(world->box.api_url);
    api_door_set_postgres(door, tls_server_port(server));
    const char *const settings[] = {
        box_text("neon.api_url=http://127.0.0.1:%d/api/v2", api_door_port(door)),
        box_text("postgres.ca_file=%s", tls_server_ca_file(server)),
        "postgres.connect_timeout=2s",
        "postgres.login_attempts=2",
        "commands.max_wait=1s",
        "commands.memory=4MiB",
        "neon.reply_memory=1MiB",
        "neon.requests_per_second=0",
        NULL};
    (void)worker_start(world, "one", settings);
    command_connect_main(world, APPLICATION);
    command_connect_main(world, NEIGHBOUR);
    return 0;
}

static int end(void **state)
{
    int failed = world_end(state);
    tls_server_stop(server);
    api_door_close(door);
    for (size_t i = 0; i < sizeof(pgs) / sizeof(pgs[0]); i++) {
        free(pgs[i]);
    }
    return failed;
}

static int64_t now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

// Ends with this code and reason; meanwhile another application's command is done.
static void expect_end(World *world, const char *id, const Case *c, const char *code)
{
    int64_t began_s = now_s();
    const char *other = command_connect(world, NEIGHBOUR, world_fresh("account"), world->api_key);
    (void)command_await(world, other, "AccountConnected");
    const Seen *seen = reader_await_outcome(world->reader, id, ENDS_SECONDS);
    assert_non_null(seen);
    print_message("%s: %s %s: %s (%d s)\n", c->name, seen_type(seen),
                  seen_text(seen, "commandFailed.code"), seen_text(seen, "commandFailed.message"),
                  (int)(now_s() - began_s));
    assert_string_equal(seen_type(seen), "CommandFailed");
    assert_string_equal(seen_text(seen, "commandFailed.code"), code);
    assert_non_null(strstr(seen_text(seen, "commandFailed.message"), c->reason));
}

static void a_login_to_it_ends_within_its_bounds(void **state)
{
    World *world = *state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *name = world_fresh("live");
        present = &CASES[i].pg;
        const char *id = command_send(world, APPLICATION, CREATE, name);
        expect_end(world, id, &CASES[i], "LOGIN_FAILED");
        assert_int_equal(sandbox_count_projects(world, name), 0); // undone
    }
}

// The login works, in the database that is the application's; the lock is held in another one.
static void a_conversation_about_roles_ends_within_its_bounds(void **state)
{
    World *world = *state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        HostilePg *pg = alloc_zeroed(1, sizeof(*pg)); // a session may outlive its command
        *pg = CASES[i].pg;
        pg->spares = "neondb";
        present = pg;
        const char *name = world_fresh("live");
        const char *id = command_send(world, APPLICATION, CREATE, name);
        expect_end(world, id, &CASES[i], "ROLES_UNAVAILABLE");
        assert_int_equal(sandbox_count_projects(world, name), 0);
        pgs[i] = pg;
    }
}

// Of each alone the worker would take 16 MiB.
static void the_answers_of_many_stay_within_the_memory(void **state)
{
    static const HostilePg FLOOD = {.after = hostile_pg_send_rows, .spares = "neondb"};
    World *world = *state;
    const char *ids[CROWD];
    present = &FLOOD;
    for (int i = 0; i < CROWD; i++) {
        ids[i] = command_send(world, APPLICATION, CREATE, world_fresh("live"));
    }
    int without_room = 0;
    for (int i = 0; i < CROWD; i++) {
        const Seen *seen = command_await(world, ids[i], "CommandFailed");
        without_room += strstr(seen_text(seen, "commandFailed.message"), "no room") != NULL;
    }
    print_message("%d of %d ended because others took the room\n", without_room, CROWD);
    assert_true(without_room > 0);
    memory_expect_bounded(&world->workers[0]);
}

static void the_loop_went_on_turning(void **state)
{
    World *world = *state;
    double longest_s = probe_metric(&world->workers[0], "provision_loop_turn_seconds_max");
    print_message("longest turn: %.3f s\n", longest_s);
    assert_true(longest_s >= 0 && longest_s * 1000 < TURN_LIMIT_MS);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_login_to_it_ends_within_its_bounds),
        cmocka_unit_test(a_conversation_about_roles_ends_within_its_bounds),
        cmocka_unit_test(the_answers_of_many_stay_within_the_memory),
        cmocka_unit_test(the_loop_went_on_turning),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
