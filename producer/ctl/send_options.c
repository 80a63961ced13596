#include <limits.h>
#include <string.h>

#include "ctl/send.h"
#include "ctl/span.h"

enum {
    OPTION_APPLICATION = 'a',
    OPTION_LABEL = 'l',
    OPTION_TIMEOUT = 't',
    OPTION_WAIT = 'w',
    OPTION_COMMAND_ID = 0x300,
    OPTION_DEADLINE,
    OPTION_REQUESTED_BY,
    OPTION_TRACEPARENT,
    OPTION_DRY_RUN,
    DEFAULT_TIMEOUT_MS = 5 * 60 * 1000,
};

static const struct argp_option IDENTITY[] = {
    {NULL, 0, NULL, 0, "The command:", 50},
    {"application", OPTION_APPLICATION, "ID", 0, "The application that it belongs to (required)",
     50},
    {"command-id", OPTION_COMMAND_ID, "UUID", 0,
     "Idempotency key, for sending the same command again (default: a new one)", 50},
    {0},
};

static const struct argp_option OPTIONS[] = {
    {NULL, 0, NULL, 0, "The command:", 50},
    {"deadline", OPTION_DEADLINE, "TIME", 0,
     "No step starts after it: RFC 3339, or a duration from now (90s, 5m, 2h)", 50},
    {"requested-by", OPTION_REQUESTED_BY, "TEXT", 0, "Who asks, for the audit", 50},
    {"label", OPTION_LABEL, "KEY=VALUE", 0, "Label, may be repeated", 50},
    {"traceparent", OPTION_TRACEPARENT, "VALUE", 0, "W3C trace context to continue", 50},
    {"wait", OPTION_WAIT, NULL, 0, "Wait for the outcome and show it", 50},
    {"timeout", OPTION_TIMEOUT, "DURATION", 0, "With --wait: give up after so long (default: 5m)",
     50},
    {"dry-run", OPTION_DRY_RUN, NULL, 0, "Check it and print its JSON form, send nothing", 50},
    {0},
};

static const struct argp_child CHILDREN[] = {{&CONNECTION_ARGP, 0, NULL, 0}, {0}};

void send_options_init(SendOptions *options, Connection *connection)
{
    *options = (SendOptions){.connection = connection, .timeout_ms = DEFAULT_TIMEOUT_MS};
}

static void add_label(SendOptions *options, const char *text, struct argp_state *state)
{
    if (strchr(text, '=') == NULL) {
        argp_error(state, "--label takes KEY=VALUE");
    } else if (options->label_count == SEND_LABELS_MAX) {
        argp_error(state, "at most %d labels", SEND_LABELS_MAX);
    } else {
        options->labels[options->label_count++] = text;
    }
}

static error_t parse_time(int key, const char *text, SendOptions *options, struct argp_state *state)
{
    if (key == OPTION_DEADLINE) {
        if (!span_parse_instant(text, 1, &options->deadline_ms)) {
            argp_error(state,
                       "--deadline takes a time such as 2026-11-22T08:07:00Z, or 90s, 5m, 2h");
        }
    } else if (!span_parse(text, &options->timeout_ms) || options->timeout_ms > INT_MAX) {
        argp_error(state, "--timeout takes a duration such as 30s or 5m, at most 24d");
    }
    return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    SendOptions *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->connection;
        return 0;
    case OPTION_REQUESTED_BY:
        options->requested_by = text;
        return 0;
    case OPTION_TRACEPARENT:
        options->traceparent = text;
        return 0;
    case OPTION_LABEL:
        add_label(options, text, state);
        return 0;
    case OPTION_DEADLINE:
    case OPTION_TIMEOUT:
        return parse_time(key, text, options, state);
    case OPTION_WAIT:
        options->wait = true;
        return 0;
    case OPTION_DRY_RUN:
        options->dry_run = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp SEND_ENVELOPE_ARGP = {.options = OPTIONS, .parser = parse, .children = CHILDREN};

static const struct argp_child ENVELOPE[] = {{&SEND_ENVELOPE_ARGP, 0, NULL, 0}, {0}};

static error_t parse_identity(int key, char *text, struct argp_state *state)
{
    SendOptions *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options;
        return 0;
    case OPTION_APPLICATION:
        options->application_id = text;
        return 0;
    case OPTION_COMMAND_ID:
        options->command_id = text;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp SEND_OPTIONS_ARGP = {
    .options = IDENTITY, .parser = parse_identity, .children = ENVELOPE};
