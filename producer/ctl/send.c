#include "ctl/send.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "ctl/api_key.h"
#include "ctl/exit_code.h"
#include "ctl/report.h"
#include "ctl/send_lines.h"
#include "ctl/subcommands.h"

enum { LONGEST_TOKEN_BYTES = 32 }; // that a cut could have broken: a number

static const struct {
    const char *name;
    SendAction *run;
} ACTIONS[] = {
    {"connect-account", send_connect_account},
    {"disconnect-account", send_disconnect_account},
    {"discover-account", send_discover_account},
    {"create-environment", send_create_environment},
    {"branch-environment", send_branch_environment},
    {"import-environment", send_import_environment},
    {"edit-project", send_edit_project},
    {"edit-endpoint", send_edit_endpoint},
    {"reset-environment", send_reset_environment},
    {"delete-environment", send_delete_environment},
    {"set-preview-base", send_set_preview_base},
    {"open-preview", send_open_preview},
    {"close-preview", send_close_preview},
    {"sweep-account", send_sweep_account},
    {"delete-orphan", send_delete_orphan},
    {"cancel-command", send_cancel_command},
};

static const char DOC[] =
    "Sends a command.\v"
    "Actions (each has --help):\n"
    "  connect-account      store a Neon API key under a name\n"
    "  disconnect-account   forget it\n"
    "  discover-account     find the regions, projects and branches that it sees\n"
    "  create-environment   a new Neon project with its branch and endpoint\n"
    "  branch-environment   a new branch with its endpoint\n"
    "  import-environment   a branch that is there, used as it is\n"
    "  edit-project         change how much history a project keeps\n"
    "  edit-endpoint        change the compute of an environment\n"
    "  reset-environment    bring its branch to what its parent is now\n"
    "  delete-environment   delete its branch, or the project we made\n"
    "  set-preview-base     say which environment previews branch off\n"
    "  open-preview         branch an environment for a pull request\n"
    "  close-preview        delete it\n"
    "  sweep-account        find what of an account no environment owns\n"
    "  delete-orphan        delete one of those\n"
    "  cancel-command       stop a command and undo what it made\n"
    "\n"
    "Instead of an action: a file with the JSON form of a command, or - for standard input. Its "
    "API key, if it has one, is given apart, so that it is sealed. Or many commands, the JSON form "
    "of one a line (NDJSON): they are sent as they are read, in their order, until a line is no "
    "command; --timeout then counts from the last outcome.";

typedef struct Send {
    SendOptions options;
    ApiKeyOptions api_key;
    SendAction *action;
    int first; // of the action in argv
    const char *file;
} Send;

