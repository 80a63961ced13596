#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/key_list.h"
#include "contract/account_key.h"
#include "ctl/doctor.h"
#include "ctl/secret_file.h"
#include "lib/fault.h"

enum { NAMED_MAX = 3, NAMES_BYTES = 400, SIZE_BYTES = 8192 };

static const char SEALED_CHECK[] = "key-encryption key";

// What is sealed: a role's name is NULL where it is an account's key.
static const char SEALED[] =
    "SELECT application_id, account, NULL, encode(sealed_key, 'hex') FROM provision.account "
    "WHERE sealed_key IS NOT NULL UNION ALL "
    "SELECT application_id, environment, role, encode(sealed_password, 'hex') "
    "FROM provision.role_secret WHERE sealed_password IS NOT NULL UNION ALL "
    "SELECT application_id, environment, role, encode(sealed_next, 'hex') "
    "FROM provision.role_secret WHERE sealed_next IS NOT NULL ORDER BY 1, 2, 3";

typedef struct Found {
    int count[2]; // of API keys, of passwords
    int closed[2];
    int by_key[KEY_LIST_MAX];
    Text names; // of the first ones that stay closed
} Found;

static void associate(const PGresult *rows, int row, Text *ret_text)
{
    const char *application = PQgetvalue(rows, row, 0);
    const char *name = PQgetvalue(rows, row, 1);
    if (PQgetisnull(rows, row, 2) != 0) {
        account_key_associate(application, name, ret_text);
    } else {
        role_password_associate(application, name, PQgetvalue(rows, row, 2), ret_text);
    }
}

// The place of the key that opens it; the list's count where none does.
static size_t find_opener(const KeyList *keys, const PGresult *rows, int row)
{
    const char *hex = PQgetvalue(rows, row, 3);
    uint8_t sealed[SIZE_BYTES];
    size_t size = strlen(hex) / 2;
    if (size > sizeof(sealed) || !crypto_hex_decode(hex, sealed, size)) {
        return keys->count;
    }
    CLEANUP(text_clear) Text associated = TEXT_INIT(ROLE_PASSWORD_ASSOCIATED_BYTES);
    associate(rows, row, &associated);
    size_t place = 0;
    CLEANUP(secret_clear) Secret plain = SECRET_INIT;
    while (place < keys->count &&
           !crypto_aead_open(keys->keys[place], text_bytes(&associated),
                             (Bytes){.data = sealed, .size = size}, &plain, NULL)) {
        place++;
    }
    return place;
}

static void take(const KeyList *keys, const PGresult *rows, int row, Found *found)
{
    int kind = PQgetisnull(rows, row, 2) != 0 ? 0 : 1;
    size_t place = find_opener(keys, rows, row);
    found->count[kind]++;
    if (place < keys->count) {
        found->by_key[place]++;
        return;
    }
    if (found->closed[0] + found->closed[1] < NAMED_MAX) {
        text_printf(&found->names, "%s%s/%s%s%s",
                    found->closed[0] + found->closed[1] == 0 ? "" : ", ", PQgetvalue(rows, row, 0),
                    PQgetvalue(rows, row, 1), kind == 0 ? "" : "/", PQgetvalue(rows, row, 2));
    }
    found->closed[kind]++;
}

static void tell_closed(Checklist *list, const Found *found)
{
    const char *more = found->closed[0] + found->closed[1] > NAMED_MAX ? ", …" : "";
    if (found->closed[1] == 0) {
        checklist_add(list, CHECK_FAILED, SEALED_CHECK,
                      "doesn't open %d of %d API keys of the ledger (%s%s): "
                      "secrets.key_encryption_key isn't the one that they were sealed with; find "
                      "that, or connect the accounts again",
                      found->closed[0], found->count[0], text_get(&found->names), more);
        return;
    }
    checklist_add(list, CHECK_FAILED, SEALED_CHECK,
                  "doesn't open %d of %d API keys and %d of %d passwords of the ledger (%s%s): "
                  "secrets.key_encryption_key isn't the one that they were sealed with; find that, "
                  "or connect the accounts and rotate the roles again",
                  found->closed[0], found->count[0], found->closed[1], found->count[1],
                  text_get(&found->names), more);
}

static void tell_opened(Checklist *list, const Found *found, size_t keys)
{
    int old = 0;
    for (size_t i = 1; i < keys; i++) {
        old += found->by_key[i];
    }
    if (old > 0) {
        checklist_add(list, CHECK_WARNING, SEALED_CHECK,
                      "opens all API keys of the ledger (%d) and passwords (%d), but %d of them "
                      "only with an older key: run provision-worker rekey",
                      found->count[0], found->count[1], old);
        return;
    }
    checklist_add(list, CHECK_OK, SEALED_CHECK,
                  "opens all API keys of the ledger (%d) and passwords (%d)%s", found->count[0],
                  found->count[1],
                  keys > 1 ? "; nothing is sealed with an older key: remove it from "
                             "secrets.key_encryption_key once every worker has the newest one first"
                           : "");
}

static void try_all(Doctor *doctor, PGconn *ledger, const KeyList *keys)
{
    ProvisionError error;
    PGresult *rows CLEANUP(ledger_reader_clear_at) =
        ledger_reader_ask(ledger, SEALED, 0, NULL, &error);
    if (rows == NULL) {
        checklist_fail(&doctor->list, SEALED_CHECK, &error);
        return;
    }
    Found found = {.names = TEXT_INIT(NAMES_BYTES)};
    for (int row = 0; row < PQntuples(rows); row++) {
        take(keys, rows, row, &found);
    }
    if (found.closed[0] + found.closed[1] > 0) {
        tell_closed(&doctor->list, &found);
    } else {
        tell_opened(&doctor->list, &found, keys->count);
    }
    text_clear(&found.names);
}

void doctor_check_sealed(Doctor *doctor, PGconn *ledger)
{
    ProvisionError error;
    Secret hex CLEANUP(secret_clear) = SECRET_INIT;
    CLEANUP(key_list_clear) KeyList keys = {.count = 0};
    const char *file = doctor->encryption_key_file;
    if (!(file != NULL ? secret_file_read(file, &hex, &error)
                       : secret_file_of_setting("secrets.key_encryption_key", &hex, &error))) {
        checklist_fail(&doctor->list, SEALED_CHECK, &error);
    } else if (secret_is_empty(&hex)) {
        checklist_add(&doctor->list, CHECK_SKIPPED, SEALED_CHECK,
                      "not tried: give --key-encryption-key-file");
    } else if (!key_list_parse(secret_reveal(&hex), &keys)) {
        (void)fault_set(&error, PROVISION_ERROR_INVALID, "KEY_INVALID",
                        "secrets.key_encryption_key is no key of 64 hex digits, nor several apart "
                        "by commas; provisionctl keygen makes one");
        checklist_fail(&doctor->list, SEALED_CHECK, &error);
    } else {
        try_all(doctor, ledger, &keys);
    }
}
