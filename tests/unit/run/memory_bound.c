#include "run/memory_bound.h"

#include "run/roles_run.h"
#include "saga/inventory.h"
#include "unit.h"

enum { MIB = 1024 * 1024 };

static const MemoryFacts FACTS = {
    .consumer_bytes = 20L * MIB, .batch_bytes = 8L * MIB, .connections = 64, .partitions = 12};

static int64_t bound_with(const char *name, const char *value, const MemoryFacts *facts)
{
    Error err = ERROR_INIT;
    Settings *settings = settings_new();
    if (name != NULL) {
        assert_true(settings_set(settings, name, value, "test", &err));
    }
    int64_t bytes = memory_bound_bytes(settings, facts);
    settings_free(settings);
    return bytes;
}

static void the_defaults_stay_below_980_mebibytes(void **state)
{
    (void)state;
    int64_t bytes = bound_with(NULL, NULL, &FACTS);
    print_message("%lld MiB by default\n", (long long)(bytes / MIB));
    assert_in_range(bytes, 300LL * MIB, 980LL * MIB);
}

// Each by what it adds, and a quarter of it.
static void every_setting_that_takes_memory_counts(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *value;
        const char *more;
        int64_t added_bytes;
    } CASES[] = {
        {"commands.memory", "64MiB", "65MiB", 2LL * MIB},
        {"commands.max_bytes", "1MiB", "2MiB", 2LL * 12 * MIB},
        {"commands.in_flight", "256", "272", 3LL * MIB},
        {"ledger.connections", "2", "3", 16LL * MIB},
        {"neon.reply_memory", "16MiB", "17MiB", MIB},
        {"neon.reply_memory", "8MiB", "9MiB", 9LL * MIB},
    };
    for (size_t i = 0; i < UNIT_COUNT(CASES); i++) {
        int64_t difference = bound_with(CASES[i].name, CASES[i].more, &FACTS) -
                             bound_with(CASES[i].name, CASES[i].value, &FACTS);
        assert_in_range(difference, CASES[i].added_bytes / 100 * 125 - 200,
                        CASES[i].added_bytes / 100 * 125 + 200);
    }
}

static void every_fact_counts(void **state)
{
    (void)state;
    int64_t bytes = bound_with(NULL, NULL, &FACTS);
    for (int i = 0; i < 4; i++) {
        MemoryFacts more = FACTS;
        more.consumer_bytes += i == 0 ? MIB : 0;
        more.batch_bytes += i == 1 ? MIB : 0;
        more.connections += i == 2 ? 1 : 0;
        more.partitions += i == 3 ? 1 : 0;
        assert_true(bound_with(NULL, NULL, &more) > bytes);
    }
}

// What else there is comes to less than a quarter of that.
static void inventories_and_roles_count_whatever_is_set(void **state)
{
    (void)state;
    static const char *const LEAST[][2] = {{"commands.memory", "1MiB"},
                                           {"commands.max_bytes", "1KiB"},
                                           {"commands.in_flight", "1"},
                                           {"ledger.connections", "1"},
                                           {"neon.reply_memory", "1MiB"}};
    Error err = ERROR_INIT;
    Settings *settings = settings_new();
    for (size_t i = 0; i < UNIT_COUNT(LEAST); i++) {
        assert_true(settings_set(settings, LEAST[i][0], LEAST[i][1], "test", &err));
    }
    int64_t bytes = memory_bound_bytes(settings, &(MemoryFacts){.partitions = 1});
    settings_free(settings);
    int64_t inventories = (int64_t)7 * MEMORY_BOUND_INVENTORIES * INVENTORY_BYTES_MAX;
    int64_t roles = (int64_t)MEMORY_BOUND_ROLE_RUNS * ROLES_RUN_SESSIONS * 128 * 1024 +
                    8L * MEMORY_BOUND_ROLE_ANSWERS_BYTES;
    assert_in_range(bytes, (inventories + roles) / 100 * 125 + 60L * MIB,
                    (inventories + roles) / 100 * 125 + 100L * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_stay_below_980_mebibytes),
        cmocka_unit_test(every_setting_that_takes_memory_counts),
        cmocka_unit_test(every_fact_counts),
        cmocka_unit_test(inventories_and_roles_count_whatever_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
