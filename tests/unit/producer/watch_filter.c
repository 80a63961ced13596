#include "ctl/watch_filter.h"

#include <stdlib.h>

#include "unit.h"

static const ProvisionEvent CREATED = {
    .command_id = "919108f7-52d1-4320-9bac-f847db4148a8",
    .application_id = "shop",
    .subject = "applications/shop/environments/production",
    .type = "EnvironmentCreated",
    .code = "",
    .outcome = PROVISION_OUTCOME_SUCCEEDED,
};
static const ProvisionEvent REFUSED = {
    .command_id = "11111111-52d1-4320-9bac-f847db4148a8",
    .application_id = "shop",
    .subject = "applications/shop/accounts/main",
    .type = "CommandRejected",
    .code = "KEY_REFUSED",
    .outcome = PROVISION_OUTCOME_REJECTED,
    .replayed = true,
};

// What a command line makes of the filter.
static WatchFilter filter_of(char *const *words)
{
    WatchFilter filter = {.outcomes = 0};
    char *argv[8] = {(char[]){"watch"}};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) {
        argv[argc] = words[argc - 1];
    }
    assert_int_equal(argp_parse(&WATCH_FILTER_ARGP, argc, argv, ARGP_NO_EXIT, NULL, &filter), 0);
    return filter;
}

#define WORDS(...) ((char *const[]){__VA_ARGS__, NULL})
#define WORD(text) ((char[]){text})

static void what_is_not_asked_for_is_not_filtered(void **state)
{
    (void)state;
    WatchFilter filter = filter_of((char *const[]){NULL});
    assert_true(watch_filter_passes(&filter, &CREATED));
    assert_true(watch_filter_passes(&filter, &REFUSED));
}

static void each_filter_lets_through_what_fits(void **state)
{
    (void)state;
    char *const *const CASES[] = {
        WORDS(WORD("--type=EnvironmentCreated")),
        WORDS(WORD("--type=provisioning.v1.EnvironmentCreated")),
        WORDS(WORD("--type=EnvironmentDeleted"), WORD("--type"), WORD("environmentcreated")),
        WORDS(WORD("--outcome=succeeded")),
        WORDS(WORD("--outcome=failed"), WORD("--outcome=succeeded")),
        WORDS(WORD("--environment=production")),
        WORDS(WORD("-e"), WORD("production"), WORD("--account=other")),
        WORDS(WORD("--command=919108F7-52D1-4320-9BAC-F847DB4148A8")),
        WORDS(WORD("--no-replayed")),
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        WatchFilter filter = filter_of(CASES[i]);
        if (!watch_filter_passes(&filter, &CREATED) || watch_filter_passes(&filter, &REFUSED)) {
            fail_msg("case %zu", i);
        }
    }
}

static void filters_hold_together(void **state)
{
    (void)state;
    WatchFilter both = filter_of(WORDS(WORD("--account=main"), WORD("--code=KEY_REFUSED")));
    assert_true(watch_filter_passes(&both, &REFUSED));
    assert_false(watch_filter_passes(&both, &CREATED));
    WatchFilter neither = filter_of(WORDS(WORD("--account=main"), WORD("--outcome=failed")));
    assert_false(watch_filter_passes(&neither, &REFUSED));
    WatchFilter prefix = filter_of(WORDS(WORD("--environment=prod")));
    assert_false(watch_filter_passes(&prefix, &CREATED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_asked_for_is_not_filtered),
        cmocka_unit_test(each_filter_lets_through_what_fits),
        cmocka_unit_test(filters_hold_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
