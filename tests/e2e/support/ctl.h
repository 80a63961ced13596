/*
 * provisionctl with a world's brokers and topics; its output is in DIR/NAME.log.
 */
#ifndef E2E_CTL_H
#define E2E_CTL_H

#include "support/world.h"

enum { CTL_SECONDS = 90 };

// `arguments` ends with NULL.
void ctl_start(World *world, const char *name, const char *const *arguments, Process *ret_process);
// Start and wait; the exit code.
int ctl_run(World *world, const char *name, const char *const *arguments);
// Fails unless the text stands in the output.
void ctl_expect(World *world, const char *name, const char *text);
// The whole output; freed by the caller.
char *ctl_output(World *world, const char *name);

#endif
