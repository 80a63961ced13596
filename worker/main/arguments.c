#include "main/arguments.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/error.h"
#include "base/settings_value.h"
#include "run/skip.h"
#include "run/sweep.h"

enum { SWEEP_TIMEOUT_MS = 10 * 60 * 1000 };

// Those from the first to the last have a bit each in Arguments.given.
enum {
    OPTION_CHECK_CONFIG = 1000,
    OPTION_PRINT_CONFIG,
    OPTION_PRINT_SETTINGS,
    OPTION_PRINT_SAGAS,
    OPTION_PRINT_METRICS,
    OPTION_DRY_RUN,
    OPTION_REASON,
    OPTION_WRITE,
    OPTION_ACCOUNT,
    OPTION_DELETE,
    OPTION_JSON,
    OPTION_TIMEOUT,
    OPTION_CONFIRM_LEDGER,
};

const char *argp_program_version = "provision-worker " PROVISION_VERSION;

static const struct argp_option OPTIONS[] = {
    {"config", 'c', "FILE", 0, "configuration file (INI); default: what PROVISION_CONFIG names", 0},
    {"set", 's', "NAME=VALUE", 0, "a setting, over file and environment; may be repeated", 0},
    {"check-config", OPTION_CHECK_CONFIG, NULL, 0, "check the configuration and exit", 1},
    {"print-config", OPTION_PRINT_CONFIG, NULL, 0,
     "print the configuration in force, secrets masked, and exit", 1},
    {"print-settings", OPTION_PRINT_SETTINGS, NULL, 0,
     "print all settings as a Markdown table and exit", 1},
    {"print-sagas", OPTION_PRINT_SAGAS, NULL, 0,
     "print every command's steps as Mermaid diagrams and exit", 1},
    {"print-metrics", OPTION_PRINT_METRICS, NULL, 0,
     "print all metrics as a Markdown table and exit", 1},
    {"dry-run", OPTION_DRY_RUN, NULL, 0, "with migrate, rekey: only say what would be done", 2},
    {"write", OPTION_WRITE, NULL, 0, "with rebuild: write it into the ledger", 2},
    {"reason", OPTION_REASON, "TEXT", 0, "with skip: why, for the dead letter", 2},
    {"account", OPTION_ACCOUNT, "APPLICATION/ACCOUNT", 0,
     "with sweep: only this one; may be repeated", 3},
    {"delete", OPTION_DELETE, NULL, 0,
     "with sweep: delete what was left for certain, close what has expired", 3},
    {"json", OPTION_JSON, NULL, 0, "with sweep: a line of JSON for each event", 3},
    {"timeout", OPTION_TIMEOUT, "DURATION", 0, "with sweep: how long to wait for the workers (10m)",
     3},
    {"confirm-ledger", OPTION_CONFIRM_LEDGER, NULL, 0,
     "with sweep: no other copy of this ledger is at work; sweeps rely on it from now on. Does "
     "nothing else",
     3},
    {NULL, 0, NULL, 0, NULL, 0},
};

static const char DOC[] =
    "Executes provisioning commands from Kafka against Neon and PostgreSQL.\v"
    "Tasks:\n"
    "  run            take commands until SIGTERM (the default)\n"
    "  migrate        bring the ledger's schema up to date\n"
    "  topics create  make the four topics\n"
    "  topics check   say what is wrong with them\n"
    "  skip P:O       dead-letter the record at offset O of partition P, which "
    "kills the workers (all of which have to be stopped)\n"
    "  sweep          have the workers look for what no environment owns, and tell it\n"
    "  rekey          seal what the ledger keeps under the first key-encryption key\n"
    "  rebuild        say what the topics know better than the ledger; with --write, write it "
    "(all workers have to be stopped)\n\n"
    "Every setting is also an environment variable: PROVISION_NEON_API_URL "
    "for neon.api_url. Exit status: 0; 1 a sweep found something that is still there, or rekey "
    "left something; or of "
    "sysexits.h: 64 usage, 65 there is nothing to skip, 69 a neighbour is away, 70 our mistake, "
    "71 the system refuses, 75 start again (skip: when the workers are stopped), 78 configuration.";

