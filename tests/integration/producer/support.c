#include "support.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/murmur2.h"
#include "base/text.h"
#include "contract/json.h"

enum { POLL_MS = 100, POLLS_MAX = SUPPORT_TIMEOUT_MS / POLL_MS, SUPPORT_FORM_BYTES = 4096 };

const char *support_servers(void)
{
    const char *servers = getenv("PROVISION_TEST_KAFKA");
    return servers != NULL && servers[0] != '\0' ? servers : NULL;
}

int support_skip(void)
{
    const char *ci = getenv("CI");
    bool needed = ci != NULL && strcmp(ci, "true") == 0;
    (void)fprintf(stderr, "%s: PROVISION_TEST_KAFKA names no broker (deploy/local/kafka start)\n",
                  needed ? "failed" : "skipped");
    return needed ? EXIT_FAILURE : SUPPORT_SKIPPED;
}

static rd_kafka_t *new_kafka(rd_kafka_type_t type, const char *property, const char *value)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(
        rd_kafka_conf_set(conf, "bootstrap.servers", support_servers(), reason, sizeof(reason)),
        RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, property, value, reason, sizeof(reason)),
                     RD_KAFKA_CONF_OK);
    rd_kafka_t *kafka = rd_kafka_new(type, conf, reason, sizeof(reason));
    assert_non_null(kafka);
    return kafka;
}

static void check(rd_kafka_error_t *error)
{
    if (error != NULL) {
        fail_msg("%s", rd_kafka_error_string(error));
    }
}

static void create_topics(rd_kafka_t *kafka, const char *const *names, size_t count)
{
    rd_kafka_NewTopic_t *topics[3];
    for (size_t i = 0; i < count; i++) {
        topics[i] = rd_kafka_NewTopic_new(names[i], SUPPORT_PARTITIONS, 1, NULL, 0);
        if (strstr(names[i], "state") != NULL) {
            (void)rd_kafka_NewTopic_set_config(topics[i], "cleanup.policy", "compact");
        }
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka);
    rd_kafka_CreateTopics(kafka, topics, count, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, SUPPORT_TIMEOUT_MS);
    assert_non_null(event);
    assert_int_equal(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy_array(topics, count);
}

// Until the broker itself knows the new topic.
static void await_topic(rd_kafka_t *kafka, const char *name)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(kafka, name, NULL);
    for (int i = 0; i < POLLS_MAX; i++) {
        const struct rd_kafka_metadata *metadata = NULL;
        assert_int_equal(rd_kafka_metadata(kafka, 0, topic, &metadata, SUPPORT_TIMEOUT_MS),
                         RD_KAFKA_RESP_ERR_NO_ERROR);
        int count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
        if (count == SUPPORT_PARTITIONS) {
            rd_kafka_topic_destroy(topic);
            return;
        }
        rd_kafka_poll(kafka, POLL_MS);
    }
    fail_msg("topic %s was not made", name);
}

static void name_topics(Stage *stage, char *ret_id, size_t size)
{
    uint32_t random = 0;
    assert_true(sodium_init() >= 0);
    randombytes_buf(&random, sizeof(random));
    (void)snprintf(ret_id, size, "producer-test-%08x", random);
    (void)snprintf(stage->commands, sizeof(stage->commands), "%s.commands", ret_id);
    (void)snprintf(stage->events, sizeof(stage->events), "%s.events", ret_id);
    (void)snprintf(stage->state, sizeof(stage->state), "%s.state", ret_id);
}

static void open_client(Stage *stage)
{
    stage->options = provision_options_new();
    assert_true(
        provision_options_set(stage->options, "bootstrap.servers", support_servers(), NULL));
    assert_true(provision_options_set(stage->options, "topics.commands", stage->commands, NULL));
    assert_true(provision_options_set(stage->options, "topics.events", stage->events, NULL));
    assert_true(provision_options_set(stage->options, "topics.state", stage->state, NULL));
    stage->client = provision_client_new(stage->options, NULL);
    assert_non_null(stage->client);
}

