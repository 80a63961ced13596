#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "contract/account_key.h"
#include "ctl/doctor.h"
#include "ctl/secret_file.h"
#include "lib/fault.h"

enum { NAMED_MAX = 3, HEX_DIGITS = 2 * CRYPTO_KEY_BYTES, NAMES_BYTES = 400 };

static const char FLEET_CHECK[] = "fleet key";
static const char SEALED_CHECK[] = "key-encryption key";

// Raw bytes of a key in hex. Error: KEY_INVALID.
static bool decode(const Secret *hex, const char *what, uint8_t ret_key[CRYPTO_KEY_BYTES],
                   ProvisionError *err)
{
    return crypto_hex_decode(secret_reveal(hex), ret_key, CRYPTO_KEY_BYTES) ||
           fault_set(err, PROVISION_ERROR_INVALID, "KEY_INVALID",
                     "%s is no key of %d hex digits; provisionctl keygen makes one", what,
                     HEX_DIGITS);
}

static bool read_private(const char *file, const char *setting, Secret *ret_hex,
                         ProvisionError *err)
{
    return file != NULL ? secret_file_read(file, ret_hex, err)
                        : secret_file_of_setting(setting, ret_hex, err);
}

static bool read_public(const Doctor *doctor, Secret *ret_hex, ProvisionError *err)
{
    const char *given = doctor->fleet_public_key != NULL ? doctor->fleet_public_key
                                                         : getenv("PROVISION_FLEET_PUBLIC_KEY");
    if (given == NULL || given[0] == '\0') {
        return true;
    }
    if (strlen(given) == HEX_DIGITS) {
        secret_set_text(ret_hex, given);
        return true;
    }
    return secret_file_read(given, ret_hex, err);
}

static bool compare(const Secret *private_hex, const Secret *public_hex, bool *ret_equal,
                    char ret_id[CRYPTO_KEY_ID_BYTES], ProvisionError *err)
{
    uint8_t private_key[CRYPTO_KEY_BYTES];
    uint8_t public_key[CRYPTO_KEY_BYTES];
    uint8_t derived[CRYPTO_KEY_BYTES];
    if (!decode(public_hex, "the fleet's public key", public_key, err) ||
        !decode(private_hex, "secrets.fleet_private_key", private_key, err)) {
        return false;
    }
    crypto_public_key(private_key, derived);
    secret_zero(private_key, sizeof(private_key));
    crypto_key_id(public_key, ret_id);
    *ret_equal = memcmp(derived, public_key, sizeof(derived)) == 0;
    return true;
}

void doctor_check_fleet_key(Doctor *doctor)
{
    Checklist *list = &doctor->list;
    ProvisionError error;
    Secret private_hex CLEANUP(secret_clear) = SECRET_INIT;
    Secret public_hex CLEANUP(secret_clear) = SECRET_INIT;
    if (!read_private(doctor->fleet_private_key_file, "secrets.fleet_private_key", &private_hex,
                      &error) ||
        !read_public(doctor, &public_hex, &error)) {
        checklist_fail(list, FLEET_CHECK, &error);
        return;
    }
    if (secret_is_empty(&private_hex) || secret_is_empty(&public_hex)) {
        checklist_add(list, CHECK_SKIPPED, FLEET_CHECK,
                      "not compared: give --fleet-public-key and --fleet-private-key-file");
        return;
    }
    bool equal = false;
    char id[CRYPTO_KEY_ID_BYTES];
    if (!compare(&private_hex, &public_hex, &equal, id, &error)) {
        checklist_fail(list, FLEET_CHECK, &error);
    } else if (equal) {
        checklist_add(list, CHECK_OK, FLEET_CHECK, "public and private key belong together (id %s)",
                      id);
    } else {
        checklist_add(list, CHECK_FAILED, FLEET_CHECK,
                      "the public key (id %s) isn't that of secrets.fleet_private_key: workers "
                      "can't open API keys that are sealed for it; give senders the FILE.pub of "
                      "the same provisionctl keygen",
                      id);
    }
}

// ---- the key-encryption key

static bool opens(const uint8_t key[CRYPTO_KEY_BYTES], const PGresult *rows, int row)
{
    const char *hex = PQgetvalue(rows, row, 2);
    size_t size = strlen(hex) / 2;
    uint8_t *sealed = malloc(size + 1);
    if (sealed == NULL) {
        abort();
    }
    CLEANUP(text_clear) Text associated = TEXT_INIT(ACCOUNT_KEY_ASSOCIATED_BYTES);
    CLEANUP(secret_clear) Secret plain = SECRET_INIT;
    account_key_associate(PQgetvalue(rows, row, 0), PQgetvalue(rows, row, 1), &associated);
    bool opened = crypto_hex_decode(hex, sealed, size) &&
                  crypto_aead_open(key, text_bytes(&associated),
                                   (Bytes){.data = sealed, .size = size}, &plain, NULL);
    free(sealed);
    return opened;
}

static void tell_sealed(Checklist *list, int count, int closed, const Text *names)
{
    if (closed == 0) {
        checklist_add(list, CHECK_OK, SEALED_CHECK, "opens all API keys of the ledger (%d)", count);
        return;
    }
    checklist_add(list, CHECK_FAILED, SEALED_CHECK,
                  "doesn't open %d of %d API keys of the ledger (%s%s): secrets.key_encryption_key "
                  "isn't the one that they were sealed with; find that, or connect the accounts "
                  "again",
                  closed, count, text_get(names), closed > NAMED_MAX ? ", …" : "");
}

static void try_all(Doctor *doctor, PGconn *ledger, const uint8_t key[CRYPTO_KEY_BYTES])
{
    ProvisionError error;
    PGresult *rows CLEANUP(ledger_reader_clear_at) = ledger_reader_ask(
        ledger,
        "SELECT application_id, account, encode(sealed_key, 'hex') FROM provision.account "
        "WHERE sealed_key IS NOT NULL ORDER BY application_id, account",
        0, NULL, &error);
    if (rows == NULL) {
        checklist_fail(&doctor->list, SEALED_CHECK, &error);
        return;
    }
    int closed = 0;
    CLEANUP(text_clear) Text names = TEXT_INIT(NAMES_BYTES);
    for (int row = 0; row < PQntuples(rows); row++) {
        if (opens(key, rows, row)) {
            continue;
        }
        if (closed < NAMED_MAX) {
            text_printf(&names, "%s%s/%s", closed == 0 ? "" : ", ", PQgetvalue(rows, row, 0),
                        PQgetvalue(rows, row, 1));
        }
        closed++;
    }
    tell_sealed(&doctor->list, PQntuples(rows), closed, &names);
}

void doctor_check_sealed(Doctor *doctor, PGconn *ledger)
{
    ProvisionError error;
    Secret hex CLEANUP(secret_clear) = SECRET_INIT;
    uint8_t key[CRYPTO_KEY_BYTES];
    if (!read_private(doctor->encryption_key_file, "secrets.key_encryption_key", &hex, &error)) {
        checklist_fail(&doctor->list, SEALED_CHECK, &error);
        return;
    }
    if (secret_is_empty(&hex)) {
        checklist_add(&doctor->list, CHECK_SKIPPED, SEALED_CHECK,
                      "not tried: give --key-encryption-key-file");
        return;
    }
    if (!decode(&hex, "secrets.key_encryption_key", key, &error)) {
        checklist_fail(&doctor->list, SEALED_CHECK, &error);
        return;
    }
    try_all(doctor, ledger, key);
    secret_zero(key, sizeof(key));
}