static const char WORD_ANY[] = "*";

static bool set_task(Arguments *arguments)
{
    static const struct {
        const char *words[2];
        Task task;
    } TASKS[] = {
        {{"run", NULL}, TASK_RUN},
        {{"migrate", NULL}, TASK_MIGRATE},
        {{"topics", "create"}, TASK_TOPICS_CREATE},
        {{"topics", "check"}, TASK_TOPICS_CHECK},
        {{"skip", WORD_ANY}, TASK_SKIP},
        {{"sweep", NULL}, TASK_SWEEP},
        {{"rekey", NULL}, TASK_REKEY},
        {{"rebuild", NULL}, TASK_REBUILD},
    };
    if (arguments->word_count == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof TASKS / sizeof TASKS[0]; i++) {
        bool same_first = strcmp(TASKS[i].words[0], arguments->words[0]) == 0;
        bool same_second = TASKS[i].words[1] == NULL
                               ? arguments->word_count == 1
                               : arguments->word_count == 2 &&
                                     (strcmp(TASKS[i].words[1], WORD_ANY) == 0 ||
                                      strcmp(TASKS[i].words[1], arguments->words[1]) == 0);
        if (same_first && same_second) {
            arguments->task = TASKS[i].task;
            return true;
        }
    }
    return false;
}

#define BIT(number) (UINT32_C(1) << (number))
#define GIVEN(option) BIT((option)-OPTION_CHECK_CONFIG)

static const uint32_t PRINTING = GIVEN(OPTION_CHECK_CONFIG) | GIVEN(OPTION_PRINT_CONFIG) |
                                 GIVEN(OPTION_PRINT_SETTINGS) | GIVEN(OPTION_PRINT_SAGAS) |
                                 GIVEN(OPTION_PRINT_METRICS);

// An option that a task would ignore may be what somebody relies on: `sweep --delete --dry-run`.
static void check_options(struct argp_state *state, const Arguments *arguments)
{
    static const struct {
        int option;
        uint32_t tasks;
        const char *said;
    } TAKEN[] = {
        {OPTION_DRY_RUN, BIT(TASK_MIGRATE) | BIT(TASK_REKEY),
         "--dry-run is only for migrate and rekey"},
        {OPTION_WRITE, BIT(TASK_REBUILD), "--write is only for rebuild"},
        {OPTION_REASON, BIT(TASK_SKIP), "--reason is only for skip"},
        {OPTION_ACCOUNT, BIT(TASK_SWEEP), "--account is only for sweep"},
        {OPTION_DELETE, BIT(TASK_SWEEP), "--delete is only for sweep"},
        {OPTION_JSON, BIT(TASK_SWEEP), "--json is only for sweep"},
        {OPTION_TIMEOUT, BIT(TASK_SWEEP), "--timeout is only for sweep"},
        {OPTION_CONFIRM_LEDGER, BIT(TASK_SWEEP), "--confirm-ledger is only for sweep"},
    };
    for (size_t i = 0; i < sizeof TAKEN / sizeof TAKEN[0]; i++) {
        if ((arguments->given & GIVEN(TAKEN[i].option)) != 0 &&
            (TAKEN[i].tasks & BIT(arguments->task)) == 0) {
            argp_error(state, "%s", TAKEN[i].said);
        }
    }
    if (arguments->confirms_ledger && (arguments->deletes || arguments->account_count > 0)) {
        argp_error(state, "--confirm-ledger does nothing else: neither --delete nor --account");
    }
}

static void read_words(struct argp_state *state, Arguments *arguments)
{
    uint32_t printing = arguments->given & PRINTING;
    if (printing != 0 && (arguments->word_count > 0 || (printing & (printing - 1)) != 0)) {
        argp_error(state, "--check-config and each --print option stand alone, without a task");
    }
    Error err = ERROR_INIT;
    if (!set_task(arguments)) {
        argp_error(state, "no such task; see --help");
    }
    if (arguments->task == TASK_SKIP &&
        !skip_parse(arguments->words[1], &arguments->partition, &arguments->offset, &err)) {
        argp_error(state, "%s: %s", err.code, err.text);
    }
    check_options(state, arguments);
}

