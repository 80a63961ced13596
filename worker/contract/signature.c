#include "contract/signature.h"

#include <assert.h>
#include <string.h>

enum { KEY_ID_DIGITS = CRYPTO_KEY_ID_BYTES - 1 };

static const char PURPOSE[] = "neon-provisioner command v1"; // its NUL ends it

enum { PARTS = 4 };

static void set_parts(Bytes application_id, Bytes value, Bytes ret_parts[PARTS])
{
    ret_parts[0] = (Bytes){(const uint8_t *)PURPOSE, sizeof PURPOSE};
    ret_parts[1] = application_id;
    ret_parts[2] = (Bytes){(const uint8_t *)"", 1};
    ret_parts[3] = value;
}

void signature_make(const CryptoSigner *signer, Bytes application_id, Bytes value,
                    char ret_text[SIGNATURE_TEXT_BYTES])
{
    uint8_t signature[CRYPTO_SIGNATURE_BYTES];
    Bytes parts[PARTS];
    set_parts(application_id, value, parts);
    crypto_sign_parts(signer, parts, PARTS, signature);
    CLEANUP(text_clear) Text text = TEXT_INIT(SIGNATURE_TEXT_BYTES);
    text_printf(&text, "%s:", signer->id);
    crypto_base64url_append(&text, (Bytes){signature, sizeof signature});
    bool fits = text_copy(ret_text, SIGNATURE_TEXT_BYTES, text_get(&text));
    assert(fits);
    (void)fits;
}

// The one header of that name; false where there are several.
static bool find_header(const Record *record, const Bytes **ret_value)
{
    *ret_value = NULL;
    for (size_t i = 0; i < record->header_count; i++) {
        if (strcmp(record->headers[i].name, SIGNATURE_HEADER) != 0) {
            continue;
        }
        if (*ret_value != NULL) {
            return false;
        }
        *ret_value = &record->headers[i].value;
    }
    return true;
}

static bool read_header(Bytes value, char ret_key_id[CRYPTO_KEY_ID_BYTES],
                        uint8_t ret_signature[CRYPTO_SIGNATURE_BYTES])
{
    if (value.size != SIGNATURE_TEXT_BYTES - 1 || value.data[KEY_ID_DIGITS] != ':' ||
        memchr(value.data, '\0', value.size) != NULL) {
        return false;
    }
    memcpy(ret_key_id, value.data, KEY_ID_DIGITS);
    ret_key_id[KEY_ID_DIGITS] = '\0';
    CLEANUP(buffer_clear) Buffer signature = {.data = NULL};
    const char *text = (const char *)value.data + KEY_ID_DIGITS + 1;
    if (strspn(ret_key_id, "0123456789abcdef") != KEY_ID_DIGITS ||
        !crypto_base64url_decode(text, value.size - KEY_ID_DIGITS - 1, &signature)) {
        return false;
    }
    assert(signature.size == CRYPTO_SIGNATURE_BYTES); // of so many characters
    memcpy(ret_signature, signature.data, CRYPTO_SIGNATURE_BYTES);
    return true;
}

static const uint8_t *find_key(const Signers *signers, Bytes application_id, const char *key_id)
{
    char name[NAME_APPLICATION_BYTES];
    if (application_id.size >= sizeof name || application_id.size == 0) {
        return NULL;
    }
    memcpy(name, application_id.data, application_id.size);
    name[application_id.size] = '\0';
    return name_check_application(name, "", NULL) ? signers_find(signers, name, key_id) : NULL;
}

bool signature_check(const Record *record, const Signers *signers, Error *err)
{
    const Bytes *value = NULL;
    char key_id[CRYPTO_KEY_ID_BYTES];
    uint8_t signature[CRYPTO_SIGNATURE_BYTES];
    if (!find_header(record, &value)) {
        return error_set(err, ERROR_INVALID, "SIGNATURE_INVALID",
                         "the record has several headers " SIGNATURE_HEADER ": send one");
    }
    if (value == NULL) {
        return error_set(err, ERROR_INVALID, "SIGNATURE_MISSING",
                         "commands have to be signed here (commands.require_signature): give "
                         "the sender a key (provisionctl keygen --signing)");
    }
    if (!read_header(*value, key_id, signature)) {
        return error_set(err, ERROR_INVALID, "SIGNATURE_INVALID",
                         "the header " SIGNATURE_HEADER " must be 16 hex digits, a colon and 86 "
                         "characters of base64url");
    }
    const uint8_t *key = find_key(signers, record->key, key_id);
    if (key == NULL) {
        return error_set(err, ERROR_INVALID, "SIGNATURE_KEY_UNKNOWN",
                         "the signing key %s isn't listed for this application "
                         "(commands.signers)",
                         key_id);
    }
    Bytes parts[PARTS];
    set_parts(record->key, record->value, parts);
    return crypto_verify_parts(key, parts, PARTS, signature) ||
           error_set(err, ERROR_INVALID, "SIGNATURE_INVALID",
                     "the signature by key %s isn't one of this record under this application",
                     key_id);
}