// From the beginning: the topic is new.
static void open_reader(Stage *stage)
{
    stage->reader = new_kafka(RD_KAFKA_CONSUMER, "fetch.wait.max.ms", "50");
    stage->reader_topic = rd_kafka_topic_new(stage->reader, stage->commands, NULL);
    stage->reader_queue = rd_kafka_queue_new(stage->reader);
    for (int32_t partition = 0; partition < SUPPORT_PARTITIONS; partition++) {
        assert_int_equal(
            rd_kafka_consume_start_queue(stage->reader_topic, partition, 0, stage->reader_queue),
            0);
    }
}

static void close_reader(Stage *stage)
{
    for (int32_t partition = 0; partition < SUPPORT_PARTITIONS; partition++) {
        (void)rd_kafka_consume_stop(stage->reader_topic, partition);
    }
    rd_kafka_queue_destroy(stage->reader_queue);
    rd_kafka_topic_destroy(stage->reader_topic);
    rd_kafka_destroy(stage->reader);
}

int stage_set_up(void **state)
{
    Stage *stage = alloc_zeroed(1, sizeof(*stage));
    char id[SUPPORT_TEXT_BYTES / 2];
    name_topics(stage, id, sizeof(id));
    stage->worker = new_kafka(RD_KAFKA_PRODUCER, "transactional.id", id);
    const char *names[] = {stage->commands, stage->events, stage->state};
    create_topics(stage->worker, names, 3);
    for (int i = 0; i < 3; i++) {
        await_topic(stage->worker, names[i]);
    }
    check(rd_kafka_init_transactions(stage->worker, SUPPORT_TIMEOUT_MS));
    open_reader(stage);
    open_client(stage);
    *state = stage;
    return 0;
}

int stage_tear_down(void **state)
{
    Stage *stage = *state;
    provision_client_free(stage->client);
    provision_options_free(stage->options);
    close_reader(stage);
    rd_kafka_destroy(stage->worker);
    free(stage);
    return 0;
}

void stage_begin(Stage *stage)
{
    check(rd_kafka_begin_transaction(stage->worker));
}

void stage_commit(Stage *stage)
{
    check(rd_kafka_commit_transaction(stage->worker, SUPPORT_TIMEOUT_MS));
}

