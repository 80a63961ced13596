/*
 * Commands as the ledger has them, each as a JSON object of one form, which --json prints as it is
 * and ctl/status_print.h shows to people.
 */
#ifndef CTL_STATUS_LEDGER_H
#define CTL_STATUS_LEDGER_H

#include <jansson.h>
#include <stdint.h>

#include "ctl/ledger_reader.h"

// All commands with this id (each application has its own); `application_id` NULL: of all. An array
// of the caller's; NULL with the errors of ledger_reader_ask.
json_t *status_ledger_find(PGconn *connection, const char *command_id, const char *application_id,
                           ProvisionError *err);

// Those that aren't finished, or finished and not marked as published, the longest without progress
// first. `stuck_ms`: claimed, and without progress for longer; below 0: all, the marks of stops for
// commands that no worker has seen, too.
json_t *status_ledger_list(PGconn *connection, const char *application_id, int64_t stuck_ms,
                           ProvisionError *err);

#endif
