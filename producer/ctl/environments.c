#include <limits.h>

#include "base/attr.h"
#include "ctl/exit_code.h"
#include "ctl/print_state.h"
#include "ctl/report.h"
#include "ctl/span.h"
#include "ctl/subcommands.h"

enum { OPTION_APPLICATION = 'a', OPTION_TIMEOUT = 't', DEFAULT_TIMEOUT_MS = 30000 };

typedef struct Environments {
    Connection *connection;
    const char *application_id;
    int64_t timeout_ms;
    StateTable *table;
} Environments;

static const struct argp_option OPTIONS[] = {
    {"application", OPTION_APPLICATION, "ID", 0, "Only those of this application", 0},
    {"timeout", OPTION_TIMEOUT, "DURATION", 0, "Give up after so long (default: 30s)", 0},
    {0},
};

static const char DOC[] = "Lists the environments there are, from the state topic.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Environments *environments = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = environments->connection;
        return 0;
    case OPTION_APPLICATION:
        environments->application_id = text;
        return 0;
    case OPTION_TIMEOUT:
        if (!span_parse(text, &environments->timeout_ms) || environments->timeout_ms > INT_MAX) {
            argp_error(state, "--timeout takes a duration such as 30s or 5m, at most 24d");
        }
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool add(void *context, const ProvisionState *state)
{
    Environments *environments = context;
    if (!environments->connection->json) {
        print_state_table_add(environments->table, state);
    } else if (state->kind == PROVISION_SUBJECT_ENVIRONMENT) {
        print_state_json(stdout, state);
    }
    return true;
}

static void free_table(StateTable **table)
{
    print_state_table_free(*table);
}

int environments_run(int argc, char **argv, Connection *connection)
{
    StateTable *table CLEANUP(free_table) = print_state_table_new();
    Environments environments = {
        .connection = connection, .timeout_ms = DEFAULT_TIMEOUT_MS, .table = table};
    const struct argp_child children[] = {{&CONNECTION_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = OPTIONS, .parser = parse, .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &environments);
    int code = EXIT_CODE_OK;
    ProvisionClient *client CLEANUP(connection_free_client) = connection_open(connection, &code);
    if (client == NULL) {
        return code;
    }
    ProvisionError error;
    if (!provision_client_read_states(client, environments.application_id,
                                      (int)environments.timeout_ms, add, &environments, &error)) {
        return report_error(connection->json, &error);
    }
    if (!connection->json) {
        Screen screen = screen_stdout();
        print_state_table(&screen, table);
    }
    return EXIT_CODE_OK;
}