void stage_abort(Stage *stage)
{
    // What is aborted shall have been at the broker.
    assert_int_equal(rd_kafka_flush(stage->worker, SUPPORT_TIMEOUT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    check(rd_kafka_abort_transaction(stage->worker, SUPPORT_TIMEOUT_MS));
}

static void publish(Stage *stage, const char *topic, const char *key, Buffer *value,
                    const char *correlation)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
    if (correlation != NULL) {
        (void)rd_kafka_header_add(headers, "ce_correlationid", -1, correlation, -1);
    }
    Buffer owned_key CLEANUP(buffer_clear) = {.data = NULL};
    buffer_set(&owned_key, bytes_of(key));
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION,
         .u.i32 = murmur2_partition(bytes_of(key), SUPPORT_PARTITIONS)},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {owned_key.data, owned_key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {value->data, value->size}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    check(rd_kafka_produceva(stage->worker, parts, sizeof(parts) / sizeof(parts[0])));
}

void stage_event(Stage *stage, const char *application_id, const char *command_id,
                 Provisioning__V1__Event *body)
{
    char application[SUPPORT_TEXT_BYTES];
    char command[SUPPORT_TEXT_BYTES];
    (void)snprintf(application, sizeof(application), "%s", application_id);
    (void)snprintf(command, sizeof(command), "%s", command_id);
    Provisioning__V1__Event event = *body;
    event.application_id = application;
    event.command_id = command;
    Buffer value CLEANUP(buffer_clear) = {.size = provisioning__v1__event__get_packed_size(&event)};
    value.data = alloc_bytes(value.size);
    provisioning__v1__event__pack(&event, value.data);
    publish(stage, stage->events, application_id, &value, command_id);
}

static void publish_state(Stage *stage, const char *application_id, const char *environment,
                          Provisioning__V1__EnvironmentState *body)
{
    char application[SUPPORT_TEXT_BYTES];
    char subject[2 * SUPPORT_TEXT_BYTES];
    (void)snprintf(application, sizeof(application), "%s", application_id);
    (void)snprintf(subject, sizeof(subject), "applications/%s/environments/%s", application_id,
                   environment);
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    if (body != NULL) {
        Provisioning__V1__State state;
        provisioning__v1__state__init(&state);
        state.application_id = application;
        state.subject = subject;
        state.body_case = PROVISIONING__V1__STATE__BODY_ENVIRONMENT;
        state.environment = body;
        value.size = provisioning__v1__state__get_packed_size(&state);
        value.data = alloc_bytes(value.size);
        provisioning__v1__state__pack(&state, value.data);
    }
    publish(stage, stage->state, subject, &value, NULL);
}

void stage_environment(Stage *stage, const char *application_id,
                       Provisioning__V1__EnvironmentState *body)
{
    publish_state(stage, application_id, body->environment, body);
}

void stage_state(Stage *stage, const char *application_id, const char *environment,
                 const char *project_id)
{
    char name[SUPPORT_TEXT_BYTES];
    char project[SUPPORT_TEXT_BYTES];
    (void)snprintf(name, sizeof(name), "%s", environment);
    (void)snprintf(project, sizeof(project), "%s", project_id == NULL ? "" : project_id);
    Provisioning__V1__EnvironmentState body;
    provisioning__v1__environment_state__init(&body);
    body.environment = name;
    body.project_id = project;
    publish_state(stage, application_id, environment, project_id == NULL ? NULL : &body);
}

// Packs what the JSON says.
static void publish_form(Stage *stage, const char *topic, const char *key,
                         const ProtobufCMessageDescriptor *type, const Text *form)
{
    char json[SUPPORT_FORM_BYTES];
    assert_true(text_copy(json, sizeof(json), text_get(form)));
    for (char *c = json; *c != '\0'; c++) {
        *c = (char)(*c == '\'' ? '"' : *c);
    }
    json_t *loaded = json_loads(json, 0, NULL);
    assert_non_null(loaded);
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    Error error = ERROR_INIT;
    if (!json_to_message(loaded, type, &value, &error)) {
        fail_msg("%s: %s", error.text, json);
    }
    json_decref(loaded);
    publish(stage, topic, key, &value, NULL);
}

void stage_state_form(Stage *stage, const char *application_id, const char *subject,
                      const char *members)
{
    Text form CLEANUP(text_clear) = TEXT_INIT(SUPPORT_FORM_BYTES);
    text_printf(&form, "{'applicationId': '%s', 'subject': '%s', 'sequence': '1', %s}",
                application_id, subject, members);
    publish_form(stage, stage->state, subject, &provisioning__v1__state__descriptor, &form);
}

void stage_event_form(Stage *stage, const char *application_id, const char *command_id,
                      const char *members)
{
    Text form CLEANUP(text_clear) = TEXT_INIT(SUPPORT_FORM_BYTES);
    text_printf(&form, "{'applicationId': '%s', 'commandId': '%s', %s}", application_id, command_id,
                members);
    publish_form(stage, stage->events, application_id, &provisioning__v1__event__descriptor, &form);
}

void stage_gone(Stage *stage, const char *subject)
{
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    publish(stage, stage->state, subject, &value, NULL);
}

void stage_garbage(Stage *stage, const char *topic, const char *key)
{
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    buffer_set(&value, bytes_of("\xff\xff no message"));
    publish(stage, topic, key, &value, NULL);
}
