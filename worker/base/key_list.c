#include "base/key_list.h"

#include <string.h>

static const char SEPARATORS[] = ", ";

enum { DIGITS = 2 * CRYPTO_KEY_BYTES };

static bool take(const char *digits, size_t length, KeyList *list)
{
    char hex[DIGITS + 1] = "";
    if (length != DIGITS || list->count == KEY_LIST_MAX) {
        return false;
    }
    memcpy(hex, digits, DIGITS);
    uint8_t *key = list->keys[list->count];
    bool decoded = crypto_hex_decode(hex, key, CRYPTO_KEY_BYTES);
    secret_zero(hex, sizeof hex);
    for (size_t i = 0; decoded && i < list->count; i++) {
        decoded = memcmp(list->keys[i], key, CRYPTO_KEY_BYTES) != 0;
    }
    list->count++;
    return decoded;
}

bool key_list_parse(const char *text, KeyList *ret_list)
{
    *ret_list = (KeyList){.count = 0};
    for (text += strspn(text, SEPARATORS); *text != '\0'; text += strspn(text, SEPARATORS)) {
        size_t length = strcspn(text, SEPARATORS);
        if (!take(text, length, ret_list)) {
            key_list_clear(ret_list);
            return false;
        }
        text += length;
    }
    return true;
}

void key_list_clear(KeyList *list)
{
    secret_zero(list, sizeof *list);
}
