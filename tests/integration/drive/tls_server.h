/*
 * A server for tests that speaks TLS, a thread a connection, with a certificate of its own making.
 * What it says is the test's.
 */
#ifndef DRIVE_TEST_TLS_SERVER_H
#define DRIVE_TEST_TLS_SERVER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum TlsFlaw {
    TLS_FLAWLESS,
    TLS_OTHER_NAME,
    TLS_EXPIRED,
    TLS_SELF_SIGNED,
} TlsFlaw;

typedef struct TlsServer TlsServer;

typedef struct TlsTalk {
    TlsServer *server;
    int fd;
    SSL *ssl;      // NULL until TLS stands
    void *context; // the test's
} TlsTalk;

// In a thread of its own, before TLS and after. False from the first: no TLS.
typedef bool TlsPrologue(TlsTalk *talk);
typedef void TlsScript(TlsTalk *talk);

typedef struct TlsServerOptions {
    TlsFlaw flaw;
    const char *name;      // of the certificate; NULL: "tls.localhost"
    TlsPrologue *prologue; // may be NULL
    TlsScript *script;
    void *context;
} TlsServerOptions;

// The certificates stand in a file of its own under /tmp.
TlsServer *tls_server_start(const TlsServerOptions *options);
void tls_server_stop(TlsServer *server);
int tls_server_port(const TlsServer *server);
const char *tls_server_ca_file(const TlsServer *server);
int tls_server_accepted(TlsServer *server); // connections

// For scripts. False: the client has hung up, or the server is to stop.
bool tls_write(TlsTalk *talk, const void *data, size_t size);
bool tls_read(TlsTalk *talk, void *data, size_t size);
bool tls_pause(TlsTalk *talk, int ms); // a slow server's pace

#endif
