/*
 * The parameters of a connection as libpq takes them, from host and user or from a connection
 * string. Used by drive/pg only.
 */
#ifndef DRIVE_PG_PARAMS_H
#define DRIVE_PG_PARAMS_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/text.h"
#include "drive/pg.h"

enum { PG_PARAMS_MAX = 64, PG_PARAMS_NUMBER_BYTES = 16 };

typedef struct PgParams {
    const char *keywords[PG_PARAMS_MAX + 1]; // ends with NULL
    const char *values[PG_PARAMS_MAX + 1];
    int count;
    PQconninfoOption *parsed; // of the connection string, or NULL
    char *host;
    char *database;
    char *user;
    char *ca_file;
    char *application_name;
    Secret password;
    Text options;
    char port[PG_PARAMS_NUMBER_BYTES];
    char user_timeout_ms[PG_PARAMS_NUMBER_BYTES];
} PgParams;

// Copies what it needs. Code CONNECT_FAILED; the text never quotes a connection string.
bool pg_params_init(PgParams *params, const PgOptions *options, Error *err);
void pg_params_clear(PgParams *params);
// The name that is to be resolved before connecting; NULL = none (a unix socket, a hostaddr).
const char *pg_params_name(const PgParams *params);
PGconn *pg_params_connect(const PgParams *params, const char *address);

// Why a connection was not made, from libpq's message. libpq 15 tells the server's SQLSTATE only
// within a verbose message ("FATAL:  28P01: password authentication failed"); class 28 is denied.
void pg_params_explain(PGconn *conn, Error *err);

#endif
