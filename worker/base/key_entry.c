#include "base/key_entry.h"

#include <string.h>

static const char SEPARATORS[] = ", \t\r\n";

static bool copy(Bytes bytes, char *ret_text, size_t text_bytes)
{
    if (bytes.size >= text_bytes) {
        return false;
    }
    memcpy(ret_text, bytes.data, bytes.size);
    ret_text[bytes.size] = '\0';
    return true;
}

static bool is_owner(const char *name)
{
    return strcmp(name, KEY_ENTRY_ANY) == 0 || name_check_application(name, "", NULL);
}

static bool read_entry(Bytes entry, KeyEntry *ret_entry)
{
    char hex[2 * CRYPTO_KEY_BYTES + 1];
    const uint8_t *equals = memchr(entry.data, '=', entry.size);
    if (equals == NULL) {
        return false;
    }
    size_t length = (size_t)(equals - entry.data);
    Bytes digits = {equals + 1, entry.size - length - 1};
    return copy((Bytes){entry.data, length}, ret_entry->application_id,
                sizeof ret_entry->application_id) &&
           is_owner(ret_entry->application_id) && copy(digits, hex, sizeof hex) &&
           crypto_hex_decode(hex, ret_entry->public_key, CRYPTO_KEY_BYTES);
}

bool key_entry_next(const char **list, KeyEntry *ret_entry)
{
    const char *start = *list + strspn(*list, SEPARATORS);
    size_t size = strcspn(start, SEPARATORS);
    *list = start + size;
    ret_entry->is_right = size > 0 && read_entry((Bytes){(const uint8_t *)start, size}, ret_entry);
    return size > 0;
}
