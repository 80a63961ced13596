/*
 * A command before it is sent: the protobuf message, always one that the worker's own decoder
 * accepts.
 */
#ifndef LIB_COMMAND_H
#define LIB_COMMAND_H

#include "base/bytes.h"
#include "provision/provision.h"
#include "provisioning/v1/command.pb-c.h"

struct ProvisionCommand {
    Provisioning__V1__Command *message; // owned; from allocator_zeroing()
    char traceparent[56];               // empty: none
};

// A command without an action, and the checked command, which draft_finish takes over.
ProvisionCommand *draft_begin(const char *application_id);
ProvisionCommand *draft_finish(ProvisionCommand **command, ProvisionError *err);

// Owns `message`. Gives it an id and requested_at where it has none.
ProvisionCommand *draft_new(Provisioning__V1__Command *message);
void draft_free_at(ProvisionCommand **command); // for CLEANUP
ProvisionCommand *draft_take(ProvisionCommand **command);

// Forgets when it was asked for and its deadline.
void draft_drop_times(Provisioning__V1__Command *message);

// Replaces a text of a message; NULL becomes empty.
void draft_set_text(char **text, const char *value);

typedef enum DraftKey {
    DRAFT_KEY_NEEDED, // a ConnectAccount must have its key
    DRAFT_KEY_LATER,  // provision_command_set_api_key may still come
} DraftKey;

// The worker's own checks, but for those that need its private key.
bool draft_check(const ProvisionCommand *command, DraftKey key, ProvisionError *err);

// The record's value.
void draft_pack(const ProvisionCommand *command, Buffer *ret_value);

#endif
