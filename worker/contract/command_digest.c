#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/text.h"
#include "contract/command_parts.h"

enum { HASH_TEXT_BYTES = 2 * CRYPTO_SHA256_BYTES };

typedef Provisioning__V1__Command CommandMessage;
typedef Provisioning__V1__ConnectAccount ConnectAccount;

static void digest_packed(const CommandMessage *message, const Bytes *prefix, size_t prefix_count,
                          uint8_t ret_digest[CRYPTO_SHA256_BYTES])
{
    Bytes parts[3];
    assert(prefix_count < sizeof parts / sizeof parts[0]);
    for (size_t i = 0; i < prefix_count; i++) {
        parts[i] = prefix[i];
    }
    Buffer packed CLEANUP(buffer_clear) = {NULL, 0};
    packed.size = protobuf_c_message_get_packed_size(&message->base);
    packed.data = alloc_bytes(packed.size);
    protobuf_c_message_pack(&message->base, packed.data);
    parts[prefix_count] = buffer_view(&packed);
    crypto_sha256(parts, prefix_count + 1, ret_digest);
}

// Packed as a Command that has nothing but the action: so the digest covers which action it is,
// too.
static CommandMessage only_action(const CommandMessage *message)
{
    CommandMessage bare;
    provisioning__v1__command__init(&bare);
    bare.action_case = message->action_case;
    bare.create_environment = message->create_environment; // whichever member of the union is set
    return bare;
}

void command_spec_digest(const CommandMessage *message, uint8_t ret_digest[CRYPTO_SHA256_BYTES])
{
    CommandMessage bare = only_action(message);
    digest_packed(&bare, NULL, 0, ret_digest);
}

void command_digest(const char *application_id, const CommandMessage *message,
                    const Secret *api_key, uint8_t ret_digest[CRYPTO_SHA256_BYTES])
{
    CommandMessage bare = only_action(message);
    ConnectAccount connect;
    Text key_hash CLEANUP(text_clear) = TEXT_INIT(HASH_TEXT_BYTES);
    if (!secret_is_empty(api_key)) {
        assert(message->action_case == PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT);
        uint8_t hash[CRYPTO_SHA256_BYTES];
        Bytes key = secret_bytes(api_key);
        crypto_sha256(&key, 1, hash);
        crypto_hex_append(&key_hash, (Bytes){hash, sizeof hash});
        // Sealing draws a new key each time: the box may differ where the command is the same.
        connect = *message->connect_account;
        connect.api_key_case = PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_PLAINTEXT;
        connect.plaintext = key_hash.data;
        bare.connect_account = &connect;
    }
    const Bytes prefix[] = {bytes_of(application_id), {(const uint8_t *)"", 1}};
    digest_packed(&bare, prefix, 2, ret_digest);
}
