#include "run/keys.h"

#include <string.h>

#include "contract/account_key.h"
#include "sys/random.h"

static bool load_key(const Settings *settings, SettingId id, Secret *ret_key, Error *err)
{
    uint8_t raw[CRYPTO_KEY_BYTES];
    const Secret *hex = settings_secret(settings, id);
    if (!crypto_hex_decode(secret_reveal(hex), raw, sizeof raw)) {
        return error_set(err, ERROR_INVALID, "SETTING_INVALID",
                         "%s must be 64 hex digits; make one with `provisionctl keygen`",
                         settings_name(id));
    }
    secret_set(ret_key, (Bytes){raw, sizeof raw});
    secret_zero(raw, sizeof raw);
    return true;
}

bool keys_load(const Settings *settings, Keys *ret_keys, Error *err)
{
    *ret_keys = (Keys){.fleet_count = 0};
    if (!load_key(settings, SETTING_KEY_ENCRYPTION_KEY, &ret_keys->encryption, err)) {
        return false;
    }
    if (secret_is_empty(settings_secret(settings, SETTING_FLEET_PRIVATE_KEY))) {
        return true;
    }
    CLEANUP(secret_clear) Secret fleet = SECRET_INIT;
    if (!load_key(settings, SETTING_FLEET_PRIVATE_KEY, &fleet, err)) {
        return false;
    }
    crypto_key_pair_set(&ret_keys->fleet[0], secret_bytes(&fleet).data);
    ret_keys->fleet_count = 1;
    return true;
}

void keys_clear(Keys *keys)
{
    for (size_t i = 0; i < COMMAND_FLEET_KEYS_MAX; i++) {
        crypto_key_pair_clear(&keys->fleet[i]);
    }
    secret_clear(&keys->encryption);
}

static const uint8_t *encryption_key(const Keys *keys)
{
    return secret_bytes(&keys->encryption).data;
}

void keys_seal(const Keys *keys, const char *application_id, const char *account,
               const Secret *api_key, Buffer *ret_sealed)
{
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    random_bytes(nonce, sizeof nonce);
    CLEANUP(text_clear) Text associated = TEXT_INIT(ACCOUNT_KEY_ASSOCIATED_BYTES);
    account_key_associate(application_id, account, &associated);
    crypto_aead_seal(encryption_key(keys), nonce, text_bytes(&associated), secret_bytes(api_key),
                     ret_sealed);
}

bool keys_open(const Keys *keys, const char *application_id, const char *account, Bytes sealed,
               Secret *ret_api_key, Error *err)
{
    CLEANUP(text_clear) Text associated = TEXT_INIT(ACCOUNT_KEY_ASSOCIATED_BYTES);
    account_key_associate(application_id, account, &associated);
    return crypto_aead_open(encryption_key(keys), text_bytes(&associated), sealed, ret_api_key,
                            err);
}

enum { ROLE_ASSOCIATED_BYTES = 512 };

// The names, apart by NULs, which none can hold; an account's key has one less.
static void associate_role(const RoleName *role, Text *ret_text)
{
    text_append_bytes(ret_text, role->application_id, strlen(role->application_id) + 1);
    text_append_bytes(ret_text, role->environment, strlen(role->environment) + 1);
    text_append(ret_text, role->role);
}

void keys_seal_password(const Keys *keys, const RoleName *role, const Secret *password,
                        Buffer *ret_sealed)
{
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    random_bytes(nonce, sizeof nonce);
    CLEANUP(text_clear) Text associated = TEXT_INIT(ROLE_ASSOCIATED_BYTES);
    associate_role(role, &associated);
    crypto_aead_seal(encryption_key(keys), nonce, text_bytes(&associated), secret_bytes(password),
                     ret_sealed);
}

bool keys_open_password(const Keys *keys, const RoleName *role, Bytes sealed, Secret *ret_password,
                        Error *err)
{
    CLEANUP(text_clear) Text associated = TEXT_INIT(ROLE_ASSOCIATED_BYTES);
    associate_role(role, &associated);
    return crypto_aead_open(encryption_key(keys), text_bytes(&associated), sealed, ret_password,
                            err);
}
