#include "ctl/send.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "ctl/api_key.h"
#include "ctl/exit_code.h"
#include "ctl/report.h"
#include "ctl/send_lines.h"
#include "ctl/subcommands.h"

enum { FILE_MAX_BYTES = 1024 * 1024 };

static const struct {
    const char *name;
    SendAction *run;
} ACTIONS[] = {
    {"connect-account", send_connect_account},
    {"create-environment", send_create_environment},
    {"branch-environment", send_branch_environment},
    {"delete-environment", send_delete_environment},
    {"cancel-command", send_cancel_command},
};

static const char DOC[] =
    "Sends a command.\v"
    "Actions (each has --help):\n"
    "  connect-account      store a Neon API key under a name\n"
    "  create-environment   a new Neon project with its branch and endpoint\n"
    "  branch-environment   a new branch with its endpoint\n"
    "  delete-environment   delete its branch, or the project we made\n"
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

static void close_file(FILE **file)
{
    if (*file != NULL && *file != stdin) {
        (void)fclose(*file);
    }
}

// Exit code. The rest of the input behind its first line.
static int read_text(const Send *send, FILE *file, Text *text)
{
    char piece[4096];
    size_t size = 0;
    while ((size = fread(piece, 1, sizeof(piece), file)) > 0) {
        text_append_bytes(text, piece, size);
    }
    if (ferror(file) != 0) {
        return report_problem(send->options.connection->json, EXIT_CODE_FILE, "FILE_UNREADABLE",
                              "%s: %s", send->file, strerror(errno));
    }
    return text_ok(text) ? EXIT_CODE_OK
                         : report_problem(send->options.connection->json, EXIT_CODE_DATA,
                                          "JSON_INVALID", "%s is larger than 1 MiB", send->file);
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

// Exit code.
static int send_input(const Send *send, FILE *file)
{
    char *line CLEANUP(free_text) = NULL;
    size_t room = 0;
    if (getline(&line, &room, file) >= 0 && send->options.command_id == NULL &&
        send_lines_is_form(line)) {
        return send_lines(&send->options, file, line, make_command, send);
    }
    Text json CLEANUP(text_clear) = TEXT_INIT(FILE_MAX_BYTES);
    text_append(&json, line != NULL ? line : "");
    int code = read_text(send, file, &json);
    if (code != EXIT_CODE_OK) {
        return code;
    }
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    return send_command(&send->options, make_command(send, text_get(&json), &error), &error);
}

// Exit code.
static int send_file(const Send *send)
{
    FILE *file CLEANUP(close_file) = strcmp(send->file, "-") == 0 ? stdin : fopen(send->file, "re");
    return file != NULL
               ? send_input(send, file)
               : report_problem(send->options.connection->json, EXIT_CODE_FILE, "FILE_UNREADABLE",
                                "%s is neither an action nor a file that can be read: %s",
                                send->file, strerror(errno));
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
