/*
 * What the ways to send a command share: the options around the action, and what happens after it
 * is built.
 */
#ifndef CTL_SEND_H
#define CTL_SEND_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl/connection.h"

enum { SEND_LABELS_MAX = 32 };

typedef struct SendOptions {
    Connection *connection;
    const char *application_id;
    const char *command_id;
    const char *requested_by;
    const char *traceparent;
    const char *labels[SEND_LABELS_MAX]; // KEY=VALUE
    size_t label_count;
    int64_t deadline_ms; // 0: none
    int64_t timeout_ms;
    bool wait;
    bool dry_run;
    bool quiet; // doesn't tell where the command is
    // What becomes of a success with --wait; NULL: its line or JSON is printed. Exit code.
    int (*show)(void *context, const ProvisionEvent *event);
    void *show_context;
} SendOptions;

// A child parser; its input is the SendOptions. It brings the connection's options with it.
extern const struct argp SEND_OPTIONS_ARGP;
// The same without --application and --command-id: of commands that have theirs already.
extern const struct argp SEND_ENVELOPE_ARGP;

void send_options_init(SendOptions *options, Connection *connection);

// Adds the envelope's options to the command, then sends it, or prints it (--dry-run); waits for
// the outcome with --wait. Frees the command. A command of NULL: *error is reported. Returns the
// exit code.
int send_command(const SendOptions *options, ProvisionCommand *command, ProvisionError *error);

// Its parts. The envelope's options; the JSON form on stdout, on one line with --json; the line or
// object that tells where it is (stderr with --wait, else stdout).
bool send_complete(const SendOptions *options, ProvisionCommand *command, ProvisionError *err);
int send_print_form(const SendOptions *options, const ProvisionCommand *command);
void send_tell_sent(const SendOptions *options, const ProvisionCommand *command,
                    const ProvisionReceipt *receipt);

// One for each action; argv[0] is "provisionctl send ACTION". `options` holds what stood before the
// action.
typedef int SendAction(int argc, char **argv, SendOptions *options);

SendAction send_connect_account;
SendAction send_disconnect_account;
SendAction send_discover_account;
SendAction send_create_environment;
SendAction send_branch_environment;
SendAction send_import_environment;
SendAction send_edit_project;
SendAction send_edit_endpoint;
SendAction send_reset_environment;
SendAction send_delete_environment;
SendAction send_set_preview_base;
SendAction send_open_preview;
SendAction send_close_preview;
SendAction send_sweep_account;
SendAction send_delete_orphan;
SendAction send_cancel_command;

#endif
