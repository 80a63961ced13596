#include "base/recipients.h"

#include <string.h>

#include "base/key_entry.h"

static bool is_recipient(const KeyEntry *entry)
{
    return entry->is_right && strcmp(entry->application_id, KEY_ENTRY_ANY) != 0;
}

size_t recipients_first_wrong(const char *list)
{
    KeyEntry entry;
    for (size_t number = 1; key_entry_next(&list, &entry); number++) {
        if (!is_recipient(&entry) || !crypto_is_public_key(entry.public_key)) {
            return number;
        }
    }
    return 0;
}

bool recipients_has(const char *list, const char *application_id,
                    const uint8_t public_key[CRYPTO_KEY_BYTES])
{
    KeyEntry entry;
    while (key_entry_next(&list, &entry)) {
        if (is_recipient(&entry) && strcmp(entry.application_id, application_id) == 0 &&
            memcmp(entry.public_key, public_key, CRYPTO_KEY_BYTES) == 0) {
            // some 50 us, so not for every entry
            return crypto_is_public_key(public_key);
        }
    }
    return false;
}
