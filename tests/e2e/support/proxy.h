/*
 * A TCP proxy on loopback: stands between a worker and one of its neighbours where a test wants
 * their connection slow, silent or cut. It runs on a thread of its own.
 */
#ifndef E2E_PROXY_H
#define E2E_PROXY_H

#include <stdbool.h>

typedef struct Proxy Proxy;

// What happens to the first request that holds a certain text.
typedef enum ProxyTrap {
    PROXY_CUT_REQUEST, // the connection is cut before the server sees it
    PROXY_CUT_REPLY,   // PostgreSQL does it; the connection is cut instead of passing its answer on
    PROXY_HOLD_REQUEST, // it, and what follows on its connection, waits for proxy_release
} ProxyTrap;

// Listens on a free port and passes everything on to this IPv4 address.
Proxy *proxy_open(const char *host, int port);
int proxy_port(const Proxy *proxy);
// Cuts every connection.
void proxy_close(Proxy *proxy);

// What clients send arrives this much later.
void proxy_delay(Proxy *proxy, int ms);
// The first that a client sends, so much later yet: TCP's handshake, which is with the proxy.
void proxy_delay_first(Proxy *proxy, int ms);

// Sets the trap, in place of an earlier one; it goes off once. With `then_away` the neighbour is
// away from that moment on: every connection is cut, new ones are closed at once. `text` stays the
// caller's, and must stay.
void proxy_set_trap(Proxy *proxy, ProxyTrap trap, const char *text, bool then_away);
// Whether it went off: with PROXY_CUT_REPLY, whether the server's answer was there.
bool proxy_has_tripped(void *proxy);
// Lets go of what the trap holds; also of a client that has gone meanwhile.
void proxy_release(Proxy *proxy);

#endif
