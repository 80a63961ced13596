// provisionctl as people and scripts run it: its command line, its output, its exit codes. The test
// plays the worker.
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unconst.h"
#include "ctl.h"

static const char ID[] = "919108f7-52d1-4320-9bac-f847db4148a8";
static const char PUBLIC_KEY[] = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";

static void flags_become_a_command(void **state)
{
    Stage *stage = *state;
    Process process CLEANUP(process_clear);
    ctl_run(stage, &process,
            ARGUMENTS("send", "create-environment", "--application", "shop", "-e", "production",
                      "--account=main", "--region=aws-eu-central-1", "--database=orders",
                      "--pg-version=17", "--history-retention=7d", "--min-cu=0.25", "--max-cu=2",
                      "--suspend-timeout=never", "--command-id", ID, "--label=team=a=b",
                      "--requested-by=ann", "--deadline=1h"));
    ctl_assert_exit(&process, EXIT_CODE_OK);
    assert_non_null(strstr(process.out, ID));
    Command *command CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    assert_string_equal(command->command_id, ID);
    const Provisioning__V1__CreateEnvironment *action = command->message->create_environment;
    assert_string_equal(action->environment, "production");
    assert_string_equal(action->databases[0], "orders");
    assert_int_equal(action->pg_version, 17);
    assert_int_equal(action->history_retention_seconds->value, 604800);
    assert_true(action->endpoint->autoscaling_limit_min_cu->value == 0.25);
    assert_int_equal(action->endpoint->suspend_timeout_seconds->value, -1);
    assert_string_equal(command->message->labels[0]->key, "team");
    assert_string_equal(command->message->labels[0]->value, "a=b");
    assert_string_equal(command->message->requested_by, "ann");
    assert_true(command->deadline_ms > 0);
}

static void branch_and_delete_become_commands(void **state)
{
    Stage *stage = *state;
    Process branch CLEANUP(process_clear);
    ctl_run(stage, &branch,
            ARGUMENTS("send", "branch-environment", "-a", "shop", "-e", "staging",
                      "--source-account", "main", "--source-project", "cool-sun-1",
                      "--source-branch", "main", "--branch-name", "stage"));
    ctl_assert_exit(&branch, EXIT_CODE_OK);
    Command *first CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    assert_string_equal(first->message->branch_environment->source_branch->project_id,
                        "cool-sun-1");
    Process delete CLEANUP(process_clear);
    // Options of the command may stand before the action.
    ctl_run(
        stage, &delete,
        ARGUMENTS("send", "-a", "shop", "delete-environment", "-e", "staging", "--delete-data"));
    ctl_assert_exit(&delete, EXIT_CODE_OK);
    Command *second CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    assert_true(second->message->delete_environment->delete_data);
}

static void json_becomes_a_command(void **state)
{
    Stage *stage = *state;
    static const char JSON[] = "{\"applicationId\": \"shop\", \"deleteEnvironment\": "
                               "{\"environment\": \"staging\"}}";
    const char *arguments[PROCESS_ARGUMENTS_MAX + 1];
    ctl_arguments(stage, ARGUMENTS("send", "--json", "-", "--command-id", ID), arguments);
    Process process CLEANUP(process_clear);
    process_run_ctl(&process, arguments, JSON, NULL);
    ctl_assert_exit(&process, EXIT_CODE_OK);
    Command *command CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    assert_string_equal(command->command_id, ID);
    json_t *receipt = json_loads(process.out, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(receipt, "commandId")), ID);
    assert_int_equal(json_integer_value(json_object_get(receipt, "offset")), command->offset);
    json_decref(receipt);
}

// `body`: what the worker answers.
static void send_and_answer(Stage *stage, Process *process, Provisioning__V1__Event *body)
{
    ctl_start(stage, process,
              ARGUMENTS("send", "delete-environment", "-a", "shop", "-e", "staging", "--wait",
                        "--timeout=30s", "--json"));
    Command *command CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    stage_begin(stage);
    stage_event(stage, "shop", command->command_id, stage_accepted());
    stage_event(stage, "shop", command->command_id, body);
    stage_commit(stage);
    process_finish(process);
}

