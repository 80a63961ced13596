#include "tls_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"

enum { TALKS_MAX = 1024, DAY_S = 86400 };

struct TlsServer {
    TlsServerOptions options;
    SSL_CTX *tls;
    char ca_file[64];
    int fd;
    int port;
    pthread_t thread;
    pthread_t talk_threads[TALKS_MAX];
    TlsTalk talks[TALKS_MAX];
    atomic_int count;
};

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    int added = extension != NULL && X509_add_ext(certificate, extension, -1);
    assert(added == 1);
    (void)added;
    X509_EXTENSION_free(extension);
}

// `issuer` NULL: itself.
static X509 *certify(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                     bool is_expired)
{
    static long serial = 1;
    X509 *certificate = X509_new();
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -2L * DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), is_expired ? -DAY_S : DAY_S);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(certificate, issuer != NULL ? X509_get_subject_name(issuer) : subject);
    if (issuer == NULL) {
        extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    }
    char names[128];
    (void)snprintf(names, sizeof(names), "DNS:%s", name);
    extend(certificate, issuer != NULL ? issuer : certificate, NID_subject_alt_name, names);
    X509_sign(certificate, issuer != NULL ? issuer_key : key, EVP_sha256());
    return certificate;
}

static void write_ca(TlsServer *server, X509 *ca)
{
    (void)snprintf(server->ca_file, sizeof(server->ca_file), "/tmp/drive-test-ca-XXXXXX");
    int fd = mkstemp(server->ca_file);
    FILE *out = fdopen(fd, "w");
    assert(out != NULL);
    PEM_write_X509(out, ca);
    (void)fclose(out);
}

static void make_context(TlsServer *server)
{
    TlsFlaw flaw = server->options.flaw;
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = certify("drive-test CA", ca_key, NULL, NULL, false);
    const char *name = server->options.name != NULL ? server->options.name : "tls.localhost";
    X509 *leaf = certify(flaw == TLS_OTHER_NAME ? "other.localhost" : name, key,
                         flaw == TLS_SELF_SIGNED ? NULL : ca, ca_key, flaw == TLS_EXPIRED);
    write_ca(server, ca);
    server->tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(server->tls, leaf);
    SSL_CTX_use_PrivateKey(server->tls, key);
    X509_free(leaf);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
}

static void *serve_talk(void *argument)
{
    TlsTalk *talk = argument;
    const TlsServerOptions *options = &talk->server->options;
    if (options->prologue == NULL || options->prologue(talk)) {
        SSL *ssl = SSL_new(talk->server->tls);
        SSL_set_fd(ssl, talk->fd);
        if (SSL_accept(ssl) == 1) {
            talk->ssl = ssl;
            options->script(talk);
        }
        SSL_free(ssl);
    }
    shutdown(talk->fd, SHUT_RDWR);
    return NULL;
}

static void *serve(void *argument)
{
    TlsServer *server = argument;
    int fd = -1;
    while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
        assert(server->count < TALKS_MAX);
        int number = server->count++; // counted before the client can tell
        TlsTalk *talk = &server->talks[number];
        *talk = (TlsTalk){.server = server, .fd = fd, .context = server->options.context};
        pthread_create(&server->talk_threads[number], NULL, serve_talk, talk);
    }
    return NULL;
}

TlsServer *tls_server_start(const TlsServerOptions *options)
{
    TlsServer *server = alloc_zeroed(1, sizeof(*server));
    server->options = *options;
    (void)signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    make_context(server);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int failed = bind(server->fd, (struct sockaddr *)&address, size);
    failed |= listen(server->fd, TALKS_MAX);
    failed |= getsockname(server->fd, (struct sockaddr *)&address, &size);
    assert(failed == 0);
    (void)failed;
    server->port = ntohs(address.sin_port);
    pthread_create(&server->thread, NULL, serve, server);
    return server;
}

void tls_server_stop(TlsServer *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    for (int i = 0; i < server->count; i++) {
        shutdown(server->talks[i].fd, SHUT_RDWR);
        pthread_join(server->talk_threads[i], NULL);
        close(server->talks[i].fd);
    }
    SSL_CTX_free(server->tls);
    unlink(server->ca_file);
    free(server);
}

int tls_server_port(const TlsServer *server)
{
    return server->port;
}

const char *tls_server_ca_file(const TlsServer *server)
{
    return server->ca_file;
}

int tls_server_accepted(TlsServer *server)
{
    return server->count;
}

bool tls_write(TlsTalk *talk, const void *data, size_t size)
{
    size_t written = 0;
    return SSL_write_ex(talk->ssl, data, size, &written) == 1;
}

bool tls_read(TlsTalk *talk, void *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t got = 0;
        if (SSL_read_ex(talk->ssl, (char *)data + done, size - done, &got) != 1) {
            return false;
        }
        done += got;
    }
    return true;
}

bool tls_pause(TlsTalk *talk, int ms)
{
    struct pollfd wait = {.fd = talk->fd, .events = POLLRDHUP};
    return poll(&wait, 1, ms) == 0;
}
