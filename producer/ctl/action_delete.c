#include "ctl/send.h"

enum { OPTION_ENVIRONMENT = 'e', OPTION_DELETE_DATA = 0x200, OPTION_IF_EXPIRED };

typedef struct Delete {
    SendOptions *options;
    ProvisionDeleteEnvironment spec;
} Delete;

static const struct argp_option OPTIONS[] = {
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "Environment to delete (required)", 0},
    {"delete-data", OPTION_DELETE_DATA, NULL, 0,
     "Needed where we made the project: it is deleted with all its data", 0},
    {"if-expired", OPTION_IF_EXPIRED, NULL, 0, "Only if its expiry has passed", 0},
    {0},
};

static const char DOC[] = "Deletes an environment: its branch, or the project that we made for it.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Delete *delete = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = delete->options;
        return 0;
    case OPTION_ENVIRONMENT:
        delete->spec.environment = text;
        return 0;
    case OPTION_DELETE_DATA:
        delete->spec.delete_data = true;
        return 0;
    case OPTION_IF_EXPIRED:
        delete->spec.if_expired = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (delete->options->application_id == NULL || delete->spec.environment == NULL) {
            argp_error(state, "give --application and --environment");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_delete_environment(int argc, char **argv, SendOptions *options)
{
    Delete delete = {.options = options};
    const struct argp_child children[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = OPTIONS, .parser = parse, .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &delete);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_delete_environment(options->application_id, &delete.spec, &error);
    return send_command(options, command, &error);
}
