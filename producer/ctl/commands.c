#include "base/attr.h"
#include "ctl/exit_code.h"
#include "ctl/report.h"
#include "ctl/span.h"
#include "ctl/status_ledger.h"
#include "ctl/status_print.h"
#include "ctl/subcommands.h"

enum { OPTION_APPLICATION = 'a', OPTION_STUCK = 0x200, DEFAULT_STUCK_MS = 60 * 1000 };

typedef struct Commands {
    Connection *connection;
    LedgerOptions ledger;
    const char *application_id;
    bool only_stuck;
    int64_t stuck_ms;
} Commands;

static const struct argp_option OPTIONS[] = {
    {"application", OPTION_APPLICATION, "ID", 0, "Only those of this application", 0},
    {"stuck", OPTION_STUCK, "DURATION", OPTION_ARG_OPTIONAL,
     "Only those without progress for so long (default: 1m)", 0},
    {0},
};

static const char DOC[] =
    "Lists the commands that workers have claimed and not finished, or not published, from the "
    "ledger; those without progress for the longest time first.\v"
    "Commands that wait for others of their application aren't claimed yet, and stand in no "
    "ledger: provisionctl status tells of one. A stop mark is kept where a command was cancelled "
    "before any worker saw it, and is never stuck. Exit codes: 0; 1 with --stuck, where there are "
    "any.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Commands *commands = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = commands->connection;
        state->child_inputs[1] = &commands->ledger;
        return 0;
    case OPTION_APPLICATION:
        commands->application_id = text;
        return 0;
    case OPTION_STUCK:
        commands->only_stuck = true;
        commands->stuck_ms = DEFAULT_STUCK_MS;
        if (text != NULL && !span_parse(text, &commands->stuck_ms)) {
            argp_error(state, "--stuck takes a duration such as 30s, 5m or 2h (--stuck=5m)");
        }
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void free_json(json_t **json)
{
    json_decref(*json);
}

static void print_lines(const json_t *list)
{
    size_t index;
    const json_t *command;
    json_array_foreach(list, index, command)
    {
        (void)json_dumpf(command, stdout, JSON_COMPACT);
        (void)fputc('\n', stdout);
    }
}

int commands_run(int argc, char **argv, Connection *connection)
{
    Commands commands = {.connection = connection, .stuck_ms = -1};
    const struct argp_child children[] = {
        {&CONNECTION_ARGP, 0, NULL, 0}, {&LEDGER_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = OPTIONS, .parser = parse, .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &commands);
    ProvisionError error;
    PGconn *ledger CLEANUP(ledger_reader_close_at) = ledger_reader_open(&commands.ledger, &error);
    if (ledger == NULL) {
        return report_error(connection->json, &error);
    }
    json_t *list CLEANUP(free_json) =
        status_ledger_list(ledger, commands.application_id, commands.stuck_ms, &error);
    if (list == NULL) {
        return report_error(connection->json, &error);
    }
    if (connection->json) {
        print_lines(list);
    } else {
        Screen screen = screen_stdout();
        status_print_table(&screen, list);
    }
    return commands.only_stuck && json_array_size(list) > 0 ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}
