#include "support/commands.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "base/uuid.h"
#include "contract/json.h"
#include "provisioning/v1/command.pb-c.h"
#include "support/cmocka.h"
#include "support/wait.h"

enum { JSON_BYTES = 4000, SEND_MS = 20000 };

const char *command_quote(const char *members)
{
    char text[JSON_BYTES];
    assert_true(strlen(members) < sizeof(text));
    (void)snprintf(text, sizeof(text), "%s", members);
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '\'') {
            *c = '"';
        }
    }
    return box_text("%s", text);
}

// Quotes are turned where the format is written, not in the values.
static const char *build_json(const char *format, va_list arguments)
{
    char text[JSON_BYTES];
    const char *turned = command_quote(format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int length = vsnprintf(text, sizeof(text), turned, arguments);
#pragma GCC diagnostic pop
    assert_in_range(length, 0, sizeof(text) - 1);
    return box_text("%s", text);
}

const char *command_new_id(void)
{
    uint8_t raw[16];
    char text[UUID_TEXT_BYTES];
    randombytes_buf(raw, sizeof(raw));
    uuid_from_random(raw, text);
    return box_text("%s", text);
}

static const char *send_command(World *world, ProvisionCommand *command)
{
    ProvisionError err;
    ProvisionReceipt receipt;
    if (!provision_client_send(world->client, command, &receipt, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
    const char *id = box_text("%s", provision_command_id(command));
    provision_command_free(command);
    return id;
}

static const char *send_json(World *world, const char *application, const char *members)
{
    ProvisionError err;
    const char *json = box_text("{\"applicationId\": \"%s\", %s}", application, members);
    ProvisionCommand *command = provision_command_from_json(json, &err);
    if (command == NULL) {
        fail_msg("%s: %s (%s)", err.code, err.text, json);
    }
    return send_command(world, command);
}

const char *command_send(World *world, const char *application, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *members = build_json(format, arguments);
    va_end(arguments);
    return send_json(world, application, members);
}

const Seen *command_await(World *world, const char *command_id, const char *type)
{
    const Seen *seen = reader_await_outcome(world->reader, command_id, WORLD_SECONDS);
    if (strcmp(seen_type(seen), type) != 0) {
        char *text = json_dumps(seen->json, 0);
        print_message("%s\n", text);
        free(text);
        fail_msg("%s instead of %s", seen_type(seen), type);
    }
    return seen;
}

const Seen *command_run(World *world, const char *application, const char *type, const char *format,
                        ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *members = build_json(format, arguments);
    va_end(arguments);
    return command_await(world, send_json(world, application, members), type);
}

const Seen *command_refused(World *world, const char *application, const char *type,
                            const char *code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *members = build_json(format, arguments);
    va_end(arguments);
    const Seen *seen = command_await(world, send_json(world, application, members), type);
    const char *body = strcmp(type, "CommandFailed") == 0 ? "commandFailed" : "commandRejected";
    assert_string_equal(seen_text(seen, box_text("%s.code", body)), code);
    assert_string_not_equal(seen_text(seen, box_text("%s.message", body)), "");
    return seen;
}

const char *command_connect(World *world, const char *application, const char *account,
                            const char *api_key)
{
    ProvisionError err;
    const ProvisionConnectAccount spec = {
        .account = account, .api_key = api_key, .fleet_public_key = world->fleet_public_key};
    ProvisionCommand *command = provision_connect_account(application, &spec, &err);
    if (command == NULL) {
        fail_msg("%s: %s", err.code, err.text);
    }
    return send_command(world, command);
}

void command_connect_main(World *world, const char *application)
{
    const char *id = command_connect(world, application, "main", world->api_key);
    (void)command_await(world, id, "AccountConnected");
}

Buffer command_pack(const char *format, ...)
{
    Error err = ERROR_INIT;
    Buffer packed = {NULL, 0};
    va_list arguments;
    va_start(arguments, format);
    const char *members = build_json(format, arguments);
    va_end(arguments);
    json_t *json = json_loads(box_text("{%s}", members), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    if (!json_to_message(json, &provisioning__v1__command__descriptor, &packed, &err)) {
        fail_msg("%s: %s", err.field, err.text);
    }
    json_decref(json);
    return packed;
}

typedef struct Delivery {
    World *world;
    bool done;
    rd_kafka_resp_err_t problem;
    Place place;
} Delivery;

static void take_report(Delivery *delivery, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message = rd_kafka_event_message_next(event);
    assert_ptr_equal(message->_private, delivery);
    delivery->done = true;
    delivery->problem = message->err;
    delivery->place = (Place){message->partition, message->offset};
}

static bool is_delivered(void *context)
{
    Delivery *delivery = context;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(delivery->world->producer);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 100);
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
        take_report(delivery, event);
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    return delivery->done;
}

static rd_kafka_headers_t *padding_headers(size_t padding_bytes)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    if (padding_bytes > 0) {
        void *padding = alloc_zeroed(1, padding_bytes);
        rd_kafka_header_add(headers, "padding", -1, padding, (ssize_t)padding_bytes);
        free(padding);
    }
    return headers;
}

Place command_send_bytes(World *world, const char *key, int32_t partition, Bytes value)
{
    return command_send_padded(world, key, partition, value, 0);
}

Place command_send_padded(World *world, const char *key, int32_t partition, Bytes value,
                          size_t padding_bytes)
{
    return command_send_headers(world, key, partition, value, padding_headers(padding_bytes));
}

Place command_send_headers(World *world, const char *key, int32_t partition, Bytes value,
                           rd_kafka_headers_t *headers)
{
    Delivery delivery = {.world = world};
    size_t key_bytes = key == NULL ? 0 : strlen(key);
    rd_kafka_resp_err_t problem = rd_kafka_producev(
        world->producer, RD_KAFKA_V_TOPIC(world->topics[0]), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_KEY(key, key_bytes), RD_KAFKA_V_VALUE(unconst(value.data), value.size),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(&delivery),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    assert_int_equal(problem, RD_KAFKA_RESP_ERR_NO_ERROR);
    wait_until(is_delivered, &delivery, SEND_MS / 1000, "a bare record to be delivered");
    if (delivery.problem != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fail_msg("not delivered: %s", rd_kafka_err2str(delivery.problem));
    }
    return delivery.place;
}
