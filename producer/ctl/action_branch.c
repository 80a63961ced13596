#include <string.h>

#include "base/attr.h"
#include "base/instant.h"
#include "ctl/endpoint.h"
#include "ctl/send.h"
#include "ctl/span.h"
#include "ctl/wanted.h"

enum {
    OPTION_ENVIRONMENT = 'e',
    OPTION_FROM = 0x200,
    OPTION_SOURCE_ACCOUNT,
    OPTION_SOURCE_PROJECT,
    OPTION_SOURCE_BRANCH,
    OPTION_BRANCH_NAME,
    OPTION_AT,
    OPTION_SCHEMA_ONLY,
    OPTION_EXPIRES_IN,
    OPTION_EXPIRES_AT,
    MS_PER_SECOND = 1000,
};

typedef struct Branch {
    SendOptions *options;
    ProvisionBranchEnvironment spec;
    EndpointOptions endpoint;
    Wanted wanted;
} Branch;

static const struct argp_option OPTIONS[] = {
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "Name of the new environment (required)", 0},
    {"source-environment", OPTION_FROM, "NAME", 0, "Environment to branch from, or:", 0},
    {"source-account", OPTION_SOURCE_ACCOUNT, "NAME", 0, "Account that sees the source", 0},
    {"source-project", OPTION_SOURCE_PROJECT, "ID", 0, "Neon project of the source", 0},
    {"source-branch", OPTION_SOURCE_BRANCH, "NAME|ID", 0, "Branch to branch from, exactly", 0},
    {"branch-name", OPTION_BRANCH_NAME, "NAME", 0, "Default: APPLICATION-ENVIRONMENT", 0},
    {"at", OPTION_AT, "TIME|LSN", 0,
     "As the source was then: RFC 3339, so long ago (90s, 5m, 2h), or a position in the WAL "
     "(0/1A2B3C4D)",
     0},
    {"schema-only", OPTION_SCHEMA_ONLY, NULL, 0, "Without the rows", 0},
    {"expires-in", OPTION_EXPIRES_IN, "DURATION", 0,
     "Neon deletes the branch after so long (6h, 7d; at most 30d)", 0},
    {"expires-at", OPTION_EXPIRES_AT, "TIME", 0, "The same as a time (RFC 3339)", 0},
    {0},
};

static const char DOC[] =
    "Makes a new branch with its endpoint, of another environment or of any branch that an account "
    "sees; every inherited password is replaced. Without --service the services are those of the "
    "source environment.";

// A position in the WAL is the only one with a slash.
static void parse_point(ProvisionBranchEnvironment *spec, const char *text,
                        struct argp_state *state)
{
    if (strchr(text, '/') != NULL) {
        spec->lsn = text;
    } else if (!span_parse_instant(text, -1, &spec->point_in_time_ms)) {
        argp_error(state, "--at takes a time such as 2026-11-22T08:07:00Z, 90s, 5m, 2h (ago), or a "
                          "position in the WAL such as 0/1A2B3C4D");
    }
}

static void parse_expiry(int key, const char *text, ProvisionBranchEnvironment *spec,
                         struct argp_state *state)
{
    if (key == OPTION_EXPIRES_IN) {
        spec->expires_at_ms =
            span_now_ms() + span_parse_seconds("expires-in", text, state) * MS_PER_SECOND;
    } else if (!instant_parse(text, &spec->expires_at_ms)) {
        argp_error(state, "--expires-at takes a time such as 2026-11-22T08:07:00Z");
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Branch *branch = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &branch->endpoint;
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
    case OPTION_AT:
        parse_point(&branch->spec, text, state);
        return 0;
    case OPTION_SCHEMA_ONLY:
        branch->spec.schema_only = true;
        return 0;
    case OPTION_EXPIRES_IN:
    case OPTION_EXPIRES_AT:
        parse_expiry(key, text, &branch->spec, state);
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
    branch.spec.endpoint = branch.endpoint.settings;
    branch.spec.services = branch.wanted.services;
    branch.spec.service_count = branch.wanted.service_count;
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_branch_environment(options->application_id, &branch.spec, &error);
    return send_command(options, command, &error);
}
