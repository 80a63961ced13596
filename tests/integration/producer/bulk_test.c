// provisionctl send with many commands, one a line. The test plays the worker.
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/unconst.h"
#include "ctl.h"

enum {
    MANY = 1500,
    APPLICATIONS = 25,
    INPUT_BYTES_MAX = 1024 * 1024,
    LARGE_BYTES_MAX = 2 * INPUT_BYTES_MAX,
    SCREEN_BYTES = 65536
};

static void add_delete(Text *input, const char *application, const char *environment)
{
    text_printf(input,
                "{\"applicationId\": \"%s\", \"deleteEnvironment\": {\"environment\": \"%s\"}}\n",
                application, environment);
}

static void run(Stage *stage, Process *process, const char *const *arguments, const Text *input)
{
    const char *all[PROCESS_ARGUMENTS_MAX + 1];
    ctl_arguments(stage, arguments, all);
    process_run_ctl(process, all, text_get(input), NULL);
}

static size_t count_lines(const char *text, const char *beginning)
{
    size_t count = 0;
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        count += strncmp(line, beginning, strlen(beginning)) == 0;
    }
    return count;
}

static int number_behind(const char *text, const char *beginning)
{
    assert_int_equal(strncmp(text, beginning, strlen(beginning)), 0);
    return (int)strtol(text + strlen(beginning), NULL, 10);
}

static void many_are_sent_each_application_in_its_order(void **state)
{
    Stage *stage = *state;
    Text input CLEANUP(text_clear) = TEXT_INIT(INPUT_BYTES_MAX);
    for (int i = 0; i < MANY; i++) {
        char application[16];
        char environment[16];
        (void)snprintf(application, sizeof application, "many-%d", i % APPLICATIONS);
        (void)snprintf(environment, sizeof environment, "e%d", i);
        add_delete(&input, application, environment);
    }
    Process process CLEANUP(process_clear);
    run(stage, &process, ARGUMENTS("send", "-"), &input);
    ctl_assert_exit(&process, EXIT_CODE_OK);
    assert_int_equal(count_lines(process.out, "sent command "), MANY);
    int last[APPLICATIONS];
    memset(last, -1, sizeof last);
    for (int i = 0; i < MANY; i++) {
        Command *command CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
        int application = number_behind(command->application_id, "many-");
        int number = number_behind(command->message->delete_environment->environment, "e");
        assert_int_equal(number % APPLICATIONS, application);
        assert_true(number > last[application]);
        last[application] = number;
    }
}

static void a_line_that_is_no_command_ends_it_and_is_named(void **state)
{
    Stage *stage = *state;
    Text input CLEANUP(text_clear) = TEXT_INIT(INPUT_BYTES_MAX);
    add_delete(&input, "shop", "one");
    text_append(&input, "\n");
    add_delete(&input, "shop", "two");
    add_delete(&input, "shop", "NOT A NAME");
    add_delete(&input, "shop", "four");
    Process process CLEANUP(process_clear);
    run(stage, &process, ARGUMENTS("send", "-", "--json"), &input);
    ctl_assert_exit(&process, EXIT_CODE_DATA);
    assert_non_null(strstr(process.err, "line 4: "));
    assert_non_null(strstr(process.err, "delete_environment.environment"));
    assert_int_equal(count_lines(process.out, "{\"commandId\":"), 2);
    Command *one CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    Command *two CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    assert_string_equal(one->message->delete_environment->environment, "one");
    assert_string_equal(two->message->delete_environment->environment, "two");
    // nothing of the rest came: what is sent next is what comes next
    Text next CLEANUP(text_clear) = TEXT_INIT(INPUT_BYTES_MAX);
    add_delete(&next, "shop", "five");
    Process later CLEANUP(process_clear);
    run(stage, &later, ARGUMENTS("send", "-"), &next);
    ctl_assert_exit(&later, EXIT_CODE_OK);
    Command *five CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    assert_string_equal(five->message->delete_environment->environment, "five");
}

static void start_with(Stage *stage, Process *process, const char *const *arguments,
                       const Text *input)
{
    const char *all[PROCESS_ARGUMENTS_MAX + 1];
    ctl_arguments(stage, arguments, all);
    process_start_ctl(process, all, text_get(input), NULL);
}

static void answer(Stage *stage, Provisioning__V1__Event *body)
{
    Command *command CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    stage_begin(stage);
    stage_event(stage, command->application_id, command->command_id, stage_accepted());
    stage_event(stage, command->application_id, command->command_id, body);
    stage_commit(stage);
}

