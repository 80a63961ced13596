#include <limits.h>

#include "base/attr.h"
#include "base/uuid.h"
#include "ctl/answer.h"
#include "ctl/event_report.h"
#include "ctl/exit_code.h"
#include "ctl/print_event.h"
#include "ctl/report.h"
#include "ctl/span.h"
#include "ctl/subcommands.h"

enum {
    OPTION_APPLICATION = 'a',
    OPTION_TIMEOUT = 't',
    OPTION_BEGINNING = 0x200,
    OPTION_SINCE,
    CONTACT_MS = 10000,
    DEFAULT_TIMEOUT_MS = 5 * 60 * 1000,
};

typedef struct Wait {
    Connection *connection;
    ProvisionWatchOptions options;
    const char *command_id;
    int64_t timeout_ms;
} Wait;

static const struct argp_option OPTIONS[] = {
    {"application", OPTION_APPLICATION, "ID", 0, "The command's application (required)", 0},
    {"from-beginning", OPTION_BEGINNING, NULL, 0,
     "Look through all events that the topic still has (the default)", 0},
    {"since", OPTION_SINCE, "TIME", 0,
     "Look through events from a time (RFC 3339), or from so long ago (90s, 5m, 2h)", 0},
    {"timeout", OPTION_TIMEOUT, "DURATION", 0, "Give up after so long (default: 5m)", 0},
    {0},
};

static const char DOC[] = "Waits for the outcome of a command that was sent, and shows it.\v"
                          "Exit codes: 0 succeeded, 10 rejected, 11 failed, 12 cancelled or "
                          "superseded, 75 timed out (the command goes on).";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Wait *wait = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = wait->connection;
        return 0;
    case OPTION_APPLICATION:
        wait->options.application_id = text;
        return 0;
    case OPTION_BEGINNING:
        wait->options.start = PROVISION_START_BEGINNING;
        return 0;
    case OPTION_SINCE:
        wait->options.start = PROVISION_START_SINCE;
        if (!span_parse_instant(text, -1, &wait->options.since_ms)) {
            argp_error(state, "--since takes a time such as 2026-11-22T08:07:00Z, or 90s, 5m, 2h");
        }
        return 0;
    case OPTION_TIMEOUT:
        if (!span_parse(text, &wait->timeout_ms) || wait->timeout_ms > INT_MAX) {
            argp_error(state, "--timeout takes a duration such as 30s or 5m, at most 24d");
        }
        return 0;
    case ARGP_KEY_ARG:
        if (wait->command_id != NULL || !uuid_is_valid(text)) {
            argp_error(state, "wait takes one COMMAND_ID, a UUID");
        }
        wait->command_id = text;
        return 0;
    case ARGP_KEY_END:
        if (wait->command_id == NULL || wait->options.application_id == NULL) {
            argp_error(state, "give COMMAND_ID and --application");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void end_watch(ProvisionWatch **watch)
{
    provision_watch_end(*watch);
}

typedef struct Shown {
    bool json;
    int code; // of the last event
} Shown;

static void show_event(void *context, const ProvisionEvent *event)
{
    Shown *shown = context;
    if (shown->json) {
        print_event_json(stdout, event);
    } else {
        Screen screen = screen_stdout();
        print_event_line(&screen, event);
        event_report_print(&screen, event);
    }
    shown->code = report_outcome(event->outcome);
}

static int await(const Wait *wait, ProvisionClient *client)
{
    ProvisionError error;
    Shown shown = {.json = wait->connection->json};
    ProvisionWatch *watch CLEANUP(end_watch) =
        provision_watch_begin(client, &wait->options, CONTACT_MS, &error);
    return watch != NULL && answer_await(watch, wait->command_id, wait->timeout_ms, show_event,
                                         &shown, &error)
               ? shown.code
               : report_error(wait->connection->json, &error);
}

int wait_run(int argc, char **argv, Connection *connection)
{
    Wait wait = {
        .connection = connection,
        .options = {.start = PROVISION_START_BEGINNING},
        .timeout_ms = DEFAULT_TIMEOUT_MS,
    };
    const struct argp_child children[] = {{&CONNECTION_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = OPTIONS,
                              .parser = parse,
                              .args_doc = "COMMAND_ID",
                              .doc = DOC,
                              .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &wait);
    int code = EXIT_CODE_OK;
    ProvisionClient *client CLEANUP(connection_free_client) = connection_open(connection, &code);
    return client == NULL ? code : await(&wait, client);
}
