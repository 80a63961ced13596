#include <string.h>

#include "base/attr.h"
#include "contract/allocator.h"
#include "contract/command_parts.h"
#include "contract/wire.h"
#include "provisioning/v1/secret.pb-c.h"

#define SEALED_FIELD "connect_account.sealed"

enum { KEY_MAX_BYTES = 512 };

typedef Provisioning__V1__SealedApiKey SealedApiKey;

static void free_sealed(SealedApiKey **sealed)
{
    allocator_free_message((ProtobufCMessage *)*sealed);
}

static bool refuse_box(const char *text, Error *err)
{
    return error_set_field(err, ERROR_INVALID, "SECRET_NOT_OPENABLE", SEALED_FIELD, "%s", text);
}

// Opens the box with whichever of the fleet's keys it was made for.
static bool open_box(const Provisioning__V1__SealedBox *box, const CommandRules *rules,
                     Secret *ret_plain, Error *err)
{
    Bytes sealed = {box->box.data, box->box.len};
    bool any = false;
    for (size_t i = 0; i < rules->fleet_key_count; i++) {
        const CryptoKeyPair *pair = &rules->fleet_keys[i];
        if (box->fleet_key_id[0] != '\0' && strcmp(box->fleet_key_id, pair->id) != 0) {
            continue;
        }
        any = true;
        if (crypto_key_pair_open(pair, sealed, ret_plain, NULL)) {
            return true;
        }
    }
    return refuse_box(any ? SEALED_FIELD " can't be opened with the fleet's private key: seal the "
                                         "API key with the fleet's public key"
                          : SEALED_FIELD " is for a fleet key that these workers don't have: seal "
                                         "the API key with the fleet's current public key",
                      err);
}

static SealedApiKey *unpack_plain(const Secret *plain)
{
    Bytes bytes = secret_bytes(plain);
    if (!wire_scan(&provisioning__v1__sealed_api_key__descriptor, bytes, NULL)) {
        return NULL;
    }
    ProtobufCAllocator allocator = allocator_zeroing();
    return provisioning__v1__sealed_api_key__unpack(&allocator, bytes.size, bytes.data);
}

static bool take_sealed(Command *command, const CommandRules *rules, Error *err)
{
    const Provisioning__V1__ConnectAccount *action = command->message->connect_account;
    Secret plain CLEANUP(secret_clear) = SECRET_INIT;
    if (!open_box(action->sealed, rules, &plain, err)) {
        return false;
    }
    SealedApiKey *sealed CLEANUP(free_sealed) = unpack_plain(&plain);
    if (sealed == NULL) {
        return refuse_box(SEALED_FIELD " holds no SealedApiKey message: seal the API key as "
                                       "provisioning/v1/secret.proto says",
                          err);
    }
    if (strcmp(sealed->application_id, command->application_id) != 0 ||
        strcmp(sealed->account, action->account) != 0) {
        return error_set_field(err, ERROR_INVALID, "SEALED_FOR_OTHER", SEALED_FIELD,
                               SEALED_FIELD " was sealed for another application or account: seal "
                                            "the API key for this one");
    }
    secret_set_text(&command->api_key, sealed->api_key);
    return true;
}

// The key goes from the message into the command.
static bool take_plaintext(Command *command, const CommandRules *rules, Error *err)
{
    char *plaintext = command->message->connect_account->plaintext;
    bool allowed = rules->allow_plaintext_key;
    if (allowed) {
        secret_set_text(&command->api_key, plaintext);
    }
    secret_zero(plaintext, strlen(plaintext));
    return allowed ||
           error_set_field(err, ERROR_INVALID, "PLAINTEXT_REFUSED", "connect_account.plaintext",
                           "API keys in clear are refused (secrets.allow_plaintext): seal the key, "
                           "and replace it at Neon, since this topic has kept it");
}

bool command_check_key(const Secret *key, Error *err)
{
    Bytes bytes = secret_bytes(key);
    bool fits = bytes.size > 0 && bytes.size <= KEY_MAX_BYTES;
    for (size_t i = 0; i < bytes.size && fits; i++) {
        fits = bytes.data[i] > ' ' && bytes.data[i] <= '~';
    }
    return fits ||
           error_set_field(err, ERROR_INVALID, "INVALID_VALUE", "connect_account.api_key",
                           "the API key must have 1 to 512 printable ASCII characters, no spaces");
}

bool command_take_key(Command *command, const CommandRules *rules, Error *err)
{
    if (command->action != PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT) {
        return true;
    }
    bool taken = true;
    switch ((int)command->message->connect_account->api_key_case) {
    case PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_SEALED:
        taken = take_sealed(command, rules, err);
        break;
    case PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_PLAINTEXT:
        taken = take_plaintext(command, rules, err);
        break;
    default:
        return true;
    }
    return taken && command_check_key(&command->api_key, err);
}
