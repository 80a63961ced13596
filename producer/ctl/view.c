#include "ctl/view.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "ctl/exit_code.h"
#include "ctl/print_state.h"
#include "ctl/report.h"
#include "ctl/span.h"
#include "ctl/state_changes.h"

enum {
    OPTION_APPLICATION = 'a',
    OPTION_TIMEOUT = 't',
    OPTION_COUNT = 'n',
    OPTION_WATCH = 'w',
    OPTION_UNTIL_IDLE = 0x800,
    POLL_MS = 60000,
    DECIMAL = 10,
};

static const struct argp_option OPTIONS[] = {
    {"application", OPTION_APPLICATION, "ID", 0, "Only of this application", 0},
    {"timeout", OPTION_TIMEOUT, "DURATION", 0,
     "Give up after so long, unless all was read by then (default: 30s)", 0},
    {"watch", OPTION_WATCH, NULL, 0, "Go on: a line for each change, until it is interrupted", 0},
    {"count", OPTION_COUNT, "N", 0, "With --watch: end after N changes", 0},
    {"until-idle", OPTION_UNTIL_IDLE, "DURATION", 0,
     "With --watch: end when nothing changed for so long", 0},
    {0},
};

static int64_t parse_span(const char *option, const char *text, struct argp_state *state)
{
    int64_t span_ms = 0;
    if (!span_parse(text, &span_ms) || span_ms > INT_MAX) {
        argp_error(state, "--%s takes a duration such as 30s or 5m, at most 24d", option);
    }
    return span_ms;
}

static long parse_count(const char *text, struct argp_state *state)
{
    char *rest = NULL;
    long count = strtol(text, &rest, DECIMAL);
    if (*rest != '\0' || count <= 0) {
        argp_error(state, "--count takes a number above 0");
    }
    return count;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    View *view = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = view->connection;
        return 0;
    case OPTION_APPLICATION:
        view->application_id = text;
        return 0;
    case OPTION_TIMEOUT:
        view->timeout_ms = parse_span("timeout", text, state);
        return 0;
    case OPTION_WATCH:
        view->watch = true;
        return 0;
    case OPTION_COUNT:
        view->count = parse_count(text, state);
        return 0;
    case OPTION_UNTIL_IDLE:
        view->idle_ms = parse_span("until-idle", text, state);
        return 0;
    case ARGP_KEY_END:
        if (!view->watch && (view->count > 0 || view->idle_ms >= 0)) {
            argp_error(state, "--count and --until-idle go with --watch");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child CHILDREN[] = {{&CONNECTION_ARGP, 0, NULL, 0}, {0}};

const struct argp VIEW_ARGP = {.options = OPTIONS, .parser = parse, .children = CHILDREN};

View view_of(Connection *connection)
{
    return (View){.connection = connection, .timeout_ms = VIEW_TIMEOUT_MS, .idle_ms = -1};
}

typedef struct Reading {
    const View *view;
    const ViewParts *parts;
    StateChanges *changes;
    long seen;
} Reading;

static bool add(void *context, const ProvisionState *state)
{
    Reading *reading = context;
    state_changes_note(reading->changes, state);
    reading->parts->add(reading->parts->context, state);
    return true;
}

static bool print_change(void *context, const ProvisionState *state)
{
    Reading *reading = context;
    if (!reading->parts->wants(reading->parts->context, state)) {
        return true;
    }
    reading->seen++;
    if (reading->view->connection->json) {
        print_state_json(stdout, state);
        (void)fflush(stdout);
    } else {
        Screen screen = screen_stdout();
        state_changes_print(reading->changes, &screen, state);
    }
    return true;
}

// Without an output nobody sees what comes; main tells.
static bool is_complete(const Reading *reading)
{
    return ferror(stdout) != 0 ||
           (reading->view->count > 0 && reading->seen >= reading->view->count);
}

// Exit code. A record that is no state is told of and passed over.
static int follow(Reading *reading, ProvisionStateWatch *watch)
{
    const View *view = reading->view;
    int timeout_ms = view->idle_ms < 0 ? POLL_MS : (int)view->idle_ms;
    while (!is_complete(reading)) {
        ProvisionError error;
        bool changed = false;
        if (!provision_state_watch_next(watch, timeout_ms, print_change, reading, &changed,
                                        &error)) {
            int code = report_error(view->connection->json, &error);
            if (error.kind != PROVISION_ERROR_INVALID) {
                return code;
            }
        } else if (!changed && view->idle_ms >= 0) {
            return EXIT_CODE_OK;
        }
    }
    return EXIT_CODE_OK;
}

static void end_watch(ProvisionStateWatch **watch)
{
    provision_state_watch_end(*watch);
}

int view_run(const View *view, const ViewParts *parts)
{
    int code = EXIT_CODE_OK;
    ProvisionClient *client CLEANUP(connection_free_client) =
        connection_open(view->connection, &code);
    if (client == NULL) {
        return code;
    }
    StateChanges *changes CLEANUP(state_changes_free_at) = state_changes_new();
    Reading reading = {.view = view, .parts = parts, .changes = changes};
    ProvisionError error;
    ProvisionStateWatch *watch CLEANUP(end_watch) = provision_state_watch_begin(
        client, view->application_id, (int)view->timeout_ms, add, &reading, &error);
    if (watch == NULL) {
        return report_error(view->connection->json, &error);
    }
    code = parts->finish(parts->context);
    (void)fflush(stdout);
    return code == EXIT_CODE_OK && view->watch ? follow(&reading, watch) : code;
}
