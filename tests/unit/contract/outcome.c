#include "contract/outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/uuid.h"
#include "kit.h"

typedef Provisioning__Internal__V1__OutcomeRecord OutcomeRecord;

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define TOPIC(name) PROVISIONING__INTERNAL__V1__OUTCOME_TOPIC__OUTCOME_TOPIC_##name

static OutcomeContext context(void)
{
    return (OutcomeContext){.source = "/neon-provisioner/test",
                            .application_id = "shop",
                            .command_id = KIT_ID,
                            .traceparent = TRACE,
                            .now_ms = 1795334820250,
                            .attempts = 2,
                            .max_record_bytes = 4096};
}

// The header's value as text; NULL when there is none, the last one where there are several.
static char *header(const OutcomeRecord *record, const char *name)
{
    static char text[600];
    bool found = false;
    for (size_t i = 0; i < record->n_headers; i++) {
        if (strcmp(record->headers[i]->name, name) == 0) {
            (void)snprintf(text, sizeof text, "%.*s", (int)record->headers[i]->value.len,
                           (const char *)record->headers[i]->value.data);
            found = true;
        }
    }
    return found ? text : NULL;
}

static void expect_key(const OutcomeRecord *record, const char *key)
{
    assert_true(bytes_equal((Bytes){record->key.data, record->key.len}, bytes_of(key)));
}

// As the ledger keeps it and the publisher reads it.
static OutcomeMessage *keep(const Outcome *outcome)
{
    Buffer packed CLEANUP(buffer_clear) = {NULL, 0};
    outcome_pack(outcome, &packed);
    OutcomeMessage *message = outcome_unpack(buffer_view(&packed));
    assert_non_null(message);
    assert_int_equal(message->n_records, outcome_message(outcome)->n_records);
    return message;
}

static Provisioning__V1__EnvironmentDeleted deleted(void)
{
    Provisioning__V1__EnvironmentDeleted body;
    provisioning__v1__environment_deleted__init(&body);
    return body;
}

static Provisioning__V1__Event event_of(Provisioning__V1__EnvironmentDeleted *body)
{
    Provisioning__V1__Event event;
    provisioning__v1__event__init(&event);
    event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_DELETED;
    event.environment_deleted = body;
    return event;
}

static Provisioning__V1__Event *unpack_event(const OutcomeRecord *record, size_t skip)
{
    Provisioning__V1__Event *event =
        provisioning__v1__event__unpack(NULL, record->value.len - skip, record->value.data + skip);
    assert_non_null(event);
    return event;
}

static void an_event_is_a_cloud_event(void **state)
{
    (void)state;
    OutcomeContext shared = context();
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_new(&shared);
    Provisioning__V1__EnvironmentDeleted body = deleted();
    Provisioning__V1__Event event = event_of(&body);
    Subject subject = subject_environment("staging");
    Error err = ERROR_INIT;
    assert_true(outcome_add_event(outcome, &event, &subject, 7, "outcome", NULL, &err));
    OutcomeMessage *message CLEANUP(outcome_message_free_at) = keep(outcome);
    assert_int_equal(message->n_records, 1);
    const OutcomeRecord *record = message->records[0];
    static const struct {
        const char *name;
        const char *value;
    } HEADERS[] = {
        {"content-type", "application/protobuf"},
        {"ce_specversion", "1.0"},
        {"ce_id", "b8b063e1-a8df-850c-a520-cb47530ca9f7"},
        {"ce_type", "provisioning.v1.EnvironmentDeleted"},
        {"ce_source", "/neon-provisioner/test"},
        {"ce_subject", "applications/shop/environments/staging"},
        {"ce_time", "2026-11-22T08:07:00.250Z"},
        {"ce_correlationid", KIT_ID},
        {"ce_sequence", "7"},
        {"traceparent", TRACE},
    };
    assert_int_equal(record->n_headers, KIT_COUNT(HEADERS));
    for (size_t i = 0; i < KIT_COUNT(HEADERS); i++) {
        assert_string_equal(record->headers[i]->name, HEADERS[i].name);
        assert_string_equal(header(record, HEADERS[i].name), HEADERS[i].value);
    }
    assert_int_equal(record->topic, TOPIC(EVENTS));
    assert_false(record->tombstone);
    expect_key(record, "shop");
    Provisioning__V1__Event *read = unpack_event(record, 0);
    assert_string_equal(read->event_id, header(record, "ce_id"));
    assert_string_equal(read->command_id, KIT_ID);
    assert_string_equal(read->application_id, "shop");
    assert_string_equal(read->subject, "applications/shop/environments/staging");
    assert_int_equal(read->sequence, 7);
    assert_int_equal(read->occurred_at->seconds, 1795334820);
    assert_int_equal(read->occurred_at->nanos, 250000000);
    assert_int_equal(read->attempts, 2);
    assert_int_equal(read->body_case, PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_DELETED);
    provisioning__v1__event__free_unpacked(read, NULL);
    assert_ptr_equal(event.environment_deleted, &body);
    assert_string_equal(event.event_id, "");
}

