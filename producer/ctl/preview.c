#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "ctl/exit_code.h"
#include "ctl/print_event.h"
#include "ctl/send.h"
#include "ctl/subcommands.h"

static const char DOC[] =
    "Opens, closes or lists the previews of pull requests.\v"
    "Actions (each has --help):\n"
    "  open PULL_REQUEST    branch an environment for it, or keep the one it has; with --wait, "
    "standard output is its host\n"
    "  close PULL_REQUEST   delete it\n"
    "  list                 list those that are open\n";

typedef struct Preview {
    Connection *connection;
    const char *action;
    int first; // of the action in argv
} Preview;

static error_t parse(int key, char *text, struct argp_state *state)
{
    Preview *preview = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = preview->connection;
        return 0;
    case ARGP_KEY_ARG:
        preview->action = text;
        preview->first = state->next - 1;
        state->next = state->argc; // the rest is the action's
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    case ARGP_KEY_SUCCESS:
        if (strcmp(preview->action, "open") != 0 && strcmp(preview->action, "close") != 0 &&
            strcmp(preview->action, "list") != 0) {
            argp_error(state, "preview takes open, close or list");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void free_json(json_t **json)
{
    json_decref(*json);
}

// So that a script has it: HOST=$(provisionctl preview open 42 --wait).
static int show_host(void *context, const ProvisionEvent *event)
{
    const Connection *connection = context;
    if (connection->json) {
        print_event_json(stdout, event);
        return EXIT_CODE_OK;
    }
    json_t *json CLEANUP(free_json) = json_loads(event->json, 0, NULL);
    const json_t *body = json_object_get(json, "environmentBranched");
    const json_t *environment = json_object_get(body, "environment");
    const char *host = json_string_value(json_object_get(environment, "host"));
    Screen screen = screen_stdout();
    screen_print(&screen, SCREEN_PLAIN, host == NULL ? "" : host, 0);
    (void)putchar('\n');
    return EXIT_CODE_OK;
}

int preview_run(int argc, char **argv, Connection *connection)
{
    static char name[64];
    Preview preview = {.connection = connection};
    const struct argp_child children[] = {{&CONNECTION_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .parser = parse, .args_doc = "open|close|list", .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &preview);
    int rest = argc - preview.first;
    char **words = argv + preview.first;
    (void)snprintf(name, sizeof(name), "provisionctl preview %s", preview.action);
    words[0] = name;
    SendOptions options;
    send_options_init(&options, connection);
    if (strcmp(preview.action, "open") == 0) {
        options.show = show_host;
        options.show_context = connection;
        return send_open_preview(rest, words, &options);
    }
    return strcmp(preview.action, "close") == 0 ? send_close_preview(rest, words, &options)
                                                : preview_list_run(rest, words, connection);
}
