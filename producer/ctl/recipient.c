#include "ctl/recipient.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/crypto.h"
#include "base/secret.h"
#include "ctl/secret_file.h"
#include "lib/fault.h"

const char *recipient_default_file(void)
{
    return getenv("PROVISION_RECIPIENT_KEY_FILE");
}

bool recipient_read(Recipient *recipient, const char *key_file, ProvisionError *err)
{
    Secret hex CLEANUP(secret_clear) = SECRET_INIT;
    if (!secret_file_read(key_file, &hex, err)) {
        return false;
    }
    if (!crypto_hex_decode(secret_reveal(&hex), recipient->private_key, PROVISION_KEY_BYTES)) {
        return fault_set(err, PROVISION_ERROR_INVALID, "KEY_INVALID",
                         "%s holds no private key: 64 hex digits, as provisionctl keygen writes "
                         "them",
                         key_file);
    }
    crypto_public_key(recipient->private_key, recipient->public_key);
    return true;
}

void recipient_clear(Recipient *recipient)
{
    secret_zero(recipient->private_key, sizeof(recipient->private_key));
}