static void headers_without_a_value_are_left_out(void **state)
{
    (void)state;
    OutcomeContext shared = context();
    shared.command_id = "";
    shared.traceparent = NULL;
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_new(&shared);
    Provisioning__V1__EnvironmentDeleted body = deleted();
    Provisioning__V1__Event event = event_of(&body);
    Subject subject = subject_account("main");
    Error err = ERROR_INIT;
    assert_true(outcome_add_event(outcome, &event, &subject, 0, "outcome", "t/1/2", &err));
    OutcomeMessage *message CLEANUP(outcome_message_free_at) = keep(outcome);
    assert_null(header(message->records[0], "ce_correlationid"));
    assert_null(header(message->records[0], "ce_sequence"));
    assert_null(header(message->records[0], "traceparent"));
}

typedef struct IdCase {
    const char *application_id;
    const char *command_id;
    const char *transition;
    const char *identity;
} IdCase;

static void the_event_id_tells_transitions_apart_and_nothing_else(void **state)
{
    (void)state;
    static const IdCase CASES[] = {
        {"shop", KIT_ID, "outcome", NULL},         {"shop", KIT_ID, "accepted", NULL},
        {"other", KIT_ID, "outcome", NULL},        {"shop", "", "outcome", NULL},
        {"shop", KIT_ID, "outcome", "topic/3/41"}, {"shop", KIT_ID, "outcome", "topic/3/42"},
    };
    char ids[KIT_COUNT(CASES)][UUID_TEXT_BYTES];
    for (size_t i = 0; i < KIT_COUNT(CASES); i++) {
        for (int64_t time = 0; time < 2; time++) {
            OutcomeContext shared = context();
            shared.application_id = CASES[i].application_id;
            shared.command_id = CASES[i].command_id;
            shared.now_ms = -1 - time;
            Outcome *outcome CLEANUP(outcome_free_at) = outcome_new(&shared);
            Provisioning__V1__EnvironmentDeleted body = deleted();
            Provisioning__V1__Event event = event_of(&body);
            Subject subject = subject_environment("staging");
            assert_true(outcome_add_event(outcome, &event, &subject, time, CASES[i].transition,
                                          CASES[i].identity, NULL));
            OutcomeMessage *message CLEANUP(outcome_message_free_at) = keep(outcome);
            const char *id = header(message->records[0], "ce_id");
            assert_true(uuid_is_valid(id));
            if (time > 0) {
                assert_string_equal(id, ids[i]);
            }
            memcpy(ids[i], id, UUID_TEXT_BYTES);
            Provisioning__V1__Event *read = unpack_event(message->records[0], 0);
            assert_int_equal(read->occurred_at->seconds, -1);
            assert_int_equal(read->occurred_at->nanos, (999 - time) * 1000000);
            provisioning__v1__event__free_unpacked(read, NULL);
        }
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(ids[i], ids[j]);
        }
    }
}

static void states_and_tombstones_have_the_subject_as_key(void **state)
{
    (void)state;
    OutcomeContext shared = context();
    shared.state_framing = (Framing){.confluent = true, .schema_id = 9};
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_new(&shared);
    Provisioning__V1__ApplicationState application;
    provisioning__v1__application_state__init(&application);
    Provisioning__V1__State current;
    provisioning__v1__state__init(&current);
    current.body_case = PROVISIONING__V1__STATE__BODY_APPLICATION;
    current.application = &application;
    const Subject subjects[] = {{.kind = SUBJECT_APPLICATION}, subject_account("main")};
    Error err = ERROR_INIT;
    assert_true(outcome_add_state(outcome, &current, &subjects[0], 3, &err));
    outcome_add_tombstone(outcome, &subjects[1]);
    OutcomeMessage *message CLEANUP(outcome_message_free_at) = keep(outcome);
    assert_int_equal(message->n_records, 2);
    const OutcomeRecord *record = message->records[0];
    assert_int_equal(record->topic, TOPIC(STATE));
    expect_key(record, "applications/shop");
    assert_memory_equal(record->value.data, "\x00\x00\x00\x00\x09\x00", 6);
    Provisioning__V1__State *read =
        provisioning__v1__state__unpack(NULL, record->value.len - 6, record->value.data + 6);
    assert_string_equal(read->application_id, "shop");
    assert_string_equal(read->subject, "applications/shop");
    assert_int_equal(read->sequence, 3);
    assert_int_equal(read->changed_at->seconds, 1795334820);
    provisioning__v1__state__free_unpacked(read, NULL);
    assert_int_equal(message->records[1]->topic, TOPIC(STATE));
    assert_true(message->records[1]->tombstone);
    expect_key(message->records[1], "applications/shop/accounts/main");
}

