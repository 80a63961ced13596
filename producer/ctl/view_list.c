#include "ctl/view_list.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "ctl/exit_code.h"
#include "ctl/print_state.h"
#include "ctl/state_table.h"
#include "ctl/subcommands.h"

typedef struct List {
    ProvisionSubjectKind kind;
    const char *prefix;
    bool json;
    StateTable *table;
} List;

static bool wants(void *context, const ProvisionState *state)
{
    const List *list = context;
    return state->kind == list->kind &&
           strncmp(state->name, list->prefix, strlen(list->prefix)) == 0;
}

static void add(void *context, const ProvisionState *state)
{
    List *list = context;
    if (list->json && wants(context, state)) {
        print_state_json(stdout, state);
    } else if (wants(context, state) || state->kind == PROVISION_SUBJECT_APPLICATION) {
        state_table_add(list->table, state);
    }
}

static int finish(void *context)
{
    const List *list = context;
    if (!list->json) {
        Screen screen = screen_stdout();
        state_table_print(&screen, list->table);
    }
    return EXIT_CODE_OK;
}

int view_list(const View *view, ProvisionSubjectKind kind, const char *prefix)
{
    StateTable *table CLEANUP(state_table_free_at) = state_table_new(kind);
    List list = {.kind = kind, .prefix = prefix, .json = view->connection->json, .table = table};
    ViewParts parts = {.wants = wants, .add = add, .finish = finish, .context = &list};
    return view_run(view, &parts);
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    (void)text;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->input;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static View parse_view(int argc, char **argv, Connection *connection, const char *doc)
{
    View view = view_of(connection);
    const struct argp_child children[] = {{&VIEW_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.parser = parse, .doc = doc, .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &view);
    return view;
}

int environments_run(int argc, char **argv, Connection *connection)
{
    View view = parse_view(argc, argv, connection,
                           "Lists the environments there are, from the state topic.\v"
                           "PREVIEWS says which is the base of the application's previews; times "
                           "are UTC.");
    return view_list(&view, PROVISION_SUBJECT_ENVIRONMENT, "");
}

int accounts_run(int argc, char **argv, Connection *connection)
{
    View view = parse_view(argc, argv, connection,
                           "Lists the Neon accounts that are connected, from the state topic.");
    return view_list(&view, PROVISION_SUBJECT_ACCOUNT, "");
}

int preview_list_run(int argc, char **argv, Connection *connection)
{
    View view = parse_view(argc, argv, connection,
                           "Lists the previews that are open, from the state topic.");
    return view_list(&view, PROVISION_SUBJECT_ENVIRONMENT, "pr:");
}
