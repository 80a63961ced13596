/*
 * PostgreSQL on the loop (libpq, non-blocking, pipelined). A connection runs jobs one after
 * another; a job is a list of statements that go out together in one pipeline with one Sync behind
 * them: one round trip, and one transaction (unless it has a statement of its own that PostgreSQL
 * refuses in one).
 */
#ifndef DRIVE_PG_H
#define DRIVE_PG_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/secret.h"
#include "drive/loop.h"
#include "drive/resolver.h"

typedef struct Pg Pg;

// What connections that share it hold of their servers' answers: of each the largest one, until it
// is closed. An answer for which there is no room left ends its connection.
typedef struct PgAnswers {
    size_t bytes;
    size_t bytes_max;
} PgAnswers;

typedef struct PgOptions {
    const char *host;  // resolved by the resolver; libpq gets host and hostaddr. Or:
    const Secret *uri; // a whole connection URI or string; its host is resolved, too (unix sockets
                       // are left alone)
    int port;
    const char *database;
    const char *user;
    const Secret *password;
    const char *ca_file; // with `host`: sslmode=verify-full; "" = the system's (sslrootcert as
                         // libpq 15 can)
    // With `host`, all of which is taken for hostile (drive/pg_scan.h):
    size_t max_answer_bytes; // of a job; 0 = 64 KiB
    PgAnswers *answers;      // outlives the connection; NULL: it shares none
    bool public_only;        // not to this machine, nor to its network link: ADDRESS_REFUSED
    uint32_t connect_timeout_ms;
    // The server's statement_timeout; its lock_timeout is half of it.
    uint32_t statement_timeout_ms; // also the limit of a job, plus 5 s, after which the connection
                                   // is given up
    uint32_t job_timeout_ms;       // that limit instead, unless 0
    const char *session_options;   // more of the connection's `options`, may be NULL; they win
    const char *application_name;
    bool reconnect; // ledger: after a loss connects again by itself with a growing, jittered delay
} PgOptions;

typedef struct PgStatement {
    const char *sql; // must stay valid until the job ends
    int param_count;
    const char *const *params; // text format; NULL = SQL NULL; copied
    // Prepared once for each connection; `sql` is static. Where its plan has become impossible (a
    // column's type was changed) the connection is given up, and the next one prepares it anew.
    bool is_prepared;
} PgStatement;

// One result a statement, in order; count is that of statements that were answered. On failure
// `err` has kind unavailable (connection lost, timeout: a COMMIT may have happened) with code
// CONNECTION_LOST, or internal with the SQLSTATE as its code (the transaction was rolled back).
// `count` is then that of the statements before the one that failed. Results are freed after the
// callback, which may close the connection. Never called from within pg_run.
typedef void PgCallback(void *context, PGresult *const *results, int count, const Error *err);

typedef enum PgState { PG_CONNECTING, PG_READY, PG_FAILED } PgState;
// Tells of every change: ready (again), or failed with the reason (a refused login has its SQLSTATE
// as code where the server sent one; texts never hold a password). May close the connection. With
// `reconnect` PG_CONNECTING follows PG_FAILED after the delay.
typedef void PgStateCallback(void *context, PgState state, const Error *err);

Pg *pg_open(Loop *loop, Resolver *resolver, const PgOptions *options, PgStateCallback *on_state,
            void *context);
PgState pg_state(const Pg *pg);
// Queues a job (statements and parameters are copied, but for the SQL text). Jobs wait while the
// connection isn't ready; those under way or waiting when it is lost end with CONNECTION_LOST
// (waiting ones too unless `reconnect`).
void pg_run(Pg *pg, const PgStatement *statements, int count, PgCallback *callback, void *context);
// The same with a send limit on CLOCK_BOOTTIME (0 = none): what was not written whole by then is
// given up before anything else is written, together with the connection when a part was; the
// server rolls that back. Code SEND_LIMIT.
void pg_run_until(Pg *pg, const PgStatement *statements, int count, int64_t send_limit_boot_ms,
                  PgCallback *callback, void *context);
// The same with a Sync behind each statement: still one round trip, but each is a transaction of
// its own (or a part of the one that an earlier one has begun), as CREATE DATABASE needs it.
// `results` has one for each statement then, those of failed ones (PGRES_FATAL_ERROR), too, unless
// the connection is lost.
void pg_run_each(Pg *pg, const PgStatement *statements, int count, int64_t send_limit_boot_ms,
                 PgCallback *callback, void *context);
size_t pg_waiting(const Pg *pg); // jobs queued or under way
// No callback is called any more.
void pg_close(Pg *pg);

#endif
