#include "refuse.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    REFUSE_TIMEOUT_SECONDS = 5,
    REFUSE_SSL_REQUEST = 80877103,
    REFUSE_STARTUP_MOST_BYTES = 8192
};

/* ErrorResponse: https://www.postgresql.org/docs/current/protocol-error-fields.html */
static const char FIELDS[] = "SFATAL\0VFATAL\0C08006\0MCouldn't connect to compute node\0";

static bool read_exactly(int file, void *buffer, size_t bytes)
{
    return recv(file, buffer, bytes, MSG_WAITALL) == (ssize_t)bytes;
}

static void set_blocking(int file)
{
    struct timeval limit = {.tv_sec = REFUSE_TIMEOUT_SECONDS};
    fcntl(file, F_SETFL, fcntl(file, F_GETFL) & ~O_NONBLOCK);
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static bool asks_for_tls(int file)
{
    uint32_t words[2];
    return read_exactly(file, words, sizeof(words)) && ntohl(words[0]) == sizeof(words) &&
           ntohl(words[1]) == REFUSE_SSL_REQUEST && send(file, "S", 1, MSG_NOSIGNAL) == 1;
}

static bool read_startup(SSL *session)
{
    uint32_t length = 0;
    char rest[REFUSE_STARTUP_MOST_BYTES];
    if (SSL_read(session, &length, sizeof(length)) != sizeof(length)) {
        return false;
    }
    length = ntohl(length);
    if (length <= sizeof(length) || length > sizeof(rest)) {
        return false;
    }
    int wanted = (int)(length - sizeof(length));
    return SSL_read(session, rest, wanted) == wanted;
}

static void send_error(SSL *session)
{
    char message[1 + sizeof(uint32_t) + sizeof(FIELDS)];
    uint32_t length = htonl((uint32_t)(sizeof(message) - 1));
    message[0] = 'E';
    memcpy(message + 1, &length, sizeof(length));
    memcpy(message + 1 + sizeof(length), FIELDS, sizeof(FIELDS));
    SSL_write(session, message, sizeof(message));
    SSL_shutdown(session);
}

static void answer(const Tls *tls, const char *const hosts[2], int file)
{
    SSL_CTX *context = tls_new_context(tls, hosts, 2);
    SSL *session = context == NULL ? NULL : SSL_new(context);
    if (session != NULL && SSL_set_fd(session, file) == 1 && SSL_accept(session) == 1 &&
        read_startup(session)) {
        send_error(session);
    }
    SSL_free(session);
    SSL_CTX_free(context);
}

void refuse_login(const Tls *tls, const char *const hosts[2], int file)
{
    set_blocking(file);
    if (asks_for_tls(file)) {
        answer(tls, hosts, file);
    }
    close(file);
}
