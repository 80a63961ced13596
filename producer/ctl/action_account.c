// The actions that only name an account.
#include <stdlib.h>

#include "ctl/send.h"

enum { OPTION_ACCOUNT = 0x200, OPTION_PROJECT };

typedef struct Account {
    SendOptions *options;
    const char *account;
    const char *project_filter;
} Account;

static const struct argp_option DISCONNECT_OPTIONS[] = {
    {"account", OPTION_ACCOUNT, "NAME", 0, "Account to forget (required)", 0},
    {0},
};

static const char DISCONNECT_DOC[] =
    "Forgets the API key of an account; refused while environments use it.";

static const struct argp_option DISCOVER_OPTIONS[] = {
    {"account", OPTION_ACCOUNT, "NAME", 0, "Account to look through (required)", 0},
    {"project", OPTION_PROJECT, "TEXT", 0, "Only projects with this in their name or id", 0},
    {0},
};

static const char DISCOVER_DOC[] =
    "Finds the regions, projects and branches that the key of an account sees; with --wait they "
    "are shown as a tree.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Account *account = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = account->options;
        return 0;
    case OPTION_ACCOUNT:
        account->account = text;
        return 0;
    case OPTION_PROJECT:
        account->project_filter = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (account->options->application_id == NULL || account->account == NULL) {
            argp_error(state, "give --application and --account");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child CHILDREN[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};

int send_disconnect_account(int argc, char **argv, SendOptions *options)
{
    Account account = {.options = options};
    const struct argp argp = {.options = DISCONNECT_OPTIONS,
                              .parser = parse,
                              .doc = DISCONNECT_DOC,
                              .children = CHILDREN};
    argp_parse(&argp, argc, argv, 0, NULL, &account);
    ProvisionDisconnectAccount spec = {.account = account.account};
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command =
        provision_disconnect_account(options->application_id, &spec, &error);
    return send_command(options, command, &error);
}

int send_discover_account(int argc, char **argv, SendOptions *options)
{
    Account account = {.options = options};
    const struct argp argp = {
        .options = DISCOVER_OPTIONS, .parser = parse, .doc = DISCOVER_DOC, .children = CHILDREN};
    argp_parse(&argp, argc, argv, 0, NULL, &account);
    ProvisionDiscoverAccount spec = {.account = account.account,
                                     .project_filter = account.project_filter};
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command = provision_discover_account(options->application_id, &spec, &error);
    return send_command(options, command, &error);
}
