#include "drive/pg_guard.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

enum { HANDSHAKE_TURN_BYTES = 256 * 1024, RECORD_TURN_BYTES = 64 * 1024 };

static SSL *ssl_of(PGconn *conn)
{
    return PQsslStruct(conn, "OpenSSL");
}

// https://docs.openssl.org/3.0/man3/BIO_set_callback/: what it returns for BIO_CB_READ below 1 is
// what BIO_read returns, and nothing was read.
static long on_bio(BIO *bio, int what, const char *data, size_t size, int number, long value,
                   int result, size_t *processed)
{
    (void)data, (void)number, (void)value;
    PgGuard *guard = (PgGuard *)(void *)BIO_get_callback_arg(bio);
    if (what == BIO_CB_READ && guard->room_bytes < size) {
        BIO_clear_retry_flags(bio);
        BIO_set_retry_read(bio);
        return -1;
    }
    if (what == (BIO_CB_READ | BIO_CB_RETURN) && result > 0 && processed != NULL) {
        guard->room_bytes -= *processed < guard->room_bytes ? *processed : guard->room_bytes;
    }
    return result;
}

static void watch(PgGuard *guard, SSL *ssl)
{
    BIO *bio = SSL_get_rbio(ssl);
    if (guard->watched != bio) {
        BIO_set_callback_arg(bio, (char *)guard);
        BIO_set_callback_ex(bio, on_bio);
        guard->watched = bio;
    }
}

// libpq would read an error message without an end here, before TLS has shown whose it is.
static PgGuardSight look_for_tls(PGconn *conn, Error *err)
{
    char answer = '\0';
    ssize_t size = recv(PQsocket(conn), &answer, 1, MSG_PEEK | MSG_DONTWAIT);
    if (size > 0 && answer != 'S') {
        error_set(err, ERROR_UNAVAILABLE, "CONNECT_FAILED",
                  "the server does not support SSL, or not now");
        return PG_GUARD_REFUSED;
    }
    return size < 0 && errno == EAGAIN ? PG_GUARD_NOTHING : PG_GUARD_PASS;
}

// libpq finds out by itself that the connection has ended.
static PgGuardSight look_at_end(PgGuard *guard, SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        return PG_GUARD_NOTHING;
    }
    guard->room_bytes = RECORD_TURN_BYTES;
    return PG_GUARD_PASS;
}

// Its largest answer so far counts.
static bool charge(PgGuard *guard, Error *err)
{
    PgAnswers *answers = guard->answers;
    if (answers == NULL || guard->scan.bytes <= guard->charged_bytes) {
        return true;
    }
    size_t more = guard->scan.bytes - guard->charged_bytes;
    if (more > answers->bytes_max - answers->bytes) {
        return error_set(err, ERROR_UNAVAILABLE, "SERVER_REFUSED",
                         "there is no room for its answer beside those of other servers");
    }
    answers->bytes += more;
    guard->charged_bytes += more;
    return true;
}

static PgGuardSight look_at_record(PgGuard *guard, SSL *ssl, Error *err)
{
    uint8_t record[SSL3_RT_MAX_PLAIN_LENGTH];
    if (SSL_pending(ssl) > 0) {
        return PG_GUARD_PASS; // the rest of one that was looked at
    }
    guard->room_bytes = RECORD_TURN_BYTES;
    ERR_clear_error();
    int size = SSL_peek(ssl, record, sizeof(record));
    guard->room_bytes = 0;
    if (size <= 0) {
        return look_at_end(guard, ssl, size);
    }
    return pg_scan_take(&guard->scan, (Bytes){record, (size_t)size}, err) && charge(guard, err)
               ? PG_GUARD_PASS
               : PG_GUARD_REFUSED;
}

void pg_guard_begin(PgGuard *guard, bool is_on, PgAnswers *answers)
{
    *guard = (PgGuard){.is_on = is_on, .answers = answers};
    pg_scan_begin(&guard->scan);
}

void pg_guard_end(PgGuard *guard)
{
    if (guard->answers != NULL) {
        guard->answers->bytes -= guard->charged_bytes;
    }
    guard->charged_bytes = 0;
}

PgGuardSight pg_guard_look(PgGuard *guard, PGconn *conn, bool reads, Error *err)
{
    if (!guard->is_on) {
        return PG_GUARD_PASS;
    }
    SSL *ssl = ssl_of(conn);
    // Not SSL_is_init_finished, which a server can make untrue again.
    bool is_starting = PQstatus(conn) == CONNECTION_SSL_STARTUP;
    if (ssl == NULL) {
        return is_starting ? look_for_tls(conn, err) : PG_GUARD_PASS;
    }
    watch(guard, ssl);
    guard->room_bytes = is_starting ? HANDSHAKE_TURN_BYTES : 0;
    return is_starting || !reads ? PG_GUARD_PASS : look_at_record(guard, ssl, err);
}

bool pg_guard_has_rest(PgGuard *guard, PGconn *conn)
{
    bool is_looked_at = guard->is_on && PQstatus(conn) != CONNECTION_SSL_STARTUP;
    SSL *ssl = is_looked_at ? ssl_of(conn) : NULL;
    return ssl != NULL && SSL_pending(ssl) > 0;
}
