#include <stdlib.h>

#include "ctl/send.h"

enum { OPTION_ENVIRONMENT = 'e', OPTION_PRESERVE = 0x200 };

typedef struct Reset {
    SendOptions *options;
    ProvisionResetEnvironment spec;
} Reset;

static const struct argp_option OPTIONS[] = {
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "Environment to reset (required)", 0},
    {"preserve-under-name", OPTION_PRESERVE, "NAME", 0,
     "Keep the branch's children, and what it holds now, under a branch of this name", 0},
    {0},
};

static const char DOC[] =
    "Brings the branch of an environment to what its parent is now: what it held is gone, and its "
    "passwords are replaced.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Reset *reset = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = reset->options;
        return 0;
    case OPTION_ENVIRONMENT:
        reset->spec.environment = text;
        return 0;
    case OPTION_PRESERVE:
        reset->spec.preserve_under_name = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (reset->options->application_id == NULL || reset->spec.environment == NULL) {
            argp_error(state, "give --application and --environment");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_reset_environment(int argc, char **argv, SendOptions *options)
{
    Reset reset = {.options = options};
    const struct argp_child children[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = OPTIONS, .parser = parse, .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &reset);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_reset_environment(options->application_id, &reset.spec, &error);
    return send_command(options, command, &error);
}
