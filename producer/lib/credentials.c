#include <stdlib.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/crypto.h"
#include "contract/allocator.h"
#include "lib/event.h"
#include "lib/fault.h"
#include "provisioning/v1/secret.pb-c.h"

// What a ProvisionCredentials' texts point into.
typedef struct CredentialsBox {
    ProvisionCredentials credentials; // first: provision_credentials_free gets its address
    Provisioning__V1__Credentials *message;
    ProvisionCredential list[];
} CredentialsBox;

static bool open_box(const ProvisionEvent *event, const uint8_t *private_key, Secret *ret_plain,
                     ProvisionError *err)
{
    const Provisioning__V1__Event *message = event_message(event);
    if (message->body_case != PROVISIONING__V1__EVENT__BODY_CREDENTIALS_ISSUED) {
        return fault_set(err, PROVISION_ERROR_INVALID, "EVENT_UNEXPECTED",
                         "the event is %s, which brings no credentials", event->type);
    }
    const Provisioning__V1__SealedBox *sealed = message->credentials_issued->sealed;
    Bytes box = {NULL, 0};
    if (sealed != NULL) {
        box = (Bytes){sealed->box.data, sealed->box.len};
    }
    return crypto_open_box(box, private_key, ret_plain, NULL) ||
           fault_set(err, PROVISION_ERROR_INVALID, "SECRET_NOT_OPENABLE",
                     "the credentials are sealed for another key (id %s)",
                     sealed == NULL ? "" : sealed->fleet_key_id);
}

ProvisionCredentials *provision_credentials_open(const ProvisionEvent *event,
                                                 const uint8_t private_key[PROVISION_KEY_BYTES],
                                                 ProvisionError *err)
{
    Secret plain CLEANUP(secret_clear) = SECRET_INIT;
    if (!open_box(event, private_key, &plain, err)) {
        return NULL;
    }
    ProtobufCAllocator allocator = allocator_zeroing();
    Provisioning__V1__Credentials *message =
        provisioning__v1__credentials__unpack(&allocator, plain.size, secret_bytes(&plain).data);
    if (message == NULL) {
        fault_set(err, PROVISION_ERROR_INVALID, "CREDENTIALS_UNREADABLE",
                  "the box holds no credentials: is this library older than the workers?");
        return NULL;
    }
    size_t count = message->n_credentials;
    CredentialsBox *box = alloc_zeroed(1, sizeof(*box) + count * sizeof(box->list[0]));
    box->message = message;
    box->credentials = (ProvisionCredentials){.list = box->list, .count = count};
    for (size_t i = 0; i < count; i++) {
        const Provisioning__V1__Credential *one = message->credentials[i];
        box->list[i] = (ProvisionCredential){.role = one->role,
                                             .database = one->database,
                                             .pooled_uri = one->pooled_uri,
                                             .direct_uri = one->direct_uri};
    }
    return &box->credentials;
}

void provision_credentials_free(ProvisionCredentials *credentials)
{
    if (credentials == NULL) {
        return;
    }
    CredentialsBox *box = (CredentialsBox *)credentials;
    allocator_free_message(&box->message->base);
    free(box);
}
