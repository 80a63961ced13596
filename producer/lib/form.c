#include "lib/form.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/secret.h"
#include "contract/allocator.h"
#include "contract/json.h"
#include "lib/command.h"
#include "lib/fault.h"

enum { INDENT = 2 };

static void free_json(json_t **json)
{
    json_decref(*json);
}

static void free_packed(Buffer *packed)
{
    if (packed->data != NULL) {
        secret_zero(packed->data, packed->size);
    }
    buffer_clear(packed);
}

static char *dump(const json_t *json, size_t flags)
{
    char *text = json_dumps(json, flags);
    if (text == NULL) {
        abort();
    }
    return text;
}

char *form_of(const ProtobufCMessage *message)
{
    json_t *json CLEANUP(free_json) = json_from_message(message);
    return dump(json, JSON_COMPACT);
}

static json_t *masked_form(const Provisioning__V1__Command *message)
{
    json_t *json = json_from_message(&message->base);
    json_t *account = json_object_get(json, "connectAccount");
    json_t *sealed = json_object_get(account, "sealed");
    if (sealed != NULL) {
        json_object_set_new(sealed, "box", json_string("***"));
    }
    if (json_object_get(account, "plaintext") != NULL) {
        json_object_set_new(account, "plaintext", json_string("***"));
    }
    return json;
}

char *provision_command_json(const ProvisionCommand *command)
{
    json_t *json CLEANUP(free_json) = masked_form(command->message);
    return dump(json, JSON_INDENT(INDENT));
}

char *form_of_command(const Provisioning__V1__Command *message)
{
    json_t *json CLEANUP(free_json) = masked_form(message);
    return dump(json, JSON_COMPACT);
}

static Provisioning__V1__Command *unpack(const json_t *json, ProvisionError *err)
{
    Buffer packed CLEANUP(free_packed) = {.data = NULL};
    Error error = ERROR_INIT;
    if (!json_to_message(json, &provisioning__v1__command__descriptor, &packed, &error)) {
        fault_from(err, &error);
        return NULL;
    }
    ProtobufCAllocator allocator = allocator_zeroing();
    Provisioning__V1__Command *message =
        provisioning__v1__command__unpack(&allocator, packed.size, packed.data);
    if (message == NULL) {
        fault_set(err, PROVISION_ERROR_INVALID, "JSON_INVALID", "the JSON text is no command");
    }
    return message;
}

static bool has_plaintext(const Provisioning__V1__Command *message)
{
    return message->action_case == PROVISIONING__V1__COMMAND__ACTION_CONNECT_ACCOUNT &&
           message->connect_account->api_key_case ==
               PROVISIONING__V1__CONNECT_ACCOUNT__API_KEY_PLAINTEXT;
}

ProvisionCommand *provision_command_from_json(const char *json, ProvisionError *err)
{
    json_error_t problem;
    json_t *loaded CLEANUP(free_json) = json_loads(json, JSON_REJECT_DUPLICATES, &problem);
    if (loaded == NULL) {
        fault_set(err, PROVISION_ERROR_INVALID, "JSON_INVALID", "line %d, column %d: %s",
                  problem.line, problem.column, problem.text);
        return NULL;
    }
    Provisioning__V1__Command *message = unpack(loaded, err);
    if (message == NULL) {
        return NULL;
    }
    ProvisionCommand *command CLEANUP(draft_free_at) = draft_new(message);
    if (has_plaintext(message)) {
        fault_set_field(err, "PLAINTEXT_REFUSED", "connect_account.plaintext",
                        "an API key in clear text doesn't go into Kafka: leave it out and give it "
                        "apart, so that it is sealed");
        return NULL;
    }
    return draft_check(command, DRAFT_KEY_LATER, err) ? draft_take(&command) : NULL;
}
