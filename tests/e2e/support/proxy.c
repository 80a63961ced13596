#include "support/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "support/cmocka.h"
#include "support/proxy_pipe.h"
#include "support/wait.h"

enum { LINKS_MAX = 64, BACKLOG = 64 };

// ReadyForQuery of an idle session: what went before is committed. PostgreSQL's protocol, "Message
// Formats": https://www.postgresql.org/docs/15/protocol-message-formats.html
static const uint8_t READY_FOR_QUERY[] = {'Z', 0, 0, 0, 5, 'I'};

typedef struct Link {
    int client;
    int server;
    ProxyPipe up; // from client to server
    ProxyPipe down;
    bool cuts_reply;
} Link;

struct Proxy {
    pthread_t thread;
    pthread_mutex_t mutex; // around everything below
    int wake;              // eventfd: something below was changed
    int listener;
    int port;
    struct sockaddr_in server;
    Link *links[LINKS_MAX];
    size_t count;
    bool is_over;
    bool is_away;
    int delay_ms;
    int handshake_ms;
    const char *trap_text; // NULL: none is set
    ProxyTrap trap;
    bool then_away;
    bool has_tripped;
};

// ---- connections

static void close_link(Proxy *proxy, size_t index)
{
    Link *link = proxy->links[index];
    // no half-open end: the client's next write has to fail
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(link->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(link->client);
    (void)close(link->server);
    proxy_pipe_clear(&link->up);
    proxy_pipe_clear(&link->down);
    free(link);
    proxy->links[index] = proxy->links[--proxy->count];
}

static void close_links(Proxy *proxy)
{
    while (proxy->count > 0) {
        close_link(proxy, proxy->count - 1);
    }
}

static void add_link(Proxy *proxy, int client, int server)
{
    Link *link = alloc_zeroed(1, sizeof(*link));
    link->client = client;
    link->server = server;
    int one = 1;
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    proxy_pipe_init(&link->up, client, server);
    proxy_pipe_init(&link->down, server, client);
    proxy->links[proxy->count++] = link;
}

static void take_client(Proxy *proxy)
{
    int client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) {
        return;
    }
    int server = proxy->is_away || proxy->count == LINKS_MAX
                     ? -1
                     : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // on loopback this neither waits nor blocks
    if (server >= 0 &&
        connect(server, (const struct sockaddr *)&proxy->server, sizeof(proxy->server)) == 0) {
        add_link(proxy, client, server);
        return;
    }
    if (server >= 0) {
        (void)close(server);
    }
    (void)close(client);
}

// ---- the trap

static void trip(Proxy *proxy)
{
    proxy->has_tripped = true;
    proxy->is_away = proxy->then_away;
}

// False: the connection is to be cut.
static bool spring_on_request(Proxy *proxy, Link *link)
{
    if (proxy->trap_text == NULL || !proxy_pipe_has_read(&link->up, proxy->trap_text)) {
        return true;
    }
    proxy->trap_text = NULL;
    if (proxy->trap == PROXY_CUT_REPLY) {
        link->cuts_reply = true; // it trips when the reply is there
        return true;
    }
    trip(proxy);
    link->up.is_held = proxy->trap == PROXY_HOLD_REQUEST;
    return link->up.is_held;
}

static bool swallow_reply(Proxy *proxy, Link *link)
{
    if (!link->cuts_reply) {
        return true;
    }
    proxy_pipe_drop(&link->down);
    if (!proxy_pipe_ends_with(&link->down, READY_FOR_QUERY, sizeof(READY_FOR_QUERY))) {
        return true;
    }
    trip(proxy);
    return false;
}

// ---- the thread

static bool pass(Proxy *proxy, Link *link, bool up_is_ready, bool down_is_ready)
{
    int64_t now_ms = wait_now_ms();
    int64_t due_ms = now_ms + proxy->delay_ms;
    if (link->up.seen_bytes == 0) {
        due_ms += proxy->handshake_ms;
    }
    if (up_is_ready && !(proxy_pipe_read(&link->up, due_ms) && spring_on_request(proxy, link))) {
        return false;
    }
    if (down_is_ready && !(proxy_pipe_read(&link->down, now_ms) && swallow_reply(proxy, link))) {
        return false;
    }
    return proxy_pipe_write(&link->up, now_ms) && proxy_pipe_write(&link->down, now_ms) &&
           !(link->up.is_shut && link->down.is_shut);
}

static short wanted(const ProxyPipe *in, const ProxyPipe *out, int64_t now_ms)
{
    return (short)((in->is_ended ? 0 : POLLIN) | (proxy_pipe_is_full(out, now_ms) ? POLLOUT : 0));
}

static int sooner(int a_ms, int b_ms)
{
    return a_ms < 0 || (b_ms >= 0 && b_ms < a_ms) ? b_ms : a_ms;
}

