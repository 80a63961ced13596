#include "lib/seal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "contract/allocator.h"
#include "lib/fault.h"

_Static_assert((int)PROVISION_KEY_BYTES == (int)CRYPTO_KEY_BYTES, "the same kind of key");

// protobuf-c's fields are not const, though packing only reads them.
static Buffer seal_pack(const char *application_id, const char *account, const char *api_key)
{
    Provisioning__V1__SealedApiKey *plain = allocator_zeroed(sizeof(*plain));
    provisioning__v1__sealed_api_key__init(plain);
    plain->application_id = allocator_copy(application_id, strlen(application_id));
    plain->account = allocator_copy(account, strlen(account));
    plain->api_key = allocator_copy(api_key, strlen(api_key));
    Buffer packed = {.size = provisioning__v1__sealed_api_key__get_packed_size(plain)};
    packed.data = alloc_bytes(packed.size);
    provisioning__v1__sealed_api_key__pack(plain, packed.data);
    allocator_free_message(&plain->base);
    return packed;
}

Provisioning__V1__SealedBox *seal_api_key(const char *application_id, const char *account,
                                          const char *api_key,
                                          const uint8_t public_key[PROVISION_KEY_BYTES],
                                          ProvisionError *err)
{
    if (sodium_init() < 0) {
        abort();
    }
    Buffer plain = seal_pack(application_id, account, api_key);
    size_t size = plain.size + crypto_box_SEALBYTES;
    uint8_t *box = alloc_bytes(size);
    int failed = crypto_box_seal(box, plain.data, plain.size, public_key);
    secret_zero(plain.data, plain.size);
    free(plain.data);
    Provisioning__V1__SealedBox *sealed = NULL;
    if (failed != 0) {
        fault_set(err, PROVISION_ERROR_INVALID, "KEY_INVALID",
                  "the fleet's public key is no X25519 key: take the one of provisionctl keygen");
    } else {
        char key_id[CRYPTO_KEY_ID_BYTES];
        crypto_key_id(public_key, key_id);
        sealed = allocator_zeroed(sizeof(*sealed));
        provisioning__v1__sealed_box__init(sealed);
        sealed->box.data = allocator_copy(box, size);
        sealed->box.len = size;
        sealed->fleet_key_id = allocator_copy(key_id, strlen(key_id));
    }
    free(box);
    return sealed;
}