static void the_exit_code_is_the_outcome(void **state)
{
    Stage *stage = *state;
    Provisioning__V1__Event *const BODIES[] = {stage_deleted("staging"), stage_rejected("A"),
                                               stage_failed("B"), stage_cancelled()};
    static const int CODES[] = {EXIT_CODE_OK, EXIT_CODE_REJECTED, EXIT_CODE_FAILED,
                                EXIT_CODE_STOPPED};
    static const char *const OUTCOMES[] = {"succeeded", "rejected", "failed", "cancelled"};
    for (size_t i = 0; i < sizeof(CODES) / sizeof(CODES[0]); i++) {
        Process process CLEANUP(process_clear);
        send_and_answer(stage, &process, BODIES[i]);
        ctl_assert_exit(&process, CODES[i]);
        json_t *event = json_loads(process.out, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(event, "outcome")), OUTCOMES[i]);
        json_decref(event);
    }
}

static void wait_finds_an_outcome_that_is_there_already(void **state)
{
    Stage *stage = *state;
    stage_begin(stage);
    stage_event(stage, "waiter", ID, stage_failed("NEON_UNAVAILABLE"));
    stage_commit(stage);
    Process found CLEANUP(process_clear);
    ctl_run(stage, &found, ARGUMENTS("wait", ID, "-a", "waiter", "--timeout=30s"));
    ctl_assert_exit(&found, EXIT_CODE_FAILED);
    assert_non_null(strstr(found.out, "CommandFailed"));
    Process late CLEANUP(process_clear);
    ctl_run(stage, &late,
            ARGUMENTS("wait", ID, "-a", "waiter", "--since", "2100-01-01T00:00:00Z",
                      "--timeout=500ms", "--json"));
    ctl_assert_exit(&late, EXIT_CODE_TIMEOUT);
    assert_non_null(strstr(late.err, "{\"error\":{\"code\":\"WAIT_TIMEOUT\""));
}

static void who_gives_up_waiting_is_told_how_to_go_on(void **state)
{
    Stage *stage = *state;
    Process people CLEANUP(process_clear);
    ctl_run(stage, &people,
            ARGUMENTS("send", "delete-environment", "-a", "shop", "-e", "staging", "--command-id",
                      ID, "--wait", "--timeout=300ms"));
    ctl_assert_exit(&people, EXIT_CODE_TIMEOUT);
    assert_non_null(strstr(people.err, "provisionctl wait 919108f7-52d1-4320-9bac-f847db4148a8 "
                                       "--application shop"));
    Command *first CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    Process program CLEANUP(process_clear);
    ctl_run(stage, &program,
            ARGUMENTS("send", "delete-environment", "-a", "shop", "-e", "staging", "--command-id",
                      ID, "--wait", "--timeout=300ms", "--json"));
    ctl_assert_exit(&program, EXIT_CODE_TIMEOUT);
    json_t *problem = json_loads(program.err, 0, NULL);
    const json_t *error = json_object_get(problem, "error");
    assert_string_equal(json_string_value(json_object_get(error, "commandId")), ID);
    json_decref(problem);
    Command *second CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    assert_memory_equal(first->digest, second->digest, sizeof(first->digest));
}

static void watch_shows_events_and_ends_when_told(void **state)
{
    Stage *stage = *state;
    stage_begin(stage);
    stage_event(stage, "watched", ID, stage_accepted());
    stage_event(stage, "watched", ID, stage_deleted("staging"));
    stage_commit(stage);
    Process counted CLEANUP(process_clear);
    ctl_run(stage, &counted, ARGUMENTS("watch", "-a", "watched", "--from-beginning", "--count=2"));
    ctl_assert_exit(&counted, EXIT_CODE_OK);
    assert_non_null(strstr(counted.out, "CommandAccepted"));
    assert_non_null(strstr(counted.out, "EnvironmentDeleted"));
    assert_null(strchr(counted.out, '\033')); // no terminal, no colours
    Process idle CLEANUP(process_clear);
    ctl_run(stage, &idle,
            ARGUMENTS("watch", "-a", "watched", "--from-beginning", "--until-idle=1s", "--json"));
    ctl_assert_exit(&idle, EXIT_CODE_OK);
    assert_non_null(strstr(idle.out, "\"type\":\"EnvironmentDeleted\""));
}

