#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "contract/framing.h"
#include "lib/client.h"
#include "lib/event.h"
#include "lib/fault.h"
#include "lib/form.h"
#include "lib/reader.h"
#include "provisioning/v1/state.pb-c.h"

enum { MS_PER_SECOND = 1000, NS_PER_MS = 1000000 };

static const char SUBJECT_PREFIX[] = "applications/";

struct ProvisionStateWatch {
    Reader *reader;
    char *application_id; // NULL: all
};

// The newest record of a key: what compaction would have left.
typedef struct Entry {
    char *key;
    rd_kafka_message_t *record; // without a value: the subject is gone
} Entry;

typedef struct StateTable {
    void *tree; // of Entry, by key
    const char *application_id;
    ProvisionStateVisitor *visit;
    void *context;
    ProvisionError *err;
    bool stopped;
    bool failed;
} StateTable;

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->key, ((const Entry *)b)->key);
}

static void free_entry(void *pointer)
{
    Entry *entry = pointer;
    rd_kafka_message_destroy(entry->record);
    free(entry->key);
    free(entry);
}

static void free_table(StateTable *table)
{
    tdestroy(table->tree, free_entry);
}

static void free_record(rd_kafka_message_t **record)
{
    if (*record != NULL) {
        rd_kafka_message_destroy(*record);
    }
}

static void free_message(Provisioning__V1__State **state)
{
    provisioning__v1__state__free_unpacked(*state, NULL);
}

// Takes over the record.
static void table_put(StateTable *table, rd_kafka_message_t *record)
{
    Buffer key CLEANUP(buffer_clear) = {.data = NULL};
    buffer_set(&key, event_record_key(record));
    Entry *entry = alloc_zeroed(1, sizeof(*entry));
    entry->key = alloc_text((const char *)key.data);
    entry->record = record;
    Entry **found = tsearch(entry, &table->tree, compare_entries);
    if (found == NULL) {
        abort();
    }
    if (*found != entry) {
        rd_kafka_message_t *older = (*found)->record;
        (*found)->record = entry->record;
        entry->record = older;
        free_entry(entry);
    }
}

static Provisioning__V1__State *decode(const rd_kafka_message_t *record, const char *key,
                                       ProvisionError *err)
{
    Bytes bytes = {.data = NULL, .size = 0};
    Provisioning__V1__State *state = NULL;
    if (framing_open(event_record_value(record), &bytes, NULL) && bytes.size > 0) {
        state = provisioning__v1__state__unpack(NULL, bytes.size, bytes.data);
    }
    if (state == NULL) {
        fault_set(err, PROVISION_ERROR_INVALID, "STATE_UNREADABLE",
                  "the record of key %s is no state: is this the state topic?", key);
    }
    return state;
}

static void name_body(const Provisioning__V1__State *message, ProvisionState *state)
{
    switch ((int)message->body_case) {
    case PROVISIONING__V1__STATE__BODY_ENVIRONMENT:
        state->kind = PROVISION_SUBJECT_ENVIRONMENT;
        state->name = message->environment->environment;
        break;
    case PROVISIONING__V1__STATE__BODY_ACCOUNT:
        state->kind = PROVISION_SUBJECT_ACCOUNT;
        state->name = message->account->account;
        break;
    case PROVISIONING__V1__STATE__BODY_APPLICATION:
    case PROVISIONING__V1__STATE__BODY__NOT_SET:
    default:
        state->kind = PROVISION_SUBJECT_APPLICATION;
        state->name = "";
        break;
    }
}

static bool visit_state(ProvisionStateVisitor *visit, void *context,
                        const Provisioning__V1__State *message)
{
    char *json = form_of(&message->base);
    ProvisionState state = {
        .subject = message->subject,
        .application_id = message->application_id,
        .json = json,
        .sequence = message->sequence,
    };
    if (message->changed_at != NULL) {
        state.changed_at_ms =
            message->changed_at->seconds * MS_PER_SECOND + message->changed_at->nanos / NS_PER_MS;
    }
    name_body(message, &state);
    bool going_on = visit(context, &state);
    free(json);
    return going_on;
}

static void visit_entry(const void *node, VISIT order, void *context)
{
    StateTable *table = context;
    const Entry *entry = *(Entry *const *)node;
    bool in_order = order == postorder || order == leaf;
    if (!in_order || table->stopped || event_record_value(entry->record).size == 0) {
        return;
    }
    Provisioning__V1__State *message CLEANUP(free_message) =
        decode(entry->record, entry->key, table->err);
    if (message == NULL) {
        table->failed = true;
        table->stopped = true;
        return;
    }
    if (table->application_id == NULL ||
        strcmp(table->application_id, message->application_id) == 0) {
        table->stopped = !visit_state(table->visit, table->context, message);
    }
}

// false: failed.
static bool table_fill(StateTable *table, Reader *reader, Deadline deadline)
{
    for (;;) {
        rd_kafka_message_t *record = NULL;
        switch (reader_next(reader, deadline, &record, table->err)) {
        case READER_RECORD:
            table_put(table, record);
            break;
        case READER_END:
            return true;
        case READER_TIMEOUT:
            return reader_fault_timeout(reader, table->err);
        case READER_FAILED:
        default:
            return false;
        }
    }
}

