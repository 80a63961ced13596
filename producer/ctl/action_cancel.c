#include "base/uuid.h"
#include "ctl/send.h"
#include "ctl/subcommands.h"

typedef struct Cancel {
    SendOptions *options;
    ProvisionCancelCommand spec;
} Cancel;

static const char DOC[] =
    "Stops another command of the application: what it made is undone, and it ends as "
    "CommandCancelled.\vThe outcome of this one (--wait) says that the stop is set; the other "
    "one's "
    "own outcome, how it ended. A command that has ended before is no longer stopped: rejected, "
    "its "
    "outcome named. One that no worker has seen yet ends as soon as one does.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Cancel *cancel = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = cancel->options;
        return 0;
    case ARGP_KEY_ARG:
        if (cancel->spec.command_id != NULL || !uuid_is_valid(text)) {
            argp_error(state, "give one COMMAND_ID, a UUID");
        }
        cancel->spec.command_id = text;
        return 0;
    case ARGP_KEY_END:
        if (cancel->options->application_id == NULL || cancel->spec.command_id == NULL) {
            argp_error(state, "give COMMAND_ID and --application");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_cancel_command(int argc, char **argv, SendOptions *options)
{
    Cancel cancel = {.options = options};
    const struct argp_child children[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .parser = parse, .args_doc = "COMMAND_ID", .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &cancel);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_cancel_command(options->application_id, &cancel.spec, &error);
    return send_command(options, command, &error);
}

int cancel_run(int argc, char **argv, Connection *connection)
{
    SendOptions options;
    send_options_init(&options, connection);
    return send_cancel_command(argc, argv, &options);
}
