// Commands that follow from another one.
#include "contract/outcome.h"

#include <string.h>

#include "base/unconst.h"
#include "kit.h"

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define TOPIC(name) PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_##name

static Outcome *outcome_of(const char *command_id, const char *traceparent)
{
    return outcome_new(&(OutcomeContext){.source = "/neon-provisioner/test",
                                         .application_id = "shop",
                                         .command_id = command_id,
                                         .traceparent = traceparent,
                                         .now_ms = 1795341600250,
                                         .max_record_bytes = 4096});
}

static void add(Outcome *outcome, const char *identity)
{
    Provisioning__V1__EditProject edit;
    Provisioning__V1__Command command;
    provisioning__v1__edit_project__init(&edit);
    provisioning__v1__command__init(&command);
    edit.environment = unconst("main");
    edit.refresh = true;
    command.application_id = unconst("other");
    command.action_case = PROVISIONING__V1__COMMAND__ACTION_EDIT_PROJECT;
    command.edit_project = &edit;
    outcome_add_command(outcome, &command, identity);
    assert_string_equal(command.command_id, "");
    assert_null(command.requested_at);
}

static Command *decode(const Outcome *outcome, size_t index)
{
    const Provisioning__Internal__V1__OutcomeRecord *record =
        outcome_message(outcome)->records[index];
    assert_int_equal(record->topic, TOPIC(COMMANDS));
    const Record consumed = {.topic = "provisioning.commands",
                             .key = {record->key.data, record->key.len},
                             .value = {record->value.data, record->value.len}};
    CommandRules rules = kit_rules();
    rules.check_partition = false;
    Rejection rejection;
    Command *command = command_decode(&consumed, &rules, &rejection);
    assert_non_null(command);
    return command;
}

static void what_follows_is_a_command_that_a_worker_takes(void **state)
{
    (void)state;
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_of(KIT_ID, TRACE);
    add(outcome, "refresh/other/main");
    Command *command CLEANUP(command_free_at) = decode(outcome, 0);
    assert_string_equal(command->application_id, "other");
    assert_string_equal(command->writes.name, "main");
    assert_true(command->message->edit_project->refresh);
    assert_string_equal(command->message->requested_by, "provision-worker");
    assert_int_equal(command->message->requested_at->seconds, 1795341600);
    assert_int_equal(command->message->requested_at->nanos, 250000000);
    const Provisioning__Internal__V1__OutcomeRecord *record = outcome_message(outcome)->records[0];
    assert_int_equal(record->n_headers, 2);
    assert_string_equal(record->headers[1]->name, "traceparent");
    Buffer packed = {.data = NULL};
    outcome_pack(outcome, &packed);
    OutcomeMessage *kept CLEANUP(outcome_message_free_at) = outcome_unpack(buffer_view(&packed));
    assert_non_null(kept);
    buffer_clear(&packed);
}

static void its_id_tells_what_it_follows_from(void **state)
{
    (void)state;
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_of(KIT_ID, "");
    Outcome *other CLEANUP(outcome_free_at) =
        outcome_of("11111111-52d1-4320-9bac-f847db4148a8", "");
    add(outcome, "refresh/other/main");
    add(outcome, "refresh/other/main");
    add(outcome, "refresh/other/pr");
    add(other, "refresh/other/main");
    Command *commands[4];
    for (size_t i = 0; i < 3; i++) {
        commands[i] = decode(outcome, i);
    }
    commands[3] = decode(other, 0);
    assert_string_equal(commands[0]->command_id, commands[1]->command_id);
    assert_string_not_equal(commands[0]->command_id, commands[2]->command_id);
    assert_string_not_equal(commands[0]->command_id, commands[3]->command_id);
    for (size_t i = 0; i < KIT_COUNT(commands); i++) {
        command_free(commands[i]);
    }
    assert_int_equal(outcome_message(outcome)->records[0]->n_headers, 1);
}

static void who_asked_and_its_id_are_known_beforehand(void **state)
{
    (void)state;
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_of(KIT_ID, TRACE);
    Provisioning__V1__ClosePreview close;
    Provisioning__V1__Command message;
    char id[UUID_TEXT_BYTES];
    provisioning__v1__close_preview__init(&close);
    provisioning__v1__command__init(&message);
    close.pull_request = 7;
    message.application_id = unconst("shop");
    message.requested_by = unconst("sweep");
    message.action_case = PROVISIONING__V1__COMMAND__ACTION_CLOSE_PREVIEW;
    message.close_preview = &close;
    outcome_command_id(outcome, "sweep/7", id);
    outcome_add_command(outcome, &message, "sweep/7");
    Command *command CLEANUP(command_free_at) = decode(outcome, 0);
    assert_string_equal(command->command_id, id);
    assert_string_equal(command->message->requested_by, "sweep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_follows_is_a_command_that_a_worker_takes),
        cmocka_unit_test(its_id_tells_what_it_follows_from),
        cmocka_unit_test(who_asked_and_its_id_are_known_beforehand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
