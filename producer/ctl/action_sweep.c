// The actions about what no environment owns.
#include "base/uuid.h"
#include "ctl/send.h"

enum {
    OPTION_ENVIRONMENT = 'e',
    OPTION_ACCOUNT = 0x200,
    OPTION_DELETE,
    OPTION_PROJECT,
    OPTION_BRANCH,
    OPTION_COMMAND,
    OPTION_NEON_ACCOUNT,
    OPTION_ORGANIZATION,
};

static const struct argp_child CHILDREN[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};

typedef struct Sweep {
    SendOptions *options;
    ProvisionSweepAccount spec;
} Sweep;

static const struct argp_option SWEEP_OPTIONS[] = {
    {"account", OPTION_ACCOUNT, "NAME", 0, "Account to look through (required)", 0},
    {"delete", OPTION_DELETE, NULL, 0, "Send a command for each orphan that deletes it", 0},
    {0},
};

static const char SWEEP_DOC[] =
    "Looks through all that the key of an account sees for branches that a finished command made "
    "and no environment owns, and for environments past their expiry; with --wait they are "
    "listed.\vIt changes nothing itself. All accounts at once: provision-worker sweep.";

static error_t parse_sweep(int key, char *text, struct argp_state *state)
{
    Sweep *sweep = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = sweep->options;
        return 0;
    case OPTION_ACCOUNT:
        sweep->spec.account = text;
        return 0;
    case OPTION_DELETE:
        sweep->spec.delete_orphans = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (sweep->options->application_id == NULL || sweep->spec.account == NULL) {
            argp_error(state, "give --application and --account");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_sweep_account(int argc, char **argv, SendOptions *options)
{
    Sweep sweep = {.options = options};
    const struct argp argp = {
        .options = SWEEP_OPTIONS, .parser = parse_sweep, .doc = SWEEP_DOC, .children = CHILDREN};
    argp_parse(&argp, argc, argv, 0, NULL, &sweep);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_sweep_account(options->application_id, &sweep.spec, &error);
    return send_command(options, command, &error);
}

typedef struct Orphan {
    SendOptions *options;
    ProvisionDeleteOrphan spec;
} Orphan;

static const struct argp_option ORPHAN_OPTIONS[] = {
    {"environment", OPTION_ENVIRONMENT, "NAME", 0, "That the branch's mark names (required)", 0},
    {"account", OPTION_ACCOUNT, "NAME", 0, "Whose key sees it (required)", 0},
    {"project", OPTION_PROJECT, "ID", 0, "Its project (required)", 0},
    {"branch", OPTION_BRANCH, "ID", 0, "The branch (required)", 0},
    {"command", OPTION_COMMAND, "ID", 0, "That the branch's mark names (required)", 0},
    {"neon-account", OPTION_NEON_ACCOUNT, "ID", 0, "Neon account whose key has seen it", 0},
    {"org-id", OPTION_ORGANIZATION, "ID", 0, "Organization that it was seen in", 0},
    {0},
};

static const char ORPHAN_DOC[] =
    "Deletes a branch that a finished command made and no environment owns; the whole project, "
    "where it is the root of one that was created and nothing else stands in it.\vAll of it is as "
    "a sweep has told, and is checked again first.";

static bool lacks_any(const Orphan *orphan)
{
    const ProvisionDeleteOrphan *spec = &orphan->spec;
    return orphan->options->application_id == NULL || spec->environment == NULL ||
           spec->account == NULL || spec->project_id == NULL || spec->branch_id == NULL ||
           spec->command_id == NULL;
}

static error_t parse_orphan(int key, char *text, struct argp_state *state)
{
    Orphan *orphan = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = orphan->options;
        return 0;
    case OPTION_ENVIRONMENT:
        orphan->spec.environment = text;
        return 0;
    case OPTION_ACCOUNT:
        orphan->spec.account = text;
        return 0;
    case OPTION_PROJECT:
        orphan->spec.project_id = text;
        return 0;
    case OPTION_BRANCH:
        orphan->spec.branch_id = text;
        return 0;
    case OPTION_COMMAND:
        if (!uuid_is_valid(text)) {
            argp_error(state, "--command takes a UUID");
        }
        orphan->spec.command_id = text;
        return 0;
    case OPTION_NEON_ACCOUNT:
        orphan->spec.neon_account_id = text;
        return 0;
    case OPTION_ORGANIZATION:
        orphan->spec.org_id = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (lacks_any(orphan)) {
            argp_error(state, "give --application, --environment, --account, --project, --branch "
                              "and --command");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_delete_orphan(int argc, char **argv, SendOptions *options)
{
    Orphan orphan = {.options = options};
    const struct argp argp = {
        .options = ORPHAN_OPTIONS, .parser = parse_orphan, .doc = ORPHAN_DOC, .children = CHILDREN};
    argp_parse(&argp, argc, argv, 0, NULL, &orphan);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_delete_orphan(options->application_id, &orphan.spec, &error);
    return send_command(options, command, &error);
}
