/*
 * provisionctl, run against the topics of a Stage.
 */
#ifndef PRODUCER_CTL_H
#define PRODUCER_CTL_H

#include "ctl/exit_code.h"
#include "process.h"
#include "support.h"

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

// `arguments` with the connection's in front.
void ctl_arguments(const Stage *stage, const char *const *arguments,
                   const char *ret_arguments[PROCESS_ARGUMENTS_MAX + 1]);
void ctl_start(const Stage *stage, Process *process, const char *const *arguments);
void ctl_run(const Stage *stage, Process *process, const char *const *arguments);
void ctl_assert_exit(const Process *process, int code);

#endif