static void the_worst_outcome_is_the_exit_code(void **state)
{
    Stage *stage = *state;
    Text input CLEANUP(text_clear) = TEXT_INIT(INPUT_BYTES_MAX);
    add_delete(&input, "shop", "one");
    add_delete(&input, "shop", "two");
    add_delete(&input, "blog", "three");
    Process process CLEANUP(process_clear);
    start_with(stage, &process, ARGUMENTS("send", "-", "--wait", "--timeout=30s"), &input);
    answer(stage, stage_deleted("one"));
    answer(stage, stage_failed("B"));
    answer(stage, stage_rejected("A"));
    process_finish(&process);
    ctl_assert_exit(&process, EXIT_CODE_FAILED);
    assert_non_null(strstr(process.out, "EnvironmentDeleted"));
    assert_non_null(strstr(process.out, "CommandRejected"));
    assert_non_null(strstr(process.out, "CommandFailed"));
    assert_null(strstr(process.out, "CommandAccepted"));
    assert_null(strchr(process.err, '\r')); // no terminal, no progress
}

static void who_waits_in_vain_is_told_how_many_are_missing(void **state)
{
    Stage *stage = *state;
    Text input CLEANUP(text_clear) = TEXT_INIT(INPUT_BYTES_MAX);
    add_delete(&input, "shop", "one");
    add_delete(&input, "shop", "two");
    Process process CLEANUP(process_clear);
    start_with(stage, &process, ARGUMENTS("send", "-", "--wait", "--timeout=2s"), &input);
    answer(stage, stage_deleted("one"));
    process_finish(&process);
    ctl_assert_exit(&process, EXIT_CODE_TIMEOUT);
    assert_non_null(strstr(process.err, "1 commands have none"));
    Command *two CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    assert_string_equal(two->message->delete_environment->environment, "two");
}

// Reads what a program writes to a terminal until it ends; its exit code.
static int read_terminal(int terminal, pid_t pid, char screen[SCREEN_BYTES])
{
    size_t size = 0;
    ssize_t got = 0;
    int status = 0;
    while ((got = read(terminal, screen + size, SCREEN_BYTES - 1 - size)) > 0) {
        size += (size_t)got;
    }
    screen[size] = '\0';
    close(terminal);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_terminal_shows_the_progress(void **state)
{
    Stage *stage = *state;
    const char *arguments[PROCESS_ARGUMENTS_MAX + 2] = {PROVISIONCTL};
    ctl_arguments(stage, ARGUMENTS("send", "-"), arguments + 1);
    Text input CLEANUP(text_clear) = TEXT_INIT(INPUT_BYTES_MAX);
    for (int i = 0; i < 3; i++) {
        add_delete(&input, "terminal", "one");
    }
    int file = memfd_create("input", MFD_CLOEXEC);
    assert_int_equal(write(file, text_get(&input), input.length), input.length);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    int terminal = -1;
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(file, STDIN_FILENO);
        (void)execv(PROVISIONCTL, (char *const *)unconst(arguments));
        _exit(127);
    }
    close(file);
    static char screen[SCREEN_BYTES];
    assert_int_equal(read_terminal(terminal, pid, screen), EXIT_CODE_OK);
    if (strstr(screen, " s: 3 sent") == NULL || strchr(screen, '\r') == NULL) {
        fail_msg("no progress: %s", screen);
    }
    for (int i = 0; i < 3; i++) {
        Command *command CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
        assert_string_equal(command->application_id, "terminal");
    }
}

static void expect_deletion(Stage *stage, const char *environment)
{
    Command *command CLEANUP(command_free_at) = stage_next_command(stage, NULL, NULL, NULL);
    assert_string_equal(command->message->delete_environment->environment, environment);
}

static void blank_lines_before_the_first_command_are_passed_over(void **state)
{
    Stage *stage = *state;
    Text input CLEANUP(text_clear) = TEXT_INIT(INPUT_BYTES_MAX);
    text_append(&input, "\n \t\r\n");
    add_delete(&input, "shop", "one");
    text_append(&input, "\n");
    add_delete(&input, "shop", "two");
    Process process CLEANUP(process_clear);
    run(stage, &process, ARGUMENTS("send", "-"), &input);
    ctl_assert_exit(&process, EXIT_CODE_OK);
    assert_int_equal(count_lines(process.out, "sent command "), 2);
    expect_deletion(stage, "one");
    expect_deletion(stage, "two");
}

static void what_is_wrong_with_a_large_input_is_told(void **state)
{
    Stage *stage = *state;
    Text broken CLEANUP(text_clear) = TEXT_INIT(LARGE_BYTES_MAX);
    text_append(&broken, "{\"applicationId\": \"shop\", oops}\n");
    Text large CLEANUP(text_clear) = TEXT_INIT(LARGE_BYTES_MAX);
    text_append(&large, "{\"applicationId\": \"");
    while (broken.length <= INPUT_BYTES_MAX) {
        add_delete(&broken, "shop", "one");
        text_append(&large, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                            "xxxxxxxxxxxx");
    }
    text_append(&large, "\"}");
    Process fault CLEANUP(process_clear);
    run(stage, &fault, ARGUMENTS("send", "-"), &broken);
    ctl_assert_exit(&fault, EXIT_CODE_DATA);
    assert_non_null(strstr(fault.err, "line 1, column"));
    Process size CLEANUP(process_clear);
    run(stage, &size, ARGUMENTS("send", "-"), &large);
    ctl_assert_exit(&size, EXIT_CODE_DATA);
    assert_non_null(strstr(size.err, "larger than 1 MiB"));
}

