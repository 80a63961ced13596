#include "base/attr.h"
#include "ctl/endpoint.h"
#include "ctl/send.h"
#include "ctl/wanted.h"

enum {
    OPTION_ENVIRONMENT = 'e',
    OPTION_FROM = 0x200,
    OPTION_SOURCE_ACCOUNT,
    OPTION_SOURCE_PROJECT,
    OPTION_SOURCE_BRANCH,
    OPTION_BRANCH_NAME,
};

typedef struct Branch {
    SendOptions *options;
    ProvisionBranchEnvironment spec;
    Wanted wanted;
} Branch;

static const struct argp_option OPTIONS[] = {
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "Name of the new environment (required)", 0},
    {"source-environment", OPTION_FROM, "NAME", 0, "Environment to branch from, or:", 0},
    {"source-account", OPTION_SOURCE_ACCOUNT, "NAME", 0, "Account that sees the source", 0},
    {"source-project", OPTION_SOURCE_PROJECT, "ID", 0, "Neon project of the source", 0},
    {"source-branch", OPTION_SOURCE_BRANCH, "NAME|ID", 0, "Branch to branch from, exactly", 0},
    {"branch-name", OPTION_BRANCH_NAME, "NAME", 0, "Default: APPLICATION-ENVIRONMENT", 0},
    {0},
};

static const char DOC[] =
    "Makes a new branch with its endpoint, of another environment or of any branch that an account "
    "sees; every inherited password is replaced. Without --service the services are those of the "
    "source environment.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Branch *branch = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &branch->spec.endpoint;
        state->child_inputs[1] = &branch->wanted;
        state->child_inputs[2] = branch->options;
        return 0;
    case OPTION_ENVIRONMENT:
        branch->spec.environment = text;
        return 0;
    case OPTION_FROM:
        branch->spec.source_environment = text;
        return 0;
    case OPTION_SOURCE_ACCOUNT:
        branch->spec.source_account = text;
        return 0;
    case OPTION_SOURCE_PROJECT:
        branch->spec.source_project_id = text;
        return 0;
    case OPTION_SOURCE_BRANCH:
        branch->spec.source_branch = text;
        return 0;
    case OPTION_BRANCH_NAME:
        branch->spec.branch_name = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (branch->options->application_id == NULL || branch->spec.environment == NULL) {
            argp_error(state, "give --application and --environment");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void clear(Branch *branch)
{
    wanted_clear(&branch->wanted);
}

int send_branch_environment(int argc, char **argv, SendOptions *options)
{
    Branch branch CLEANUP(clear) = {.options = options};
    const struct argp_child children[] = {
        {&ENDPOINT_ARGP, 0, NULL, 0},
        {&WANTED_SERVICES_ARGP, 0, NULL, 0},
        {&SEND_OPTIONS_ARGP, 0, NULL, 0},
        {0},
    };
    const struct argp argp = {
        .options = OPTIONS, .parser = parse, .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &branch);
    branch.spec.services = branch.wanted.services;
    branch.spec.service_count = branch.wanted.service_count;
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_branch_environment(options->application_id, &branch.spec, &error);
    return send_command(options, command, &error);
}
