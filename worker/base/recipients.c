#include "base/recipients.h"

#include <string.h>

#include "base/name.h"

static const char SEPARATORS[] = ", \t\r\n";

typedef struct Recipient {
    char application_id[NAME_APPLICATION_BYTES];
    uint8_t public_key[CRYPTO_KEY_BYTES];
} Recipient;

// The next entry of *list, which is moved behind it; empty at the end.
static Bytes next_entry(const char **list)
{
    const char *start = *list + strspn(*list, SEPARATORS);
    size_t size = strcspn(start, SEPARATORS);
    *list = start + size;
    return (Bytes){(const uint8_t *)start, size};
}

static bool copy(Bytes bytes, char *ret_text, size_t text_bytes)
{
    if (bytes.size >= text_bytes) {
        return false;
    }
    memcpy(ret_text, bytes.data, bytes.size);
    ret_text[bytes.size] = '\0';
    return true;
}

static bool read_entry(Bytes entry, Recipient *ret_recipient)
{
    char hex[2 * CRYPTO_KEY_BYTES + 1];
    const uint8_t *equals = memchr(entry.data, '=', entry.size);
    if (equals == NULL) {
        return false;
    }
    size_t length = (size_t)(equals - entry.data);
    Bytes digits = {equals + 1, entry.size - length - 1};
    return copy((Bytes){entry.data, length}, ret_recipient->application_id,
                sizeof ret_recipient->application_id) &&
           name_check_application(ret_recipient->application_id, "", NULL) &&
           copy(digits, hex, sizeof hex) &&
           crypto_hex_decode(hex, ret_recipient->public_key, CRYPTO_KEY_BYTES);
}

size_t recipients_first_wrong(const char *list)
{
    Recipient recipient;
    size_t number = 1;
    for (Bytes entry = next_entry(&list); entry.size > 0; entry = next_entry(&list)) {
        if (!read_entry(entry, &recipient) || !crypto_is_public_key(recipient.public_key)) {
            return number;
        }
        number++;
    }
    return 0;
}

bool recipients_has(const char *list, const char *application_id,
                    const uint8_t public_key[CRYPTO_KEY_BYTES])
{
    Recipient recipient;
    for (Bytes entry = next_entry(&list); entry.size > 0; entry = next_entry(&list)) {
        if (read_entry(entry, &recipient) &&
            strcmp(recipient.application_id, application_id) == 0 &&
            memcmp(recipient.public_key, public_key, CRYPTO_KEY_BYTES) == 0) {
            // some 50 us, so not for every entry
            return crypto_is_public_key(public_key);
        }
    }
    return false;
}