// `size` bytes in a file; its path is written over by the next call.
static const char *write_file(const char *bytes, size_t size)
{
    static char path[64];
    (void)snprintf(path, sizeof path, "/tmp/bulk-test-%ld.json", (long)getpid());
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), size);
    close(file);
    return path;
}

static void a_nul_byte_ends_it_and_its_line_is_named(void **state)
{
    Stage *stage = *state;
    Text input CLEANUP(text_clear) = TEXT_INIT(INPUT_BYTES_MAX);
    add_delete(&input, "shop", "one");
    text_append(&input, "@");
    add_delete(&input, "shop", "two");
    char *bytes = strdup(text_get(&input));
    assert_non_null(bytes);
    *strchr(bytes, '@') = '\0';
    Process behind CLEANUP(process_clear);
    ctl_run(stage, &behind, ARGUMENTS("send", write_file(bytes, input.length)));
    ctl_assert_exit(&behind, EXIT_CODE_DATA);
    assert_non_null(strstr(behind.err, "line 2: it has a NUL byte"));
    expect_deletion(stage, "one");
    size_t first = strlen(bytes);
    Process before CLEANUP(process_clear);
    const char *path = write_file(bytes + first, input.length - first);
    ctl_run(stage, &before, ARGUMENTS("send", path));
    ctl_assert_exit(&before, EXIT_CODE_DATA);
    assert_non_null(strstr(before.err, "NUL byte"));
    (void)unlink(path);
    free(bytes);
}

static bool shows(const Process *process, const char *text)
{
    static char out[SCREEN_BYTES];
    ssize_t size = pread(process->files[1], out, sizeof out - 1, 0);
    assert_true(size >= 0);
    out[size] = '\0';
    return strstr(out, text) != NULL;
}

static void await_output(const Process *process, const char *text)
{
    time_t end = time(NULL) + SUPPORT_TIMEOUT_MS / 1000;
    while (!shows(process, text)) {
        if (time(NULL) > end) {
            fail_msg("no '%s' while the pipe is open", text);
        }
        (void)poll(NULL, 0, 20);
    }
}

static void a_pipe_that_stays_open_is_served(void **state)
{
    Stage *stage = *state;
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/bulk-test-%ld.fifo", (long)getpid());
    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    Process process CLEANUP(process_clear);
    ctl_start(stage, &process, ARGUMENTS("send", path, "--wait", "--json"));
    int pipe_end = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(pipe_end >= 0);
    Text input CLEANUP(text_clear) = TEXT_INIT(INPUT_BYTES_MAX);
    add_delete(&input, "shop", "one");
    assert_int_equal(write(pipe_end, text_get(&input), input.length), input.length);
    answer(stage, stage_deleted("one"));
    await_output(&process, "EnvironmentDeleted");
    close(pipe_end);
    process_finish(&process);
    ctl_assert_exit(&process, EXIT_CODE_OK);
    Process told CLEANUP(process_clear);
    ctl_start(stage, &told, ARGUMENTS("send", path));
    pipe_end = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(pipe_end, text_get(&input), input.length), input.length);
    await_output(&told, "sent command ");
    close(pipe_end);
    process_finish(&told);
    ctl_assert_exit(&told, EXIT_CODE_OK);
    expect_deletion(stage, "one");
    (void)unlink(path);
}

static void a_dry_run_for_programs_is_a_line_each(void **state)
{
    Stage *stage = *state;
    Text input CLEANUP(text_clear) = TEXT_INIT(INPUT_BYTES_MAX);
    add_delete(&input, "shop", "one");
    add_delete(&input, "shop", "two");
    Process process CLEANUP(process_clear);
    run(stage, &process, ARGUMENTS("send", "-", "--dry-run", "--json"), &input);
    ctl_assert_exit(&process, EXIT_CODE_OK);
    assert_int_equal(count_lines(process.out, "{"), 2);
    assert_int_equal(count_lines(process.out, ""), 3); // and the end
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_sent_each_application_in_its_order),
        cmocka_unit_test(a_line_that_is_no_command_ends_it_and_is_named),
        cmocka_unit_test(the_worst_outcome_is_the_exit_code),
        cmocka_unit_test(who_waits_in_vain_is_told_how_many_are_missing),
        cmocka_unit_test(a_terminal_shows_the_progress),
        cmocka_unit_test(blank_lines_before_the_first_command_are_passed_over),
        cmocka_unit_test(what_is_wrong_with_a_large_input_is_told),
        cmocka_unit_test(a_nul_byte_ends_it_and_its_line_is_named),
        cmocka_unit_test(a_pipe_that_stays_open_is_served),
        cmocka_unit_test(a_dry_run_for_programs_is_a_line_each),
    };
    return support_servers() == NULL ? support_skip()
                                     : cmocka_run_group_tests(tests, stage_set_up, stage_tear_down);
}
