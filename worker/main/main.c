/*
 * provision-worker: reads its configuration, then runs the worker, migrates the ledger, or makes or
 * checks the topics.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/metrics.h"
#include "base/settings.h"
#include "main/arguments.h"
#include "run/history.h"
#include "run/migrate.h"
#include "run/rebuild.h"
#include "run/rekey.h"
#include "run/skip.h"
#include "run/sweep.h"
#include "run/topics.h"
#include "run/worker.h"
#include "saga/saga.h"
#include "sys/log.h"
#include "sys/memory.h"
#include "sys/process.h"
#include "sys/random.h"
#include "sys/settings_source.h"

enum { PRINTED_BYTES_MAX = 1024 * 1024 };

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
        {"ACCOUNT_UNKNOWN", EX_DATAERR},   {"SWEEP_TIMEOUT", EX_TEMPFAIL},
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

// Found something: as `provisionctl roles plan` says it.
enum { EXIT_FOUND = 1 };

static int run_sweep(const Arguments *arguments, const Settings *settings)
{
    Error err = ERROR_INIT;
    char installation[UUID_TEXT_BYTES];
    const char *uri = secret_reveal(settings_secret(settings, SETTING_LEDGER_URI));
    const SweepOptions options = {
        .accounts = arguments->accounts,
        .account_count = arguments->account_count,
        .deletes = arguments->deletes,
        .json = arguments->json,
        .timeout_ms = arguments->timeout_ms,
    };
    bool is_clean = true;
    bool ok = migrate_check(uri, installation, &err) &&
              (arguments->confirms_ledger ? sweep_confirm(settings, stdout, &err)
                                          : sweep_run(settings, &options, stdout, &is_clean, &err));
    if (!ok) {
        return complain(&err, exit_code_of(&err));
    }
    return is_clean ? EX_OK : EXIT_FOUND;
}

static int run_rekey(const Arguments *arguments, const Settings *settings)
{
    Error err = ERROR_INIT;
    char installation[UUID_TEXT_BYTES];
    bool is_done = false;
    bool ok = migrate_check(secret_reveal(settings_secret(settings, SETTING_LEDGER_URI)),
                            installation, &err) &&
              rekey_run(settings, !arguments->dry_run, stdout, &is_done, &err);
    if (!ok) {
        return complain(&err, exit_code_of(&err));
    }
    return is_done ? EX_OK : EXIT_FOUND;
}

static bool run_rebuild(const Arguments *arguments, const Settings *settings, Error *err)
{
    char installation[UUID_TEXT_BYTES];
    return migrate_check(secret_reveal(settings_secret(settings, SETTING_LEDGER_URI)), installation,
                         err) &&
           rebuild_run(settings, arguments->writes, stdout, err);
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
    case TASK_SWEEP:
        return run_sweep(arguments, settings);
    case TASK_REKEY:
        return run_rekey(arguments, settings);
    case TASK_REBUILD:
        ok = run_rebuild(arguments, settings, &err);
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
    Error err = ERROR_INIT;
    Arguments arguments;
    // one slow read of committed offsets takes one of libuv's threads for as long as the broker
    // likes
    if (setenv("UV_THREADPOOL_SIZE", "8", 0) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        !process_harden(&err)) {
        return complain(&err, EX_OSERR);
    }
    random_install();
    arguments_read(argc, argv, &arguments);
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
