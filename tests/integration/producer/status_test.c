// provisionctl status, commands and doctor without a ledger, or with one that isn't there. The test
// plays the worker.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract/completion_text.h"
#include "ctl.h"

static const char ID[] = "919108f7-52d1-4320-9bac-f847db4148a8";
static const char OTHER_ID[] = "919108f7-52d1-4320-9bac-f847db4148a9";
static const char FOURTH_ID[] = "919108f7-52d1-4320-9bac-f847db4148ab";
static const char THIRD_ID[] = "919108f7-52d1-4320-9bac-f847db4148aa";

static void send_deletion(Stage *stage, const char *id, const char *environment)
{
    Process process CLEANUP(process_clear);
    ctl_run(stage, &process,
            ARGUMENTS("send", "delete-environment", "-a", "shop", "-e", environment, "--command-id",
                      id));
    ctl_assert_exit(&process, EXIT_CODE_OK);
}

static void status(Stage *stage, Process *process, const char *id)
{
    ctl_run(stage, process, ARGUMENTS("status", id, "--group", stage->commands));
}

static void assert_shows(const Process *process, const char *text)
{
    if (strstr(process->out, text) == NULL) {
        fail_msg("no '%s' in %s%s", text, process->out, process->err);
    }
}

static void a_command_that_nobody_took_says_so(void **state)
{
    Stage *stage = *state;
    send_deletion(stage, ID, "staging");
    Process process CLEANUP(process_clear);
    status(stage, &process, ID);
    ctl_assert_exit(&process, EXIT_CODE_OK);
    assert_shows(&process, "DeleteEnvironment 919108f7-52d1-4320-9bac-f847db4148a8 of shop\n");
    assert_shows(&process, "applications/shop/environments/staging");
    assert_shows(&process, "unfinished");
    assert_shows(&process, "the group has committed nothing");
}

static void events_tell_of_the_outcome(void **state)
{
    Stage *stage = *state;
    stage_begin(stage);
    stage_event(stage, "shop", ID, stage_accepted());
    // of another command, and of another application's command with the same id
    stage_event(stage, "shop", FOURTH_ID, stage_rejected("NOT_THIS"));
    stage_event(stage, "else", ID, stage_rejected("NOT_THIS"));
    stage_commit(stage);
    Process accepted CLEANUP(process_clear);
    status(stage, &accepted, ID);
    assert_shows(&accepted, "unfinished");
    stage_begin(stage);
    stage_event(stage, "shop", ID, stage_failed("NEON_UNAVAILABLE"));
    stage_commit(stage);
    Process failed CLEANUP(process_clear);
    status(stage, &failed, ID);
    ctl_assert_exit(&failed, EXIT_CODE_OK);
    assert_shows(&failed, "finished");
    assert_shows(&failed, "CommandFailed NEON_UNAVAILABLE");
    assert_null(strstr(failed.out, "NOT_THIS"));
}

