#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "ctl/exit_code.h"
#include "ctl/psql_session.h"
#include "ctl/recipient.h"
#include "ctl/report.h"
#include "ctl/send.h"
#include "ctl/subcommands.h"

enum {
    OPTION_COMMAND = 'c',
    OPTION_DATABASE = 'd',
    OPTION_KEY_FILE = 'k',
    OPTION_SERVICE = 's',
    OPTION_AS = 0x700,
    OPTION_POOLED,
    OPTION_CA_FILE,
    OPTION_PREFIX,
    ARGUMENTS_MAX = 256,
    ROLE_MAX_BYTES = 63,
    LIST_MAX_BYTES = 400,
};

typedef struct Psql {
    SendOptions options;
    const char *environment;
    const char *database;
    const char *level; // reader, writer or admin; NULL: a service's role
    const char *service;
    const char *key_file;
    const char *ca_file;
    const char *prefix;
    bool pooled;
    char *arguments[ARGUMENTS_MAX]; // of psql
    size_t argument_count;
    Recipient recipient;
    ProvisionCredentials *credentials;
} Psql;

static const struct argp_option OPTIONS[] = {
    {"database", OPTION_DATABASE, "NAME", 0, "Default: the first that the role may use", 0},
    {"as", OPTION_AS, "LEVEL", 0, "reader (default), writer or admin of all databases", 0},
    {"service", OPTION_SERVICE, "NAME", 0, "As a service: svc_NAME", 0},
    {"command", OPTION_COMMAND, "SQL", 0, "psql -c; may be repeated", 0},
    {"pooled", OPTION_POOLED, NULL, 0, "Through Neon's pooler (default: direct)", 0},
    {"key-file", OPTION_KEY_FILE, "FILE", 0,
     "The recipient's private key, as for reveal (default: PROVISION_RECIPIENT_KEY_FILE)", 0},
    {"ca-file", OPTION_CA_FILE, "FILE", 0,
     "CA certificates of the branches' PostgreSQL (default: PROVISION_POSTGRES_CA_FILE, else the "
     "system's)",
     0},
    {"prefix", OPTION_PREFIX, "NAME", 0,
     "The workers' roles.prefix (default: PROVISION_ROLES_PREFIX, else encore)", 0},
    {0},
};

static const char DOC[] =
    "Opens psql in an environment as PREFIX_reader, which may read every database, or as another "
    "role.\v"
    "The role's password is revealed to the key as by provisionctl reveal, and handed to psql "
    "without ever being on the screen, in the arguments of a process or in a file. TLS with "
    "verify-full. What stands behind -- goes to psql: provisionctl psql production -a shop -- -f "
    "report.sql";

static const char *environment_or(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? otherwise : value;
}

static void add_argument(Psql *psql, char *text, const struct argp_state *state)
{
    if (psql->argument_count == ARGUMENTS_MAX) {
        argp_error(state, "at most %d arguments for psql", ARGUMENTS_MAX);
        return;
    }
    psql->arguments[psql->argument_count++] = text;
}

static void add_command(Psql *psql, char *sql, const struct argp_state *state)
{
    static char option[] = "-c";
    add_argument(psql, option, state);
    add_argument(psql, sql, state);
}

static void take_level(Psql *psql, const char *text, const struct argp_state *state)
{
    static const char *const LEVELS[] = {"reader", "writer", "admin"};
    for (size_t i = 0; i < sizeof(LEVELS) / sizeof(LEVELS[0]); i++) {
        if (strcmp(text, LEVELS[i]) == 0) {
            psql->level = LEVELS[i];
            return;
        }
    }
    argp_error(state, "--as takes reader, writer or admin");
}

