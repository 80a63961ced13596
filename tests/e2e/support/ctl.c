#include "support/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

void ctl_start(World *world, const char *name, const char *const *arguments, Process *ret_process)
{
    const char *argv[PROCESS_ARGUMENTS_MAX] = {PROVISIONCTL};
    const char *const connection[] = {
        "--bootstrap-servers",  world->bootstrap, "--commands-topic", world->topics[0],
        "--events-topic",       world->topics[1], "--state-topic",    world->topics[2],
        "--dead-letters-topic", world->topics[3]};
    size_t count = 1 + sizeof(connection) / sizeof(connection[0]);
    memcpy(argv + 1, connection, sizeof connection);
    for (; *arguments != NULL; arguments++) {
        assert_true(count < PROCESS_ARGUMENTS_MAX - 1);
        argv[count++] = *arguments;
    }
    process_start(ret_process, argv, box_text("%s/%s.log", world->dir, name));
}

int ctl_run(World *world, const char *name, const char *const *arguments)
{
    Process process;
    ctl_start(world, name, arguments, &process);
    return process_wait(&process, CTL_SECONDS);
}

char *ctl_output(World *world, const char *name)
{
    return process_read_log(box_text("%s/%s.log", world->dir, name));
}

void ctl_expect(World *world, const char *name, const char *text)
{
    char *output = ctl_output(world, name);
    if (strstr(output, text) == NULL) {
        fail_msg("no '%s' in the output: %s", text, output);
    }
    free(output);
}
