#include "ctl.h"

#include <string.h>

enum { CONNECTION_ARGUMENTS = 8 };

void ctl_arguments(const Stage *stage, const char *const *arguments,
                   const char *ret_arguments[PROCESS_ARGUMENTS_MAX + 1])
{
    const char *connection[CONNECTION_ARGUMENTS] = {
        "-b",          support_servers(), "--commands-topic", stage->commands, "--events-topic",
        stage->events, "--state-topic",   stage->state};
    memcpy(ret_arguments, connection, sizeof(connection));
    size_t count = CONNECTION_ARGUMENTS;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_true(count < PROCESS_ARGUMENTS_MAX);
        ret_arguments[count++] = arguments[i];
    }
    ret_arguments[count] = NULL;
}

void ctl_start(const Stage *stage, Process *process, const char *const *arguments)
{
    const char *all[PROCESS_ARGUMENTS_MAX + 1];
    ctl_arguments(stage, arguments, all);
    process_start_ctl(process, all, NULL, NULL);
}

void ctl_run(const Stage *stage, Process *process, const char *const *arguments)
{
    ctl_start(stage, process, arguments);
    process_finish(process);
}

void ctl_assert_exit(const Process *process, int code)
{
    if (process->exit_code != code) {
        fail_msg("exit code %d instead of %d\n%s%s", process->exit_code, code, process->out,
                 process->err);
    }
}
