/*
 * provision-worker: reads its configuration, then runs the worker, migrates the ledger, or makes or
 * checks the topics.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/metrics.h"
#include "base/settings.h"
#include "run/history.h"
#include "run/migrate.h"
#include "run/skip.h"
#include "run/topics.h"
#include "run/worker.h"
#include "saga/saga.h"
#include "sys/log.h"
#include "sys/memory.h"
#include "sys/process.h"
#include "sys/random.h"
#include "sys/settings_source.h"

enum { ASSIGNMENTS_MAX = 256, PRINTED_BYTES_MAX = 1024 * 1024 };

enum {
    OPTION_CHECK_CONFIG = 1000,
    OPTION_PRINT_CONFIG,
    OPTION_PRINT_SETTINGS,
    OPTION_PRINT_SAGAS,
    OPTION_PRINT_METRICS,
    OPTION_DRY_RUN,
    OPTION_REASON,
};

typedef enum Task {
    TASK_RUN,
    TASK_MIGRATE,
    TASK_TOPICS_CREATE,
    TASK_TOPICS_CHECK,
    TASK_SKIP,
    TASK_CHECK_CONFIG,
    TASK_PRINT_CONFIG,
    TASK_PRINT_SETTINGS,
    TASK_PRINT_SAGAS,
    TASK_PRINT_METRICS,
} Task;

typedef struct Arguments {
    const char *file;
    const char *assignments[ASSIGNMENTS_MAX];
    size_t assignment_count;
    const char *words[2];
    size_t word_count;
    int32_t partition; // to skip
    int64_t offset;
    Task task;
    bool dry_run;
    const char *reason; // NULL: none
} Arguments;

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
    {"dry-run", OPTION_DRY_RUN, NULL, 0, "with migrate: only say what would be applied", 2},
    {"reason", OPTION_REASON, "TEXT", 0, "with skip: why, for the dead letter", 2},
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
    "kills the workers (all of which have to be stopped)\n\n"
    "Every setting is also an environment variable: PROVISION_NEON_API_URL "
    "for neon.api_url. Exit status: 0, or of "
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

static void read_words(struct argp_state *state, Arguments *arguments)
{
    Error err = ERROR_INIT;
    if (!set_task(arguments)) {
        argp_error(state, "no such task; see --help");
    }
    if (arguments->task == TASK_SKIP &&
        !skip_parse(arguments->words[1], &arguments->partition, &arguments->offset, &err)) {
        argp_error(state, "%s: %s", err.code, err.text);
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
    switch (key) {
    case 'c':
        arguments->file = value;
        return 0;
    case 's':
        if (arguments->assignment_count == ASSIGNMENTS_MAX) {
            argp_error(state, "at most %d times --set; use a file", ASSIGNMENTS_MAX);
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
    case OPTION_REASON:
        arguments->reason = value;
        return 0;
    case ARGP_KEY_ARG:
        return take_word(state, arguments, value);
    case ARGP_KEY_END:
        read_words(state, arguments);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int complain(const Error *err, int exit_code)
{
    fprintf(stderr, "provision-worker: %s: %s\n", err->code, err->text);
    return exit_code;
}

// A worker's own end, for who reads its log by machine.
static int complain_in_log(const Error *err, int exit_code)
{
    log_write(LOG_LEVEL_ERROR, &(LogFields){.error = err}, "the worker can't run: exit status %d",
              exit_code);
    return exit_code;
}

static int exit_code_of(const Error *err)
{
    static const struct {
        const char *code;
        int exit_code;
    } CODES[] = {
        {"PARTITION_UNKNOWN", EX_DATAERR}, {"OFFSET_UNKNOWN", EX_DATAERR},
        {"ALREADY_FINISHED", EX_DATAERR},  {"ALREADY_CLAIMED", EX_DATAERR},
        {"GROUP_IN_USE", EX_TEMPFAIL},     {"TOO_MANY_UNFINISHED", EX_TEMPFAIL},
    };
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
        if (strcmp(err->code, CODES[i].code) == 0) {
            return CODES[i].exit_code;
        }
    }
    switch (err->kind) {
    case ERROR_INVALID:
    case ERROR_CONFLICT:
    case ERROR_DENIED:
        return EX_CONFIG;
    case ERROR_BUSY:
    case ERROR_UNAVAILABLE:
        return EX_UNAVAILABLE;
    case ERROR_NONE:
    case ERROR_INTERNAL:
        break;
    }
    return EX_SOFTWARE;
}

static int print_text(void (*print)(Text *text))
{
    CLEANUP(text_clear) Text text = TEXT_INIT(PRINTED_BYTES_MAX);
    print(&text);
    fputs(text_get(&text), stdout);
    return EX_OK;
}

static int print_config(const Settings *settings)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(PRINTED_BYTES_MAX);
    settings_print(settings, &text);
    fputs(text_get(&text), stdout);
    return EX_OK;
}

static void install_log(const Settings *settings)
{
    LogLevel level = LOG_LEVEL_INFO;
    LogFormat format = LOG_FORMAT_AUTO;
    // the settings' table allows nothing else
    bool known = log_level_parse(settings_text(settings, SETTING_LOG_LEVEL), &level);
    known = log_format_parse(settings_text(settings, SETTING_LOG_FORMAT), &format) && known;
    (void)known;
    log_install(level, format, settings_text(settings, SETTING_INSTANCE_ID));
}

static int run_worker(const Settings *settings)
{
    Error err = ERROR_INIT;
    char installation[UUID_TEXT_BYTES];
    const char *uri = secret_reveal(settings_secret(settings, SETTING_LEDGER_URI));
    bool migrates = strcmp(settings_text(settings, SETTING_LEDGER_MIGRATE), "auto") == 0;
    if ((migrates && !migrate_run(uri, true, NULL, &err)) ||
        !migrate_check(uri, installation, &err)) {
        return complain_in_log(&err, exit_code_of(&err));
    }
    // also refuses a ledger that forgets commands which the topic still has: they would be executed
    // again
    if (!topics_check(settings, NULL, &err)) {
        return complain_in_log(&err, exit_code_of(&err));
    }
    history_check(settings);
    int exit_code = worker_run(settings, installation, &err);
    return err.kind != ERROR_NONE ? complain_in_log(&err, exit_code_of(&err)) : exit_code;
}

static bool run_skip(const Arguments *arguments, const Settings *settings, Error *err)
{
    char installation[UUID_TEXT_BYTES];
    const char *uri = secret_reveal(settings_secret(settings, SETTING_LEDGER_URI));
    return migrate_check(uri, installation, err) &&
           skip_record(settings, installation, arguments->partition, arguments->offset,
                       arguments->reason, stdout, err);
}

static int run_task(const Arguments *arguments, const Settings *settings)
{
    Error err = ERROR_INIT;
    bool ok = true;
    switch (arguments->task) {
    case TASK_RUN:
        return run_worker(settings);
    case TASK_MIGRATE:
        ok = migrate_run(secret_reveal(settings_secret(settings, SETTING_LEDGER_URI)),
                         !arguments->dry_run, stdout, &err);
        break;
    case TASK_TOPICS_CREATE:
        ok = topics_create(settings, stdout, &err);
        break;
    case TASK_TOPICS_CHECK:
        ok = topics_check(settings, stdout, &err);
        break;
    case TASK_SKIP:
        ok = run_skip(arguments, settings, &err);
        break;
    case TASK_CHECK_CONFIG:
        puts("the configuration is fine");
        break;
    case TASK_PRINT_CONFIG:
        return print_config(settings);
    case TASK_PRINT_SETTINGS:
    case TASK_PRINT_SAGAS:
    case TASK_PRINT_METRICS:
        break;
    }
    return ok ? EX_OK : complain(&err, exit_code_of(&err));
}

static int run_with_settings(const Arguments *arguments)
{
    Error err = ERROR_INIT;
    CLEANUP(settings_free_at) Settings *settings = settings_new();
    SettingsSources sources = {.file = arguments->file,
                               .environment = environ,
                               .assignments = arguments->assignments,
                               .assignment_count = arguments->assignment_count};
    bool ok = settings_source_load(settings, &sources, &err) && settings_check(settings, &err);
    if (arguments->task == TASK_RUN) {
        install_log(settings); // by what was read of them
    }
    if (!ok) {
        return arguments->task == TASK_RUN ? complain_in_log(&err, EX_CONFIG)
                                           : complain(&err, EX_CONFIG);
    }
    return run_task(arguments, settings);
}

int main(int argc, char **argv)
{
    static const struct argp PARSER = {
        OPTIONS, parse_option, "[run | migrate | topics create|check | skip PARTITION:OFFSET]",
        DOC,     NULL,         NULL,
        NULL};
    Error err = ERROR_INIT;
    Arguments arguments = {.task = TASK_RUN};
    argp_err_exit_status = EX_USAGE;
    // one slow read of committed offsets takes one of libuv's threads for as long as the broker
    // likes
    if (setenv("UV_THREADPOOL_SIZE", "8", 0) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        !process_harden(&err)) {
        return complain(&err, EX_OSERR);
    }
    random_install();
    if (argp_parse(&PARSER, argc, argv, 0, NULL, &arguments) != 0) {
        return EX_USAGE;
    }
    if (arguments.task == TASK_PRINT_SAGAS) {
        return print_text(saga_print);
    }
    if (arguments.task == TASK_PRINT_SETTINGS) {
        return print_text(settings_print_markdown);
    }
    if (arguments.task == TASK_PRINT_METRICS) {
        return print_text(metrics_print_markdown);
    }
    if (!memory_install(&err)) {
        return complain(&err, EX_OSERR);
    }
    int exit_code = run_with_settings(&arguments);
    memory_uninstall();
    return exit_code;
}
