/*
 * A program run by a test: its input and output are kept in memory, and it doesn't outlive the
 * test.
 */
#ifndef PRODUCER_PROCESS_H
#define PRODUCER_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PROCESS_ARGUMENTS_MAX = 32 };

typedef struct Process {
    pid_t pid;
    int files[3]; // memory files: stdin, stdout, stderr
    char *out;    // after process_finish; NUL-terminated
    char *err;
    int exit_code; // after process_finish; -1: ended by a signal
} Process;

// `arguments` end with NULL and don't hold the program's name. `input` and `variable` (NAME=VALUE)
// may be NULL.
void process_start_ctl(Process *process, const char *const *arguments, const char *input,
                       const char *variable);
void process_finish(Process *process);
void process_clear(Process *process); // for CLEANUP; kills what was not finished

// Waits until the text stands in the standard output of the running process; fails after 30 s.
void process_await_output(Process *process, const char *text);

// Start and finish in one.
void process_run_ctl(Process *process, const char *const *arguments, const char *input,
                     const char *variable);

// Whether the text stands in the command line of the running process.
bool process_shows(const Process *process, const char *text);

#endif