// Fills the list: wake, listener, then two of each connection.
static size_t fill(const Proxy *proxy, struct pollfd *list, int *ret_wait_ms)
{
    int64_t now_ms = wait_now_ms();
    *ret_wait_ms = -1;
    list[0] = (struct pollfd){.fd = proxy->wake, .events = POLLIN};
    list[1] = (struct pollfd){.fd = proxy->listener, .events = POLLIN};
    for (size_t i = 0; i < proxy->count; i++) {
        const Link *link = proxy->links[i];
        short client = wanted(&link->up, &link->down, now_ms);
        short server = wanted(&link->down, &link->up, now_ms);
        // a socket from which nothing is wanted would report its end again and again
        list[2 + 2 * i] = (struct pollfd){.fd = client != 0 ? link->client : -1, .events = client};
        list[3 + 2 * i] = (struct pollfd){.fd = server != 0 ? link->server : -1, .events = server};
        *ret_wait_ms = sooner(*ret_wait_ms, proxy_pipe_wait_ms(&link->up, now_ms));
    }
    return 2 + 2 * proxy->count;
}

static bool is_readable(const struct pollfd *entry)
{
    return (entry->revents & (POLLIN | POLLHUP | POLLERR)) != 0 && (entry->events & POLLIN) != 0;
}

static void act(Proxy *proxy, const struct pollfd *list, size_t count)
{
    uint64_t ignored = 0;
    if (list[0].revents != 0) {
        (void)!read(proxy->wake, &ignored, sizeof(ignored));
    }
    for (size_t i = (count - 2) / 2; i > 0; i--) { // from the end, because the last one moves
        const struct pollfd *client = &list[2 * i];
        const struct pollfd *server = &list[2 * i + 1];
        if (!pass(proxy, proxy->links[i - 1], is_readable(client), is_readable(server))) {
            close_link(proxy, i - 1);
        }
    }
    if (proxy->is_away) {
        close_links(proxy);
    }
    if (list[1].revents != 0) {
        take_client(proxy);
    }
}

static void *run(void *context)
{
    Proxy *proxy = context;
    struct pollfd list[2 + 2 * LINKS_MAX];
    (void)pthread_mutex_lock(&proxy->mutex);
    while (!proxy->is_over) {
        int wait_ms = -1;
        size_t count = fill(proxy, list, &wait_ms);
        (void)pthread_mutex_unlock(&proxy->mutex);
        (void)poll(list, count, wait_ms);
        (void)pthread_mutex_lock(&proxy->mutex);
        act(proxy, list, count);
    }
    close_links(proxy);
    (void)pthread_mutex_unlock(&proxy->mutex);
    return NULL;
}

// ---- what the test calls

static void lock(Proxy *proxy)
{
    (void)pthread_mutex_lock(&proxy->mutex);
}

// The thread looks at what was changed.
static void unlock(Proxy *proxy)
{
    const uint64_t one = 1;
    (void)pthread_mutex_unlock(&proxy->mutex);
    (void)!write(proxy->wake, &one, sizeof(one));
}

Proxy *proxy_open(const char *host, int port)
{
    Proxy *proxy = alloc_zeroed(1, sizeof(*proxy));
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(own);
    proxy->server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    assert_int_equal(inet_pton(AF_INET, host, &proxy->server.sin_addr), 1);
    proxy->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(proxy->wake >= 0 && proxy->listener >= 0);
    assert_int_equal(bind(proxy->listener, (struct sockaddr *)&own, size), 0);
    assert_int_equal(listen(proxy->listener, BACKLOG), 0);
    assert_int_equal(getsockname(proxy->listener, (struct sockaddr *)&own, &size), 0);
    proxy->port = ntohs(own.sin_port);
    assert_int_equal(pthread_mutex_init(&proxy->mutex, NULL), 0);
    assert_int_equal(pthread_create(&proxy->thread, NULL, run, proxy), 0);
    return proxy;
}

int proxy_port(const Proxy *proxy)
{
    return proxy->port;
}

void proxy_close(Proxy *proxy)
{
    if (proxy == NULL) {
        return;
    }
    lock(proxy);
    proxy->is_over = true;
    unlock(proxy);
    (void)pthread_join(proxy->thread, NULL);
    (void)pthread_mutex_destroy(&proxy->mutex);
    (void)close(proxy->listener);
    (void)close(proxy->wake);
    free(proxy);
}

void proxy_delay(Proxy *proxy, int ms)
{
    lock(proxy);
    proxy->delay_ms = ms;
    unlock(proxy);
}

void proxy_delay_first(Proxy *proxy, int ms)
{
    lock(proxy);
    proxy->handshake_ms = ms;
    unlock(proxy);
}

void proxy_set_trap(Proxy *proxy, ProxyTrap trap, const char *text, bool then_away)
{
    lock(proxy);
    proxy->trap = trap;
    proxy->trap_text = text;
    proxy->then_away = then_away;
    proxy->has_tripped = false;
    unlock(proxy);
}

bool proxy_has_tripped(void *context)
{
    Proxy *proxy = context;
    lock(proxy);
    bool has_tripped = proxy->has_tripped;
    unlock(proxy);
    return has_tripped;
}

void proxy_release(Proxy *proxy)
{
    lock(proxy);
    for (size_t i = 0; i < proxy->count; i++) {
        proxy->links[i]->up.is_held = false;
    }
    unlock(proxy);
}
