// The COMMIT of a conclusion whose fate is unknown: the connection to the ledger was cut before the
// server saw it, or after it committed and before the worker heard of it.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/expect.h"
#include "support/ledger_proxy.h"
#include "support/pair.h"
#include "support/secrets.h"
#include "support/wait.h"

// "EnvironmentCreated" as only the outcome of a conclusion holds it; the statement's own text goes
// to the server once a connection.
#define CONCLUDE "456e7669726f6e6d656e7443726561746564"
#define FINISHED_BEFORE "finished before; its outcome is published now"

static const char *const SETTINGS[] = {"environments.check_login=off", NULL};

static int begin(void **state)
{
    pair_open(state, SETTINGS);
    return 0;
}

typedef struct Cut {
    Proxy *proxy;
    Pair pair;
    const char *id;
    const char *environment;
} Cut;

// The first worker's connection is cut while it concludes a creation.
static Cut cut_conclusion(World *world, ProxyTrap trap, bool then_away)
{
    Cut cut = {.environment = world_fresh("live")};
    const char *file = box_text("%s.uri", cut.environment);
    const char *setting = ledger_proxy_open(world, file, &cut.proxy);
    cut.pair = pair_begin(world, NULL, setting);
    proxy_set_trap(cut.proxy, trap, CONCLUDE, then_away);
    cut.id = command_send(world, cut.pair.application, PAIR_CREATE, cut.environment);
    wait_until(proxy_has_tripped, cut.proxy, PAIR_SECONDS, "the conclusion");
    return cut;
}

static void expect_concluded_once(const Cut *cut)
{
    World *world = cut->pair.world;
    const Seen *seen = pair_await_once(world, cut->id, "EnvironmentCreated");
    Environment made = login_environment(seen);
    expect_ready(world, cut->pair.application, &made, 1);
    assert_int_equal(pair_row_number(world, cut->id, "outcome_sequence"), 1);
    assert_int_equal(pair_row_number(world, cut->id, "takeovers"), 0);
}

static void end(Cut *cut)
{
    void *state = cut->pair.world;
    (void)pair_end(&state);
    proxy_close(cut->proxy);
}

static void conclude_COMMIT_unknown_and_done_is_resolved_by_a_claim(void **state)
{
    Cut cut = cut_conclusion(*state, PROXY_CUT_REPLY, false);
    assert_string_equal(pair_row(*state, cut.id, "status"), "finished");
    expect_concluded_once(&cut);
    assert_true(process_has_logged(cut.pair.first, FINISHED_BEFORE));
    end(&cut);
}

static void conclude_COMMIT_unknown_and_not_done_is_sent_again(void **state)
{
    Cut cut = cut_conclusion(*state, PROXY_CUT_REQUEST, false);
    expect_concluded_once(&cut);
    assert_false(process_has_logged(cut.pair.first, FINISHED_BEFORE));
    end(&cut);
}

// Its worker never learns it.
static void conclude_COMMIT_unknown_then_kill_is_published_by_the_other_worker(void **state)
{
    Cut cut = cut_conclusion(*state, PROXY_CUT_REPLY, true);
    process_kill(cut.pair.first);
    assert_string_equal(pair_row(*state, cut.id, "status"), "finished");
    assert_string_equal(pair_row(*state, cut.id, "published_at IS NULL"), "t");
    expect_concluded_once(&cut);
    assert_true(process_has_logged(cut.pair.other, FINISHED_BEFORE));
    end(&cut);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(conclude_COMMIT_unknown_and_done_is_resolved_by_a_claim,
                                  pair_end),
        cmocka_unit_test_teardown(conclude_COMMIT_unknown_and_not_done_is_sent_again, pair_end),
        cmocka_unit_test_teardown(
            conclude_COMMIT_unknown_then_kill_is_published_by_the_other_worker, pair_end),
        cmocka_unit_test(pair_sequences_are_whole),
        cmocka_unit_test(secrets_are_found_nowhere),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
