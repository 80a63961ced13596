#include "contract/completion.h"

#include "kit.h"

static int64_t timestamp_of(int64_t offset)
{
    return 1795334820000 + offset;
}

// Delivers `offset`; it must not void a map.
static CompletionDelivery deliver(Completion *completion, int64_t offset)
{
    const char *reason = "";
    CompletionDelivery delivery =
        completion_deliver(completion, offset, timestamp_of(offset), &reason);
    assert_null(reason);
    return delivery;
}

static Completion *start(int64_t committed, const char *metadata)
{
    const char *reason = "";
    Completion *completion = completion_new(committed, metadata, &reason);
    assert_null(reason);
    return completion;
}

// What another worker would start from.
static Completion *restore(const Completion *completion)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(COMPLETION_TEXT_MAX);
    completion_metadata(completion, &text);
    assert_true(text_ok(&text));
    assert_true(text.length < COMPLETION_TEXT_MAX);
    return start(completion_offset(completion), text_get(&text));
}

static void expect(const Completion *completion, int64_t offset, bool has_map)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(COMPLETION_TEXT_MAX);
    completion_metadata(completion, &text);
    assert_int_equal(completion_offset(completion), offset);
    assert_int_equal(text.length > 0, has_map);
}

static void a_new_partition_has_nothing_to_commit(void **state)
{
    (void)state;
    Completion *completion = start(-1, NULL);
    expect(completion, -1, false);
    assert_int_equal(deliver(completion, 7), COMPLETION_RUN);
    expect(completion, 7, false);
    completion_finish(completion, 7);
    expect(completion, 8, false);
    assert_int_equal(completion_unfinished(completion), 0);
    completion_free(completion);
    completion_free(NULL);
}

static void the_lowest_unfinished_is_committed(void **state)
{
    (void)state;
    Completion *completion = start(10, "");
    expect(completion, 10, false);
    for (int64_t offset = 10; offset < 14; offset++) {
        assert_int_equal(deliver(completion, offset), COMPLETION_RUN);
    }
    expect(completion, 10, false);
    completion_finish(completion, 12);
    expect(completion, 10, true);
    completion_finish(completion, 10);
    expect(completion, 11, true);
    completion_finish(completion, 11);
    expect(completion, 13, false);
    completion_finish(completion, 13);
    expect(completion, 14, false);
    completion_free(completion);
}

static void gaps_count_as_finished(void **state)
{
    (void)state;
    Completion *completion = start(10, "");
    deliver(completion, 12);
    expect(completion, 12, false);
    deliver(completion, 15);
    completion_finish(completion, 12);
    expect(completion, 15, false);
    completion_finish(completion, 15);
    expect(completion, 16, false);
    completion_free(completion);
}

// Delivered 100 to 109, of which only 100, 104 and 107 are unfinished.
static Completion *with_holes(void)
{
    Completion *completion = start(100, "");
    for (int64_t offset = 100; offset < 110; offset++) {
        deliver(completion, offset);
    }
    for (int64_t offset = 100; offset < 110; offset++) {
        if (offset != 100 && offset != 104 && offset != 107) {
            completion_finish(completion, offset);
        }
    }
    return completion;
}

static void a_restored_map_runs_only_what_was_unfinished(void **state)
{
    (void)state;
    Completion *before = with_holes();
    Completion *after = restore(before);
    assert_int_equal(completion_unfinished(after), 3);
    expect(after, 100, true);
    for (int64_t offset = 100; offset < 112; offset++) {
        bool run = offset == 100 || offset == 104 || offset == 107 || offset >= 110;
        assert_int_equal(deliver(after, offset), run ? COMPLETION_RUN : COMPLETION_FINISHED);
    }
    completion_free(before);
    completion_free(after);
}

static void what_the_map_says_is_committed_before_it_is_delivered(void **state)
{
    (void)state;
    Completion *before = with_holes();
    Completion *after = restore(before);
    deliver(after, 100);
    completion_finish(after, 100);
    expect(after, 104, true);
    Completion *third = restore(after);
    assert_int_equal(deliver(third, 104), COMPLETION_RUN);
    assert_int_equal(deliver(third, 105), COMPLETION_FINISHED);
    completion_finish(third, 104);
    expect(third, 107, true);
    assert_int_equal(deliver(third, 107), COMPLETION_RUN);
    completion_finish(third, 107);
    expect(third, 110, false);
    assert_int_equal(deliver(third, 109), COMPLETION_FINISHED);
    expect(third, 110, false);
    assert_int_equal(deliver(third, 110), COMPLETION_RUN);
    completion_free(before);
    completion_free(after);
    completion_free(third);
}

static void unfinished_records_that_are_gone_count_as_finished(void **state)
{
    (void)state;
    Completion *before = with_holes();
    Completion *after = restore(before);
    deliver(after, 100);
    assert_int_equal(deliver(after, 105), COMPLETION_FINISHED);
    assert_int_equal(completion_unfinished(after), 2);
    assert_int_equal(deliver(after, 110), COMPLETION_RUN);
    assert_int_equal(completion_unfinished(after), 2);
    completion_free(before);
    completion_free(after);
}

typedef struct FirstRecord {
    int64_t offset;
    int64_t timestamp_ms;
    bool is_void;
} FirstRecord;

