/*
 * CancelCommand, and what a stop mark does before anything was done.
 */
#include "neon.h"

#include <string.h>

#define CANCEL "'cancelCommand':{'commandId':'" TALK_OTHER_ID "'}"
#define ACCEPTED(action) "'cancelAccepted':{" action "'commandId':'" TALK_OTHER_ID "'}"
#define ABOUT "'subject':'applications/shop'|!sequence|row env= state=none seq=0"
#define BY_ANOTHER "'stopped_by':'22222222-52d1-4320-9bac-f847db4148a8'"

static void expired(Stage *stage)
{
    stage->command->deadline_ms = stage->now.wall_ms - 1;
}

static void old(Stage *stage)
{
    stage->now.wall_ms += 48 * INT64_C(3600000);
}

static void signed_before_memory(Stage *stage)
{
    stage->command->signed_ms = stage->now.wall_ms - stage->rules.memory_ms;
}

static const Talk TALKS[] = {
    {"a running command is stopped",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "running {'action':'CreateEnvironment','had_intent':1}"},
      {"!end", "CancelAccepted", ACCEPTED("'action':'CreateEnvironment',") "|" ABOUT}}},
    {"one that nobody has seen yet",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "running"}, {"!end", "CancelAccepted", ACCEPTED("") "|" ABOUT}}},
    {"one that another command has stopped before",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "running {'action':'BranchEnvironment'," BY_ANOTHER "}"},
      {"!end", "CancelAccepted", ABOUT}}},
    {"one that is finished: its outcome is named",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "finished {'type':'provisioning.v1.EnvironmentCreated','stop':'',"
                       "'stopped_by':''}"},
      {"!end", "CommandRejected",
       "'code':'ALREADY_FINISHED'|with EnvironmentCreated|'action':'CancelCommand'|" ABOUT}}},
    {"one that this very command has stopped, before another worker took over",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "finished {'type':'provisioning.v1.CommandCancelled',"
                       "'action':'CreateEnvironment'}"},
      {"!end", "CancelAccepted", ABOUT}}},
    {"one that another command has stopped, and that has ended so",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "finished {'type':'provisioning.v1.CommandCancelled'," BY_ANOTHER "}"},
      {"!end", "CommandRejected", "'code':'ALREADY_FINISHED'|with CommandCancelled"}}},
    {"one that ended by itself, although the mark was set",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "finished {'type':'provisioning.v1.EnvironmentDeleted'}"},
      {"!end", "CommandRejected", "'code':'ALREADY_FINISHED'|with EnvironmentDeleted"}}},
    {"an outcome of another version: without a type, one too long, one without a package",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "finished"},
      {"!end", "CommandRejected", "'code':'ALREADY_FINISHED'|with an outcome"}}},
    {"... too long",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "finished {'type':'a.ThisIsLongerThanAnyTypeOfEventThatThereEverWasBy'}"},
      {"!end", "CommandRejected", "with an outcome"}}},
    {"... without a package",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "finished {'type':'Done'}"}, {"!end", "CommandRejected", "with Done"}}},
    {"a deletion that has begun can't turn",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "running {'action':'DeleteEnvironment','had_intent':1,'journal':{}}"},
      {"!end", "CommandRejected", "'code':'TOO_LATE'|DeleteEnvironment has gone|" ABOUT}}},
    {"a deletion that has not begun can",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "running {'action':'DeleteEnvironment','journal':{}}"},
      {"!end", "CancelAccepted"}}},
    {"what is being undone already is stopped as well",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command",
       "running {'action':'DeleteEnvironment','had_intent':1,'undoing':1,'journal':{}}"},
      {"!end", "CancelAccepted"}}},
    {"another cancellation that has set its mark",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "running {'action':'CancelCommand','journal':{'stop_set':true}}"},
      {"!end", "CommandRejected", "'code':'TOO_LATE'"}}},
    {"another worker takes over: the mark is set again",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "running {'action':'CreateEnvironment'}"},
      {"!takeover", NULL},
      {"stop_command", "running {'action':'CreateEnvironment'}"},
      {"!end", "CancelAccepted", "'attempts':2"}}},
    {"a cancellation is stopped before it stops anything, never after",
     CANCEL,
     NULL,
     NULL,
     {{"!stop", "cancelled"}, {"!end", "CommandCancelled", ABOUT}}},
    {"... after",
     CANCEL,
     NULL,
     NULL,
     {{"stop_command", "running"}, {"!stop", "cancelled"}, {"!end", "CancelAccepted", ABOUT}}},
    {"it never expires by age",
     CANCEL,
     NULL,
     old,
     {{"stop_command", "running"}, {"!end", "CancelAccepted"}}},
    {"... but by the ledger's memory where it is signed",
     CANCEL,
     NULL,
     signed_before_memory,
     {{"!end", "CommandRejected", "'code':'EXPIRED'|ledger.retention|" ABOUT}}},
    {"... and by its deadline",
     CANCEL,
     NULL,
     expired,
     {{"!end", "CommandRejected", "'code':'EXPIRED'|" ABOUT}}},
    {"what is stopped before it did anything is not checked any more",
     CREATE,
     "{'state':'ready','action':'BranchEnvironment'}",
     NULL,
     {{"!stop", "cancelled"}, {"!end", "CommandCancelled", "row env= state=none seq=0"}}},
};

// What conclude writes only where no stop mark stands in the row.
static void a_conclusion_heeds_a_stop_while_the_command_can_turn(void **state)
{
    (void)state;
    static const struct {
        Talk talk;
        TalkLine lines[3];
        bool heeds;
    } CASES[] = {
        {{.name = "connect", .action = "'connectAccount':{'account':'main','plaintext':'napi_0'}"},
         {{"check_key", "200 {'account_id':'neon-1','auth_method':'api_key_org'}"},
          {"find_organization", "200 {'organizations':[{'id':'org-1','name':'One'}]}"},
          {NULL}},
         true},
        {{.name = "rejected", .action = CANCEL},
         {{"stop_command", "finished {'type':'a.Done'}"}, {NULL}},
         false},
        {{.name = "final", .action = CANCEL}, {{"stop_command", "running"}, {NULL}}, false},
    };
    for (size_t i = 0; i < TALK_COUNT(CASES); i++) {
        Stage stage;
        stage_open(&stage, &CASES[i].talk);
        stage_begin(&stage);
        stage_play(&stage, CASES[i].lines);
        if (i == 0) {
            stage_play(&stage, (TalkLine[]){{"find_scope", NO_PROJECTS}, {NULL}});
        }
        Decision decision;
        saga_next(&stage.saga, stage.now, &decision);
        assert_int_equal(decision.kind, DECISION_CONCLUDE);
        decision_clear(&decision);
        ConcludeContext context = {.outcome = {.source = "/p",
                                               .application_id = "shop",
                                               .command_id = TALK_ID,
                                               .traceparent = "",
                                               .max_record_bytes = 1000000}};
        Conclusion conclusion;
        saga_conclude(&stage.saga, &context, &conclusion);
        assert_int_equal(conclusion.row.heeds_stop, CASES[i].heeds);
        conclusion_clear(&conclusion);
        stage_close(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conclusion_heeds_a_stop_while_the_command_can_turn),
    };
    int failed = talk_run("cancel", TALKS, TALK_COUNT(TALKS));
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
