// provision_client_run as a service calls it, through the installed archive; the test plays the
// worker.
#include <pthread.h>

#include "support.h"

typedef struct Run {
    ProvisionClient *client;
    const ProvisionCommand *command;
    ProvisionEvent *event;
    ProvisionError error;
    bool succeeded;
} Run;

static void *run_thread(void *context)
{
    Run *run = context;
    run->succeeded = provision_client_run(run->client, run->command, SUPPORT_TIMEOUT_MS,
                                          &run->event, &run->error);
    return NULL;
}

static void free_command(ProvisionCommand **command)
{
    provision_command_free(*command);
}

static void run_sends_and_returns_the_outcome(void **state)
{
    Stage *stage = *state;
    ProvisionDeleteEnvironment spec = {.environment = "staging"};
    ProvisionCommand *command CLEANUP(free_command) =
        provision_delete_environment("shop", &spec, NULL);
    Run run = {.client = stage->client, .command = command};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_thread, &run), 0);
    Command *received CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    stage_begin(stage);
    stage_event(stage, "shop", received->command_id, stage_accepted());
    stage_event(stage, "shop", received->command_id, stage_deleted("staging"));
    stage_commit(stage);
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (!run.succeeded) {
        fail_msg("%s", run.error.text);
    }
    assert_int_equal(run.event->outcome, PROVISION_OUTCOME_SUCCEEDED);
    assert_string_equal(run.event->command_id, provision_command_id(command));
    provision_event_free(run.event);
}

enum { THREADS = 8, COMMANDS_PER_THREAD = 25 };

static void *send_thread(void *context)
{
    Run *run = context;
    run->succeeded = true;
    for (int i = 0; i < COMMANDS_PER_THREAD && run->succeeded; i++) {
        run->succeeded = provision_client_send(run->client, run->command, NULL, &run->error);
    }
    return NULL;
}

static void threads_may_share_a_client(void **state)
{
    Stage *stage = *state;
    ProvisionDeleteEnvironment spec = {.environment = "staging"};
    ProvisionCommand *command CLEANUP(free_command) =
        provision_delete_environment("shared", &spec, NULL);
    // A client of its own, so that the threads also race to open its producer.
    ProvisionClient *client = provision_client_new(stage->options, NULL);
    Run runs[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        runs[i] = (Run){.client = client, .command = command};
        assert_int_equal(pthread_create(&threads[i], NULL, send_thread, &runs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(runs[i].succeeded);
    }
    provision_client_free(client);
    for (int i = 0; i < THREADS * COMMANDS_PER_THREAD; i++) {
        Command *received CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
        assert_string_equal(received->application_id, "shared");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_sends_and_returns_the_outcome),
        cmocka_unit_test(threads_may_share_a_client),
    };
    return support_servers() == NULL ? support_skip()
                                     : cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
