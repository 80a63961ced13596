// The actions that change the settings of what is there.
#include <stdlib.h>

#include "ctl/endpoint.h"
#include "ctl/send.h"
#include "ctl/span.h"

enum { OPTION_ENVIRONMENT = 'e', OPTION_RETENTION = 0x200, OPTION_REFRESH };

typedef struct Project {
    SendOptions *options;
    ProvisionEditProject spec;
} Project;

static const struct argp_option PROJECT_OPTIONS[] = {
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "An environment of the project (required)", 0},
    {"history-retention", OPTION_RETENTION, "DURATION", 0,
     "How far back a branch may start: 0s to 30d, as the plan allows; or:", 0},
    {"refresh", OPTION_REFRESH, NULL, 0, "Change nothing: take over what Neon says of it", 0},
    {0},
};

static const char PROJECT_DOC[] = "Changes the Neon project of an environment. Other environments "
                                  "that live in it change with it, and are named.";

static error_t parse_project(int key, char *text, struct argp_state *state)
{
    Project *project = state->input;
    ProvisionEditProject *spec = &project->spec;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = project->options;
        return 0;
    case OPTION_ENVIRONMENT:
        spec->environment = text;
        return 0;
    case OPTION_RETENTION:
        spec->history_retention_seconds = span_parse_seconds("history-retention", text, state);
        spec->has_history_retention = true;
        return 0;
    case OPTION_REFRESH:
        spec->refresh = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (project->options->application_id == NULL || spec->environment == NULL ||
            spec->has_history_retention == spec->refresh) {
            argp_error(state, "give --application, --environment and one of --history-retention "
                              "and --refresh");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_edit_project(int argc, char **argv, SendOptions *options)
{
    Project project = {.options = options};
    const struct argp_child children[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = PROJECT_OPTIONS,
                              .parser = parse_project,
                              .doc = PROJECT_DOC,
                              .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &project);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_edit_project(options->application_id, &project.spec, &error);
    return send_command(options, command, &error);
}

typedef struct Endpoint {
    SendOptions *options;
    const char *environment;
    EndpointOptions endpoint;
} Endpoint;

static const struct argp_option ENDPOINT_OPTIONS[] = {
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "Environment to change (required)", 0},
    {0},
};

static const char ENDPOINT_DOC[] =
    "Changes the compute of an environment, where it differs. Neon restarts it: its connections "
    "end. What isn't given stays as it is.";

static ProvisionEditEndpoint edit_of(const Endpoint *endpoint)
{
    const ProvisionEndpoint *settings = &endpoint->endpoint.settings;
    return (ProvisionEditEndpoint){
        .environment = endpoint->environment,
        .has_min_cu = settings->min_cu != 0,
        .has_max_cu = settings->max_cu != 0,
        .has_suspend_timeout = endpoint->endpoint.has_suspend_timeout,
        .min_cu = settings->min_cu,
        .max_cu = settings->max_cu,
        .suspend_timeout_seconds = settings->suspend_timeout_seconds,
    };
}

static bool changes_nothing(const Endpoint *endpoint)
{
    ProvisionEditEndpoint edit = edit_of(endpoint);
    return !edit.has_min_cu && !edit.has_max_cu && !edit.has_suspend_timeout;
}

static error_t parse_endpoint(int key, char *text, struct argp_state *state)
{
    Endpoint *endpoint = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &endpoint->endpoint;
        state->child_inputs[1] = endpoint->options;
        return 0;
    case OPTION_ENVIRONMENT:
        endpoint->environment = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_SUCCESS: // the children's options are known by now
        if (endpoint->options->application_id == NULL || endpoint->environment == NULL ||
            changes_nothing(endpoint)) {
            argp_error(state, "give --application, --environment and one or more of --min-cu, "
                              "--max-cu and --suspend-timeout");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_edit_endpoint(int argc, char **argv, SendOptions *options)
{
    Endpoint endpoint = {.options = options};
    const struct argp_child children[] = {
        {&ENDPOINT_ARGP, 0, NULL, 0}, {&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = ENDPOINT_OPTIONS,
                              .parser = parse_endpoint,
                              .doc = ENDPOINT_DOC,
                              .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &endpoint);
    ProvisionEditEndpoint spec = edit_of(&endpoint);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command = provision_edit_endpoint(options->application_id, &spec, &error);
    return send_command(options, command, &error);
}
