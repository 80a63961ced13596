#include "lib/command.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "contract/allocator.h"
#include "contract/command.h"
#include "contract/traceparent.h"
#include "lib/fault.h"
#include "lib/seal.h"

enum { MS_PER_SECOND = 1000, NS_PER_MS = 1000000, API_KEY_MAX_BYTES = 512 };

void draft_set_text(char **text, const char *value)
{
    if (*text != (const char *)protobuf_c_empty_string) {
        ProtobufCAllocator allocator = allocator_zeroing();
        allocator.free(allocator.allocator_data, *text);
    }
    const char *copied = value == NULL ? "" : value;
    *text = allocator_copy(copied, strlen(copied));
}

static void draft_set_timestamp(Google__Protobuf__Timestamp **timestamp, int64_t instant_ms)
{
    if (*timestamp == NULL) {
        *timestamp = allocator_zeroed(sizeof(**timestamp));
        google__protobuf__timestamp__init(*timestamp);
    }
    (*timestamp)->seconds = instant_ms / MS_PER_SECOND;
    (*timestamp)->nanos = (int32_t)(instant_ms % MS_PER_SECOND) * NS_PER_MS;
}

void draft_drop_times(Provisioning__V1__Command *message)
{
    ProtobufCAllocator allocator = allocator_zeroing();
    google__protobuf__timestamp__free_unpacked(message->requested_at, &allocator);
    google__protobuf__timestamp__free_unpacked(message->deadline, &allocator);
    message->requested_at = NULL;
    message->deadline = NULL;
}

static int64_t draft_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

static void draft_fill_id(Provisioning__V1__Command *message)
{
    if (message->command_id[0] != '\0') {
        return;
    }
    uint8_t random[16];
    if (sodium_init() < 0) {
        abort();
    }
    randombytes_buf(random, sizeof(random));
    char id[UUID_TEXT_BYTES];
    uuid_from_random(random, id);
    draft_set_text(&message->command_id, id);
}

ProvisionCommand *draft_new(Provisioning__V1__Command *message)
{
    ProvisionCommand *command = alloc_zeroed(1, sizeof(*command));
    command->message = message;
    draft_fill_id(message);
    if (message->requested_at == NULL) {
        draft_set_timestamp(&message->requested_at, draft_now_ms());
    }
    return command;
}

void provision_command_free(ProvisionCommand *command)
{
    if (command != NULL) {
        allocator_free_message(&command->message->base);
        free(command);
    }
}

ProvisionCommand *draft_begin(const char *application_id)
{
    Provisioning__V1__Command *message = allocator_zeroed(sizeof(*message));
    provisioning__v1__command__init(message);
    draft_set_text(&message->application_id, application_id);
    return draft_new(message);
}

void draft_free_at(ProvisionCommand **command)
{
    provision_command_free(*command);
}

ProvisionCommand *draft_take(ProvisionCommand **command)
{
    ProvisionCommand *taken = *command;
    *command = NULL;
    return taken;
}

static void draft_pack_message(const Provisioning__V1__Command *message, Buffer *ret_value)
{
    buffer_clear(ret_value);
    ret_value->size = provisioning__v1__command__get_packed_size(message);
    ret_value->data = alloc_bytes(ret_value->size);
    provisioning__v1__command__pack(message, ret_value->data);
}

void draft_pack(const ProvisionCommand *command, Buffer *ret_value)
{
    draft_pack_message(command->message, ret_value);
}

// Only workers can open a box, so the check sees a reference in its place.
static void draft_pack_for_check(const ProvisionCommand *command, DraftKey key, Buffer *ret_value)
{
    static char stand_in[] = "file:sealed";
    Provisioning__V1__Command message = *command->message;
    Provisioning__V1__ConnectAccount account;
    if (message.action_case == PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT) {
        account = *message.connect_account;
        bool sealed = account.api_key_case == PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_SEALED;
        bool missing = account.api_key_case == PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY__NOT_SET;
        if (sealed || (missing && key == DRAFT_KEY_LATER)) {
            account.api_key_case = PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_REFERENCE;
            account.reference = stand_in;
        }
        message.connect_account = &account;
    }
    draft_pack_message(&message, ret_value);
}

bool draft_check(const ProvisionCommand *command, DraftKey key, ProvisionError *err)
{
    Buffer value CLEANUP(buffer_clear) = {.data = NULL};
    draft_pack_for_check(command, key, &value);
    Record record = {
        .topic = "",
        .key = bytes_of(command->message->application_id),
        .value = buffer_view(&value),
    };
    CommandRules rules = {.max_bytes = SIZE_MAX};
    Rejection rejection;
    Command *decoded = command_decode(&record, &rules, &rejection);
    if (decoded == NULL) {
        return fault_from(err, &rejection.error);
    }
    command_free(decoded);
    return true;
}

