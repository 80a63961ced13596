/*
 * Errors to people (one line on stderr) or, with --json, to programs (one JSON object on stderr),
 * and the exit code that goes with each.
 */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include <stdbool.h>

#include "base/attr.h"
#include "provision/provision.h"

// Each returns the exit code.
int report_error(bool json, const ProvisionError *error);
// Names the command, too, so that it can be sent again, or waited for.
int report_command_error(bool json, const ProvisionError *error, const ProvisionCommand *command);
int report_problem(bool json, int exit_code, const char *code, const char *format, ...)
    PRINTF_LIKE(4, 5);
int report_outcome(ProvisionOutcome outcome);

#endif
