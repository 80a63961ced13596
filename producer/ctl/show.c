#include <limits.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "ctl/exit_code.h"
#include "ctl/print_state.h"
#include "ctl/report.h"
#include "ctl/span.h"
#include "ctl/subcommands.h"

enum {
    OPTION_APPLICATION = 'a',
    OPTION_TIMEOUT = 't',
    DEFAULT_TIMEOUT_MS = 30000,
    SUBJECT_MAX_BYTES = 512,
};

static const char SUBJECT_PREFIX[] = "applications/";

typedef struct Show {
    Connection *connection;
    const char *application_id;
    const char *name; // as given
    const char *subject;
    int64_t timeout_ms;
    bool found;
} Show;

static const struct argp_option OPTIONS[] = {
    {"application", OPTION_APPLICATION, "ID", 0,
     "The application; needed unless a whole subject is given", 0},
    {"timeout", OPTION_TIMEOUT, "DURATION", 0, "Give up after so long (default: 30s)", 0},
    {0},
};

static const char DOC[] =
    "Shows all that is known of an environment or account, from the state topic.\v"
    "SUBJECT is A/environments/E, A/accounts/N (A: the application), or, with --application, "
    "environments/E, accounts/N or just the environment's name. Exit code 66: there is none.";

static bool has_prefix(const char *name)
{
    return strncmp(name, SUBJECT_PREFIX, sizeof(SUBJECT_PREFIX) - 1) == 0;
}

// applications/A/environments/E, or A/environments/E as watch shows it.
static bool is_whole(const char *name)
{
    const char *slash = strchr(name, '/');
    return has_prefix(name) || (slash != NULL && strchr(slash + 1, '/') != NULL);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Show *show = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = show->connection;
        return 0;
    case OPTION_APPLICATION:
        show->application_id = text;
        return 0;
    case OPTION_TIMEOUT:
        if (!span_parse(text, &show->timeout_ms) || show->timeout_ms > INT_MAX) {
            argp_error(state, "--timeout takes a duration such as 30s or 5m, at most 24d");
        }
        return 0;
    case ARGP_KEY_ARG:
        if (show->name != NULL) {
            argp_error(state, "show takes one SUBJECT");
        }
        show->name = text;
        return 0;
    case ARGP_KEY_END:
        if (show->name == NULL || (show->application_id == NULL && !is_whole(show->name))) {
            argp_error(state, "give an environment and --application, or a whole subject");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void build_subject(const Show *show, Text *subject)
{
    bool kind_given = strchr(show->name, '/') != NULL;
    text_append(subject, has_prefix(show->name) ? "" : SUBJECT_PREFIX);
    if (!is_whole(show->name)) {
        text_printf(subject, "%s/%s", show->application_id, kind_given ? "" : "environments/");
    }
    text_append(subject, show->name);
}

static bool match(void *context, const ProvisionState *state)
{
    Show *show = context;
    if (strcmp(state->subject, show->subject) != 0) {
        return true;
    }
    show->found = true;
    if (show->connection->json) {
        print_state_json(stdout, state);
    } else {
        Screen screen = screen_stdout();
        print_state_whole(&screen, state);
    }
    return false;
}

int show_run(int argc, char **argv, Connection *connection)
{
    Show show = {.connection = connection, .timeout_ms = DEFAULT_TIMEOUT_MS};
    const struct argp_child children[] = {{&CONNECTION_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = OPTIONS,
                              .parser = parse,
                              .args_doc = "SUBJECT | ENVIRONMENT",
                              .doc = DOC,
                              .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &show);
    Text subject CLEANUP(text_clear) = TEXT_INIT(SUBJECT_MAX_BYTES);
    build_subject(&show, &subject);
    show.subject = text_get(&subject);
    int code = EXIT_CODE_OK;
    ProvisionClient *client CLEANUP(connection_free_client) = connection_open(connection, &code);
    if (client == NULL) {
        return code;
    }
    ProvisionError error;
    if (!provision_client_read_states(client, NULL, (int)show.timeout_ms, match, &show, &error)) {
        return report_error(connection->json, &error);
    }
    return show.found
               ? EXIT_CODE_OK
               : report_problem(connection->json, EXIT_CODE_NOT_FOUND, "SUBJECT_UNKNOWN",
                                "there is no %s: see provisionctl environments", show.subject);
}
