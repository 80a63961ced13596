#include "run/keys.h"

#include <assert.h>
#include <string.h>

#include "contract/account_key.h"
#include "sys/random.h"

static bool load_list(const Settings *settings, SettingId id, KeyList *ret_list, Error *err)
{
    return key_list_parse(secret_reveal(settings_secret(settings, id)), ret_list) ||
           error_set(err, ERROR_INVALID, "SETTING_INVALID",
                     "%s must be 64 hex digits, or up to %d such keys apart by commas; make one "
                     "with `provisionctl keygen`",
                     settings_name(id), KEY_LIST_MAX);
}

static bool load_encryption(const Settings *settings, Keys *keys, Error *err)
{
    CLEANUP(key_list_clear) KeyList list;
    if (!load_list(settings, SETTING_KEY_ENCRYPTION_KEY, &list, err)) {
        return false;
    }
    if (list.count == 0) {
        return error_set(err, ERROR_INVALID, "SETTING_INVALID", "%s is required",
                         settings_name(SETTING_KEY_ENCRYPTION_KEY));
    }
    for (size_t i = 0; i < list.count; i++) {
        secret_set(&keys->encryption[i], (Bytes){list.keys[i], CRYPTO_KEY_BYTES});
        crypto_key_id(list.keys[i], keys->encryption_ids[i]);
    }
    keys->encryption_count = list.count;
    return true;
}

static bool load_fleet(const Settings *settings, Keys *keys, Error *err)
{
    CLEANUP(key_list_clear) KeyList list;
    if (!load_list(settings, SETTING_FLEET_PRIVATE_KEY, &list, err)) {
        return false;
    }
    for (size_t i = 0; i < list.count; i++) {
        crypto_key_pair_set(&keys->fleet[i], list.keys[i]);
    }
    keys->fleet_count = list.count;
    return true;
}

static bool load_signer(const Settings *settings, Keys *keys, Error *err)
{
    uint8_t seed[CRYPTO_KEY_BYTES];
    const Secret *hex = settings_secret(settings, SETTING_COMMANDS_SIGNING_KEY);
    if (secret_is_empty(hex)) {
        return true;
    }
    bool fits = crypto_hex_decode(secret_reveal(hex), seed, sizeof seed);
    if (fits) {
        crypto_signer_set(&keys->signer, seed);
    }
    secret_zero(seed, sizeof seed);
    return fits || error_set(err, ERROR_INVALID, "SETTING_INVALID",
                             "%s must be 64 hex digits; make one with `provisionctl keygen "
                             "--signing`",
                             settings_name(SETTING_COMMANDS_SIGNING_KEY));
}

bool keys_load(const Settings *settings, Keys *ret_keys, Error *err)
{
    static_assert((int)COMMAND_FLEET_KEYS_MAX == (int)KEY_LIST_MAX, "each has a place");
    *ret_keys = (Keys){.fleet_count = 0};
    return load_encryption(settings, ret_keys, err) && load_fleet(settings, ret_keys, err) &&
           load_signer(settings, ret_keys, err);
}

void keys_clear(Keys *keys)
{
    for (size_t i = 0; i < COMMAND_FLEET_KEYS_MAX; i++) {
        crypto_key_pair_clear(&keys->fleet[i]);
        secret_clear(&keys->encryption[i]);
    }
    crypto_signer_clear(&keys->signer);
}

const uint8_t *keys_encryption(const Keys *keys)
{
    return secret_bytes(&keys->encryption[0]).data;
}

const CryptoSigner *keys_signer(const Keys *keys)
{
    return secret_is_empty(&keys->signer.private_key) ? NULL : &keys->signer;
}

Signers *keys_new_signers(const Keys *keys, const Settings *settings)
{
    if (!settings_flag(settings, SETTING_COMMANDS_SIGNED)) {
        return NULL;
    }
    Signers *signers = signers_new(settings_text(settings, SETTING_COMMANDS_SIGNERS));
    const CryptoSigner *own = keys_signer(keys);
    assert(own != NULL); // checked with the settings
    signers_add(signers, own->public_key);
    return signers;
}

// With the key that it was sealed with.
static bool open_sealed(const Keys *keys, Bytes associated, Bytes sealed, Secret *ret_plain,
                        Error *err)
{
    char id[CRYPTO_KEY_ID_BYTES];
    size_t i = 0;
    if (crypto_aead_key_id(sealed, id)) {
        while (i + 1 < keys->encryption_count && strcmp(id, keys->encryption_ids[i]) != 0) {
            i++;
        }
    }
    return crypto_aead_open(secret_bytes(&keys->encryption[i]).data, associated, sealed, ret_plain,
                            err);
}

void keys_seal(const Keys *keys, const char *application_id, const char *account,
               const Secret *api_key, Buffer *ret_sealed)
{
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    random_bytes(nonce, sizeof nonce);
    CLEANUP(text_clear) Text associated = TEXT_INIT(ACCOUNT_KEY_ASSOCIATED_BYTES);
    account_key_associate(application_id, account, &associated);
    crypto_aead_seal(keys_encryption(keys), nonce, text_bytes(&associated), secret_bytes(api_key),
                     ret_sealed);
}

bool keys_open(const Keys *keys, const char *application_id, const char *account, Bytes sealed,
               Secret *ret_api_key, Error *err)
{
    CLEANUP(text_clear) Text associated = TEXT_INIT(ACCOUNT_KEY_ASSOCIATED_BYTES);
    account_key_associate(application_id, account, &associated);
    return open_sealed(keys, text_bytes(&associated), sealed, ret_api_key, err);
}

void keys_seal_password(const Keys *keys, const RoleName *role, const Secret *password,
                        Buffer *ret_sealed)
{
    uint8_t nonce[CRYPTO_NONCE_BYTES];
    random_bytes(nonce, sizeof nonce);
    CLEANUP(text_clear) Text associated = TEXT_INIT(ROLE_PASSWORD_ASSOCIATED_BYTES);
    role_password_associate(role->application_id, role->environment, role->role, &associated);
    crypto_aead_seal(keys_encryption(keys), nonce, text_bytes(&associated), secret_bytes(password),
                     ret_sealed);
}

bool keys_open_password(const Keys *keys, const RoleName *role, Bytes sealed, Secret *ret_password,
                        Error *err)
{
    CLEANUP(text_clear) Text associated = TEXT_INIT(ROLE_PASSWORD_ASSOCIATED_BYTES);
    role_password_associate(role->application_id, role->environment, role->role, &associated);
    return open_sealed(keys, text_bytes(&associated), sealed, ret_password, err);
}
