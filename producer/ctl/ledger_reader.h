/*
 * The ledger for those who look: one connection and one read-only transaction, which needs no more
 * than SELECT. Where the ledger is, says --ledger-uri-file, or as for a worker the environment's
 * PROVISION_LEDGER_URI_FILE or PROVISION_LEDGER_URI; never the command line, which everybody on the
 * machine can read.
 */
#ifndef CTL_LEDGER_READER_H
#define CTL_LEDGER_READER_H

#include <argp.h>
#include <libpq-fe.h>
#include <stdbool.h>

#include "base/attr.h"
#include "provision/provision.h"

typedef struct LedgerOptions {
    const char *uri_file; // NULL: the environment
} LedgerOptions;

// A child parser; its input is the LedgerOptions.
extern const struct argp LEDGER_ARGP;

// Whether anything says where the ledger is.
bool ledger_reader_is_given(const LedgerOptions *options);

// A connection, closed with PQfinish. Errors: FILE_UNREADABLE, LEDGER_URI_MISSING,
// LEDGER_URI_INVALID, LEDGER_UNAVAILABLE. No text holds a password.
PGconn *ledger_reader_connect(const LedgerOptions *options, ProvisionError *err);
// Begins the transaction. Also: LEDGER_REFUSED, SCHEMA_TOO_OLD, SCHEMA_TOO_NEW.
bool ledger_reader_begin(PGconn *connection, ProvisionError *err);
PGconn *ledger_reader_open(const LedgerOptions *options, ProvisionError *err); // both
void ledger_reader_close_at(PGconn **connection);                              // for CLEANUP

// `values`: texts of the parameters. NULL: LEDGER_REFUSED (a right is missing), LEDGER_UNAVAILABLE.
PGresult *ledger_reader_ask(PGconn *connection, const char *sql, int count,
                            const char *const *values, ProvisionError *err);
void ledger_reader_clear_at(PGresult **rows); // for CLEANUP

// The last migration of the ledger, and the version that a program has to know at least to run with
// it; 0: none. `ret_known`: the last one that this program knows.
bool ledger_reader_versions(PGconn *connection, int *ret_newest, int *ret_needed, int *ret_known,
                            ProvisionError *err);

#endif
