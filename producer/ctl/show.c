#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "ctl/exit_code.h"
#include "ctl/print_state.h"
#include "ctl/report.h"
#include "ctl/subcommands.h"
#include "ctl/view.h"

enum { SUBJECT_MAX_BYTES = 512 };

static const char SUBJECT_PREFIX[] = "applications/";

typedef struct Show {
    View view;
    const char *name; // as given; NULL: the application
    const char *subject;
    bool found;
} Show;

static const char DOC[] =
    "Shows all that is known of an environment, an account or an application, from the state "
    "topic.\v"
    "SUBJECT is A/environments/E, A/accounts/N (A: the application), or, with --application, "
    "environments/E, accounts/N or just the environment's name; nothing: the application itself "
    "(what its previews branch off). Exit code 66: there is none. With --watch it is waited for.";

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
        state->child_inputs[0] = &show->view;
        return 0;
    case ARGP_KEY_ARG:
        if (show->name != NULL) {
            argp_error(state, "show takes one SUBJECT");
        }
        show->name = text;
        return 0;
    case ARGP_KEY_END:
        if (show->view.application_id == NULL && (show->name == NULL || !is_whole(show->name))) {
            argp_error(state, "give an environment and --application, or a whole subject");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void build_subject(const Show *show, Text *subject)
{
    const char *name = show->name;
    if (name == NULL) {
        text_printf(subject, "%s%s", SUBJECT_PREFIX, show->view.application_id);
        return;
    }
    bool kind_given = strchr(name, '/') != NULL;
    text_append(subject, has_prefix(name) ? "" : SUBJECT_PREFIX);
    if (!is_whole(name)) {
        text_printf(subject, "%s/%s", show->view.application_id, kind_given ? "" : "environments/");
    }
    text_append(subject, name);
}

static bool wants(void *context, const ProvisionState *state)
{
    const Show *show = context;
    return strcmp(state->subject, show->subject) == 0;
}

static void add(void *context, const ProvisionState *state)
{
    Show *show = context;
    if (!wants(context, state)) {
        return;
    }
    show->found = true;
    if (show->view.connection->json) {
        print_state_json(stdout, state);
    } else {
        Screen screen = screen_stdout();
        print_state_whole(&screen, state);
    }
}

static int finish(void *context)
{
    const Show *show = context;
    if (show->found || show->view.watch) {
        return EXIT_CODE_OK;
    }
    bool json = show->view.connection->json;
    return show->name == NULL
               ? report_problem(json, EXIT_CODE_NOT_FOUND, "SUBJECT_UNKNOWN",
                                "there is nothing of %s itself: no preview base was set; see "
                                "provisionctl environments",
                                show->subject)
               : report_problem(json, EXIT_CODE_NOT_FOUND, "SUBJECT_UNKNOWN",
                                "there is no %s: see provisionctl environments", show->subject);
}

int show_run(int argc, char **argv, Connection *connection)
{
    Show show = {.view = view_of(connection)};
    const struct argp_child children[] = {{&VIEW_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .parser = parse, .args_doc = "[SUBJECT | ENVIRONMENT]", .doc = DOC, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &show);
    Text subject CLEANUP(text_clear) = TEXT_INIT(SUBJECT_MAX_BYTES);
    build_subject(&show, &subject);
    show.subject = text_get(&subject);
    View view = show.view;
    view.application_id = NULL; // the subject has it
    ViewParts parts = {.wants = wants, .add = add, .finish = finish, .context = &show};
    return view_run(&view, &parts);
}
