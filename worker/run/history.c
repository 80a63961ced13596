#include "run/history.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "contract/command.h"
#include "drive/kafka_tail.h"
#include "run/intake.h"
#include "run/keys.h"
#include "sys/clock.h"
#include "sys/log.h"

enum { RECORD_TEXT_BYTES = 320 };

typedef struct History {
    PGconn *ledger;
    CommandRules rules;
    int64_t oldest_ms; // older ones may have been purged
    bool *told;        // by partition
    bool is_behind;
    bool is_away; // the ledger did not answer
} History;

static void finish_at(PGconn **connection)
{
    PQfinish(*connection);
}

static void clear_at(PGresult **result)
{
    PQclear(*result);
}

static bool is_known(History *history, const Command *command)
{
    PGresult *result CLEANUP(clear_at) =
        PQexecParams(history->ledger,
                     "SELECT 1 FROM provision.command WHERE application_id = $1 "
                     "AND command_id = $2",
                     2, NULL, (const char *const[]){command->application_id, command->command_id},
                     NULL, NULL, 0);
    history->is_away = history->is_away || PQresultStatus(result) != PGRES_TUPLES_OK;
    return history->is_away || PQntuples(result) > 0;
}

static void tell(const Record *record, const Command *command)
{
    Error err = ERROR_INIT;
    char place[RECORD_TEXT_BYTES];
    (void)snprintf(place, sizeof place, "%s/%" PRId32 "@%" PRId64, record->topic, record->partition,
                   record->offset);
    error_set(
        &err, ERROR_CONFLICT, "LEDGER_BEHIND",
        "the fleet has finished this command, and the ledger doesn't know it: was it restored "
        "from an older backup? (One that was skipped is fine.) Sequences would be given out again; "
        "README.md says what to do before workers go on");
    log_write(LOG_LEVEL_ERROR,
              &(LogFields){.application_id = command->application_id,
                           .command_id = command->command_id,
                           .record = place,
                           .error = &err},
              "the ledger is behind what was published");
}

static void look_at(void *context, int32_t partitions, const rd_kafka_message_t *message)
{
    History *history = context;
    CLEANUP(intake_free_headers) RecordHeader *headers = NULL;
    Rejection rejection;
    const Record record = intake_read_record(message, &headers);
    if (history->told == NULL) {
        history->told = alloc_zeroed((size_t)partitions, sizeof(bool));
    }
    if (record.timestamp_ms < history->oldest_ms || history->told[record.partition]) {
        return;
    }
    history->rules.partitions = partitions;
    Command *command CLEANUP(command_free_at) =
        command_decode(&record, &history->rules, &rejection);
    if (command != NULL && !is_known(history, command)) {
        history->told[record.partition] = true;
        history->is_behind = true;
        tell(&record, command);
    }
}

static void check(const Settings *settings)
{
    Error err = ERROR_INIT;
    CLEANUP(keys_clear) Keys keys;
    if (!keys_load(settings, &keys, &err)) {
        return; // the worker says so
    }
    // what was refused for its signature has no row
    CLEANUP(signers_free_at) Signers *signers = keys_new_signers(&keys, settings);
    PGconn *ledger CLEANUP(finish_at) =
        PQconnectdb(secret_reveal(settings_secret(settings, SETTING_LEDGER_URI)));
    History history = {
        .ledger = ledger,
        // without the fleet's keys: what holds a sealed one is passed over
        .rules = {.max_bytes = (size_t)settings_number(settings, SETTING_COMMANDS_MAX_BYTES),
                  .check_partition =
                      settings_text(settings, SETTING_COMMANDS_PARTITIONER)[0] == 'm',
                  .signers = signers},
        .oldest_ms = clock_wall_ms() - settings_number(settings, SETTING_LEDGER_RETENTION),
    };
    bool was_read = kafka_tail_read(settings, look_at, &history, &err);
    free(history.told);
    if (was_read && history.is_away) {
        error_set(&err, ERROR_UNAVAILABLE, "LEDGER_UNAVAILABLE", "the ledger does not answer");
    }
    if (err.kind != ERROR_NONE) {
        log_write(LOG_LEVEL_WARNING, &(LogFields){.error = &err},
                  "whether the ledger knows what was finished last is not checked");
    } else if (!history.is_behind) {
        log_write(LOG_LEVEL_INFO, NULL, "the ledger knows what was finished last");
    }
}

void history_check(const Settings *settings)
{
    // nobody waits for the child
    (void)signal(SIGCHLD, SIG_IGN);
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent) {
            check(settings);
        }
        _exit(EXIT_SUCCESS);
    }
    if (child < 0) {
        log_write(LOG_LEVEL_WARNING, NULL,
                  "whether the ledger knows what was finished last is not checked: no process");
    }
}
