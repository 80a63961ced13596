#include "drive/admin_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

enum { BACKLOG = 64, PORT_MAX = 65535, PORT_DIGITS = 5 };

typedef struct Address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } at;
    socklen_t bytes;
} Address;

// 0 to 65535, -1: neither.
static int port_of(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > PORT_DIGITS || text[digits] != '\0') {
        return -1;
    }
    long port = strtol(text, NULL, 10);
    return port <= PORT_MAX ? (int)port : -1;
}

// "HOST:PORT", where HOST is numeric: a name could mean another address tomorrow.
static bool address_parse(const char *text, Address *ret_address)
{
    char host[INET6_ADDRSTRLEN + 2] = "";
    const char *colon = strrchr(text, ':');
    int port = colon != NULL ? port_of(colon + 1) : -1;
    if (port < 0 || (size_t)(colon - text) >= sizeof host) {
        return false;
    }
    memcpy(host, text, (size_t)(colon - text));
    size_t length = strlen(host);
    memset(ret_address, 0, sizeof *ret_address);
    if (length > 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        ret_address->at.v6.sin6_family = AF_INET6;
        ret_address->at.v6.sin6_port = htons((uint16_t)port);
        ret_address->bytes = sizeof ret_address->at.v6;
        return inet_pton(AF_INET6, host + 1, &ret_address->at.v6.sin6_addr) == 1;
    }
    ret_address->at.v4.sin_family = AF_INET;
    ret_address->at.v4.sin_port = htons((uint16_t)port);
    ret_address->bytes = sizeof ret_address->at.v4;
    return inet_pton(AF_INET, host, &ret_address->at.v4.sin_addr) == 1;
}

static bool listen_at(int socket_fd, const Address *address)
{
    const int on = 1;
    // what was there before us may still linger in TIME_WAIT; a listener is refused all the same
    return setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           bind(socket_fd, &address->at.any, address->bytes) == 0 &&
           listen(socket_fd, BACKLOG) == 0;
}

static int bound_port(int socket_fd)
{
    Address bound = {.bytes = sizeof bound.at};
    if (getsockname(socket_fd, &bound.at.any, &bound.bytes) != 0) {
        return 0;
    }
    return ntohs(bound.at.any.sa_family == AF_INET6 ? bound.at.v6.sin6_port : bound.at.v4.sin_port);
}

int admin_socket_listen(const char *address, int *ret_port, Error *err)
{
    Address parsed;
    if (!address_parse(address, &parsed)) {
        error_set(err, ERROR_INVALID, "ADMIN_ADDRESS_INVALID",
                  "admin.address: not an address and a port, such as 127.0.0.1:9464, [::1]:9464 "
                  "or 127.0.0.1:0 for any port");
        return -1;
    }
    int socket_fd = socket(parsed.at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_fd >= 0 && listen_at(socket_fd, &parsed)) {
        *ret_port = bound_port(socket_fd);
        return socket_fd;
    }
    bool in_use = errno == EADDRINUSE;
    error_set(err, in_use ? ERROR_UNAVAILABLE : ERROR_INVALID,
              in_use ? "ADMIN_ADDRESS_IN_USE" : "ADMIN_ADDRESS_REFUSED",
              "admin.address: can't listen on %s: %s%s", address, strerror(errno),
              in_use ? "; another worker of this machine may have it: each needs its own" : "");
    if (socket_fd >= 0) {
        (void)close(socket_fd);
    }
    return -1;
}
