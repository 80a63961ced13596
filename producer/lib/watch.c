#include "lib/watch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/name.h"
#include "base/text.h"
#include "lib/client.h"
#include "lib/event.h"
#include "lib/fault.h"
#include "lib/reader.h"

struct ProvisionWatch {
    Reader *reader;
    char application_id[NAME_APPLICATION_BYTES]; // empty: all
};

static void free_record(rd_kafka_message_t **record)
{
    if (*record != NULL) {
        rd_kafka_message_destroy(*record);
    }
}

static bool take_application(ProvisionWatch *watch, const char *application_id, ProvisionError *err)
{
    Error error = ERROR_INIT;
    if (!name_check_application(application_id, "application_id", &error)) {
        return fault_from(err, &error);
    }
    return text_copy(watch->application_id, sizeof(watch->application_id), application_id);
}

ProvisionWatch *provision_watch_begin(ProvisionClient *client, const ProvisionWatchOptions *options,
                                      int timeout_ms, ProvisionError *err)
{
    ProvisionWatch *watch = alloc_zeroed(1, sizeof(*watch));
    if (options->application_id != NULL && !take_application(watch, options->application_id, err)) {
        provision_watch_end(watch);
        return NULL;
    }
    ReaderStart start = {.kind = options->start, .since_ms = options->since_ms};
    watch->reader = reader_open(client_options(client), OPTIONS_TOPIC_EVENTS,
                                options->application_id == NULL ? NULL : watch->application_id,
                                start, deadline_in(timeout_ms), err);
    if (watch->reader == NULL) {
        provision_watch_end(watch);
        return NULL;
    }
    return watch;
}

void provision_watch_end(ProvisionWatch *watch)
{
    if (watch != NULL) {
        reader_close(watch->reader);
        free(watch);
    }
}

void watch_end_at(ProvisionWatch **watch)
{
    provision_watch_end(*watch);
}

static bool is_watched(const ProvisionWatch *watch, const rd_kafka_message_t *record)
{
    return watch->application_id[0] == '\0' ||
           bytes_equal(event_record_key(record), bytes_of(watch->application_id));
}

// The next record of the watched application, or NULL when the time is over.
static bool next_record(ProvisionWatch *watch, Deadline deadline, rd_kafka_message_t **ret_record,
                        ProvisionError *err)
{
    for (;;) {
        rd_kafka_message_t *record CLEANUP(free_record) = NULL;
        switch (reader_next(watch->reader, deadline, &record, err)) {
        case READER_RECORD:
            if (is_watched(watch, record)) {
                *ret_record = record;
                record = NULL;
                return true;
            }
            break;
        case READER_END:
            break;
        case READER_TIMEOUT:
            *ret_record = NULL;
            return true;
        case READER_FAILED:
        default:
            return false;
        }
    }
}

bool provision_watch_next(ProvisionWatch *watch, int timeout_ms, ProvisionEvent **ret_event,
                          ProvisionError *err)
{
    *ret_event = NULL;
    rd_kafka_message_t *record CLEANUP(free_record) = NULL;
    if (!next_record(watch, deadline_in(timeout_ms), &record, err)) {
        return false;
    }
    if (record == NULL) {
        return true;
    }
    *ret_event = event_decode(record, err);
    return *ret_event != NULL;
}

// NULL when the time is over.
static bool next_of(ProvisionWatch *watch, const char *command_id, Deadline deadline,
                    ProvisionEvent **ret_event, ProvisionError *err)
{
    *ret_event = NULL;
    for (;;) {
        rd_kafka_message_t *record CLEANUP(free_record) = NULL;
        if (!next_record(watch, deadline, &record, err)) {
            return false;
        }
        if (record == NULL) {
            return true;
        }
        if (!event_may_concern(record, command_id)) {
            continue;
        }
        ProvisionEvent *event = event_decode(record, err);
        if (event == NULL) {
            return false;
        }
        if (strcasecmp(event->command_id, command_id) == 0) {
            *ret_event = event;
            return true;
        }
        provision_event_free(event);
    }
}

bool provision_watch_next_of(ProvisionWatch *watch, const char *command_id, int timeout_ms,
                             ProvisionEvent **ret_event, ProvisionError *err)
{
    return next_of(watch, command_id, deadline_in(timeout_ms), ret_event, err);
}

bool provision_watch_wait(ProvisionWatch *watch, const char *command_id, int timeout_ms,
                          ProvisionEvent **ret_event, ProvisionError *err)
{
    Deadline deadline = deadline_in(timeout_ms);
    for (;;) {
        if (!next_of(watch, command_id, deadline, ret_event, err)) {
            return false;
        }
        if (*ret_event == NULL) {
            return fault_set(err, PROVISION_ERROR_TIMEOUT, "WAIT_TIMEOUT",
                             "no outcome of command %s within %d ms; the command goes on: wait "
                             "again, or look whether a provision-worker runs",
                             command_id, timeout_ms);
        }
        if ((*ret_event)->outcome != PROVISION_OUTCOME_NONE) {
            return true;
        }
        provision_event_free(*ret_event);
        *ret_event = NULL;
    }
}

bool provision_client_run(ProvisionClient *client, const ProvisionCommand *command, int timeout_ms,
                          ProvisionEvent **ret_event, ProvisionError *err)
{
    *ret_event = NULL;
    Deadline deadline = deadline_in(timeout_ms);
    ProvisionWatchOptions options = {
        .application_id = provision_command_application(command),
        .start = PROVISION_START_NOW,
    };
    ProvisionWatch *watch CLEANUP(watch_end_at) =
        provision_watch_begin(client, &options, timeout_ms, err);
    if (watch == NULL || !provision_client_send(client, command, NULL, err)) {
        return false;
    }
    return provision_watch_wait(watch, provision_command_id(command), deadline_left_ms(deadline),
                                ret_event, err);
}
