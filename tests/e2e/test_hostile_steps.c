// Whoever answers for Neon's API may be hostile at any step: listing, creation, poll of an
// operation, edit, deletion. The command ends within its bounds, nothing is doubled, and once the
// answers are honest again nothing is left that can't be deleted. (test_hostile_api.c: more kinds
// of answers.)
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/api_door.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/memory.h"
#include "support/probe.h"
#include "support/secrets.h"
#include "support/world.h"
#include "tls_server.h"

#define APPLICATION "shop"
#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
#define CREATE                                                                                     \
    "'createEnvironment': {'environment': '%s', 'account': 'main', 'regionId': '" WORLD_REGION "'" \
    "}"
#define EDIT "'editProject': {'environment': '%s', 'historyRetentionSeconds': 3600}"
#define DELETE "'deleteEnvironment': {'environment': '%s', 'deleteData': true}"

enum { TURN_LIMIT_MS = 1000, ENDS_SECONDS = 60 };

typedef struct Kind {
    const char *name;
    const char *first;
    const char *again;
    bool slowly;
    bool is_refusal; // an answer that says that nothing was done
} Kind;

static const Kind KINDS[] = {
    {"a body of a GiB", HEAD "Content-Length: 1073741824\r\n\r\n", "0123456789abcdef", false,
     false},
    {"a body without an end", HEAD "\r\n", "0123456789abcdef", false, false},
    {"a slow drip", HEAD "\r\n", " ", true, false},
    {"a redirect to another host", "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.2/\r\n\r\n",
     NULL, false, true},
    {"deep JSON", HEAD "\r\n{\"a\":", "[[[[[[[[", false, false},
};

typedef struct At {
    const char *name;
    const char *method;
    const char *part;
    const char *made; // before the step that is met: a command; NULL: none
    const char *format;
    const char *type; // of the outcome, and its code, where the answer tells nothing
    const char *code;
} At;

static const At STEPS[] = {
    {"listing", "GET", "/projects?", NULL, CREATE, "CommandRejected", "NEON_UNAVAILABLE"},
    {"creation", "POST", "/projects", NULL, CREATE, "EnvironmentCreated", ""},
    {"poll", "GET", "/operations/", NULL, CREATE, "CommandFailed", "NEON_UNAVAILABLE"},
    {"edit", "PATCH", "/projects/", CREATE, EDIT, "ProjectEdited", ""},
    {"deletion", "DELETE", "/projects/", CREATE, DELETE, "CommandFailed", "NEON_UNAVAILABLE"},
};

enum {
    KIND_COUNT = sizeof(KINDS) / sizeof(KINDS[0]),
    STEP_COUNT = sizeof(STEPS) / sizeof(STEPS[0])
};

static ApiDoor *door;
static ApiDoorRule rules[KIND_COUNT * STEP_COUNT];

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    memory_use_release();
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    World *world = *state;
    door = api_door_open(world->box.api_url);
    const char *const settings[] = {
        box_text("neon.api_url=http://127.0.0.1:%d/api/v2", api_door_port(door)),
        "environments.check_login=off",
        "commands.max_wait=1s",
        "neon.send_window=1s",
        "neon.request_timeout=1s",
        "neon.listing_lag=0s",
        "neon.requests_per_second=0",
        NULL};
    (void)worker_start(world, "one", settings);
    command_connect_main(world, APPLICATION);
    return 0;
}

static int end(void **state)
{
    int failed = world_end(state);
    api_door_close(door);
    return failed;
}

static const char *send_about(World *world, const char *format, const char *name)
{
    char members[256];
    const char *hole = strstr(format, "%s");
    (void)snprintf(members, sizeof(members), "%.*s%s%s", (int)(hole - format), format, name,
                   hole + strlen("%s"));
    return command_send(world, APPLICATION, "%s", command_quote(members));
}

// Of what is left at Neon: one at most, and a deletion that meets honest answers leaves none.
static void expect_nothing_doubled_or_kept(World *world, const char *name)
{
    assert_true(sandbox_count_projects(world, name) <= 1);
    api_door_set_rule(door, NULL);
    const char *id = send_about(world, DELETE, name);
    (void)reader_await_outcome(world->reader, id, ENDS_SECONDS);
    assert_int_equal(sandbox_count_projects(world, name), 0);
}

