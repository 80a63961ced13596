/*
 * provision-worker's command line.
 */
#ifndef MAIN_ARGUMENTS_H
#define MAIN_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ARGUMENTS_SETTINGS_MAX = 256, ARGUMENTS_ACCOUNTS_MAX = 64 };

typedef enum Task {
    TASK_RUN,
    TASK_MIGRATE,
    TASK_TOPICS_CREATE,
    TASK_TOPICS_CHECK,
    TASK_SKIP,
    TASK_SWEEP,
    TASK_REKEY,
    TASK_REBUILD,
    TASK_CHECK_CONFIG,
    TASK_PRINT_CONFIG,
    TASK_PRINT_SETTINGS,
    TASK_PRINT_SAGAS,
    TASK_PRINT_METRICS,
} Task;

typedef struct Arguments {
    const char *file;
    const char *assignments[ARGUMENTS_SETTINGS_MAX];
    size_t assignment_count;
    const char *words[2];
    size_t word_count;
    int32_t partition; // to skip
    int64_t offset;
    Task task;
    uint32_t given; // options that not every task takes
    bool dry_run;
    bool writes;
    const char *reason;                           // NULL: none
    const char *accounts[ARGUMENTS_ACCOUNTS_MAX]; // to sweep; none: all
    size_t account_count;
    int64_t timeout_ms;
    bool deletes;
    bool confirms_ledger;
    bool json;
} Arguments;

// Ends the process where they are wrong (EX_USAGE), or only ask for help or the version.
void arguments_read(int argc, char **argv, Arguments *ret_arguments);

#endif
