#include <string.h>

#include "support.h"

static const char ID[] = "919108f7-52d1-4320-9bac-f847db4148a8";
static const char OTHER_ID[] = "11111111-52d1-4320-9bac-f847db4148a8";

enum { SHORT_MS = 700 };

static void end_watch(ProvisionWatch **watch)
{
    provision_watch_end(*watch);
}

static void free_event(ProvisionEvent **event)
{
    provision_event_free(*event);
}

static ProvisionWatch *begin(Stage *stage, const char *application_id, ProvisionStart start)
{
    ProvisionWatchOptions options = {.application_id = application_id, .start = start};
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionWatch *watch =
        provision_watch_begin(stage->client, &options, SUPPORT_TIMEOUT_MS, &error);
    if (watch == NULL) {
        fail_msg("%s", error.text);
    }
    return watch;
}

static void publish(Stage *stage, const char *application_id, const char *command_id,
                    Provisioning__V1__Event *body)
{
    stage_begin(stage);
    stage_event(stage, application_id, command_id, body);
    stage_commit(stage);
}

static ProvisionEvent *wait_for(ProvisionWatch *watch, const char *command_id)
{
    ProvisionEvent *event = NULL;
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    if (!provision_watch_wait(watch, command_id, SUPPORT_TIMEOUT_MS, &event, &error)) {
        fail_msg("%s", error.text);
    }
    return event;
}

static void assert_no_outcome(ProvisionWatch *watch, const char *command_id)
{
    ProvisionEvent *event CLEANUP(free_event) = NULL;
    ProvisionError error;
    assert_false(provision_watch_wait(watch, command_id, SHORT_MS, &event, &error));
    assert_int_equal(error.kind, PROVISION_ERROR_TIMEOUT);
    assert_string_equal(error.code, "WAIT_TIMEOUT");
}

// The start is fixed by begin, not by the first read.
static void an_event_between_begin_and_wait_is_seen(void **state)
{
    Stage *stage = *state;
    ProvisionWatch *watch CLEANUP(end_watch) = begin(stage, "shop", PROVISION_START_NOW);
    publish(stage, "shop", ID, stage_deleted("staging"));
    ProvisionEvent *event CLEANUP(free_event) = wait_for(watch, ID);
    assert_int_equal(event->outcome, PROVISION_OUTCOME_SUCCEEDED);
    assert_string_equal(event->type, "EnvironmentDeleted");
    assert_string_equal(event->command_id, ID);
    assert_int_equal(event->sequence, 2);
    assert_non_null(strstr(event->json, "\"environmentDeleted\":{\"environment\":\"staging\"}"));
    assert_null(strchr(event->json, '\n'));
}

static void an_event_before_begin_is_not_seen_but_from_the_beginning(void **state)
{
    Stage *stage = *state;
    publish(stage, "early", ID, stage_deleted("staging"));
    ProvisionWatch *watch CLEANUP(end_watch) = begin(stage, "early", PROVISION_START_NOW);
    assert_no_outcome(watch, ID);
    ProvisionWatch *whole CLEANUP(end_watch) = begin(stage, "early", PROVISION_START_BEGINNING);
    ProvisionEvent *event CLEANUP(free_event) = wait_for(whole, ID);
    assert_string_equal(event->application_id, "early");
}

static void only_the_outcome_of_this_command_ends_the_wait(void **state)
{
    Stage *stage = *state;
    ProvisionWatch *watch CLEANUP(end_watch) = begin(stage, "shop", PROVISION_START_NOW);
    stage_begin(stage);
    stage_event(stage, "shop", ID, stage_accepted());
    stage_event(stage, "shop", OTHER_ID, stage_deleted("other"));
    for (int i = 0; i < 20; i++) { // whose id is the same, some on the same partition
        char application[8] = {'o', (char)('a' + i), '\0'};
        stage_event(stage, application, ID, stage_deleted("foreign"));
    }
    stage_event(stage, "shop", ID, stage_rejected("ACCOUNT_UNKNOWN"));
    stage_commit(stage);
    ProvisionEvent *event CLEANUP(free_event) = wait_for(watch, ID);
    assert_int_equal(event->outcome, PROVISION_OUTCOME_REJECTED);
    assert_string_equal(event->code, "ACCOUNT_UNKNOWN");
}

