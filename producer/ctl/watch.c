#include <limits.h>
#include <stdlib.h>

#include "base/attr.h"
#include "ctl/exit_code.h"
#include "ctl/print_event.h"
#include "ctl/report.h"
#include "ctl/span.h"
#include "ctl/subcommands.h"
#include "ctl/watch_filter.h"

enum {
    OPTION_APPLICATION = 'a',
    OPTION_COUNT = 'n',
    OPTION_BEGINNING = 0x200,
    OPTION_SINCE,
    OPTION_UNTIL_IDLE,
    CONTACT_MS = 10000,
    POLL_MS = 60000,
};

typedef struct Watch {
    Connection *connection;
    ProvisionWatchOptions options;
    WatchFilter filter;
    long count;      // 0: no limit
    int64_t idle_ms; // -1: never ends by itself
} Watch;

static const struct argp_option OPTIONS[] = {
    {"application", OPTION_APPLICATION, "ID", 0, "Only events of this application", 0},
    {"from-beginning", OPTION_BEGINNING, NULL, 0, "From the oldest event that the topic has", 0},
    {"since", OPTION_SINCE, "TIME", 0, "From a time (RFC 3339), or so long ago (90s, 5m, 2h)", 0},
    {"count", OPTION_COUNT, "N", 0, "End after N events were shown", 0},
    {"until-idle", OPTION_UNTIL_IDLE, "DURATION", 0, "End when no event came for so long", 0},
    {0},
};

static const char DOC[] = "Shows events as they come, until it is interrupted.\v"
                          "Times are shown in the local time zone. Colours: only on a terminal, "
                          "and not with NO_COLOR set.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Watch *watch = state->input;
    char *rest = NULL;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &watch->filter;
        state->child_inputs[1] = watch->connection;
        return 0;
    case OPTION_APPLICATION:
        watch->options.application_id = text;
        return 0;
    case OPTION_BEGINNING:
        watch->options.start = PROVISION_START_BEGINNING;
        return 0;
    case OPTION_SINCE:
        watch->options.start = PROVISION_START_SINCE;
        if (!span_parse_instant(text, -1, &watch->options.since_ms)) {
            argp_error(state, "--since takes a time such as 2026-11-22T08:07:00Z, or 90s, 5m, 2h");
        }
        return 0;
    case OPTION_COUNT:
        watch->count = strtol(text, &rest, 10);
        if (*rest != '\0' || watch->count <= 0) {
            argp_error(state, "--count takes a number above 0");
        }
        return 0;
    case OPTION_UNTIL_IDLE:
        if (!span_parse(text, &watch->idle_ms) || watch->idle_ms > INT_MAX) {
            argp_error(state, "--until-idle takes a duration such as 500ms, 30s or 5m");
        }
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void end_watch(ProvisionWatch **watch)
{
    provision_watch_end(*watch);
}

static void print(const Watch *watch, const Screen *screen, const ProvisionEvent *event)
{
    if (watch->connection->json) {
        print_event_json(stdout, event);
    } else {
        print_event_line(screen, event);
    }
}

// Without an output nobody sees what comes; main tells.
static bool is_complete(const Watch *watch, long seen)
{
    return ferror(stdout) != 0 || (watch->count > 0 && seen >= watch->count);
}

// Exit code. A record that is no event is told of and passed over.
static int follow(const Watch *watch, ProvisionWatch *source)
{
    Screen screen = screen_stdout();
    int timeout_ms = watch->idle_ms < 0 ? POLL_MS : (int)watch->idle_ms;
    for (long seen = 0; !is_complete(watch, seen);) {
        ProvisionError error;
        ProvisionEvent *event = NULL;
        if (!provision_watch_next(source, timeout_ms, &event, &error)) {
            int code = report_error(watch->connection->json, &error);
            if (error.kind != PROVISION_ERROR_INVALID) {
                return code;
            }
            continue;
        }
        if (event == NULL && watch->idle_ms >= 0) {
            return EXIT_CODE_OK;
        }
        if (event != NULL && watch_filter_passes(&watch->filter, event)) {
            print(watch, &screen, event);
            seen++;
        }
        provision_event_free(event);
    }
    return EXIT_CODE_OK;
}

int watch_run(int argc, char **argv, Connection *connection)
{
    Watch watch = {.connection = connection, .idle_ms = -1};
    const struct argp_child children[] = {
        {&WATCH_FILTER_ARGP, 0, NULL, 0}, {&CONNECTION_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = OPTIONS, .parser = parse, .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &watch);
    int code = EXIT_CODE_OK;
    ProvisionClient *client CLEANUP(connection_free_client) = connection_open(connection, &code);
    if (client == NULL) {
        return code;
    }
    ProvisionError error;
    ProvisionWatch *source CLEANUP(end_watch) =
        provision_watch_begin(client, &watch.options, CONTACT_MS, &error);
    return source == NULL ? report_error(connection->json, &error) : follow(&watch, source);
}