ProvisionCommand *draft_finish(ProvisionCommand **command, ProvisionError *err)
{
    return draft_check(*command, DRAFT_KEY_NEEDED, err) ? draft_take(command) : NULL;
}

bool provision_command_set_id(ProvisionCommand *command, const char *uuid, ProvisionError *err)
{
    if (!uuid_is_valid(uuid)) {
        return fault_set_field(err, "INVALID_VALUE", "command_id",
                               "command_id must be a UUID, other than the nil one");
    }
    draft_set_text(&command->message->command_id, uuid);
    return true;
}

bool provision_command_set_deadline(ProvisionCommand *command, int64_t deadline_ms,
                                    ProvisionError *err)
{
    if (deadline_ms <= 0) {
        return fault_set_field(err, "INVALID_VALUE", "deadline",
                               "deadline must be a point in time after 1970");
    }
    draft_set_timestamp(&command->message->deadline, deadline_ms);
    return draft_check(command, DRAFT_KEY_LATER, err);
}

bool provision_command_set_requested_by(ProvisionCommand *command, const char *text,
                                        ProvisionError *err)
{
    draft_set_text(&command->message->requested_by, text);
    return draft_check(command, DRAFT_KEY_LATER, err);
}

bool provision_command_add_label(ProvisionCommand *command, const char *key, const char *value,
                                 ProvisionError *err)
{
    Provisioning__V1__Label *label = allocator_zeroed(sizeof(*label));
    provisioning__v1__label__init(label);
    draft_set_text(&label->key, key);
    draft_set_text(&label->value, value);
    Provisioning__V1__Command *message = command->message;
    size_t old_bytes = message->n_labels * sizeof(void *);
    Provisioning__V1__Label **labels = allocator_zeroed(old_bytes + sizeof(void *));
    if (old_bytes > 0) {
        memcpy(labels, message->labels, old_bytes);
    }
    labels[message->n_labels] = label;
    ProtobufCAllocator allocator = allocator_zeroing();
    allocator.free(allocator.allocator_data, message->labels);
    message->labels = labels;
    message->n_labels++;
    return draft_check(command, DRAFT_KEY_LATER, err);
}

bool provision_command_set_traceparent(ProvisionCommand *command, const char *traceparent,
                                       ProvisionError *err)
{
    RecordHeader header = {.name = "traceparent", .value = bytes_of(traceparent)};
    char found[TRACEPARENT_BYTES];
    traceparent_find(&header, 1, found);
    if (found[0] == '\0') {
        return fault_set_field(err, "INVALID_VALUE", "traceparent",
                               "traceparent must be of the form 00-<32 hex>-<16 hex>-<2 hex>");
    }
    memcpy(command->traceparent, found, sizeof(found));
    return true;
}

static bool draft_is_api_key(const char *api_key)
{
    size_t size = 0;
    while (api_key[size] > ' ' && api_key[size] <= '~') {
        size++;
    }
    return size > 0 && size <= API_KEY_MAX_BYTES && api_key[size] == '\0';
}

static void draft_drop_key(Provisioning__V1__ConnectAccount *account)
{
    ProtobufCAllocator allocator = allocator_zeroing();
    switch ((int)account->api_key_case) {
    case PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_SEALED:
        allocator_free_message(&account->sealed->base);
        break;
    case PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_REFERENCE:
        allocator.free(allocator.allocator_data, account->reference);
        break;
    case PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_PLAINTEXT:
        allocator.free(allocator.allocator_data, account->plaintext);
        break;
    case PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY__NOT_SET:
    default:
        break;
    }
}

bool provision_command_set_api_key(ProvisionCommand *command, const char *api_key,
                                   const uint8_t fleet_public_key[PROVISION_KEY_BYTES],
                                   ProvisionError *err)
{
    Provisioning__V1__Command *message = command->message;
    if (message->action_case != PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT) {
        return fault_set_field(err, "INVALID_VALUE", "action",
                               "only connect_account takes an API key");
    }
    if (!draft_is_api_key(api_key)) {
        return fault_set_field(err, "INVALID_VALUE", "connect_account.api_key",
                               "the API key must have 1 to 512 printable ASCII characters, no "
                               "spaces");
    }
    Provisioning__V1__ConnectAccount *account = message->connect_account;
    Provisioning__V1__SealedBox *sealed =
        seal_api_key(message->application_id, account->account, api_key, fleet_public_key, err);
    if (sealed == NULL) {
        return false;
    }
    draft_drop_key(account);
    account->api_key_case = PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_SEALED;
    account->sealed = sealed;
    return true;
}

const char *provision_command_id(const ProvisionCommand *command)
{
    return command->message->command_id;
}

const char *provision_command_application(const ProvisionCommand *command)
{
    return command->message->application_id;
}
