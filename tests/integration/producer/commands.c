#include <stdio.h>
#include <string.h>

#include "support.h"

static Command *decode(const rd_kafka_message_t *record, const CryptoKeyPair *fleet_key)
{
    Record view = {
        .topic = rd_kafka_topic_name(record->rkt),
        .partition = record->partition,
        .offset = record->offset,
        .key = {record->key, record->key_len},
        .value = {record->payload, record->len},
    };
    CommandRules rules = {
        .max_bytes = 1 << 20,
        .partitions = SUPPORT_PARTITIONS,
        .check_partition = true,
        .fleet_keys = fleet_key,
        .fleet_key_count = fleet_key == NULL ? 0 : 1,
    };
    Rejection rejection;
    Command *command = command_decode(&view, &rules, &rejection);
    if (command == NULL) {
        fail_msg("rejected: %s: %s", rejection.error.code, rejection.error.text);
    }
    return command;
}

static void copy_header(const rd_kafka_message_t *record, const char *name,
                        char ret_value[SUPPORT_TEXT_BYTES])
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t size = 0;
    ret_value[0] = '\0';
    if (rd_kafka_message_headers(record, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        rd_kafka_header_get_last(headers, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        assert_true(size < SUPPORT_TEXT_BYTES);
        memcpy(ret_value, value, size);
        ret_value[size] = '\0';
    }
}

Command *stage_next_command(Stage *stage, const CryptoKeyPair *fleet_key, const char *sought,
                            StageHeaders *ret_headers)
{
    rd_kafka_message_t *record = rd_kafka_consume_queue(stage->reader_queue, SUPPORT_TIMEOUT_MS);
    assert_non_null(record);
    assert_int_equal(record->err, RD_KAFKA_RESP_ERR_NO_ERROR);
    Command *command = decode(record, fleet_key);
    if (ret_headers != NULL) {
        copy_header(record, "content-type", ret_headers->content_type);
        copy_header(record, "traceparent", ret_headers->traceparent);
        ret_headers->has_plaintext =
            sought != NULL && memmem(record->payload, record->len, sought, strlen(sought)) != NULL;
    }
    rd_kafka_message_destroy(record);
    return command;
}