static void choose(Send *send, const char *text, struct argp_state *state)
{
    for (size_t i = 0; i < sizeof(ACTIONS) / sizeof(ACTIONS[0]) && send->file == NULL; i++) {
        if (strcmp(text, ACTIONS[i].name) == 0) {
            send->action = ACTIONS[i].run;
            send->first = state->next - 1;
            state->next = state->argc; // the rest is the action's
            return;
        }
    }
    if (send->file != NULL) {
        argp_error(state, "send takes one action or one file");
    }
    send->file = text;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Send *send = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &send->api_key;
        state->child_inputs[1] = &send->options;
        return 0;
    case ARGP_KEY_ARG:
        choose(send, text, state);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void close_file(int *fd)
{
    if (*fd > STDIN_FILENO) {
        (void)close(*fd);
    }
}

static bool seal(const Send *send, ProvisionCommand *command, ProvisionError *err)
{
    Secret api_key CLEANUP(secret_clear) = SECRET_INIT;
    uint8_t public_key[PROVISION_KEY_BYTES];
    return api_key_read(&send->api_key, &api_key, public_key, err) &&
           provision_command_set_api_key(command, secret_reveal(&api_key), public_key, err);
}

static bool is_of_application(const Send *send, const ProvisionCommand *command,
                              ProvisionError *err)
{
    const char *wanted = send->options.application_id;
    if (wanted == NULL || strcmp(wanted, provision_command_application(command)) == 0) {
        return true;
    }
    *err = (ProvisionError){PROVISION_ERROR_INVALID, "KEY_MISMATCH", "application_id", ""};
    (void)snprintf(err->text, sizeof err->text,
                   "the command is not of application %s (--application)", wanted);
    return false;
}

// SendLine
static ProvisionCommand *make_command(const void *context, const char *json, ProvisionError *err)
{
    const Send *send = context;
    ProvisionCommand *command = provision_command_from_json(json, err);
    if (command != NULL && (!is_of_application(send, command, err) ||
                            (api_key_is_given(&send->api_key) && !seal(send, command, err)))) {
        provision_command_free(command);
        return NULL;
    }
    return command;
}

static void free_text(char **text)
{
    free(*text);
}

// The size cut the text off there: what is wrong before it is wrong without the cut, too.
static bool is_broken_before_its_end(const char *json, size_t size)
{
    json_error_t problem;
    json_t *loaded = json_loads(json, 0, &problem);
    bool broken = loaded == NULL && (size_t)problem.position + LONGEST_TOKEN_BYTES < size &&
                  json_error_code(&problem) != json_error_premature_end_of_input;
    json_decref(loaded);
    return broken;
}

// Exit code. The whole input is one command.
static int send_whole(const Send *send, SendInput *input)
{
    bool is_json = send->options.connection->json;
    Bytes rest = {NULL, 0};
    SendInputResult result = send_input_rest(input, &rest);
    if (result == SEND_INPUT_FAILED) {
        return report_problem(is_json, EXIT_CODE_FILE, "FILE_UNREADABLE", "%s: %s", send->file,
                              strerror(input->problem));
    }
    if (rest.size > 0 && memchr(rest.data, '\0', rest.size) != NULL) {
        return report_problem(is_json, EXIT_CODE_DATA, "JSON_INVALID", "%s has a NUL byte in it",
                              send->file);
    }
    char *json CLEANUP(free_text) = alloc_bytes(rest.size + 1);
    memcpy(json, rest.size > 0 ? (const char *)rest.data : "", rest.size);
    json[rest.size] = '\0';
    if (result == SEND_INPUT_TOO_LONG && !is_broken_before_its_end(json, rest.size)) {
        return report_problem(is_json, EXIT_CODE_DATA, "JSON_INVALID", "%s is larger than 1 MiB",
                              send->file);
    }
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    return send_command(&send->options, make_command(send, json, &error), &error);
}

// Exit code. The first line that isn't blank decides.
static int send_input(const Send *send, SendInput *input)
{
    Bytes line = {NULL, 0};
    SendInputResult result = SEND_INPUT_LINE;
    do {
        result = send_input_line(input, -1, &line);
    } while (result == SEND_INPUT_LINE && send_lines_is_blank(line));
    bool one_a_line =
        result == SEND_INPUT_LINE && send->options.command_id == NULL && send_lines_is_form(line);
    send_input_rewind(input);
    return one_a_line ? send_lines(&send->options, input, make_command, send)
                      : send_whole(send, input);
}

// Exit code.
static int send_file(const Send *send)
{
    int fd CLEANUP(close_file) =
        strcmp(send->file, "-") == 0 ? STDIN_FILENO : open(send->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return report_problem(send->options.connection->json, EXIT_CODE_FILE, "FILE_UNREADABLE",
                              "%s is neither an action nor a file that can be read: %s", send->file,
                              strerror(errno));
    }
    SendInput input CLEANUP(send_input_clear);
    send_input_begin(&input, fd);
    return send_input(send, &input);
}

int send_run(int argc, char **argv, Connection *connection)
{
    const struct argp_child children[] = {
        {&API_KEY_ARGP, 0, NULL, 0}, {&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .parser = parse, .args_doc = "ACTION | FILE.json | -", .doc = DOC, .children = children};
    char name[64];
    Send send = {.action = NULL};
    send_options_init(&send.options, connection);
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &send);
    if (send.action != NULL) {
        (void)snprintf(name, sizeof(name), "provisionctl send %s", argv[send.first]);
        argv[send.first] = name;
        return send.action(argc - send.first, argv + send.first, &send.options);
    }
    return send_file(&send);
}