static void take_account(struct argp_state *state, Arguments *arguments, const char *name)
{
    Error err = ERROR_INIT;
    if (arguments->account_count == ARGUMENTS_ACCOUNTS_MAX) {
        argp_error(state, "at most %d times --account", ARGUMENTS_ACCOUNTS_MAX);
    } else if (!sweep_check_account(name, &err)) {
        argp_error(state, "%s: %s: %s", err.code, name, err.text);
    } else {
        arguments->accounts[arguments->account_count++] = name;
    }
}

static void take_timeout(struct argp_state *state, Arguments *arguments, const char *text)
{
    if (!settings_value_number(SETTING_TYPE_DURATION, text, &arguments->timeout_ms) ||
        arguments->timeout_ms == 0) {
        argp_error(state, "--timeout must be a duration (90s, 10m): %s", text);
    }
}

// false: none of these.
static bool parse_sweep(int key, const char *value, struct argp_state *state, Arguments *arguments)
{
    switch (key) {
    case OPTION_ACCOUNT:
        take_account(state, arguments, value);
        return true;
    case OPTION_DELETE:
        arguments->deletes = true;
        return true;
    case OPTION_JSON:
        arguments->json = true;
        return true;
    case OPTION_TIMEOUT:
        take_timeout(state, arguments, value);
        return true;
    case OPTION_CONFIRM_LEDGER:
        arguments->confirms_ledger = true;
        return true;
    default:
        return false;
    }
}

static error_t take_word(struct argp_state *state, Arguments *arguments, const char *word)
{
    if (arguments->word_count == 2) {
        argp_error(state, "too many words: %s", word);
    }
    arguments->words[arguments->word_count++] = word;
    return 0;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    Arguments *arguments = state->input;
    if (key >= OPTION_CHECK_CONFIG && key <= OPTION_CONFIRM_LEDGER) {
        arguments->given |= GIVEN(key);
    }
    switch (key) {
    case 'c':
        arguments->file = value;
        return 0;
    case 's':
        if (arguments->assignment_count == ARGUMENTS_SETTINGS_MAX) {
            argp_error(state, "at most %d times --set; use a file", ARGUMENTS_SETTINGS_MAX);
        }
        arguments->assignments[arguments->assignment_count++] = value;
        return 0;
    case OPTION_CHECK_CONFIG:
    case OPTION_PRINT_CONFIG:
    case OPTION_PRINT_SETTINGS:
    case OPTION_PRINT_SAGAS:
    case OPTION_PRINT_METRICS:
        arguments->task = (Task)(TASK_CHECK_CONFIG + (key - OPTION_CHECK_CONFIG));
        return 0;
    case OPTION_DRY_RUN:
        arguments->dry_run = true;
        return 0;
    case OPTION_WRITE:
        arguments->writes = true;
        return 0;
    case OPTION_REASON:
        arguments->reason = value;
        return 0;
    case ARGP_KEY_ARG:
        return take_word(state, arguments, value);
    case ARGP_KEY_END:
        read_words(state, arguments);
        return 0;
    default:
        return parse_sweep(key, value, state, arguments) ? 0 : ARGP_ERR_UNKNOWN;
    }
}

void arguments_read(int argc, char **argv, Arguments *ret_arguments)
{
    static const struct argp PARSER = {
        OPTIONS,
        parse_option,
        "[run | migrate | topics create|check | skip PARTITION:OFFSET | sweep | rekey | rebuild]",
        DOC,
        NULL,
        NULL,
        NULL};
    argp_err_exit_status = EX_USAGE;
    *ret_arguments = (Arguments){.task = TASK_RUN, .timeout_ms = SWEEP_TIMEOUT_MS};
    if (argp_parse(&PARSER, argc, argv, 0, NULL, ret_arguments) != 0) {
        exit(EX_USAGE);
    }
}