static void environments_and_show_read_the_state_topic(void **state)
{
    Stage *stage = *state;
    stage_begin(stage);
    stage_state(stage, "shop", "production", "cool-sun-1");
    stage_state(stage, "blog", "production", "dry-sea-2");
    stage_commit(stage);
    Process all CLEANUP(process_clear);
    ctl_run(stage, &all, ARGUMENTS("environments"));
    ctl_assert_exit(&all, EXIT_CODE_OK);
    assert_non_null(strstr(all.out, "cool-sun-1"));
    assert_non_null(strstr(all.out, "dry-sea-2"));
    Process shop CLEANUP(process_clear);
    ctl_run(stage, &shop, ARGUMENTS("environments", "--application=shop", "--json"));
    ctl_assert_exit(&shop, EXIT_CODE_OK);
    assert_non_null(strstr(shop.out, "\"projectId\":\"cool-sun-1\""));
    assert_null(strstr(shop.out, "dry-sea-2"));
    Process show CLEANUP(process_clear);
    ctl_run(stage, &show, ARGUMENTS("show", "production", "-a", "blog"));
    ctl_assert_exit(&show, EXIT_CODE_OK);
    assert_non_null(strstr(show.out, "dry-sea-2"));
    static const char *const WHOLE[] = {"applications/shop/environments/production",
                                        "shop/environments/production"};
    for (size_t i = 0; i < sizeof(WHOLE) / sizeof(WHOLE[0]); i++) {
        Process whole CLEANUP(process_clear);
        ctl_run(stage, &whole, ARGUMENTS("show", WHOLE[i], "--json"));
        ctl_assert_exit(&whole, EXIT_CODE_OK);
        assert_non_null(strstr(whole.out, "cool-sun-1"));
    }
    Process none CLEANUP(process_clear);
    ctl_run(stage, &none, ARGUMENTS("show", "nowhere", "-a", "shop"));
    ctl_assert_exit(&none, EXIT_CODE_NOT_FOUND);
}

