#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "support.h"

static bool note(void *context, const ProvisionState *state)
{
    Text *seen = context;
    text_printf(seen, "%s %s\n", state->subject, state->json);
    return true;
}

static bool stop_at_first(void *context, const ProvisionState *state)
{
    int *count = context;
    assert_non_null(state->subject);
    (*count)++;
    return false;
}

static void read_states(Stage *stage, const char *application_id, Text *seen)
{
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    if (!provision_client_read_states(stage->client, application_id, SUPPORT_TIMEOUT_MS, note, seen,
                                      &error)) {
        fail_msg("%s: %s", error.code, error.text);
    }
}

static void an_empty_topic_has_no_states(void **state)
{
    Text seen CLEANUP(text_clear) = TEXT_INIT(10000);
    read_states(*state, NULL, &seen);
    assert_string_equal(text_get(&seen), "");
}

// The topic ends with a marker of an aborted transaction, which is never delivered.
static void what_counts_is_the_last_committed_state_of_each_subject(void **state)
{
    Stage *stage = *state;
    stage_begin(stage);
    stage_state(stage, "shop", "staging", "p-1");
    stage_state(stage, "shop", "production", "p-1");
    stage_state(stage, "blog", "production", "p-2");
    stage_state(stage, "shop", "gone", "p-3");
    stage_commit(stage);
    stage_begin(stage);
    stage_state(stage, "shop", "staging", "p-4");
    stage_state(stage, "shop", "gone", NULL);
    stage_commit(stage);
    stage_begin(stage);
    stage_state(stage, "shop", "staging", "p-never");
    stage_state(stage, "blog", "production", NULL);
    stage_abort(stage);
    Text all CLEANUP(text_clear) = TEXT_INIT(10000);
    read_states(stage, NULL, &all);
    const char *text = text_get(&all);
    assert_null(strstr(text, "gone"));
    assert_null(strstr(text, "p-never"));
    const char *blog = strstr(text, "applications/blog/environments/production");
    const char *production = strstr(text, "applications/shop/environments/production");
    const char *staging = strstr(text, "applications/shop/environments/staging");
    assert_ptr_equal(blog, text); // in the order of the subjects
    assert_true(blog < production && production < staging);
    assert_non_null(strstr(staging, "p-4"));
    Text shop CLEANUP(text_clear) = TEXT_INIT(10000);
    read_states(stage, "shop", &shop);
    assert_string_equal(text_get(&shop), production);
    int count = 0;
    assert_true(provision_client_read_states(stage->client, NULL, SUPPORT_TIMEOUT_MS, stop_at_first,
                                             &count, NULL));
    assert_int_equal(count, 1);
}

static void only_markers_at_the_end_do_not_keep_it_waiting(void **state)
{
    Stage *stage = *state;
    for (int i = 0; i < 5; i++) {
        stage_begin(stage);
        stage_state(stage, "marker", "x", "p-never");
        stage_abort(stage);
    }
    Text seen CLEANUP(text_clear) = TEXT_INIT(10000);
    read_states(stage, "marker", &seen);
    assert_string_equal(text_get(&seen), "");
}

static void an_open_transaction_does_not_keep_it_waiting(void **state)
{
    Stage *stage = *state;
    stage_begin(stage);
    stage_state(stage, "open", "x", "p-5");
    assert_int_equal(rd_kafka_flush(stage->worker, SUPPORT_TIMEOUT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    Text before CLEANUP(text_clear) = TEXT_INIT(10000);
    read_states(stage, "open", &before);
    assert_string_equal(text_get(&before), "");
    stage_commit(stage);
    Text after CLEANUP(text_clear) = TEXT_INIT(10000);
    read_states(stage, "open", &after);
    assert_non_null(strstr(text_get(&after), "p-5"));
}

static void what_is_no_state_is_told(void **state)
{
    Stage *stage = *state;
    stage_begin(stage);
    stage_garbage(stage, stage->state, "applications/bad/environments/x");
    stage_commit(stage);
    Text seen CLEANUP(text_clear) = TEXT_INIT(10000);
    ProvisionError error;
    assert_false(
        provision_client_read_states(stage->client, NULL, SUPPORT_TIMEOUT_MS, note, &seen, &error));
    assert_string_equal(error.code, "STATE_UNREADABLE");
    assert_non_null(strstr(error.text, "applications/bad/environments/x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_topic_has_no_states),
        cmocka_unit_test(what_counts_is_the_last_committed_state_of_each_subject),
        cmocka_unit_test(only_markers_at_the_end_do_not_keep_it_waiting),
        cmocka_unit_test(an_open_transaction_does_not_keep_it_waiting),
        cmocka_unit_test(what_is_no_state_is_told),
    };
    return support_servers() == NULL ? support_skip()
                                     : cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
