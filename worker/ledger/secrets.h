/*
 * Passwords of roles made by SQL, which Neon does not reveal: the ledger's statements about them
 * (ledger/ledger.h says how such statements are).
 */
#ifndef LEDGER_SECRETS_H
#define LEDGER_SECRETS_H

#include "ledger/ledger.h"

// Makes sure that roles have passwords, and moves the environment's fence (see
// LedgerSecrets.fence). Nothing is written where the epoch is stale.
typedef struct LedgerSecrets {
    LedgerKey key;
    const char *environment;
    int64_t fence_at_least;
    // JSON array of {"role", "sealed": hex digits, "renew": bool}. A role without any password gets
    // this one as its next; one to renew, too, unless this very command has given it one already.
    const char *secrets;
} LedgerSecrets;
typedef struct LedgerFence {
    bool written;  // false: stale
    int64_t fence; // greater than any before, and than what other commands were given
} LedgerFence;
void ledger_secrets_build(const LedgerSecrets *asks, size_t count, LedgerBatch *ret_batch);
bool ledger_secrets_decode(const PGresult *rows, LedgerFence *ret_fences, size_t count, Error *err);

// The next passwords of these roles were set: they are the present ones.
typedef struct LedgerKeep {
    LedgerKey key;
    const char *environment;
    const char *roles; // JSON array of names
} LedgerKeep;
void ledger_keep_build(const LedgerKeep *keeps, size_t count,
                       LedgerBatch *ret_batch); // ledger_written_decode

// All passwords of an environment, as they are kept.
typedef struct LedgerPasswords {
    const char *application_id, *environment;
    const char *role; // "" = all
} LedgerPasswords;
typedef struct LedgerPassword {
    char role[64];
    Buffer sealed; // the present one; empty: none was set yet
    Buffer next;   // one that was to be set, and perhaps was; empty: none
} LedgerPassword;
typedef struct LedgerPasswordList {
    LedgerPassword *list;
    size_t count;
} LedgerPasswordList;
void ledger_passwords_clear(LedgerPasswordList *list);
void ledger_passwords_build(const LedgerPasswords *asks, size_t count, LedgerBatch *ret_batch);
// Those of ask `index`; its owner clears the list.
bool ledger_passwords_decode(const PGresult *rows, size_t index, LedgerPasswordList *ret_list,
                             Error *err);

#endif
