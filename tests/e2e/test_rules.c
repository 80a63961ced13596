// Every rule of the contract, row by row: rules/table_*.c.
#include <stdlib.h>

#include "rules/coverage.h"
#include "rules/judge.h"
#include "rules/parcel.h"
#include "rules/play.h"
#include "support/cmocka.h"

enum { SECONDS = 240 };

static World *world;
static Play *play;
static const Rule *rules[RULES_MAX];
static size_t rule_count;

static int begin(void **state)
{
    static const char *const BY_API[] = {"--no-compute", "--operation-ms", "20",
                                         "--plan",       "scale",          NULL};
    void *begun = NULL;
    // where a command may be larger than workers take it
    static const char *const TOPICS[] = {"--set", "commands.max_bytes=2MiB", NULL};
    world_begin(&begun, &(WorldOptions){.sandbox = RULES_BY_SQL ? NULL : BY_API, .topics = TOPICS});
    world = begun;
    ParcelKeys keys = parcel_begin(world);
    *state = NULL; // each test has a state of its own
    play = play_new(world, rules, rule_count);
    // those behind the first NULL are for branches without PostgreSQL, which takes its time
    const char *const settings[] = {box_text("reveal.recipients=%s", play_recipients(play)),
                                    "neon.send_window=1s",
                                    "neon.listing_lag=1s",
                                    "neon.request_timeout=60s",
                                    "drain.timeout=5s", // a deletion is held up
                                    keys.signers,
                                    keys.signing_key_file,
                                    "commands.require_signature=on",
                                    RULES_BY_SQL ? NULL : "environments.check_login=off",
                                    "commands.max_wait=20s", // a project stays locked
                                    NULL};
    (void)worker_start(world, "one", settings);
    play_run(play, SECONDS);
    return 0;
}

static int end(void **state)
{
    void *begun = world;
    (void)state;
    play_free(play);
    parcel_end();
    return world_end(&begun);
}

static void it_is_so(void **state)
{
    const Rule *const *rule = *state;
    judge_trial(play_trial(play, (size_t)(rule - rules)));
}

static void sequences_have_no_holes(void **state)
{
    (void)state;
    reader_assert_sequences(world->reader);
}

static void every_code_of_the_readme_is_shown(void **state)
{
    (void)state;
    coverage_assert();
}

// A test each; its state is its place in the list.
static size_t add_rules(struct CMUnitTest *ret_tests)
{
    for (size_t i = 0; i < rule_count; i++) {
        ret_tests[i] = (struct CMUnitTest){
            .name = rules[i]->what, .test_func = it_is_so, .initial_state = &rules[i]};
    }
    return rule_count;
}

int main(void)
{
    static struct CMUnitTest tests[RULES_MAX + 2];
    world_require();
    rule_count = RULES_BY_SQL ? rules_by_sql(rules) : rules_by_api(rules);
    size_t count = add_rules(tests);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(sequences_have_no_holes);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_code_of_the_readme_is_shown);
    return world_conclude(_cmocka_run_group_tests("rules", tests, count, begin, end));
}
