#include <stdio.h>
#include <string.h>

#include "support.h"

enum { APPLICATIONS = 24 };

static void free_command(ProvisionCommand **command)
{
    provision_command_free(*command);
}

static ProvisionCommand *delete_command(const char *application_id)
{
    ProvisionDeleteEnvironment spec = {.environment = "staging"};
    ProvisionCommand *command = provision_delete_environment(application_id, &spec, NULL);
    assert_non_null(command);
    return command;
}

// stage_next_command checks key and partition as the worker does.
static void commands_go_to_the_partition_where_the_worker_expects_them(void **state)
{
    Stage *stage = *state;
    for (int i = 0; i < APPLICATIONS; i++) {
        char application[32];
        (void)snprintf(application, sizeof(application), "app-%d", i);
        ProvisionCommand *command CLEANUP(free_command) = delete_command(application);
        ProvisionReceipt receipt;
        ProvisionError error = {.kind = PROVISION_ERROR_NONE};
        if (!provision_client_send(stage->client, command, &receipt, &error)) {
            fail_msg("%s", error.text);
        }
        Command *decoded CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
        assert_string_equal(decoded->command_id, provision_command_id(command));
        assert_string_equal(decoded->application_id, application);
        assert_string_equal(receipt.topic, stage->commands);
        assert_int_equal(decoded->partition, receipt.partition);
        assert_int_equal(decoded->offset, receipt.offset);
    }
}

static void the_record_says_what_it_holds_and_whose_trace_it_continues(void **state)
{
    Stage *stage = *state;
    static const char TRACE[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    ProvisionCommand *command CLEANUP(free_command) = delete_command("shop");
    StageHeaders headers;
    assert_true(provision_client_send(stage->client, command, NULL, NULL));
    Command *first CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, &headers);
    assert_string_equal(headers.content_type, "application/protobuf");
    assert_string_equal(headers.traceparent, "");
    assert_true(provision_command_set_traceparent(command, TRACE, NULL));
    assert_true(provision_client_send(stage->client, command, NULL, NULL));
    Command *second CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, &headers);
    assert_string_equal(headers.traceparent, TRACE);
    assert_memory_equal(first->digest, second->digest, sizeof(first->digest));
}

static void a_missing_topic_is_named_and_not_made(void **state)
{
    Stage *stage = *state;
    for (int i = 0; i < 2; i++) { // the first attempt must not have made it
        ProvisionOptions *options = provision_options_new();
        assert_true(provision_options_set(options, "bootstrap.servers", support_servers(), NULL));
        assert_true(provision_options_set(options, "topics.commands", "no-such-topic", NULL));
        ProvisionClient *client = provision_client_new(options, NULL);
        ProvisionCommand *command CLEANUP(free_command) = delete_command("shop");
        ProvisionError error;
        assert_false(provision_client_send(client, command, NULL, &error));
        assert_int_equal(error.kind, PROVISION_ERROR_UNAVAILABLE);
        assert_string_equal(error.code, "TOPIC_MISSING");
        assert_non_null(strstr(error.text, "no-such-topic"));
        provision_client_free(client);
        provision_options_free(options);
    }
    (void)stage;
}

static void a_command_that_is_too_large_is_told(void **state)
{
    Stage *stage = *state;
    ProvisionOptions *options = provision_options_new();
    assert_true(provision_options_set(options, "bootstrap.servers", support_servers(), NULL));
    assert_true(provision_options_set(options, "topics.commands", stage->commands, NULL));
    assert_true(provision_options_set(options, "message.max.bytes", "1000", NULL));
    ProvisionClient *client = provision_client_new(options, NULL);
    ProvisionCommand *command CLEANUP(free_command) = delete_command("shop");
    char value[256];
    memset(value, 'x', sizeof(value));
    value[sizeof(value) - 1] = '\0';
    for (int i = 0; i < 5; i++) {
        assert_true(provision_command_add_label(command, "note", value, NULL));
    }
    ProvisionError error;
    assert_false(provision_client_send(client, command, NULL, &error));
    assert_int_equal(error.kind, PROVISION_ERROR_INVALID);
    assert_string_equal(error.code, "COMMAND_TOO_LARGE");
    provision_client_free(client);
    provision_options_free(options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_go_to_the_partition_where_the_worker_expects_them),
        cmocka_unit_test(the_record_says_what_it_holds_and_whose_trace_it_continues),
        cmocka_unit_test(a_missing_topic_is_named_and_not_made),
        cmocka_unit_test(a_command_that_is_too_large_is_told),
    };
    return support_servers() == NULL ? support_skip()
                                     : cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
