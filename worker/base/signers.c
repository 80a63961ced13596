#include "base/signers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/key_entry.h"
#include "base/table.h"

enum { PLACE_BYTES = NAME_APPLICATION_BYTES + CRYPTO_KEY_ID_BYTES };

struct Signers {
    Table *keys; // "APPLICATION KEYID" → 32 bytes
};

size_t signers_first_wrong(const char *list)
{
    KeyEntry entry;
    for (size_t number = 1; key_entry_next(&list, &entry); number++) {
        if (!entry.is_right || !crypto_is_verify_key(entry.public_key)) {
            return number;
        }
    }
    return 0;
}

static void name_place(const char *application_id, const char *key_id, Text *ret_place)
{
    text_printf(ret_place, "%s %s", application_id, key_id);
}

static void put(Signers *signers, const char *application_id, const uint8_t *public_key)
{
    char id[CRYPTO_KEY_ID_BYTES];
    crypto_key_id(public_key, id);
    CLEANUP(text_clear) Text place = TEXT_INIT(PLACE_BYTES);
    name_place(application_id, id, &place);
    uint8_t *copy = alloc_bytes(CRYPTO_KEY_BYTES);
    memcpy(copy, public_key, CRYPTO_KEY_BYTES);
    free(table_put(signers->keys, text_get(&place), copy));
}

Signers *signers_new(const char *list)
{
    Signers *signers = alloc_zeroed(1, sizeof *signers);
    signers->keys = table_new();
    KeyEntry entry;
    while (key_entry_next(&list, &entry)) {
        assert(entry.is_right);
        put(signers, entry.application_id, entry.public_key);
    }
    return signers;
}

static void free_key(void *context, const char *place, void *key)
{
    (void)context;
    (void)place;
    free(key);
}

void signers_free(Signers *signers)
{
    if (signers != NULL) {
        table_each(signers->keys, free_key, NULL);
        table_free(signers->keys);
        free(signers);
    }
}

void signers_free_at(Signers **signers)
{
    signers_free(*signers);
}

void signers_add(Signers *signers, const uint8_t public_key[CRYPTO_KEY_BYTES])
{
    put(signers, KEY_ENTRY_ANY, public_key);
}

const uint8_t *signers_find(const Signers *signers, const char *application_id, const char *key_id)
{
    const char *const owners[] = {application_id, KEY_ENTRY_ANY};
    for (size_t i = 0; i < sizeof owners / sizeof owners[0]; i++) {
        CLEANUP(text_clear) Text place = TEXT_INIT(PLACE_BYTES);
        name_place(owners[i], key_id, &place);
        const uint8_t *key = table_get(signers->keys, text_get(&place));
        if (key != NULL) {
            return key;
        }
    }
    return NULL;
}
