#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "ctl/exit_code.h"
#include "ctl/report.h"
#include "ctl/subcommands.h"

static const struct {
    const char *name;
    Subcommand *run;
} SUBCOMMANDS[] = {
    {"send", send_run},       {"wait", wait_run},
    {"watch", watch_run},     {"environments", environments_run},
    {"show", show_run},       {"keygen", keygen_run},
    {"status", status_run},   {"commands", commands_run},
    {"doctor", doctor_run},   {"dead-letters", dead_letters_run},
    {"cancel", cancel_run},   {"reveal", reveal_run},
    {"roles", roles_run},     {"rotate", rotate_run},
    {"psql", psql_run},       {"accounts", accounts_run},
    {"preview", preview_run},
};

static const char DOC[] =
    "Sends commands to the workers through Kafka and shows what becomes of them.\v"
    "Subcommands (each has --help):\n"
    "  send ACTION | FILE.json | -   send a command; --wait waits for its outcome\n"
    "  cancel COMMAND_ID             stop a command and undo what it made\n"
    "  roles setup|plan              bring roles to what is wanted, or find drift\n"
    "  rotate ENVIRONMENT            give a service, a role or all new passwords\n"
    "  reveal ENVIRONMENT            print the connection URIs of a role, with its password\n"
    "  psql ENVIRONMENT              open psql, as a reader unless asked otherwise\n"
    "  wait COMMAND_ID               wait for the outcome of a command\n"
    "  watch                         show events as they come\n"
    "  status COMMAND_ID             show where a command stands, and what it waits for\n"
    "  commands [--stuck]            list the commands that aren't finished\n"
    "  doctor                        check all that the workers need\n"
    "  environments                  list the environments there are\n"
    "  accounts                      list the Neon accounts that are connected\n"
    "  show SUBJECT | ENVIRONMENT    show all that is known of one\n"
    "  preview open|close|list       the environments of pull requests\n"
    "  dead-letters list|show|replay  look at what no worker executed, and send it again\n"
    "  keygen                        make a key pair (fleet, recipient), or a ledger key\n"
    "\n"
    "Exit codes: 0 done; 1 something is stuck, wrong or not as wanted; 10 command rejected, 11 "
    "failed, 12 "
    "cancelled or superseded; 64 wrong "
    "usage, 65 wrong input, 66 not found, 69 Kafka or ledger unavailable, 74 file not readable or "
    "writable, "
    "75 timed out.";

typedef struct Call {
    Connection connection;
    Subcommand *run;
    int first; // index in argv
} Call;

static error_t parse(int key, char *text, struct argp_state *state)
{
    Call *call = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &call->connection;
        return 0;
    case ARGP_KEY_ARG:
        for (size_t i = 0; i < sizeof(SUBCOMMANDS) / sizeof(SUBCOMMANDS[0]); i++) {
            if (strcmp(text, SUBCOMMANDS[i].name) == 0) {
                call->run = SUBCOMMANDS[i].run;
                call->first = state->next - 1;
                state->next = state->argc; // the rest is the subcommand's
                return 0;
            }
        }
        argp_error(state, "there is no subcommand %s", text);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void clear_call(Call *call)
{
    connection_clear(&call->connection);
}

// A full disk must not look like success; an outcome that has its own code keeps it.
static int check_output(const Call *call, int code)
{
    bool written = fflush(stdout) == 0 && ferror(stdout) == 0;
    return written || code != EXIT_CODE_OK
               ? code
               : report_problem(call->connection.json, EXIT_CODE_FILE, "OUTPUT_FAILED",
                                "not all of the output could be written: is the disk full?");
}

int main(int argc, char **argv)
{
    static char name[64];
    argp_program_version = "provisionctl " PROVISION_VERSION;
    argp_err_exit_status = EXIT_CODE_USAGE;
    const struct argp_child children[] = {{&CONNECTION_ARGP, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .parser = parse, .args_doc = "SUBCOMMAND …", .doc = DOC, .children = children};
    Call call CLEANUP(clear_call) = {.run = NULL};
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &call);
    (void)snprintf(name, sizeof(name), "provisionctl %s", argv[call.first]);
    argv[call.first] = name;
    return check_output(&call, call.run(argc - call.first, argv + call.first, &call.connection));
}
