/*
 * What a process that holds keys sets first: no core file, no foreign reader of its memory, no file
 * that others can read.
 */
#ifndef SYS_PROCESS_H
#define SYS_PROCESS_H

#include <stdbool.h>

#include "base/error.h"

// RLIMIT_CORE 0, not dumpable (prctl(2): no core, no ptrace by the same user), umask 077. Builds
// with the address sanitizer stay dumpable, because its leak check attaches to the process. Error:
// INTERNAL_ERROR.
bool process_harden(Error *err);

#endif
