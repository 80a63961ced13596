#include <stdlib.h>

#include "ctl/send.h"

enum {
    OPTION_ENVIRONMENT = 'e',
    OPTION_ACCOUNT = 0x200,
    OPTION_PROJECT,
    OPTION_BRANCH,
    OPTION_CREATE_ENDPOINT,
    OPTION_SHARED,
};

typedef struct Import {
    SendOptions *options;
    ProvisionImportEnvironment spec;
} Import;

static const struct argp_option OPTIONS[] = {
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "Name of the new environment (required)", 0},
    {"account", OPTION_ACCOUNT, "NAME", 0, "Account that sees the branch (required)", 0},
    {"project", OPTION_PROJECT, "ID", 0, "Neon project of the branch (required)", 0},
    {"branch", OPTION_BRANCH, "NAME|ID", 0, "The branch, exactly (required)", 0},
    {"create-endpoint", OPTION_CREATE_ENDPOINT, NULL, 0, "Make one if the branch has none", 0},
    {"shared", OPTION_SHARED, NULL, 0, "Another environment has imported the branch, too", 0},
    {0},
};

static const char DOC[] =
    "Takes a branch that is there as an environment: no branch is made and nothing is changed. "
    "With --wait a report tells what is in it, and what SetupRoles would change.";

static bool is_complete(const Import *import)
{
    const ProvisionImportEnvironment *spec = &import->spec;
    return import->options->application_id != NULL && spec->environment != NULL &&
           spec->account != NULL && spec->project_id != NULL && spec->branch != NULL;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Import *import = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = import->options;
        return 0;
    case OPTION_ENVIRONMENT:
        import->spec.environment = text;
        return 0;
    case OPTION_ACCOUNT:
        import->spec.account = text;
        return 0;
    case OPTION_PROJECT:
        import->spec.project_id = text;
        return 0;
    case OPTION_BRANCH:
        import->spec.branch = text;
        return 0;
    case OPTION_CREATE_ENDPOINT:
        import->spec.create_endpoint = true;
        return 0;
    case OPTION_SHARED:
        import->spec.shared = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (!is_complete(import)) {
            argp_error(state,
                       "give --application, --environment, --account, --project and --branch");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_import_environment(int argc, char **argv, SendOptions *options)
{
    Import import = {.options = options};
    const struct argp_child children[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = OPTIONS, .parser = parse, .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &import);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_import_environment(options->application_id, &import.spec, &error);
    return send_command(options, command, &error);
}
