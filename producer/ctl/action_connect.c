#include "base/attr.h"
#include "ctl/api_key.h"
#include "ctl/send.h"

enum { OPTION_ACCOUNT = 0x200, OPTION_ORG_ID, OPTION_REFERENCE };

typedef struct Connect {
    SendOptions *options;
    ApiKeyOptions api_key;
    ProvisionConnectAccount spec;
} Connect;

static const struct argp_option OPTIONS[] = {
    {"account", OPTION_ACCOUNT, "NAME", 0, "Name for the key (required)", 0},
    {"org-id", OPTION_ORG_ID, "ID", 0,
     "Neon organization; needed where a personal key reaches several", 0},
    {"reference", OPTION_REFERENCE, "file:NAME|env:NAME", 0,
     "Instead of a key: where the workers find it", 0},
    {0},
};

static const char DOC[] = "Stores a Neon API key under a name; again with another key replaces it.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Connect *connect = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &connect->api_key;
        state->child_inputs[1] = connect->options;
        return 0;
    case OPTION_ACCOUNT:
        connect->spec.account = text;
        return 0;
    case OPTION_ORG_ID:
        connect->spec.org_id = text;
        return 0;
    case OPTION_REFERENCE:
        connect->spec.reference = text;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    case ARGP_KEY_END:
        if (connect->options->application_id == NULL || connect->spec.account == NULL) {
            argp_error(state, "give --application and --account");
        }
        if (api_key_is_given(&connect->api_key) == (connect->spec.reference != NULL)) {
            argp_error(state, "give one of --api-key-file, --api-key-env and --reference");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int send_connect_account(int argc, char **argv, SendOptions *options)
{
    Connect connect = {.options = options};
    const struct argp_child children[] = {
        {&API_KEY_ARGP, 0, NULL, 0}, {&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = OPTIONS, .parser = parse, .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &connect);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    Secret api_key CLEANUP(secret_clear) = SECRET_INIT;
    uint8_t public_key[PROVISION_KEY_BYTES];
    if (api_key_is_given(&connect.api_key)) {
        if (!api_key_read(&connect.api_key, &api_key, public_key, &error)) {
            return send_command(options, NULL, &error);
        }
        connect.spec.api_key = secret_reveal(&api_key);
        connect.spec.fleet_public_key = public_key;
    }
    ProvisionCommand *command =
        provision_connect_account(options->application_id, &connect.spec, &error);
    return send_command(options, command, &error);
}
