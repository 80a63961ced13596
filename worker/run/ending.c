#include "run/ending.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "run/outbox.h"
#include "run/tally.h"
#include "sys/clock.h"
#include "sys/log.h"

// Room for headers and framing below the broker's own limit (1 MiB and a little by default).
enum { RECORD_BYTES_MAX = 1000 * 1000 };

OutcomeContext ending_context(const Worker *worker, const char *application_id,
                              const char *command_id, const char *traceparent, int32_t attempts)
{
    const Settings *settings = worker->settings;
    bool confluent = settings_text(settings, SETTING_PAYLOAD_FRAMING)[0] == 'c';
    return (OutcomeContext){
        .source = worker->source,
        .application_id = application_id,
        .command_id = command_id,
        .traceparent = traceparent,
        .now_ms = clock_wall_ms(),
        .attempts = attempts,
        .event_framing = {confluent,
                          (uint32_t)settings_number(settings, SETTING_PAYLOAD_EVENT_SCHEMA)},
        .state_framing = {confluent,
                          (uint32_t)settings_number(settings, SETTING_PAYLOAD_STATE_SCHEMA)},
        .max_record_bytes = RECORD_BYTES_MAX,
    };
}

void ending_reject(Worker *worker, Partition *partition, const Record *record,
                   const Rejection *rejection)
{
    char coordinates[160];
    (void)snprintf(coordinates, sizeof coordinates, "%s/%" PRId32 "@%" PRId64, record->topic,
                   record->partition, record->offset);
    LogFields fields = {.application_id = rejection->application_id,
                        .command_id = rejection->command_id,
                        .record = coordinates,
                        .error = &rejection->error};
    log_write(LOG_LEVEL_WARNING, &fields, "rejected; the record goes to the dead letters");
    tally_rejected(worker, rejection->action_name, rejection->error.code);
    OutcomeContext context =
        ending_context(worker, rejection->application_id, rejection->command_id, "", 1);
    CLEANUP(outcome_free_at) Outcome *outcome = outcome_new(&context);
    Error err = ERROR_INIT;
    bool added = outcome_add_rejected(outcome, rejection, record, &err);
    assert(added); // codes and texts are bounded
    (void)added;
    outcome_add_dead_letter(outcome, record, &rejection->error, worker->name,
                            worker->command_rules.max_bytes);
    Buffer bytes = {.data = NULL};
    outcome_pack(outcome, &bytes);
    OutcomeMessage *message = outcome_unpack(buffer_view(&bytes));
    assert(message != NULL);
    outbox_put(worker, partition, record->offset, message, OUTBOX_FIRST, NULL, NULL);
    outcome_message_free(message);
    buffer_clear(&bytes);
}
