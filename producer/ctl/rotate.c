#include "ctl/send.h"
#include "ctl/subcommands.h"

enum { OPTION_ROLE = 'r', OPTION_SERVICE = 's', OPTION_ALL = 0x700 };

typedef struct Rotate {
    SendOptions options;
    ProvisionRotateCredentials spec;
} Rotate;

static const struct argp_option OPTIONS[] = {
    {"role", OPTION_ROLE, "NAME", 0, "One role", 0},
    {"service", OPTION_SERVICE, "NAME", 0, "The role of a service, svc_NAME", 0},
    {"all", OPTION_ALL, NULL, 0, "Every role of the environment that logs in", 0},
    {0},
};

static const char DOC[] =
    "Gives a service, a role or all roles of an environment new passwords.\v"
    "The old ones no longer log in; sessions that are open stay. Of an imported environment only "
    "roles that the workers made. See provisionctl reveal for the new ones.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Rotate *rotate = state->input;
    const ProvisionRotateCredentials *spec = &rotate->spec;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &rotate->options;
        return 0;
    case OPTION_ROLE:
        rotate->spec.role = text;
        return 0;
    case OPTION_SERVICE:
        rotate->spec.service = text;
        return 0;
    case OPTION_ALL:
        rotate->spec.all = true;
        return 0;
    case ARGP_KEY_ARG:
        if (spec->environment != NULL) {
            argp_error(state, "rotate takes one ENVIRONMENT");
        }
        rotate->spec.environment = text;
        return 0;
    case ARGP_KEY_END:
        if (spec->environment == NULL || rotate->options.application_id == NULL ||
            (spec->role != NULL) + (spec->service != NULL) + spec->all != 1) {
            argp_error(state,
                       "give ENVIRONMENT, --application and one of --service, --role and --all");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int rotate_run(int argc, char **argv, Connection *connection)
{
    const struct argp_child children[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = OPTIONS,
                              .parser = parse,
                              .args_doc = "ENVIRONMENT",
                              .doc = DOC,
                              .children = children};
    Rotate rotate = {.spec = {.environment = NULL}};
    send_options_init(&rotate.options, connection);
    argp_parse(&argp, argc, argv, 0, NULL, &rotate);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_rotate_credentials(rotate.options.application_id, &rotate.spec, &error);
    return send_command(&rotate.options, command, &error);
}