// What a worker would commit: `committed` with a map of two unfinished records.
static void commit(Stage *stage, int32_t partition, int64_t base, int64_t unfinished, int64_t end)
{
    CompletionEntry entries[] = {{base, 0}, {unfinished, 0}};
    const CompletionMap map = {.entries = entries, .count = 2, .end = end};
    Text text CLEANUP(text_clear) = TEXT_INIT(4096);
    completion_text_append(&map, &text);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char reason[256];
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", support_servers(), reason, sizeof reason);
    (void)rd_kafka_conf_set(conf, "group.id", stage->commands, reason, sizeof reason);
    rd_kafka_t *kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    assert_non_null(kafka);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *one =
        rd_kafka_topic_partition_list_add(list, stage->commands, partition);
    one->offset = base;
    one->metadata = strdup(text_get(&text));
    one->metadata_size = text.length;
    assert_int_equal(rd_kafka_commit(kafka, list, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(kafka);
}

static void the_completion_map_tells_who_is_finished_and_who_comes_first(void **state)
{
    Stage *stage = *state;
    // three commands of one application, one behind the other
    send_deletion(stage, OTHER_ID, "one");
    send_deletion(stage, THIRD_ID, "two");
    Process before CLEANUP(process_clear);
    ctl_run(stage, &before, ARGUMENTS("status", OTHER_ID, "--json", "--group", stage->commands));
    const char *offset = strstr(before.out, "\"offset\":");
    const char *partition = strstr(before.out, "\"partition\":");
    if (offset == NULL || partition == NULL) {
        fail_msg("no coordinates in %s", before.out);
        return;
    }
    int64_t base = strtoll(offset + strlen("\"offset\":"), NULL, 10);
    int32_t number = (int32_t)strtol(partition + strlen("\"partition\":"), NULL, 10);
    // unfinished: the first of them and the third
    commit(stage, number, base, base + 1, base + 2);
    Process third CLEANUP(process_clear);
    status(stage, &third, THIRD_ID);
    assert_shows(&third, "unfinished");
    assert_shows(&third, "before it: 1");
    assert_shows(&third, "--ledger-uri-file");
    Process first CLEANUP(process_clear);
    ctl_run(stage, &first, ARGUMENTS("status", OTHER_ID, "-a", "shop", "--group", stage->commands));
    assert_shows(&first, "before it: 0");
}

static void what_is_not_found_or_too_old_is_told_by_the_exit_code(void **state)
{
    Stage *stage = *state;
    Process other CLEANUP(process_clear);
    ctl_run(stage, &other, ARGUMENTS("status", ID, "-a", "else"));
    ctl_assert_exit(&other, EXIT_CODE_NOT_FOUND);
    assert_non_null(strstr(other.err, "COMMAND_UNKNOWN"));
    Process late CLEANUP(process_clear);
    ctl_run(stage, &late, ARGUMENTS("status", ID, "--since", "2100-01-01T00:00:00Z"));
    ctl_assert_exit(&late, EXIT_CODE_NOT_FOUND);
    Process wrong CLEANUP(process_clear);
    ctl_run(stage, &wrong, ARGUMENTS("status", "no-uuid"));
    ctl_assert_exit(&wrong, EXIT_CODE_USAGE);
}

static const char *write_file(const char *text)
{
    static char path[64];
    (void)snprintf(path, sizeof(path), "/tmp/status-test-%ld.uri", (long)getpid());
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void a_ledger_that_cannot_be_reached_is_told_without_its_password(void **state)
{
    Stage *stage = *state;
    static const struct {
        const char *uri;
        int exit_code;
        const char *code;
    } CASES[] = {
        {"postgresql://u:s3cret@127.0.0.1:1/db", EXIT_CODE_UNAVAILABLE, "LEDGER_UNAVAILABLE"},
        {"postgresql://u:s3cret@s3cret@127.0.0.1:1/db", EXIT_CODE_DATA, "LEDGER_URI_INVALID"},
        {"s3cret", EXIT_CODE_DATA, "LEDGER_URI_INVALID"},
        {" \n", EXIT_CODE_DATA, "LEDGER_URI_MISSING"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *path = write_file(CASES[i].uri);
        Process status CLEANUP(process_clear);
        ctl_run(stage, &status, ARGUMENTS("status", ID, "--ledger-uri-file", path));
        ctl_assert_exit(&status, CASES[i].exit_code);
        assert_non_null(strstr(status.err, CASES[i].code));
        Process commands CLEANUP(process_clear);
        ctl_run(stage, &commands, ARGUMENTS("commands", "--ledger-uri-file", path));
        ctl_assert_exit(&commands, CASES[i].exit_code);
        Process doctor CLEANUP(process_clear);
        ctl_run(stage, &doctor,
                ARGUMENTS("doctor", "--ledger-uri-file", path, "--set",
                          "neon.api_url=http://127.0.0.1:1/api/v2"));
        ctl_assert_exit(&doctor, EXIT_CODE_FINDINGS);
        assert_shows(&doctor, CASES[i].code);
        assert_null(strstr(status.err, "s3cret"));
        assert_null(strstr(commands.err, "s3cret"));
        assert_null(strstr(doctor.out, "s3cret"));
        (void)unlink(path);
    }
    Process none CLEANUP(process_clear);
    ctl_run(stage, &none, ARGUMENTS("commands"));
    ctl_assert_exit(&none, EXIT_CODE_DATA);
    assert_non_null(strstr(none.err, "PROVISION_LEDGER_URI_FILE"));
}

static void doctor_takes_no_secret_and_no_unknown_setting_on_its_command_line(void **state)
{
    Stage *stage = *state;
    static const char *const WRONG[] = {"secrets.key_encryption_key=00", "ledger.uri=postgresql://",
                                        "neon.api=x", "group.id"};
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        Process process CLEANUP(process_clear);
        ctl_run(stage, &process, ARGUMENTS("doctor", "--set", WRONG[i]));
        ctl_assert_exit(&process, EXIT_CODE_USAGE);
    }
}

static void doctor_reads_the_workers_environment(void **state)
{
    Stage *stage = *state;
    const char *arguments[PROCESS_ARGUMENTS_MAX + 1];
    ctl_arguments(stage, ARGUMENTS("doctor"), arguments);
    Process process CLEANUP(process_clear);
    process_run_ctl(&process, arguments, NULL,
                    "PROVISION_NEON_API_URL=http://127.0.0.1:1/elsewhere");
    ctl_assert_exit(&process, EXIT_CODE_FINDINGS);
    assert_shows(&process, "http://127.0.0.1:1/elsewhere doesn't answer");
    assert_shows(&process, "provision-worker has no member");
    assert_shows(&process, "there is no such topic: run provision-worker topics create");
}

static void doctor_says_where_kafka_should_be(void **state)
{
    (void)state;
    Process process CLEANUP(process_clear);
    process_run_ctl(
        &process,
        ARGUMENTS("-b", "127.0.0.1:1", "doctor", "--set", "neon.api_url=http://127.0.0.1:1/api/v2"),
        NULL, NULL);
    ctl_assert_exit(&process, EXIT_CODE_FINDINGS);
    assert_shows(&process, "check bootstrap.servers");
}

int main(void)
{
    if (support_servers() == NULL) {
        return support_skip();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_that_nobody_took_says_so),
        cmocka_unit_test(events_tell_of_the_outcome),
        cmocka_unit_test(the_completion_map_tells_who_is_finished_and_who_comes_first),
        cmocka_unit_test(what_is_not_found_or_too_old_is_told_by_the_exit_code),
        cmocka_unit_test(a_ledger_that_cannot_be_reached_is_told_without_its_password),
        cmocka_unit_test(doctor_takes_no_secret_and_no_unknown_setting_on_its_command_line),
        cmocka_unit_test(doctor_reads_the_workers_environment),
        cmocka_unit_test(doctor_says_where_kafka_should_be),
    };
    return cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