static void end_watch(ProvisionStateWatch **watch)
{
    provision_state_watch_end(*watch);
}

ProvisionStateWatch *provision_state_watch_begin(ProvisionClient *client,
                                                 const char *application_id, int timeout_ms,
                                                 ProvisionStateVisitor *visit, void *context,
                                                 ProvisionError *err)
{
    Deadline deadline = deadline_in(timeout_ms);
    ReaderStart start = {.kind = PROVISION_START_BEGINNING};
    ProvisionStateWatch *watch CLEANUP(end_watch) = alloc_zeroed(1, sizeof(*watch));
    watch->application_id = application_id == NULL ? NULL : alloc_text(application_id);
    watch->reader =
        reader_open(client_options(client), OPTIONS_TOPIC_STATE, NULL, start, deadline, err);
    if (watch->reader == NULL) {
        return NULL;
    }
    StateTable table CLEANUP(free_table) = {
        .application_id = application_id,
        .visit = visit,
        .context = context,
        .err = err,
    };
    if (!table_fill(&table, watch->reader, deadline)) {
        return NULL;
    }
    twalk_r(table.tree, visit_entry, &table);
    if (table.failed) {
        return NULL;
    }
    ProvisionStateWatch *begun = watch;
    watch = NULL;
    return begun;
}

void provision_state_watch_end(ProvisionStateWatch *watch)
{
    if (watch != NULL) {
        reader_close(watch->reader);
        free(watch->application_id);
        free(watch);
    }
}

bool provision_client_read_states(ProvisionClient *client, const char *application_id,
                                  int timeout_ms, ProvisionStateVisitor *visit, void *context,
                                  ProvisionError *err)
{
    ProvisionStateWatch *watch CLEANUP(end_watch) =
        provision_state_watch_begin(client, application_id, timeout_ms, visit, context, err);
    return watch != NULL;
}

// A subject that is gone is known by its key alone.
static void visit_gone(const rd_kafka_message_t *record, const char *subject,
                       const char *application_id, ProvisionStateVisitor *visit, void *context)
{
    const char *slash = strrchr(subject, '/');
    ProvisionState state = {
        .subject = subject,
        .application_id = application_id,
        .name = slash == NULL ? "" : slash + 1,
        .json = "{}",
        .kind = PROVISION_SUBJECT_APPLICATION,
        .changed_at_ms = rd_kafka_message_timestamp(record, NULL),
        .gone = true,
    };
    if (strstr(subject, "/environments/") != NULL) {
        state.kind = PROVISION_SUBJECT_ENVIRONMENT;
    } else if (strstr(subject, "/accounts/") != NULL) {
        state.kind = PROVISION_SUBJECT_ACCOUNT;
    } else {
        state.name = "";
    }
    (void)visit(context, &state);
}

// applications/A/environments/E → A. Freed by the caller.
static char *application_of(const char *subject)
{
    size_t prefix = sizeof(SUBJECT_PREFIX) - 1;
    const char *name = strncmp(subject, SUBJECT_PREFIX, prefix) == 0 ? subject + prefix : "";
    char *application_id = alloc_text(name);
    application_id[strcspn(application_id, "/")] = '\0';
    return application_id;
}

static void free_text(char **text)
{
    free(*text);
}

// false: failed. A change of another application is passed over.
static bool visit_change(const ProvisionStateWatch *watch, const rd_kafka_message_t *record,
                         ProvisionStateVisitor *visit, void *context, bool *ret_changed,
                         ProvisionError *err)
{
    Buffer key CLEANUP(buffer_clear) = {.data = NULL};
    buffer_set(&key, event_record_key(record));
    const char *subject = (const char *)key.data;
    char *application_id CLEANUP(free_text) = application_of(subject);
    if (watch->application_id != NULL && strcmp(watch->application_id, application_id) != 0) {
        return true;
    }
    if (event_record_value(record).size == 0) {
        *ret_changed = true;
        visit_gone(record, subject, application_id, visit, context);
        return true;
    }
    Provisioning__V1__State *message CLEANUP(free_message) = decode(record, subject, err);
    if (message == NULL) {
        return false;
    }
    *ret_changed = true;
    (void)visit_state(visit, context, message);
    return true;
}

bool provision_state_watch_next(ProvisionStateWatch *watch, int timeout_ms,
                                ProvisionStateVisitor *visit, void *context, bool *ret_changed,
                                ProvisionError *err)
{
    Deadline deadline = deadline_in(timeout_ms);
    *ret_changed = false;
    for (;;) {
        rd_kafka_message_t *record CLEANUP(free_record) = NULL;
        switch (reader_next(watch->reader, deadline, &record, err)) {
        case READER_RECORD:
            if (!visit_change(watch, record, visit, context, ret_changed, err)) {
                return false;
            }
            if (*ret_changed) {
                return true;
            }
            break;
        case READER_END:
            break;
        case READER_TIMEOUT:
            return true;
        case READER_FAILED:
        default:
            return false;
        }
    }
}
