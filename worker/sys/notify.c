#include "sys/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// An absolute path, or '@' and the name of an abstract socket, which has no NUL at its end.
static socklen_t address_of(const char *name, struct sockaddr_un *ret_address)
{
    size_t length = strlen(name);
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((name[0] != '/' && name[0] != '@') || length < 2 ||
        length >= sizeof ret_address->sun_path) {
        return 0;
    }
    memcpy(ret_address->sun_path, name, length);
    if (name[0] == '@') {
        ret_address->sun_path[0] = '\0';
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static int connect_to(const char *name)
{
    struct sockaddr_un address;
    socklen_t bytes = address_of(name, &address);
    if (bytes == 0) {
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, bytes) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

// Of the environment; 0 where it isn't a number above 0.
static int64_t number_of(const char *variable)
{
    const char *text = getenv(variable);
    if (text == NULL || text[0] == '\0') {
        return 0;
    }
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && number > 0 ? number : 0;
}

void notify_open(Notify *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");
    *notify = NOTIFY_INIT;
    notify->socket = name != NULL ? connect_to(name) : -1;
    bool is_meant = getenv("WATCHDOG_PID") == NULL || number_of("WATCHDOG_PID") == getpid();
    if (notify->socket >= 0 && is_meant) {
        notify->watchdog_interval_ms = number_of("WATCHDOG_USEC") / 1000;
    }
}

void notify_close(Notify *notify)
{
    if (notify->socket >= 0) {
        (void)close(notify->socket);
    }
    *notify = NOTIFY_INIT;
}

bool notify_is_open(const Notify *notify)
{
    return notify->socket >= 0;
}

bool notify_send(const Notify *notify, const char *state)
{
    return notify->socket >= 0 &&
           send(notify->socket, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}