static void what_a_broker_would_not_take_is_not_added(void **state)
{
    (void)state;
    Provisioning__V1__EnvironmentDeleted body = deleted();
    char project[1000];
    memset(project, 'p', sizeof project);
    project[sizeof project - 1] = '\0';
    body.project_id = project;
    Provisioning__V1__Event event = event_of(&body);
    Provisioning__V1__EnvironmentState environment;
    provisioning__v1__environment_state__init(&environment);
    environment.project_id = project;
    Provisioning__V1__State current;
    provisioning__v1__state__init(&current);
    current.body_case = PROVISIONING__V1__STATE__BODY_ENVIRONMENT;
    current.environment = &environment;
    Subject subject = subject_environment("staging");
    OutcomeContext shared = context();
    shared.max_record_bytes = 1000;
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_new(&shared);
    Error err = ERROR_INIT;
    assert_false(outcome_add_event(outcome, &event, &subject, 1, "outcome", NULL, &err));
    assert_string_equal(err.code, "OUTCOME_TOO_LARGE");
    err = ERROR_INIT;
    assert_false(outcome_add_state(outcome, &current, &subject, 1, &err));
    assert_string_equal(err.code, "OUTCOME_TOO_LARGE");
    OutcomeMessage *message CLEANUP(outcome_message_free_at) = keep(outcome);
    assert_int_equal(message->n_records, 0);
}

// The limit is that of the whole record, headers included.
static void the_limit_counts_headers(void **state)
{
    (void)state;
    Provisioning__V1__EnvironmentDeleted body = deleted();
    Provisioning__V1__Event event = event_of(&body);
    Subject subject = subject_environment("staging");
    size_t smallest = 0;
    for (size_t limit = 1; smallest == 0; limit++) {
        OutcomeContext shared = context();
        shared.max_record_bytes = limit;
        Outcome *outcome CLEANUP(outcome_free_at) = outcome_new(&shared);
        if (outcome_add_event(outcome, &event, &subject, 1, "outcome", NULL, NULL)) {
            smallest = limit;
            OutcomeMessage *message CLEANUP(outcome_message_free_at) = keep(outcome);
            size_t bytes = message->records[0]->key.len + message->records[0]->value.len;
            for (size_t i = 0; i < message->records[0]->n_headers; i++) {
                bytes += strlen(message->records[0]->headers[i]->name) +
                         message->records[0]->headers[i]->value.len;
            }
            assert_in_range(smallest, bytes + 128, bytes + 512);
        }
    }
}

static void the_framing_of_events_is_that_of_the_context(void **state)
{
    (void)state;
    OutcomeContext shared = context();
    shared.event_framing = (Framing){.confluent = true, .schema_id = 5};
    Outcome *outcome CLEANUP(outcome_free_at) = outcome_new(&shared);
    Provisioning__V1__EnvironmentDeleted body = deleted();
    Provisioning__V1__Event event = event_of(&body);
    Subject subject = subject_environment("staging");
    assert_true(outcome_add_event(outcome, &event, &subject, 1, "outcome", NULL, NULL));
    OutcomeMessage *message CLEANUP(outcome_message_free_at) = keep(outcome);
    assert_memory_equal(message->records[0]->value.data, "\x00\x00\x00\x00\x05\x00", 6);
    provisioning__v1__event__free_unpacked(unpack_event(message->records[0], 6), NULL);
}

static void only_an_outcome_is_unpacked(void **state)
{
    (void)state;
    static const Bytes BROKEN[] = {
        KIT_BYTES("\x0a"),             // cut off
        KIT_BYTES("\x0a\x00"),         // a record for no topic
        KIT_BYTES("\x0a\x02\x08\x09"), // for an unknown one
    };
    for (size_t i = 0; i < KIT_COUNT(BROKEN); i++) {
        assert_null(outcome_unpack(BROKEN[i]));
    }
    outcome_message_free(NULL);
    outcome_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_cloud_event),
        cmocka_unit_test(headers_without_a_value_are_left_out),
        cmocka_unit_test(the_event_id_tells_transitions_apart_and_nothing_else),
        cmocka_unit_test(states_and_tombstones_have_the_subject_as_key),
        cmocka_unit_test(what_a_broker_would_not_take_is_not_added),
        cmocka_unit_test(the_limit_counts_headers),
        cmocka_unit_test(the_framing_of_events_is_that_of_the_context),
        cmocka_unit_test(only_an_outcome_is_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
