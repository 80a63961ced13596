#include "run/rekey.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "run/keys.h"
#include "run/ledger_session.h"

enum { NAMES_MAX = 3, NAMED_MAX = 20, CELL_TEXT_BYTES = 8192, COUNT_BYTES = 24 };

// A column of sealed values; rows are locked in the order in which workers lock them.
typedef struct Place {
    const char *what;
    size_t names; // of the row's key
    const char *select;
    const char *update;
} Place;

#define IS_OLD(column)                                                                             \
    column " IS NOT NULL AND substring(" column " from 2 for 8) <> decode($1, 'hex')"
#define BATCH "200"

static const Place PLACES[] = {
    {"API keys", 2,
     "SELECT application_id, account, '', encode(sealed_key, 'hex') FROM provision.account "
     "WHERE (application_id, account) > ($2, $3) AND $4 = '' AND " IS_OLD(
         "sealed_key") " ORDER BY application_id, account LIMIT " BATCH " FOR UPDATE",
     "UPDATE provision.account SET sealed_key = decode($4, 'hex') "
     "WHERE application_id = $1 AND account = $2 AND $3 = ''"},
    {"passwords", 3,
     "SELECT application_id, environment, role, encode(sealed_password, 'hex') "
     "FROM provision.role_secret WHERE (application_id, environment, role) > ($2, $3, $4) "
     "AND " IS_OLD("sealed_password") " ORDER BY application_id, environment, role LIMIT " BATCH
                                      " FOR UPDATE",
     "UPDATE provision.role_secret SET sealed_password = decode($4, 'hex') "
     "WHERE application_id = $1 AND environment = $2 AND role = $3"},
    {"next passwords", 3,
     "SELECT application_id, environment, role, encode(sealed_next, 'hex') "
     "FROM provision.role_secret WHERE (application_id, environment, role) > ($2, $3, $4) "
     "AND " IS_OLD("sealed_next") " ORDER BY application_id, environment, role LIMIT " BATCH
                                  " FOR UPDATE",
     "UPDATE provision.role_secret SET sealed_next = decode($4, 'hex') "
     "WHERE application_id = $1 AND environment = $2 AND role = $3"},
};

static const char BY_KEY[] =
    "SELECT encode(substring(v.sealed from 2 for 8), 'hex'), v.what, count(*) FROM ("
    "SELECT 'API keys' AS what, sealed_key AS sealed FROM provision.account UNION ALL "
    "SELECT 'passwords', sealed_password FROM provision.role_secret UNION ALL "
    "SELECT 'next passwords', sealed_next FROM provision.role_secret) v "
    "WHERE v.sealed IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2";

typedef struct Rekey {
    const Keys *keys;
    PGconn *session;
    FILE *out;
    bool writes;
    int64_t sealed; // anew, of this place
    int64_t closed;
    char last[NAMES_MAX][256]; // row; the next batch begins behind it
} Rekey;

static bool open_value(const Rekey *rekey, const Place *place, const char *const *names,
                       Bytes sealed, Secret *ret_plain, Error *err)
{
    if (place->names == 2) {
        return keys_open(rekey->keys, names[0], names[1], sealed, ret_plain, err);
    }
    const RoleName role = {names[0], names[1], names[2]};
    return keys_open_password(rekey->keys, &role, sealed, ret_plain, err);
}

static void seal_value(const Rekey *rekey, const Place *place, const char *const *names,
                       const Secret *plain, Buffer *ret_sealed)
{
    if (place->names == 2) {
        keys_seal(rekey->keys, names[0], names[1], plain, ret_sealed);
        return;
    }
    const RoleName role = {names[0], names[1], names[2]};
    keys_seal_password(rekey->keys, &role, plain, ret_sealed);
}

static void tell_closed(Rekey *rekey, const Place *place, const char *const *names, Bytes sealed,
                        const Error *why)
{
    char id[CRYPTO_KEY_ID_BYTES] = "none";
    (void)crypto_aead_key_id(sealed, id);
    rekey->closed++;
    if (rekey->closed <= NAMED_MAX) {
        (void)fprintf(rekey->out, "can't open %s %s/%s%s%s (key %s): %s\n", place->what, names[0],
                      names[1], names[2][0] != '\0' ? "/" : "", names[2], id, why->text);
    } else if (rekey->closed == NAMED_MAX + 1) {
        (void)fprintf(rekey->out, "... and more\n");
    }
}