static void each_end_has_its_outcome(void **state)
{
    Stage *stage = *state;
    Provisioning__V1__Event *const BODIES[] = {stage_failed("NEON_UNAVAILABLE"), stage_cancelled(),
                                               stage_rejected("X")};
    static const ProvisionOutcome OUTCOMES[] = {
        PROVISION_OUTCOME_FAILED, PROVISION_OUTCOME_CANCELLED, PROVISION_OUTCOME_REJECTED};
    for (size_t i = 0; i < sizeof(OUTCOMES) / sizeof(OUTCOMES[0]); i++) {
        ProvisionWatch *watch CLEANUP(end_watch) = begin(stage, "shop", PROVISION_START_NOW);
        publish(stage, "shop", ID, BODIES[i]);
        ProvisionEvent *event CLEANUP(free_event) = wait_for(watch, ID);
        assert_int_equal(event->outcome, OUTCOMES[i]);
    }
}

static void aborted_events_do_not_exist(void **state)
{
    Stage *stage = *state;
    ProvisionWatch *watch CLEANUP(end_watch) = begin(stage, "shop", PROVISION_START_NOW);
    stage_begin(stage);
    stage_event(stage, "shop", ID, stage_deleted("never"));
    stage_abort(stage);
    assert_no_outcome(watch, ID);
    publish(stage, "shop", ID, stage_failed("IN_TRUTH"));
    ProvisionEvent *event CLEANUP(free_event) = wait_for(watch, ID);
    assert_string_equal(event->code, "IN_TRUTH");
}

static void a_watch_of_all_sees_every_application_once(void **state)
{
    Stage *stage = *state;
    enum { COUNT = 12 };
    ProvisionWatch *watch CLEANUP(end_watch) = begin(stage, NULL, PROVISION_START_NOW);
    stage_begin(stage);
    for (int i = 0; i < COUNT; i++) {
        char application[8] = {'w', (char)('a' + i), '\0'};
        stage_event(stage, application, ID, stage_deleted("x"));
    }
    stage_commit(stage);
    unsigned seen = 0;
    for (int i = 0; i < COUNT; i++) {
        ProvisionEvent *event CLEANUP(free_event) = NULL;
        assert_true(provision_watch_next(watch, SUPPORT_TIMEOUT_MS, &event, NULL));
        assert_non_null(event);
        seen |= 1u << (event->application_id[1] - 'a');
    }
    assert_int_equal(seen, (1u << COUNT) - 1);
    ProvisionEvent *event CLEANUP(free_event) = NULL;
    assert_true(provision_watch_next(watch, SHORT_MS, &event, NULL));
    assert_null(event);
}

static void what_is_no_event_is_told_and_passed(void **state)
{
    Stage *stage = *state;
    ProvisionWatch *watch CLEANUP(end_watch) = begin(stage, "shop", PROVISION_START_NOW);
    stage_begin(stage);
    stage_garbage(stage, stage->events, "shop");
    stage_event(stage, "shop", ID, stage_deleted("x"));
    stage_commit(stage);
    ProvisionEvent *event CLEANUP(free_event) = NULL;
    ProvisionError error;
    assert_false(provision_watch_next(watch, SUPPORT_TIMEOUT_MS, &event, &error));
    assert_string_equal(error.code, "EVENT_UNREADABLE");
    assert_true(provision_watch_next(watch, SUPPORT_TIMEOUT_MS, &event, &error));
    assert_non_null(event);
}

static void a_watch_can_begin_in_the_past(void **state)
{
    Stage *stage = *state;
    publish(stage, "past", ID, stage_deleted("x"));
    ProvisionWatchOptions options = {
        .application_id = "past", .start = PROVISION_START_SINCE, .since_ms = 1};
    ProvisionWatch *watch CLEANUP(end_watch) =
        provision_watch_begin(stage->client, &options, SUPPORT_TIMEOUT_MS, NULL);
    ProvisionEvent *event CLEANUP(free_event) = wait_for(watch, ID);
    assert_non_null(event);
    options.since_ms = INT64_C(4102444800000); // 2100: nothing is as young
    ProvisionWatch *future CLEANUP(end_watch) =
        provision_watch_begin(stage->client, &options, SUPPORT_TIMEOUT_MS, NULL);
    assert_no_outcome(future, ID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_between_begin_and_wait_is_seen),
        cmocka_unit_test(an_event_before_begin_is_not_seen_but_from_the_beginning),
        cmocka_unit_test(only_the_outcome_of_this_command_ends_the_wait),
        cmocka_unit_test(each_end_has_its_outcome),
        cmocka_unit_test(aborted_events_do_not_exist),
        cmocka_unit_test(a_watch_of_all_sees_every_application_once),
        cmocka_unit_test(what_is_no_event_is_told_and_passed),
        cmocka_unit_test(a_watch_can_begin_in_the_past),
    };
    return support_servers() == NULL ? support_skip()
                                     : cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
