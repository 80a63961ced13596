// The actions about previews: the environments of pull requests.
#include <limits.h>
#include <stdlib.h>

#include "base/attr.h"
#include "ctl/send.h"
#include "ctl/span.h"
#include "ctl/wanted.h"

enum {
    OPTION_ENVIRONMENT = 'e',
    OPTION_REPOSITORY = 0x200,
    OPTION_IF_EXPIRED,
    OPTION_GIT_REF,
    OPTION_GIT_SHA,
    OPTION_EXPIRES_IN,
    OPTION_RESET,
    DECIMAL = 10,
};

static const struct argp_child CHILDREN[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};

typedef struct Base {
    SendOptions *options;
    ProvisionSetPreviewBase spec;
} Base;

static const struct argp_option BASE_OPTIONS[] = {
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "Environment to branch from (required)", 0},
    {0},
};

static error_t parse_base(int key, char *text, struct argp_state *state)
{
    Base *base = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = base->options;
        return 0;
    case OPTION_ENVIRONMENT:
        base->spec.environment = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (base->options->application_id == NULL || base->spec.environment == NULL) {
            argp_error(state, "give --application and --environment");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_set_preview_base(int argc, char **argv, SendOptions *options)
{
    Base base = {.options = options};
    const struct argp argp = {.options = BASE_OPTIONS,
                              .parser = parse_base,
                              .doc = "Says which environment previews branch off from now on.",
                              .children = CHILDREN};
    argp_parse(&argp, argc, argv, 0, NULL, &base);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_set_preview_base(options->application_id, &base.spec, &error);
    return send_command(options, command, &error);
}

static int32_t parse_number(const char *text, struct argp_state *state)
{
    char *rest = NULL;
    long number = strtol(text, &rest, DECIMAL);
    if (rest == text || *rest != '\0' || number <= 0 || number > INT32_MAX) {
        argp_error(state, "%s is no number of a pull request", text);
    }
    return (int32_t)number;
}

static void check_end(const SendOptions *options, int32_t pull_request, struct argp_state *state)
{
    if (options->application_id == NULL || pull_request == 0) {
        argp_error(state, "give PULL_REQUEST and --application");
    }
}

typedef struct Open {
    SendOptions *options;
    ProvisionOpenPreview spec;
    Wanted wanted;
} Open;

static const struct argp_option OPEN_OPTIONS[] = {
    {"repository", OPTION_REPOSITORY, "TEXT", 0, "Noted: where the pull request is", 0},
    {"git-ref", OPTION_GIT_REF, "TEXT", 0, "Noted: its branch", 0},
    {"git-sha", OPTION_GIT_SHA, "TEXT", 0, "Noted: its commit", 0},
    {"expires-in", OPTION_EXPIRES_IN, "DURATION", 0,
     "Deleted after so long (6h, 7d; at most 30d), unless it is opened again (default: stays until "
     "it is closed)",
     0},
    {"reset", OPTION_RESET, NULL, 0, "Bring one that is open to what its base is now", 0},
    {0},
};

static const char OPEN_DOC[] =
    "Opens the preview of a pull request: the environment pr:PULL_REQUEST, branched off the "
    "preview base. Opened again it is the same one, with a later expiry.";

static error_t parse_open(int key, char *text, struct argp_state *state)
{
    Open *open = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &open->wanted;
        state->child_inputs[1] = open->options;
        return 0;
    case OPTION_REPOSITORY:
        open->spec.repository = text;
        return 0;
    case OPTION_GIT_REF:
        open->spec.git_ref = text;
        return 0;
    case OPTION_GIT_SHA:
        open->spec.git_sha = text;
        return 0;
    case OPTION_EXPIRES_IN:
        open->spec.expires_in_seconds = span_parse_seconds("expires-in", text, state);
        if (open->spec.expires_in_seconds == 0) { // the command would say: never
            argp_error(state, "--expires-in takes 1s to 30d");
        }
        return 0;
    case OPTION_RESET:
        open->spec.reset = true;
        return 0;
    case ARGP_KEY_ARG:
        if (open->spec.pull_request != 0) {
            argp_error(state, "give one PULL_REQUEST");
        }
        open->spec.pull_request = parse_number(text, state);
        return 0;
    case ARGP_KEY_END:
        check_end(open->options, open->spec.pull_request, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void clear_open(Open *open)
{
    wanted_clear(&open->wanted);
}

int send_open_preview(int argc, char **argv, SendOptions *options)
{
    Open open CLEANUP(clear_open) = {.options = options};
    const struct argp_child children[] = {
        {&WANTED_SERVICES_ARGP, 0, NULL, 0}, {&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = OPEN_OPTIONS,
                              .parser = parse_open,
                              .args_doc = "PULL_REQUEST",
                              .doc = OPEN_DOC,
                              .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &open);
    open.spec.services = open.wanted.services;
    open.spec.service_count = open.wanted.service_count;
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command = provision_open_preview(options->application_id, &open.spec, &error);
    return send_command(options, command, &error);
}

typedef struct Close {
    SendOptions *options;
    ProvisionClosePreview spec;
} Close;

static const struct argp_option CLOSE_OPTIONS[] = {
    {"repository", OPTION_REPOSITORY, "TEXT", 0, "Only if it was opened for this one", 0},
    {"if-expired", OPTION_IF_EXPIRED, NULL, 0, "Only if its expiry has passed; stops nothing", 0},
    {0},
};

static error_t parse_close(int key, char *text, struct argp_state *state)
{
    Close *close = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = close->options;
        return 0;
    case OPTION_REPOSITORY:
        close->spec.repository = text;
        return 0;
    case OPTION_IF_EXPIRED:
        close->spec.if_expired = true;
        return 0;
    case ARGP_KEY_ARG:
        if (close->spec.pull_request != 0) {
            argp_error(state, "give one PULL_REQUEST");
        }
        close->spec.pull_request = parse_number(text, state);
        return 0;
    case ARGP_KEY_END:
        check_end(close->options, close->spec.pull_request, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_close_preview(int argc, char **argv, SendOptions *options)
{
    Close close = {.options = options};
    const struct argp argp = {.options = CLOSE_OPTIONS,
                              .parser = parse_close,
                              .args_doc = "PULL_REQUEST",
                              .doc = "Deletes the branch of a preview, and stops what waits or "
                                     "runs for it. One that is gone is fine.",
                              .children = CHILDREN};
    argp_parse(&argp, argc, argv, 0, NULL, &close);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_close_preview(options->application_id, &close.spec, &error);
    return send_command(options, command, &error);
}
