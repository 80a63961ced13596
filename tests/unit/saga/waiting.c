/*
 * What a command is said to wait for, after each reply that makes it wait.
 */
#include "neon.h"

#include <string.h>

#define OPENING                                                                                    \
    {"check_region", REGIONS},                                                                     \
    {                                                                                              \
        "find_project", NO_PROJECTS                                                                \
    }
#define MADE                                                                                       \
    OPENING,                                                                                       \
    {                                                                                              \
        "create_project", CREATED_AS("p-1", ROOT("br-1"), ",'operations':[{'id':'op-1'}]")         \
    }
#define UNTIL_DATABASES                                                                            \
    MADE, {"await_operations", OPERATION("finished")}, {"await_branch", ONE_BRANCH(ROOT("br-1"))}, \
    {                                                                                              \
        "await_endpoint", ENDPOINT("active")                                                       \
    }
#define NOT_READY                                                                                  \
    "200 {'branch':{'id':'br-1','project_id':'p-1','name':'main','current_state':'init'" AT(       \
        "9") "}}"

static const Talk CREATION = {.name = "create", .action = CREATE};

static const struct {
    Waiting expected;
    TalkLine lines[12];
} CASES[] = {
    {WAITING_NOTHING, {OPENING}},
    {WAITING_LOCKED, {OPENING, {"create_project", LOCKED}}},
    {WAITING_RATE_LIMIT, {OPENING, {"create_project", "429 after 3"}}},
    {WAITING_AWAY, {OPENING, {"create_project", AWAY}}},
    {WAITING_AWAY, {{"check_region", "lost"}}},
    {WAITING_SETTLING, {OPENING, {"create_project", "lost"}}},
    {WAITING_RETRY, {OPENING, {"create_project", "unsent"}}},
    {WAITING_RETRY, {{"check_region", UNREADABLE}}},
    {WAITING_OPERATION, {MADE, {"await_operations", OPERATION("running")}}},
    {WAITING_LISTING, {MADE, {"await_operations", NOT_FOUND}}},
    {WAITING_READY,
     {MADE, {"await_operations", OPERATION("finished")}, {"await_branch", NOT_READY}}},
    {WAITING_LISTING, {UNTIL_DATABASES, {"find_databases", "200 {'databases':[]}"}}},
    {WAITING_LOGIN,
     {UNTIL_DATABASES,
      {"find_databases", DATABASES},
      {"find_connection", CONNECTION_URI("ep-1")},
      {"find_pooled_host", CONNECTION_URI("ep-1-pooler")},
      {"check_login", "refused"}}},
};

static void what_made_it_wait_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < TALK_COUNT(CASES); i++) {
        Stage stage;
        stage_open(&stage, &CREATION);
        stage_begin(&stage);
        stage_play(&stage, CASES[i].lines);
        int64_t since_ms = -1;
        Waiting waiting = saga_waits_for(&stage.saga, stage.now.boot_ms, &since_ms);
        if (waiting != CASES[i].expected) {
            fail_msg("case %zu: %s", i, waiting_name(waiting));
        }
        stage_close(&stage);
    }
}

static void a_wait_lasts_over_attempts_until_something_is_learnt(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &CREATION);
    stage_begin(&stage);
    const TalkLine first[] = {OPENING, {"create_project", LOCKED}, {NULL}};
    stage_play(&stage, first);
    int64_t first_ms = stage.now.boot_ms;
    const TalkLine again[] = {
        {"create_project", LOCKED, NULL, -1}, {"create_project", LOCKED, NULL, -1}, {NULL}};
    stage_play(&stage, again);
    int64_t since_ms = 0;
    assert_int_equal(saga_waits_for(&stage.saga, stage.now.boot_ms, &since_ms), WAITING_LOCKED);
    assert_int_equal(since_ms, first_ms);
    const TalkLine other[] = {{"create_project", AWAY, NULL, -1}, {NULL}};
    stage_play(&stage, other);
    assert_int_equal(saga_waits_for(&stage.saga, stage.now.boot_ms, &since_ms), WAITING_AWAY);
    assert_int_equal(since_ms, stage.now.boot_ms);
    const TalkLine done[] = {{"create_project",
                              CREATED_AS("p-1", ROOT("br-1"), ",'operations':[{'id':'op-1'}]"),
                              NULL, -1},
                             {NULL}};
    stage_play(&stage, done);
    assert_int_equal(saga_waits_for(&stage.saga, stage.now.boot_ms, &since_ms), WAITING_NOTHING);
    stage_close(&stage);
}

static void an_intent_that_was_taken_over_is_waited_for(void **state)
{
    (void)state;
    Stage stage;
    stage_open(&stage, &CREATION);
    stage_begin(&stage);
    const TalkLine lines[] = {OPENING, {"create_project", "lost"}, {"!takeover"}, {NULL}};
    stage_play(&stage, lines);
    int64_t since_ms = -1;
    assert_int_equal(saga_waits_for(&stage.saga, stage.now.boot_ms, &since_ms), WAITING_SETTLING);
    assert_int_equal(since_ms, 0);
    int64_t later_ms = stage.now.boot_ms + TALK_SETTLE_MS;
    assert_int_equal(saga_waits_for(&stage.saga, later_ms, &since_ms), WAITING_NOTHING);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_made_it_wait_is_named),
        cmocka_unit_test(a_wait_lasts_over_attempts_until_something_is_learnt),
        cmocka_unit_test(an_intent_that_was_taken_over_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
