#include "run/holds.h"

#include "unit.h"

enum { PARTITIONS = 4 };

// Takes commands of `bytes` until the partition is full; how many.
static size_t fill(Holds *holds, Hold *partition, size_t bytes)
{
    size_t count = 0;
    while (!holds_is_full(holds, partition)) {
        holds_take(holds, partition, bytes);
        count++;
    }
    return count;
}

static void one_partition_may_use_its_share_and_all_that_is_common(void **state)
{
    (void)state;
    Holds holds = holds_of((Hold){80, 1000000});
    Hold partitions[PARTITIONS] = {{0}};
    holds_divide(&holds, PARTITIONS);
    assert_int_equal(fill(&holds, &partitions[0], 1), 10 + 40);
    // and leaves the others theirs
    for (size_t i = 1; i < PARTITIONS; i++) {
        assert_int_equal(fill(&holds, &partitions[i], 1), 10);
    }
    assert_int_equal(holds.all.commands, 80);
    // one that gives back may take again, nobody else
    holds_give(&holds, &partitions[2], 1);
    assert_false(holds_is_full(&holds, &partitions[2]));
    assert_true(holds_is_full(&holds, &partitions[1]));
    // what the first gives back of the common part is anybody's
    holds_give(&holds, &partitions[0], 1);
    assert_false(holds_is_full(&holds, &partitions[1]));
}

static void bytes_are_shared_out_like_commands(void **state)
{
    (void)state;
    Holds holds = holds_of((Hold){1000, 800});
    Hold partitions[PARTITIONS] = {{0}};
    holds_divide(&holds, PARTITIONS);
    assert_int_equal(fill(&holds, &partitions[0], 10), 10 + 40);
    assert_int_equal(fill(&holds, &partitions[1], 10), 10);
    assert_int_equal(holds.all.bytes, 600);
}

static void a_record_larger_than_everything_is_taken_by_who_holds_nothing(void **state)
{
    (void)state;
    Holds holds = holds_of((Hold){8, 800});
    Hold partitions[PARTITIONS] = {{0}};
    holds_divide(&holds, PARTITIONS);
    for (size_t i = 0; i < PARTITIONS; i++) {
        assert_int_equal(fill(&holds, &partitions[i], 5000), 1);
    }
    holds_give(&holds, &partitions[3], 5000);
    assert_false(holds_is_full(&holds, &partitions[3]));
}

static void a_limit_below_the_number_of_partitions_lets_each_hold_one(void **state)
{
    (void)state;
    Holds holds = holds_of((Hold){2, 1000});
    Hold partitions[PARTITIONS] = {{0}};
    holds_divide(&holds, PARTITIONS);
    for (size_t i = 0; i < PARTITIONS; i++) {
        assert_int_equal(fill(&holds, &partitions[i], 1), 1);
    }
    holds_divide(&holds, 0); // nothing is assigned: as for one
    assert_int_equal(holds.share.commands, 1);
}

static void sharing_out_anew_counts_what_is_held(void **state)
{
    (void)state;
    Holds holds = holds_of((Hold){80, 1000000});
    Hold partitions[PARTITIONS] = {{0}};
    holds_divide(&holds, 1);
    assert_int_equal(fill(&holds, &partitions[0], 3), 80);
    holds_divide(&holds, PARTITIONS);
    for (size_t i = 0; i < PARTITIONS; i++) {
        holds_adopt(&holds, &partitions[i]);
    }
    assert_int_equal(holds.all.commands, 80);
    assert_int_equal(holds.all.bytes, 240);
    assert_int_equal(holds.beyond.commands, 70);
    assert_true(holds_is_full(&holds, &partitions[0]));
    assert_int_equal(fill(&holds, &partitions[1], 3), 10); // its own share all the same
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_partition_may_use_its_share_and_all_that_is_common),
        cmocka_unit_test(bytes_are_shared_out_like_commands),
        cmocka_unit_test(a_record_larger_than_everything_is_taken_by_who_holds_nothing),
        cmocka_unit_test(a_limit_below_the_number_of_partitions_lets_each_hold_one),
        cmocka_unit_test(sharing_out_anew_counts_what_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
