#include "rules/parcel.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/murmur2.h"
#include "contract/signature.h"
#include "rules/words.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/setup.h"
#include "support/signing.h"

#define ID_HEADER "rule"
#define OTHER "somebody-else"

static SigningKey own;      // of all applications
static SigningKey other;    // of somebody else
static SigningKey stranger; // listed nowhere
static SigningKey workers;

static SigningKey *const KEYS[] = {&own, &other, &stranger, &workers};

ParcelKeys parcel_begin(World *world)
{
    char hex[2 * CRYPTO_KEY_BYTES + 1];
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
        signing_make_key(world, KEYS[i]);
    }
    setup_write(world, "workers.key",
                sodium_bin2hex(hex, sizeof(hex), workers.seed, CRYPTO_KEY_BYTES));
    return (ParcelKeys){
        box_text("commands.signers=*=%s " OTHER "=%s", own.public_hex, other.public_hex),
        box_text("commands.signing_key_file=%s/workers.key", world->dir)};
}

void parcel_end(void)
{
    for (size_t i = 0; i < sizeof(KEYS) / sizeof(KEYS[0]); i++) {
        crypto_signer_clear(&KEYS[i]->signer);
    }
}

bool parcel_is_bent(const char *command)
{
    return command[0] == '@' && !words_has(command, "neighbour");
}

// ---- the value

static void append(Buffer *value, const void *bytes, size_t count)
{
    value->data = alloc_resize(value->data, value->size + count);
    memcpy(value->data + value->size, bytes, count);
    value->size += count;
}

static void set(Buffer *value, const void *bytes, size_t count)
{
    value->size = 0;
    append(value, bytes, count);
}

static void replace_tilde(Buffer *value, uint8_t byte)
{
    uint8_t *place = memchr(value->data, '~', value->size);
    assert_non_null(place);
    *place = byte;
}

static void append_large_field(Buffer *value)
{
    static const uint8_t FIELD_99[] = {0x9a, 0x06, 0x80, 0x9f, 0x49}; // bytes, 1,200,000 of them
    uint8_t *zeros = alloc_zeroed(1, PARCEL_LARGE_BYTES);
    append(value, FIELD_99, sizeof(FIELD_99));
    append(value, zeros, PARCEL_LARGE_BYTES);
    free(zeros);
}

static Buffer pack(const char *command, const char *members)
{
    static const uint8_t FIELD_99[] = {0x98, 0x06, 0x01};               // a number
    static const uint8_t DISCOVER[] = {0xb2, 0x01, 0x03, 0x0a, 1, 'a'}; // of account "a"
    static const uint8_t FRAME[] = {0, 0, 0, 0, 1, 2, 2, 0x0a, 0x04, 's', 'h', 'o', 'p'};
    Buffer value = command_pack("%s", members);
    if (words_has(command, "empty")) {
        value.size = 0;
    } else if (words_has(command, "unreadable")) {
        set(&value, "\xff\xff\xff", 3);
    } else if (words_has(command, "framed")) {
        set(&value, FRAME, sizeof(FRAME));
    } else if (words_has(command, "cut")) {
        value.size -= 3;
    } else if (words_has(command, "nul")) {
        replace_tilde(&value, '\0');
    } else if (words_has(command, "not-utf8")) {
        replace_tilde(&value, 0xff);
    } else if (words_has(command, "twice")) {
        append(&value, DISCOVER, sizeof(DISCOVER));
    } else if (words_has(command, "new-field")) {
        append(&value, FIELD_99, sizeof(FIELD_99));
    } else if (words_has(command, "large")) {
        append_large_field(&value);
    }
    return value;
}

// ---- its signature

static rd_kafka_headers_t *sign(const char *command, const char *application, Bytes value)
{
    const char *right = signing_text(&own, application, value);
    if (words_has(command, "unsigned")) {
        return signing_headers(NULL, NULL);
    }
    if (words_has(command, "stranger")) {
        return signing_headers(signing_text(&stranger, application, value), NULL);
    }
    if (words_has(command, "other")) {
        return signing_headers(signing_text(&other, application, value), NULL);
    }
    if (words_has(command, "for-other")) {
        return signing_headers(signing_text(&own, OTHER, value), NULL);
    }
    if (words_has(command, "of-another")) {
        return signing_headers(signing_text(&own, application, bytes_of("another")), NULL);
    }
    if (words_has(command, "short")) {
        return signing_headers(box_text("%.*s", SIGNATURE_TEXT_BYTES - 2, right), NULL);
    }
    if (words_has(command, "mangled")) {
        return signing_headers(box_text("%.*s!", SIGNATURE_TEXT_BYTES - 2, right), NULL);
    }
    return signing_headers(right, words_has(command, "doubled") ? right : NULL);
}

static int32_t partition_of(const char *command, const char *application)
{
    int32_t right = murmur2_partition(bytes_of(application), WORLD_PARTITIONS);
    return words_has(command, "misplaced") ? (right + 1) % WORLD_PARTITIONS : right;
}

void parcel_send(World *world, const char *command, const char *application, const char *id,
                 const char *members)
{
    CLEANUP(buffer_clear) Buffer value = pack(command, members);
    rd_kafka_headers_t *headers = sign(command, application, buffer_view(&value));
    (void)rd_kafka_header_add(headers, ID_HEADER, -1, id, -1);
    rd_kafka_resp_err_t problem = rd_kafka_producev(
        world->producer, RD_KAFKA_V_TOPIC(world->topics[0]),
        RD_KAFKA_V_PARTITION(partition_of(command, application)),
        RD_KAFKA_V_KEY(application, strlen(application)), RD_KAFKA_V_VALUE(value.data, value.size),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    assert_int_equal(problem, RD_KAFKA_RESP_ERR_NO_ERROR);
}

const char *parcel_id(const Seen *seen)
{
    const char *id = seen_header(seen, ID_HEADER);
    return id == NULL ? "" : id;
}