static void check(const Psql *psql, const struct argp_state *state)
{
    if (psql->environment == NULL || psql->options.application_id == NULL ||
        psql->key_file == NULL) {
        argp_error(state, "give ENVIRONMENT, --application and --key-file");
    } else if (psql->level != NULL && psql->service != NULL) {
        argp_error(state, "give --as or --service, not both");
    }
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Psql *psql = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &psql->options;
        return 0;
    case OPTION_DATABASE:
        psql->database = text;
        return 0;
    case OPTION_AS:
        take_level(psql, text, state);
        return 0;
    case OPTION_SERVICE:
        psql->service = text;
        return 0;
    case OPTION_COMMAND:
        add_command(psql, text, state);
        return 0;
    case OPTION_POOLED:
        psql->pooled = true;
        return 0;
    case OPTION_KEY_FILE:
        psql->key_file = text;
        return 0;
    case OPTION_CA_FILE:
        psql->ca_file = text;
        return 0;
    case OPTION_PREFIX:
        psql->prefix = text;
        return 0;
    case ARGP_KEY_ARG:
        if (psql->environment == NULL) {
            psql->environment = text;
        } else {
            add_argument(psql, text, state);
        }
        return 0;
    case ARGP_KEY_END:
        check(psql, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static ProvisionCommand *make_command(Psql *psql, ProvisionError *err)
{
    Text role CLEANUP(text_clear) = TEXT_INIT(ROLE_MAX_BYTES);
    ProvisionRevealCredentials spec = {.environment = psql->environment, .service = psql->service};
    if (psql->service == NULL) {
        text_printf(&role, "%s_%s", psql->prefix, psql->level == NULL ? "reader" : psql->level);
        spec.role = text_get(&role);
    }
    if (!recipient_read(&psql->recipient, psql->key_file, err)) {
        return NULL;
    }
    spec.reply_public_key = psql->recipient.public_key;
    return provision_reveal_credentials(psql->options.application_id, &spec, err);
}

// Of SendOptions.
static int keep(void *context, const ProvisionEvent *event)
{
    Psql *psql = context;
    ProvisionError error;
    psql->credentials = provision_credentials_open(event, psql->recipient.private_key, &error);
    return psql->credentials == NULL ? report_error(psql->options.connection->json, &error)
                                     : EXIT_CODE_OK;
}

// NULL: there is none; the names of those that there are stand in ret_names.
static const ProvisionCredential *find_credential(const Psql *psql, Text *ret_names)
{
    for (size_t i = 0; i < psql->credentials->count; i++) {
        const ProvisionCredential *one = &psql->credentials->list[i];
        if (psql->database == NULL || strcmp(one->database, psql->database) == 0) {
            return one;
        }
        text_printf(ret_names, "%s%s", i == 0 ? "" : ", ", one->database);
    }
    return NULL;
}

static int open_session(const Psql *psql)
{
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    Text names CLEANUP(text_clear) = TEXT_INIT(LIST_MAX_BYTES);
    const PsqlSession session = {
        .credential = find_credential(psql, &names),
        .pooled = psql->pooled,
        .ca_file = psql->ca_file,
        .arguments = psql->arguments,
        .argument_count = psql->argument_count,
    };
    if (session.credential == NULL) {
        return report_problem(psql->options.connection->json, EXIT_CODE_NOT_FOUND,
                              "DATABASE_UNKNOWN",
                              "the role may use no such database; it may use: %s",
                              names.length == 0 ? "none" : text_get(&names));
    }
    psql_session_open(&session, &error);
    (void)report_error(psql->options.connection->json, &error);
    return EXIT_CODE_FILE;
}

static void clear(Psql *psql)
{
    recipient_clear(&psql->recipient);
    provision_credentials_free(psql->credentials);
}

int psql_run(int argc, char **argv, Connection *connection)
{
    const struct argp_child children[] = {{&SEND_OPTIONS_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = OPTIONS,
                              .parser = parse,
                              .args_doc = "ENVIRONMENT [-- PSQL-ARGUMENT…]",
                              .doc = DOC,
                              .children = children};
    Psql psql CLEANUP(clear) = {
        .key_file = recipient_default_file(),
        .ca_file = environment_or("PROVISION_POSTGRES_CA_FILE", NULL),
        .prefix = environment_or("PROVISION_ROLES_PREFIX", "encore"),
    };
    send_options_init(&psql.options, connection);
    argp_parse(&argp, argc, argv, 0, NULL, &psql);
    psql.options.wait = true;
    psql.options.quiet = true;
    psql.options.show = keep;
    psql.options.show_context = &psql;
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    ProvisionCommand *command = make_command(&psql, &error);
    int code = send_command(&psql.options, command, &error);
    return psql.credentials == NULL ? code : open_session(&psql);
}
