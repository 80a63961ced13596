/* What listens at an endpoint's address: it holds a client until the compute runs, then passes
 * bytes both ways. TLS goes through untouched, between the client and PostgreSQL. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sandbox.h"

typedef struct Relay Relay;

/* What the relay asks of its owner; all on the loop. */
typedef struct RelayOwner {
    void *context;
    /* Whether this login is refused instead of passed on. */
    bool (*refuses)(void *context, Endpoint *endpoint);
    /* Takes over the connection of a refused login; `file` is the callee's to close. */
    void (*refuse)(void *context, Endpoint *endpoint, int file);
    /* Where the compute listens ("127.x.y.z"), or NULL when it does not run; then it has been asked
     * to start, and relay_continue is called when it does. */
    const char *(*find_address)(void *context, Endpoint *endpoint);
    /* The compute did not answer at its address. */
    void (*on_unreachable)(void *context, Endpoint *endpoint);
} RelayOwner;

/* Listens on that port of 127.0.0.1; 0: one of the system's choice. NULL when that fails. */
Relay *relay_open(uv_loop_t *loop, Endpoint *endpoint, int port, const RelayOwner *owner);
int relay_port(const Relay *relay);
/* Connects those that wait. */
void relay_continue(Relay *relay);
/* Drops those that wait: the compute won't start. */
void relay_give_up(Relay *relay);
bool relay_has_waiting(const Relay *relay);
int relay_connections(const Relay *relay);
/* Stops listening and closes every connection; freed when the loop has closed its handles. */
void relay_close(Relay *relay);