static void mistakes_have_their_exit_codes(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[PROCESS_ARGUMENTS_MAX + 1];
        int code;
        const char *says;
    } CASES[] = {
        {{"dance"}, EXIT_CODE_USAGE, "dance"},
        {{"send"}, EXIT_CODE_USAGE, "Usage"},
        {{"send", "connect-account", "-a", "shop", "--account=a", "--api-key=k"},
         EXIT_CODE_USAGE,
         "api-key"}, // there is no way to put a key on the command line
        {{"send", "create-environment", "-a", "shop"}, EXIT_CODE_USAGE, "--region"},
        {{"send", "delete-environment", "-a", "shop", "-e", "x", "-X", "sasl.password=p"},
         EXIT_CODE_USAGE,
         "--config"},
        {{"send", "delete-environment", "-a", "shop", "-e", "x", "-X", "acks=0", "-b",
          "localhost:1"},
         EXIT_CODE_USAGE,
         "acks"},
        {{"send", "delete-environment", "-a", "shop", "-e", "A"},
         EXIT_CODE_DATA,
         "delete_environment.environment"},
        {{"send", "delete-environment", "-a", "shop", "-e", "x"},
         EXIT_CODE_USAGE,
         "KAFKA_BOOTSTRAP_SERVERS"},
        {{"send", "/nonexistent.json"}, EXIT_CODE_FILE, "/nonexistent.json"},
        {{"commands", "--ledger-uri-file=/nonexistent"}, EXIT_CODE_FILE, "/nonexistent"},
        {{"send", "connect-account", "-a", "shop", "--account=a", "--api-key-file=/nonexistent",
          "--fleet-public-key", PUBLIC_KEY},
         EXIT_CODE_FILE,
         "/nonexistent"},
        {{"environments", "--config=/nonexistent"}, EXIT_CODE_FILE, "/nonexistent"},
        {{"doctor", "--worker-config=/nonexistent"}, EXIT_CODE_FILE, "/nonexistent"},
        {{"watch", "--command=x"}, EXIT_CODE_USAGE, "UUID"},
        {{"watch", "--type=CreatedEnvironment"}, EXIT_CODE_USAGE, "EnvironmentCreated"},
        {{"dead-letters", "list", "--command-id", ID}, EXIT_CODE_USAGE, "command-id"},
        {{"wait", "x", "-a", "shop"}, EXIT_CODE_USAGE, "UUID"},
        {{"show", "production"}, EXIT_CODE_USAGE, "--application"},
        {{"environments", "-b", "127.0.0.1:1", "-X", "socket.timeout.ms=1000"},
         EXIT_CODE_UNAVAILABLE,
         "127.0.0.1:1"},
    };
    assert_int_equal(unsetenv("KAFKA_BOOTSTRAP_SERVERS"), 0);
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        Process process CLEANUP(process_clear);
        process_run_ctl(&process, CASES[i].arguments, NULL, NULL);
        ctl_assert_exit(&process, CASES[i].code);
        if (strstr(process.err, CASES[i].says) == NULL) {
            fail_msg("case %zu doesn't name %s: %s", i, CASES[i].says, process.err);
        }
    }
}

static void output_that_is_lost_is_no_success(void **state)
{
    (void)state;
    const char *const arguments[] = {PROVISIONCTL, "send", "delete-environment", "-a", "shop",
                                     "-e",         "x",    "--dry-run",          NULL};
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, 1, "/dev/full", O_WRONLY, 0), 0);
    pid_t pid = 0;
    assert_int_equal(
        posix_spawn(&pid, PROVISIONCTL, &actions, NULL, (char *const *)unconst(arguments), environ),
        0);
    (void)posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_CODE_FILE);
}

static void properties_may_stand_in_a_file(void **state)
{
    Stage *stage = *state;
    char path[] = "/tmp/provisionctl-config-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_true(dprintf(file,
                        "# comment\n\nbootstrap.servers = %s\ntopics.state=%s\n"
                        "client.id = test\n",
                        support_servers(), stage->state) > 0);
    Process good CLEANUP(process_clear);
    process_run_ctl(&good, ARGUMENTS("environments", "--config", path), NULL, NULL);
    ctl_assert_exit(&good, EXIT_CODE_OK);
    assert_true(dprintf(file, "sasl.pasword = hunter2\n") > 0);
    (void)close(file);
    Process bad CLEANUP(process_clear);
    process_run_ctl(&bad, ARGUMENTS("environments", "--config", path), NULL, NULL);
    (void)unlink(path);
    ctl_assert_exit(&bad, EXIT_CODE_USAGE);
    assert_non_null(strstr(bad.err, ":6: sasl.pasword"));
    assert_null(strstr(bad.err, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_become_a_command),
        cmocka_unit_test(branch_and_delete_become_commands),
        cmocka_unit_test(json_becomes_a_command),
        cmocka_unit_test(the_exit_code_is_the_outcome),
        cmocka_unit_test(wait_finds_an_outcome_that_is_there_already),
        cmocka_unit_test(who_gives_up_waiting_is_told_how_to_go_on),
        cmocka_unit_test(watch_shows_events_and_ends_when_told),
        cmocka_unit_test(environments_and_show_read_the_state_topic),
        cmocka_unit_test(mistakes_have_their_exit_codes),
        cmocka_unit_test(output_that_is_lost_is_no_success),
        cmocka_unit_test(properties_may_stand_in_a_file),
    };
    return support_servers() == NULL ? support_skip()
                                     : cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