static void a_first_record_of_another_topic_voids_the_map(void **state)
{
    (void)state;
    const FirstRecord cases[] = {
        {100, timestamp_of(100), false}, {100, 0, false}, {100, timestamp_of(101), true},
        {101, timestamp_of(101), true},  {0, 0, true},    {500, timestamp_of(500), true},
    };
    for (size_t i = 0; i < KIT_COUNT(cases); i++) {
        Completion *before = with_holes();
        Completion *after = restore(before);
        const char *reason = NULL;
        assert_int_equal(completion_deliver(after, cases[i].offset, cases[i].timestamp_ms, &reason),
                         COMPLETION_RUN);
        assert_int_equal(reason != NULL, cases[i].is_void);
        assert_int_equal(deliver(after, cases[i].offset + 1),
                         cases[i].is_void ? COMPLETION_RUN : COMPLETION_FINISHED);
        assert_int_equal(completion_offset(after), cases[i].offset);
        completion_free(before);
        completion_free(after);
    }
}

static void offsets_that_go_back_void_all(void **state)
{
    (void)state;
    Completion *completion = with_holes();
    const char *reason = NULL;
    assert_int_equal(completion_deliver(completion, 104, 1, &reason), COMPLETION_RUN);
    assert_non_null(reason);
    assert_int_equal(completion_unfinished(completion), 1);
    expect(completion, 104, false);
    completion_finish(completion, 107);
    assert_int_equal(deliver(completion, 105), COMPLETION_RUN);
    assert_int_equal(completion_deliver(completion, 105, 1, &reason), COMPLETION_RUN);
    assert_non_null(reason);
    completion_finish(completion, 105);
    completion_finish(completion, 105);
    expect(completion, 106, false);
    completion_free(completion);
}

static void a_map_whose_base_has_no_timestamp_is_taken(void **state)
{
    (void)state;
    Completion *before = start(5, "");
    const char *reason = NULL;
    completion_deliver(before, 5, 0, &reason);
    deliver(before, 6);
    completion_finish(before, 6);
    Completion *after = restore(before);
    assert_int_equal(deliver(after, 5), COMPLETION_RUN);
    assert_int_equal(deliver(after, 6), COMPLETION_FINISHED);
    completion_free(before);
    completion_free(after);
}

static void a_partition_is_full_at_the_limit_of_unfinished(void **state)
{
    (void)state;
    Completion *completion = start(0, "");
    for (int64_t offset = 0; offset < COMPLETION_UNFINISHED_MAX; offset++) {
        assert_false(completion_is_full(completion));
        deliver(completion, offset);
    }
    assert_true(completion_is_full(completion));
    completion_finish(completion, 500);
    assert_false(completion_is_full(completion));
    completion_free(completion);
}

static void a_partition_is_full_when_the_text_grows_long(void **state)
{
    (void)state;
    Completion *completion = start(0, "");
    int64_t offset = 0;
    while (!completion_is_full(completion)) {
        deliver(completion, offset);
        offset += 3000000; // four bytes a distance
    }
    assert_true(completion_unfinished(completion) < 600);
    Text text CLEANUP(text_clear) = TEXT_INIT(COMPLETION_TEXT_MAX);
    completion_metadata(completion, &text);
    assert_in_range(text.length, COMPLETION_TEXT_PRESSURE, COMPLETION_TEXT_PRESSURE + 8);
    completion_free(completion);
}

static void the_position_lies_behind_what_was_delivered(void **state)
{
    (void)state;
    const char *reason = NULL;
    Completion *fresh = completion_new(-1, NULL, &reason);
    assert_int_equal(completion_position(fresh), -1);
    completion_deliver(fresh, 7, 1, &reason);
    completion_deliver(fresh, 9, 1, &reason);
    assert_int_equal(completion_position(fresh), 10);
    completion_finish(fresh, 9);
    CLEANUP(text_clear) Text map = TEXT_INIT(COMPLETION_TEXT_MAX);
    completion_metadata(fresh, &map);
    Completion *restored = completion_new(completion_offset(fresh), text_get(&map), &reason);
    assert_null(reason);
    assert_int_equal(completion_position(restored), 10);
    assert_int_equal(completion_unfinished(restored), 1);
    completion_free(fresh);
    completion_free(restored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_partition_has_nothing_to_commit),
        cmocka_unit_test(the_lowest_unfinished_is_committed),
        cmocka_unit_test(gaps_count_as_finished),
        cmocka_unit_test(a_restored_map_runs_only_what_was_unfinished),
        cmocka_unit_test(what_the_map_says_is_committed_before_it_is_delivered),
        cmocka_unit_test(unfinished_records_that_are_gone_count_as_finished),
        cmocka_unit_test(a_first_record_of_another_topic_voids_the_map),
        cmocka_unit_test(offsets_that_go_back_void_all),
        cmocka_unit_test(a_map_whose_base_has_no_timestamp_is_taken),
        cmocka_unit_test(a_partition_is_full_at_the_limit_of_unfinished),
        cmocka_unit_test(a_partition_is_full_when_the_text_grows_long),
        cmocka_unit_test(the_position_lies_behind_what_was_delivered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
