#include "support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unconst.h"
#include "support/cmocka.h"
#include "support/wait.h"

enum { KILL_SECONDS = 20 };

static void become(const char *const *argv, int out, pid_t parent)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    // nothing that a test starts may outlive it, not even when ctest kills it
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0 || getppid() != parent) {
        _exit(127);
    }
    (void)execv(argv[0], unconst(argv));
    _exit(127);
}

void process_start(Process *process, const char *const *argv, const char *log)
{
    pid_t parent = getpid();
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(out >= 0);
    *process = (Process){.pid = 0};
    (void)snprintf(process->log, sizeof(process->log), "%s", log);
    process->pid = fork();
    assert_true(process->pid >= 0);
    if (process->pid == 0) {
        become(argv, out, parent);
    }
    (void)close(out);
}

void process_signal(Process *process, int number)
{
    assert_true(process->pid > 0);
    assert_int_equal(kill(process->pid, number), 0);
}

bool process_has_ended(Process *process)
{
    int status = 0;
    if (process->pid == 0) {
        return true;
    }
    pid_t ended = waitpid(process->pid, &status, WNOHANG);
    if (ended != process->pid) {
        return false;
    }
    process->pid = 0;
    process->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

static bool has_ended(void *context)
{
    return process_has_ended(context);
}

int process_wait(Process *process, int seconds)
{
    wait_until(has_ended, process, seconds, "the end of process %ld, see %s", (long)process->pid,
               process->log);
    return process->status;
}

void process_kill(Process *process)
{
    if (!process_has_ended(process)) {
        (void)kill(process->pid, SIGKILL);
        (void)process_wait(process, KILL_SECONDS);
    }
}

int process_run(const char *const *argv, const char *log, int seconds)
{
    Process process;
    process_start(&process, argv, log);
    return process_wait(&process, seconds);
}

char *process_read_log(const char *log)
{
    char *text = NULL;
    size_t size = 0;
    char piece[8192];
    size_t count = 0;
    FILE *out = open_memstream(&text, &size);
    FILE *in = fopen(log, "re");
    assert_non_null(in);
    while ((count = fread(piece, 1, sizeof(piece), in)) > 0) {
        (void)fwrite(piece, 1, count, out);
    }
    (void)fclose(in);
    (void)fclose(out);
    return text;
}

bool process_has_logged(const Process *process, const char *text)
{
    char *log = process_read_log(process->log);
    bool found = strstr(log, text) != NULL;
    free(log);
    return found;
}

size_t process_count_logged(const Process *process, const char *text)
{
    char *log = process_read_log(process->log);
    size_t count = 0;
    for (const char *at = strstr(log, text); at != NULL; at = strstr(at + 1, text)) {
        count++;
    }
    free(log);
    return count;
}

typedef struct LogText {
    Process *process;
    const char *text;
} LogText;

static bool is_logged(void *context)
{
    const LogText *wanted = context;
    bool has_ended = process_has_ended(wanted->process); // asked first: it may log, then end
    bool found = process_has_logged(wanted->process, wanted->text);
    if (!found && has_ended) {
        fail_msg("ended with status %d, see %s", wanted->process->status, wanted->process->log);
    }
    return found;
}

void process_await_log(Process *process, const char *text, int seconds)
{
    LogText wanted = {process, text};
    wait_until(is_logged, &wanted, seconds, "'%s' in %s", text, process->log);
}
