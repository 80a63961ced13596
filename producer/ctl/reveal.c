#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "ctl/exit_code.h"
#include "ctl/recipient.h"
#include "ctl/report.h"
#include "ctl/screen.h"
#include "ctl/send.h"
#include "ctl/subcommands.h"

enum { OPTION_KEY_FILE = 'k', OPTION_OUT = 'o', OPTION_ROLE = 'r', OPTION_SERVICE = 's' };

typedef struct Reveal {
    SendOptions options;
    ProvisionRevealCredentials spec;
    const char *key_file;
    const char *out;
    Recipient recipient;
} Reveal;

static const struct argp_option OPTIONS[] = {
    {"key-file", OPTION_KEY_FILE, "FILE", 0,
     "The recipient's private key, as keygen writes it (default: PROVISION_RECIPIENT_KEY_FILE)", 0},
    {"role", OPTION_ROLE, "NAME", 0,
     "Default: the role that the environment was made with, which may do everything", 0},
    {"service", OPTION_SERVICE, "NAME", 0, "The role of a service, svc_NAME", 0},
    {"out", OPTION_OUT, "FILE", 0, "Write to a new file that only you can read", 0},
    {0},
};

static const char DOC[] =
    "Prints the connection URIs of a role, WITH ITS PASSWORD, for every database that it may use.\v"
    "The workers seal them for the key, which they must list for the application "
    "(reveal.recipients); nobody else can read them, neither on Kafka nor in the ledger.";

static error_t parse(int key, char *text, struct argp_state *state)
{
    Reveal *reveal = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &reveal->options;
        return 0;
    case OPTION_KEY_FILE:
        reveal->key_file = text;
        return 0;
    case OPTION_ROLE:
        reveal->spec.role = text;
        return 0;
    case OPTION_SERVICE:
        reveal->spec.service = text;
        return 0;
    case OPTION_OUT:
        reveal->out = text;
        return 0;
    case ARGP_KEY_ARG:
        if (reveal->spec.environment != NULL) {
            argp_error(state, "reveal takes one ENVIRONMENT");
        }
        reveal->spec.environment = text;
        return 0;
    case ARGP_KEY_END:
        if (reveal->spec.environment == NULL || reveal->options.application_id == NULL ||
            reveal->key_file == NULL) {
            argp_error(state, "give ENVIRONMENT, --application and --key-file");
        }
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_text(FILE *file, const ProvisionCredentials *credentials)
{
    Screen screen = {.file = file};
    for (size_t i = 0; i < credentials->count; i++) {
        const ProvisionCredential *one = &credentials->list[i];
        const struct {
            const char *label;
            const char *text;
        } lines[] = {{"role      ", one->role},
                     {"database  ", one->database},
                     {"direct    ", one->direct_uri},
                     {"pooled    ", one->pooled_uri}};
        (void)fputs(i > 0 ? "\n" : "", file);
        for (size_t j = 0; j < sizeof(lines) / sizeof(lines[0]); j++) {
            (void)fputs(lines[j].label, file);
            screen_print(&screen, SCREEN_PLAIN, lines[j].text, 0);
            (void)fputc('\n', file);
        }
    }
}

static void print_json(FILE *file, const char *environment, const ProvisionCredentials *credentials)
{
    json_t *list = json_array();
    for (size_t i = 0; i < credentials->count; i++) {
        const ProvisionCredential *one = &credentials->list[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "role", one->role, "database",
                                              one->database, "directUri", one->direct_uri,
                                              "pooledUri", one->pooled_uri));
    }
    json_t *object = json_pack("{s:s, s:o}", "environment", environment, "credentials", list);
    (void)json_dumpf(object, file, JSON_COMPACT);
    (void)fputc('\n', file);
    json_decref(object);
}

// stdout, or the new file; NULL: errno says why not.
static FILE *open_output(const Reveal *reveal)
{
    if (reveal->out == NULL) {
        return stdout;
    }
    int descriptor = open(reveal->out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    return descriptor < 0 ? NULL : fdopen(descriptor, "w");
}

static int print(const Reveal *reveal, const ProvisionCredentials *credentials)
{
    bool json = reveal->options.connection->json;
    FILE *file = open_output(reveal);
    if (file != NULL && json) {
        print_json(file, reveal->spec.environment, credentials);
    } else if (file != NULL) {
        print_text(file, credentials);
    }
    bool written = file != NULL && fflush(file) == 0;
    int problem = errno;
    if (file != NULL && file != stdout) {
        (void)fclose(file);
    }
    return written
               ? EXIT_CODE_OK
               : report_problem(json, EXIT_CODE_FILE, "FILE_NOT_WRITTEN", "%s: %s",
                                reveal->out == NULL ? "stdout" : reveal->out, strerror(problem));
}

static int show(void *context, const ProvisionEvent *event)
{
    const Reveal *reveal = context;
    ProvisionError error;
    ProvisionCredentials *credentials =
        provision_credentials_open(event, reveal->recipient.private_key, &error);
    if (credentials == NULL) {
        return report_error(reveal->options.connection->json, &error);
    }
    int code = print(reveal, credentials);
    provision_credentials_free(credentials);
    return code;
}

static void clear(Reveal *reveal)
{
    recipient_clear(&reveal->recipient);
}

int reveal_run(int argc, char **argv, Connection *connection)
{
    const struct argp_child children[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = OPTIONS,
                              .parser = parse,
                              .args_doc = "ENVIRONMENT",
                              .doc = DOC,
                              .children = children};
    Reveal reveal CLEANUP(clear) = {.key_file = recipient_default_file()};
    send_options_init(&reveal.options, connection);
    argp_parse(&argp, argc, argv, 0, NULL, &reveal);
    reveal.options.wait = true;
    reveal.options.show = show;
    reveal.options.show_context = &reveal;
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command = NULL;
    if (recipient_read(&reveal.recipient, reveal.key_file, &error)) {
        reveal.spec.reply_public_key = reveal.recipient.public_key;
        command = provision_reveal_credentials(reveal.options.application_id, &reveal.spec, &error);
    }
    return send_command(&reveal.options, command, &error);
}
