/*
 * A PostgreSQL that means no good, behind TLS (tls_server.h): its scripts send what libpq, or the
 * loop that it runs on, could be kept busy or filled with.
 */
#ifndef DRIVE_TEST_HOSTILE_PG_H
#define DRIVE_TEST_HOSTILE_PG_H

#include "tls_server.h"

typedef struct HostilePg HostilePg;
typedef void HostilePgAct(TlsTalk *talk, const HostilePg *pg);

// One of the first three.
struct HostilePg {
    HostilePgAct *before;   // instead of letting in; or:
    HostilePgAct *during;   // the login, after it is granted; or:
    HostilePgAct *after;    // the first statement
    const char *iterations; // that are asked for
    bool as_last;           // ... under the code of the exchange's last message
    const char *spares;     // sessions in this database are answered once, honestly; NULL: none is
};

// Prologue of the server: SSLRequest is answered with yes.
bool hostile_pg_agree_to_tls(TlsTalk *talk);
// Script of the server; the talk's context is a const HostilePg *.
void hostile_pg_talk(TlsTalk *talk);
void hostile_pg_wait_for_hangup(TlsTalk *talk);

// ---- acts

// As an honest one would, once.
void hostile_pg_answer(TlsTalk *talk, const HostilePg *pg);

void hostile_pg_ask_iterations(TlsTalk *talk, const HostilePg *pg);
void hostile_pg_ask_split(TlsTalk *talk, const HostilePg *pg);         // a byte a TLS record
void hostile_pg_ask_around_ticket(TlsTalk *talk, const HostilePg *pg); // which OpenSSL reads itself
void hostile_pg_be_silent(TlsTalk *talk, const HostilePg *pg);
void hostile_pg_hang_up(TlsTalk *talk, const HostilePg *pg);
void hostile_pg_drip(TlsTalk *talk, const HostilePg *pg); // an error, a byte now and then
void hostile_pg_send_giant_request(TlsTalk *talk, const HostilePg *pg);
void hostile_pg_send_giant_error(TlsTalk *talk, const HostilePg *pg);
void hostile_pg_send_giant_row(TlsTalk *talk, const HostilePg *pg);
// Without an end:
void hostile_pg_send_notices(TlsTalk *talk, const HostilePg *pg);
void hostile_pg_send_parameters(TlsTalk *talk, const HostilePg *pg);
void hostile_pg_send_rows(TlsTalk *talk, const HostilePg *pg);

#endif
