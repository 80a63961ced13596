/*
 * What a server that isn't trusted may make libpq do, bounded before libpq sees it. All that such a
 * server sends passes through here, message by message (PostgreSQL's "Message Formats",
 * https://www.postgresql.org/docs/15/protocol-message-formats.html).
 *
 * libpq 15 bounds none of these: it computes as many SCRAM iterations as the server names (2^31
 * would take a quarter of an hour, on the loop), keeps each parameter's status in a list that it
 * walks, makes room for a message as long as its head says, and keeps an answer of any length.
 */
#ifndef DRIVE_PG_SCAN_H
#define DRIVE_PG_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

enum {
    // PostgreSQL's default is 4096, and so is Neon's; this many take some 20 ms.
    PG_SCAN_ITERATIONS_MAX = 32768,
    PG_SCAN_LOGIN_BYTES_MAX = 64 * 1024,
    PG_SCAN_PARAMETERS_MAX = 256,  // ParameterStatus; PostgreSQL 17 sends 15
    PG_SCAN_AUTH_BYTES_MAX = 2000, // libpq takes no longer authentication request, either
    PG_SCAN_HEAD_BYTES = 5,
};

typedef struct PgScan {
    size_t bytes; // since the connection began, or the answer
    size_t bytes_max;
    uint32_t parameters;
    uint8_t head[PG_SCAN_HEAD_BYTES]; // type and length, as far as they are known
    size_t head_bytes;
    size_t left;                              // of the message's body
    uint8_t auth[PG_SCAN_AUTH_BYTES_MAX + 1]; // body of an authentication request
    size_t auth_bytes;
} PgScan;

void pg_scan_begin(PgScan *scan);
// An answer begins, which may have so many bytes.
void pg_scan_answer(PgScan *scan, size_t bytes_max);
// The next bytes that the server sent. Code SERVER_REFUSED: libpq must not see them.
bool pg_scan_take(PgScan *scan, Bytes bytes, Error *err);

#endif
