/*
 * Stands between libpq and a server that isn't trusted, such as the one that Neon's reply names:
 * what it sends is looked at (drive/pg_scan) before libpq may read it, and a turn of the loop reads
 * only so much. Used by drive/pg only.
 *
 * libpq reads by itself, through OpenSSL. So a TLS record is looked at with SSL_peek, and while
 * libpq is at work a callback of the socket's BIO says that no more has come.
 */
#ifndef DRIVE_PG_GUARD_H
#define DRIVE_PG_GUARD_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/error.h"
#include "drive/pg.h"
#include "drive/pg_scan.h"

enum { PG_GUARD_TURN_RECORDS = 16 }; // of at most 16 KiB

typedef enum PgGuardSight {
    PG_GUARD_PASS,    // libpq may read
    PG_GUARD_NOTHING, // nothing has come yet
    PG_GUARD_REFUSED,
} PgGuardSight;

// Stays where it is while a connection stands.
typedef struct PgGuard {
    bool is_on;          // of a trusted server's connection nothing is looked at
    const void *watched; // BIO
    size_t room_bytes;   // that it may read still
    PgScan scan;
    PgAnswers *answers;   // may be NULL
    size_t charged_bytes; // to them
} PgGuard;

// `answers` may be NULL.
void pg_guard_begin(PgGuard *guard, bool is_on, PgAnswers *answers);
void pg_guard_end(PgGuard *guard); // gives back what was charged; fine without a begin
// Before libpq is called: `reads`, to read; else it will not be able to. Codes SERVER_REFUSED,
// CONNECT_FAILED.
PgGuardSight pg_guard_look(PgGuard *guard, PGconn *conn, bool reads, Error *err);
// After it has: whether a part of what was looked at is still to be read. No event will tell of it.
bool pg_guard_has_rest(PgGuard *guard, PGconn *conn);

#endif
