/*
 * Programs that a test starts: each ends with the test program, by its own id, and writes into a
 * log of its own.
 */
#ifndef E2E_PROCESS_H
#define E2E_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PROCESS_PATH_BYTES = 192, PROCESS_ARGUMENTS_MAX = 64 };

typedef struct Process {
    pid_t pid;  // 0: not running
    int status; // of its end: exit code, or 128 + number of the signal
    char log[PROCESS_PATH_BYTES];
} Process;

// `argv` ends with NULL. Output and errors are appended to the file `log`.
void process_start(Process *process, const char *const *argv, const char *log);
// SIGSTOP, SIGCONT, SIGTERM, …; it must run.
void process_signal(Process *process, int number);
bool process_has_ended(Process *process);
// Waits for its end; returns `status`.
int process_wait(Process *process, int seconds);
// SIGKILL and wait; fine when it has ended.
void process_kill(Process *process);
// Start and wait.
int process_run(const char *const *argv, const char *log, int seconds);
// The whole log; freed by the caller.
char *process_read_log(const char *log);
bool process_has_logged(const Process *process, const char *text);
size_t process_count_logged(const Process *process, const char *text);
// Waits until `text` stands in its log; fails when it ends without it.
void process_await_log(Process *process, const char *text, int seconds);

#endif
