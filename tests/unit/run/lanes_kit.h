/*
 * Commands by the number of their subject, as the tests of the lanes enter them.
 */
#ifndef RUN_LANES_KIT_H
#define RUN_LANES_KIT_H

#include <stdio.h>

#include "run/lanes.h"

static inline Subject subject(unsigned number)
{
    Subject subject = {.kind = number % 2 == 0 ? SUBJECT_ENVIRONMENT : SUBJECT_ACCOUNT};
    (void)snprintf(subject.name, sizeof subject.name, "s%u", number);
    return subject;
}

static const Subject ALL = {.kind = SUBJECT_APPLICATION};

static inline Command command(const char *application, unsigned writes)
{
    Command command = {.writes = subject(writes)};
    (void)snprintf(command.application_id, sizeof command.application_id, "%s", application);
    return command;
}

// Another command each time, of the same subjects.
static inline void enter(Lanes *lanes, LaneEntry *entry, Command *command)
{
    static unsigned next;
    (void)snprintf(command->command_id, sizeof command->command_id, "id-%u", next++);
    lanes_enter(lanes, entry, command);
}

#endif
