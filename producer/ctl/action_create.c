#include <stdlib.h>

#include "base/attr.h"
#include "ctl/endpoint.h"
#include "ctl/send.h"
#include "ctl/span.h"
#include "ctl/wanted.h"

enum {
    OPTION_ENVIRONMENT = 'e',
    OPTION_ACCOUNT = 0x200,
    OPTION_REGION,
    OPTION_PROJECT_NAME,
    OPTION_BRANCH_NAME,
    OPTION_PG_VERSION,
    OPTION_RETENTION,
};

typedef struct Create {
    SendOptions *options;
    ProvisionCreateEnvironment spec;
    EndpointOptions endpoint;
    Wanted wanted;
} Create;

static const struct argp_option OPTIONS[] = {
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "Name of the new environment (required)", 0},
    {"account", OPTION_ACCOUNT, "NAME", 0, "Account that makes it (required)", 0},
    {"region", OPTION_REGION, "ID", 0, "Such as aws-eu-central-1 (required)", 0},
    {"project-name", OPTION_PROJECT_NAME, "NAME", 0, "Default: APPLICATION-ENVIRONMENT", 0},
    {"branch-name", OPTION_BRANCH_NAME, "NAME", 0, "Default: main", 0},
    {"pg-version", OPTION_PG_VERSION, "MAJOR", 0, "PostgreSQL version (default: Neon's)", 0},
    {"history-retention", OPTION_RETENTION, "DURATION", 0,
     "How far back a branch may start: 0s to 30d (default: Neon's)", 0},
    {0},
};

static const char DOC[] = "Makes a new Neon project with its branch and endpoint, the databases "
                          "(default: neondb) and the "
                          "roles of its services.";

static int32_t parse_version(const char *text, struct argp_state *state)
{
    char *rest = NULL;
    long version = strtol(text, &rest, 10);
    if (rest == text || *rest != '\0' || version <= 0 || version > INT32_MAX) {
        argp_error(state, "--pg-version takes a major version such as 17");
    }
    return (int32_t)version;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Create *create = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &create->endpoint;
        state->child_inputs[1] = &create->wanted;
        state->child_inputs[2] = create->options;
        return 0;
    case OPTION_ENVIRONMENT:
        create->spec.environment = text;
        return 0;
    case OPTION_ACCOUNT:
        create->spec.account = text;
        return 0;
    case OPTION_REGION:
        create->spec.region_id = text;
        return 0;
    case OPTION_PROJECT_NAME:
        create->spec.project_name = text;
        return 0;
    case OPTION_BRANCH_NAME:
        create->spec.branch_name = text;
        return 0;
    case OPTION_PG_VERSION:
        create->spec.pg_version = parse_version(text, state);
        return 0;
    case OPTION_RETENTION:
        create->spec.history_retention_seconds =
            span_parse_seconds("history-retention", text, state);
        create->spec.has_history_retention = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (create->options->application_id == NULL || create->spec.environment == NULL ||
            create->spec.account == NULL || create->spec.region_id == NULL) {
            argp_error(state, "give --application, --environment, --account and --region");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void clear(Create *create)
{
    wanted_clear(&create->wanted);
}

int send_create_environment(int argc, char **argv, SendOptions *options)
{
    Create create CLEANUP(clear) = {.options = options};
    const struct argp_child children[] = {
        {&ENDPOINT_ARGP, 0, NULL, 0},
        {&WANTED_ARGP, 0, NULL, 0},
        {&SEND_OPTIONS_ARGP, 0, NULL, 0},
        {0},
    };
    const struct argp argp = {
        .options = OPTIONS, .parser = parse, .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &create);
    create.spec.endpoint = create.endpoint.settings;
    create.spec.databases = create.wanted.databases;
    create.spec.database_count = create.wanted.database_count;
    create.spec.services = create.wanted.services;
    create.spec.service_count = create.wanted.service_count;
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_create_environment(options->application_id, &create.spec, &error);
    return send_command(options, command, &error);
}