static void meet(World *world, const At *step, const Kind *kind, ApiDoorRule *rule)
{
    const char *name = world_fresh("live");
    if (step->made != NULL) {
        (void)reader_await_outcome(world->reader, send_about(world, step->made, name),
                                   ENDS_SECONDS);
    }
    *rule = (ApiDoorRule){.method = step->method,
                          .part = step->part,
                          .takes_effect = strcmp(step->method, "GET") != 0 && !kind->is_refusal,
                          .first = kind->first,
                          .again = kind->again,
                          .slowly = kind->slowly};
    api_door_set_rule(door, rule);
    const char *id = send_about(world, step->format, name);
    const Seen *seen = reader_await_outcome(world->reader, id, ENDS_SECONDS);
    bool failed = strcmp(seen_type(seen), "CommandFailed") == 0;
    bool rejected = strcmp(seen_type(seen), "CommandRejected") == 0;
    const char *part = failed ? "commandFailed" : "commandRejected";
    const char *code = failed || rejected ? seen_text(seen, box_text("%s.code", part)) : "";
    print_message("%s, %s: %s %s, met %d times\n", step->name, kind->name, seen_type(seen), code,
                  api_door_met(door));
    assert_true(api_door_met(door) >= 1);
    assert_string_equal(code, kind->is_refusal ? "NEON_REFUSED" : step->code);
    assert_true(kind->is_refusal || strcmp(seen_type(seen), step->type) == 0);
    expect_nothing_doubled_or_kept(world, name);
}

static void every_step_ends_within_its_bounds(void **state)
{
    World *world = *state;
    for (size_t i = 0; i < STEP_COUNT; i++) {
        for (size_t k = 0; k < KIND_COUNT; k++) {
            meet(world, &STEPS[i], &KINDS[k], &rules[i * KIND_COUNT + k]);
        }
    }
}

static void the_loop_went_on_turning_within_its_memory(void **state)
{
    World *world = *state;
    Process *worker = &world->workers[0];
    double longest_s = probe_metric(worker, "provision_loop_turn_seconds_max");
    print_message("longest turn: %.3f s\n", longest_s);
    assert_true(longest_s >= 0 && longest_s * 1000 < TURN_LIMIT_MS);
    memory_expect_bounded(worker);
}

static atomic_int heard; // bytes that came through TLS

static void listen_in(TlsTalk *talk)
{
    char byte;
    while (tls_read(talk, &byte, 1)) {
        heard++;
    }
}

// Whoever can't show a certificate is told nothing, whatever the step.
static void a_flawed_certificate_hears_nothing(void **state)
{
    static const TlsFlaw FLAWS[] = {TLS_OTHER_NAME, TLS_EXPIRED, TLS_SELF_SIGNED};
    World *world = *state;
    worker_stop(&world->workers[0]);
    for (size_t i = 0; i < sizeof(FLAWS) / sizeof(FLAWS[0]); i++) {
        TlsServer *server =
            tls_server_start(&(TlsServerOptions){.flaw = FLAWS[i], .script = listen_in});
        const char *const settings[] = {
            box_text("neon.api_url=https://tls.localhost:%d/api/v2", tls_server_port(server)),
            box_text("neon.ca_file=%s", tls_server_ca_file(server)), "commands.max_wait=1s", NULL};
        Process *worker = worker_start(world, box_text("flaw-%zu", i), settings);
        const char *id = send_about(world, CREATE, world_fresh("live"));
        const Seen *seen = command_await(world, id, "CommandRejected");
        print_message("%s\n", seen_text(seen, "commandRejected.message"));
        assert_string_equal(seen_text(seen, "commandRejected.code"), "NEON_UNAVAILABLE");
        assert_true(tls_server_accepted(server) >= 1);
        assert_int_equal(heard, 0);
        worker_stop(worker);
        tls_server_stop(server);
    }
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_ends_within_its_bounds),
        cmocka_unit_test(the_loop_went_on_turning_within_its_memory),
        cmocka_unit_test(a_flawed_certificate_hears_nothing),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, end));
}