// One value. One that no key opens stays as it is.
static bool seal_row(Rekey *rekey, const Place *place, const PGresult *rows, int row, Error *err)
{
    const char *const names[NAMES_MAX] = {PQgetvalue(rows, row, 0), PQgetvalue(rows, row, 1),
                                          PQgetvalue(rows, row, 2)};
    const char *hex = PQgetvalue(rows, row, 3);
    Buffer old CLEANUP(buffer_clear) = {alloc_bytes(strlen(hex) / 2 + 1), strlen(hex) / 2};
    Buffer sealed CLEANUP(buffer_clear) = {.data = NULL};
    CLEANUP(secret_clear) Secret plain = SECRET_INIT;
    Error why = ERROR_INIT;
    if (!crypto_hex_decode(hex, old.data, old.size) ||
        !open_value(rekey, place, names, buffer_view(&old), &plain, &why)) {
        tell_closed(rekey, place, names, buffer_view(&old), &why);
        return true;
    }
    rekey->sealed++;
    if (!rekey->writes) {
        return true;
    }
    seal_value(rekey, place, names, &plain, &sealed);
    CLEANUP(text_clear) Text sealed_hex = TEXT_INIT(CELL_TEXT_BYTES);
    crypto_hex_append(&sealed_hex, buffer_view(&sealed));
    return ledger_session_do(
        rekey->session, place->update, NAMES_MAX + 1,
        (const char *const[]){names[0], names[1], names[2], text_get(&sealed_hex)}, err);
}

// A batch behind the last row; *ret_rows 0 at the end.
static bool seal_batch(Rekey *rekey, const Place *place, int *ret_rows, Error *err)
{
    PGresult *rows CLEANUP(ledger_session_clear_at) =
        ledger_session_ask(rekey->session, place->select, NAMES_MAX + 1,
                           (const char *const[]){rekey->keys->encryption_ids[0], rekey->last[0],
                                                 rekey->last[1], rekey->last[2]},
                           err);
    if (rows == NULL) {
        return false;
    }
    *ret_rows = PQntuples(rows);
    for (int row = 0; row < *ret_rows; row++) {
        if (!seal_row(rekey, place, rows, row, err)) {
            return false;
        }
    }
    int last = *ret_rows - 1;
    for (int i = 0; i < NAMES_MAX && last >= 0; i++) {
        const char *name = PQgetvalue(rows, last, i);
        bool fits = text_copy(rekey->last[i], sizeof rekey->last[i], name);
        assert(fits); // names are checked before they come into the ledger
        (void)fits;
    }
    return true;
}

static bool seal_place(Rekey *rekey, const Place *place, Error *err)
{
    rekey->sealed = 0;
    memset(rekey->last, 0, sizeof rekey->last);
    int rows = 0;
    do {
        bool ok = ledger_session_do(rekey->session, "BEGIN", 0, NULL, err) &&
                  seal_batch(rekey, place, &rows, err) &&
                  ledger_session_do(rekey->session, "COMMIT", 0, NULL, err);
        if (!ok) {
            return false; // with the session ends its transaction
        }
    } while (rows > 0);
    (void)fprintf(rekey->out, "%" PRId64 " %s %s\n", rekey->sealed, place->what,
                  rekey->writes ? "sealed anew" : "to be sealed anew");
    return true;
}

static bool is_newest(const Rekey *rekey, const char *id)
{
    return strcmp(id, rekey->keys->encryption_ids[0]) == 0;
}

static bool is_configured(const Rekey *rekey, const char *id)
{
    for (size_t i = 0; i < rekey->keys->encryption_count; i++) {
        if (strcmp(id, rekey->keys->encryption_ids[i]) == 0) {
            return true;
        }
    }
    return false;
}

// What is sealed by which key now, workers that still seal with an old one included.
static bool tell_keys(const Rekey *rekey, bool *ret_is_done, Error *err)
{
    PGresult *rows CLEANUP(ledger_session_clear_at) =
        ledger_session_ask(rekey->session, BY_KEY, 0, NULL, err);
    if (rows == NULL) {
        return false;
    }
    *ret_is_done = true;
    for (int row = 0; row < PQntuples(rows); row++) {
        const char *id = PQgetvalue(rows, row, 0);
        const char *role = is_newest(rekey, id)       ? "the newest"
                           : is_configured(rekey, id) ? "an old one: left"
                                                      : "NOT CONFIGURED: lost unless it is found";
        (void)fprintf(rekey->out, "key %s (%s): %s %s\n", id, role, PQgetvalue(rows, row, 2),
                      PQgetvalue(rows, row, 1));
        *ret_is_done = *ret_is_done && is_newest(rekey, id);
    }
    for (size_t i = 1; *ret_is_done && i < rekey->keys->encryption_count; i++) {
        (void)fprintf(rekey->out,
                      "key %s: nothing is sealed with it; once every worker has the newest key "
                      "first, remove it from secrets.key_encryption_key\n",
                      rekey->keys->encryption_ids[i]);
    }
    return true;
}

bool rekey_run(const Settings *settings, bool writes, FILE *out, bool *ret_is_done, Error *err)
{
    CLEANUP(keys_clear) Keys keys;
    *ret_is_done = false;
    if (!keys_load(settings, &keys, err)) {
        return false;
    }
    PGconn *session CLEANUP(ledger_session_close_at) =
        ledger_session_open(settings, "provision-worker rekey", err);
    Rekey rekey = {.keys = &keys, .session = session, .out = out, .writes = writes};
    for (size_t i = 0; session != NULL && i < sizeof PLACES / sizeof PLACES[0]; i++) {
        if (!seal_place(&rekey, &PLACES[i], err)) {
            return false;
        }
    }
    return session != NULL && tell_keys(&rekey, ret_is_done, err);
}
