#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/key_list.h"
#include "ctl/doctor.h"
#include "ctl/secret_file.h"
#include "lib/fault.h"

enum { HEX_DIGITS = 2 * CRYPTO_KEY_BYTES };

static const char FLEET_CHECK[] = "fleet key";

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

// Raw bytes of keys of which several are good at once. Error: KEY_INVALID.
static bool decode_list(const Secret *text, const char *what, KeyList *ret_list,
                        ProvisionError *err)
{
    return key_list_parse(secret_reveal(text), ret_list) ||
           fault_set(err, PROVISION_ERROR_INVALID, "KEY_INVALID",
                     "%s is no key of %d hex digits, nor several apart by commas; provisionctl "
                     "keygen makes one",
                     what, HEX_DIGITS);
}

// The place of the public key's private one; the list's count where it has none.
static bool find_private(const Secret *private_hex, const Secret *public_hex, size_t *ret_place,
                         size_t *ret_count, char ret_id[CRYPTO_KEY_ID_BYTES], ProvisionError *err)
{
    uint8_t public_key[CRYPTO_KEY_BYTES];
    CLEANUP(key_list_clear) KeyList list;
    if (!decode(public_hex, "the fleet's public key", public_key, err) ||
        !decode_list(private_hex, "secrets.fleet_private_key", &list, err)) {
        return false;
    }
    crypto_key_id(public_key, ret_id);
    *ret_count = list.count;
    *ret_place = 0;
    uint8_t derived[CRYPTO_KEY_BYTES];
    for (; *ret_place < list.count; (*ret_place)++) {
        crypto_public_key(list.keys[*ret_place], derived);
        if (memcmp(derived, public_key, sizeof(derived)) == 0) {
            break;
        }
    }
    return true;
}

static void tell_fleet(Checklist *list, const char *id, size_t place, size_t count)
{
    if (place == count) {
        checklist_add(list, CHECK_FAILED, FLEET_CHECK,
                      "the public key (id %s) isn't that of secrets.fleet_private_key: workers "
                      "can't open API keys that are sealed for it; give senders the FILE.pub of "
                      "the same provisionctl keygen",
                      id);
    } else if (place > 0) {
        checklist_add(list, CHECK_WARNING, FLEET_CHECK,
                      "public and private key belong together (id %s), but the workers have a "
                      "newer one: give senders its FILE.pub",
                      id);
    } else if (count > 1) {
        checklist_add(list, CHECK_OK, FLEET_CHECK,
                      "public and private key belong together (id %s); %zu older ones are still "
                      "accepted: once no sender uses them, remove them from "
                      "secrets.fleet_private_key",
                      id, count - 1);
    } else {
        checklist_add(list, CHECK_OK, FLEET_CHECK, "public and private key belong together (id %s)",
                      id);
    }
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
    size_t place = 0;
    size_t count = 0;
    char id[CRYPTO_KEY_ID_BYTES];
    if (find_private(&private_hex, &public_hex, &place, &count, id, &error)) {
        tell_fleet(list, id, place, count);
    } else {
        checklist_fail(list, FLEET_CHECK, &error);
    }
}
