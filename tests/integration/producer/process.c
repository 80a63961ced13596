#include "process.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"

static int new_memory_file(const char *content)
{
    int file = memfd_create("process", MFD_CLOEXEC);
    assert_true(file >= 0);
    if (content != NULL) {
        size_t size = strlen(content);
        assert_int_equal(write(file, content, size), size);
        assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    }
    return file;
}

// Only what is allowed between fork and exec.
static _Noreturn void become(const Process *process, const char *program, char *const *arguments)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < 3; i++) {
        if (dup2(process->files[i], i) < 0) {
            _exit(126);
        }
    }
    (void)execv(program, arguments);
    _exit(127);
}

static void start(Process *process, const char *program, const char *const *arguments,
                  const char *input)
{
    char *copies[PROCESS_ARGUMENTS_MAX + 1] = {alloc_text(program)};
    size_t count = 1;
    for (; arguments[count - 1] != NULL; count++) {
        assert_true(count < PROCESS_ARGUMENTS_MAX);
        copies[count] = alloc_text(arguments[count - 1]);
    }
    *process = (Process){.exit_code = -1};
    process->files[0] = new_memory_file(input == NULL ? "" : input);
    process->files[1] = new_memory_file(NULL);
    process->files[2] = new_memory_file(NULL);
    process->pid = fork();
    if (process->pid == 0) {
        become(process, program, copies);
    }
    assert_true(process->pid > 0);
    for (size_t i = 0; i < count; i++) {
        free(copies[i]);
    }
}

void process_start_ctl(Process *process, const char *const *arguments, const char *input,
                       const char *variable)
{
    char name[64] = "";
    if (variable != NULL) {
        const char *equals = strchr(variable, '=');
        assert_non_null(equals);
        memcpy(name, variable, (size_t)(equals - variable));
        assert_int_equal(setenv(name, equals + 1, 1), 0);
    }
    start(process, PROVISIONCTL, arguments, input);
    if (variable != NULL) {
        assert_int_equal(unsetenv(name), 0);
    }
}

static char *read_memory_file(int file)
{
    off_t size = lseek(file, 0, SEEK_END);
    char *text = alloc_bytes((size_t)size + 1);
    assert_int_equal(pread(file, text, (size_t)size, 0), size);
    text[size] = '\0';
    return text;
}

void process_await_output(Process *process, const char *text)
{
    enum { LOOKS = 600, LOOK_MS = 50 };
    bool found = false;
    for (int i = 0; i < LOOKS && !found; i++) {
        char *out = read_memory_file(process->files[1]);
        found = strstr(out, text) != NULL;
        free(out);
        (void)poll(NULL, 0, found ? 0 : LOOK_MS);
    }
    if (!found) {
        fail_msg("the output never had %s", text);
    }
}

void process_finish(Process *process)
{
    int status = 0;
    assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
    process->pid = 0;
    process->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    process->out = read_memory_file(process->files[1]);
    process->err = read_memory_file(process->files[2]);
}

void process_clear(Process *process)
{
    if (process->pid > 0) {
        (void)kill(process->pid, SIGKILL);
        (void)waitpid(process->pid, NULL, 0);
    }
    for (int i = 0; i < 3; i++) {
        (void)close(process->files[i]);
    }
    free(process->out);
    free(process->err);
}

void process_run_ctl(Process *process, const char *const *arguments, const char *input,
                     const char *variable)
{
    process_start_ctl(process, arguments, input, variable);
    process_finish(process);
}

bool process_shows(const Process *process, const char *text)
{
    char path[64];
    char line[8192];
    (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)process->pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(line, 1, sizeof(line), file);
    (void)fclose(file);
    assert_in_range(size, 1, sizeof(line) - 1);
    return memmem(line, size, text, strlen(text)) != NULL;
}
