#include <ctype.h>
#include <string.h>

#include "base/crypto.h"
#include "lib/fault.h"

enum { HEX_DIGITS = 2 * PROVISION_KEY_BYTES };

bool provision_public_key_parse(const char *hex, uint8_t ret_key[PROVISION_KEY_BYTES],
                                ProvisionError *err)
{
    while (isspace((unsigned char)*hex)) {
        hex++;
    }
    size_t length = strlen(hex);
    while (length > 0 && isspace((unsigned char)hex[length - 1])) {
        length--;
    }
    char digits[HEX_DIGITS + 1] = "";
    if (length == HEX_DIGITS) {
        memcpy(digits, hex, HEX_DIGITS);
    }
    return crypto_hex_decode(digits, ret_key, PROVISION_KEY_BYTES) ||
           fault_set_field(err, "KEY_INVALID", "fleet_public_key",
                           "a public key has 64 hex digits, as provisionctl keygen writes them");
}
