/*
 * Our mark on a branch: the annotations that say which command of which environment made it. Neon
 * takes them only at creation and returns them in branch lists and with a branch; project lists
 * carry none, so a project is recognised by the mark of its root branch. Only a resource with all
 * four equal is ours to adopt.
 */
#ifndef NEON_MARK_H
#define NEON_MARK_H

#include <stdbool.h>

#include "base/name.h"
#include "base/uuid.h"

#define NEON_MARK_INSTALLATION "provisioner.installation"
#define NEON_MARK_APPLICATION "provisioner.application"
#define NEON_MARK_ENVIRONMENT "provisioner.environment"
#define NEON_MARK_COMMAND "provisioner.command"

typedef struct NeonMark {
    char installation[UUID_TEXT_BYTES];
    char application[NAME_APPLICATION_BYTES];
    char environment[NAME_ENVIRONMENT_BYTES];
    char command[UUID_TEXT_BYTES];
} NeonMark;

bool neon_mark_is_empty(const NeonMark *mark);
// All four equal, none empty.
bool neon_mark_equal(const NeonMark *a, const NeonMark *b);
// Same installation, application and environment, whatever the command: made for the same
// environment.
bool neon_mark_same_environment(const NeonMark *a, const NeonMark *b);

#endif
