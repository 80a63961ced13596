#include <limits.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/uuid.h"
#include "ctl/exit_code.h"
#include "ctl/report.h"
#include "ctl/span.h"
#include "ctl/status_ledger.h"
#include "ctl/status_print.h"
#include "ctl/status_topics.h"
#include "ctl/subcommands.h"

enum {
    OPTION_APPLICATION = 'a',
    OPTION_TIMEOUT = 't',
    OPTION_SINCE = 0x200,
    OPTION_GROUP,
    OPTION_TOPICS,
    DEFAULT_TIMEOUT_MS = 30000,
    DEFAULT_SINCE_MS = 24 * 60 * 60 * 1000,
};

typedef struct Status {
    Connection *connection;
    LedgerOptions ledger;
    StatusQuery query;
    int64_t timeout_ms;
    bool from_topics;
} Status;

static const struct argp_option OPTIONS[] = {
    {"application", OPTION_APPLICATION, "ID", 0, "The command's application", 0},
    {"topics", OPTION_TOPICS, NULL, 0, "Look into the topics even where a ledger is named", 0},
    {"since", OPTION_SINCE, "TIME", 0,
     "Topics: look at what was sent since then (RFC 3339), or so long ago (default: 24h)", 0},
    {"group", OPTION_GROUP, "ID", 0,
     "Topics: consumer group of the workers (default: PROVISION_GROUP_ID, provision-worker)", 0},
    {"timeout", OPTION_TIMEOUT, "DURATION", 0, "Topics: give up after so long (default: 30s)", 0},
    {0},
};

static const char DOC[] =
    "Shows where a command stands: its step, since when, what it waits for, who has it.\v"
    "From the ledger where one is named; else from the topics, which tell whether it is finished, "
    "how it ended, and how many commands of its application come first. Exit codes: 0 found, 66 "
    "not found, 69 the ledger or Kafka doesn't answer.";

static void set_timeout(Status *status, const char *text, struct argp_state *state)
{
    if (!span_parse(text, &status->timeout_ms) || status->timeout_ms > INT_MAX) {
        argp_error(state, "--timeout takes a duration such as 30s or 5m, at most 24d");
    }
    status->query.timeout_ms = (int)status->timeout_ms;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    Status *status = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = status->connection;
        state->child_inputs[1] = &status->ledger;
        return 0;
    case OPTION_APPLICATION:
        status->query.application_id = text;
        return 0;
    case OPTION_TOPICS:
        status->from_topics = true;
        return 0;
    case OPTION_GROUP:
        status->query.group_id = text;
        return 0;
    case OPTION_SINCE:
        if (!span_parse_instant(text, -1, &status->query.since_ms)) {
            argp_error(state, "--since takes a time such as 2026-11-22T08:07:00Z, or 90s, 5m, 2h");
        }
        return 0;
    case OPTION_TIMEOUT:
        set_timeout(status, text, state);
        return 0;
    case ARGP_KEY_ARG:
        if (status->query.command_id != NULL || !uuid_is_valid(text)) {
            argp_error(state, "status takes one COMMAND_ID, a UUID");
        }
        status->query.command_id = text;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "give COMMAND_ID");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void free_json(json_t **json)
{
    json_decref(*json);
}

static json_t *find_in_ledger(const Status *status, ProvisionError *err)
{
    PGconn *ledger CLEANUP(ledger_reader_close_at) = ledger_reader_open(&status->ledger, err);
    return ledger == NULL ? NULL
                          : status_ledger_find(ledger, status->query.command_id,
                                               status->query.application_id, err);
}

static void print(const Status *status, const json_t *list)
{
    size_t index;
    const json_t *command;
    json_array_foreach(list, index, command)
    {
        if (status->connection->json) {
            (void)json_dumpf(command, stdout, JSON_COMPACT);
            (void)fputc('\n', stdout);
        } else {
            Screen screen = screen_stdout();
            status_print_whole(&screen, command);
        }
    }
}

static int conclude(const Status *status, const json_t *list, const ProvisionError *error)
{
    if (list == NULL) {
        return report_error(status->connection->json, error);
    }
    print(status, list);
    if (json_array_size(list) > 0) {
        return EXIT_CODE_OK;
    }
    return report_problem(
        status->connection->json, EXIT_CODE_NOT_FOUND, "COMMAND_UNKNOWN", "%s",
        status->from_topics
            ? "no record of this command was found: look further back with --since"
            : "the ledger has no such command: no worker has claimed it yet, it was refused before "
              "(see watch, dead-letters), or it was forgotten; --topics looks for its record");
}

int status_run(int argc, char **argv, Connection *connection)
{
    const char *group = getenv("PROVISION_GROUP_ID");
    Status status = {
        .connection = connection,
        .query = {.group_id = group != NULL && group[0] != '\0' ? group : "provision-worker",
                  .since_ms = span_now_ms() - DEFAULT_SINCE_MS,
                  .timeout_ms = DEFAULT_TIMEOUT_MS},
    };
    const struct argp_child children[] = {
        {&CONNECTION_ARGP, 0, NULL, 0}, {&LEDGER_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = OPTIONS,
                              .parser = parse,
                              .args_doc = "COMMAND_ID",
                              .doc = DOC,
                              .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &status);
    ProvisionError error = {.kind = PROVISION_ERROR_NONE};
    status.from_topics = status.from_topics || !ledger_reader_is_given(&status.ledger);
    if (!status.from_topics) {
        json_t *found CLEANUP(free_json) = find_in_ledger(&status, &error);
        return conclude(&status, found, &error);
    }
    int code = EXIT_CODE_OK;
    ProvisionClient *client CLEANUP(connection_free_client) = connection_open(connection, &code);
    if (client == NULL) {
        return code;
    }
    json_t *found CLEANUP(free_json) = status_topics_find(client, &status.query, &error);
    return conclude(&status, found, &error);
}
