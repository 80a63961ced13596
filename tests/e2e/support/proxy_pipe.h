/*
 * One direction of one of the proxy's connections: what was read and is still to be written.
 */
#ifndef E2E_PROXY_PIPE_H
#define E2E_PROXY_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

enum { PROXY_PIECE_BYTES = 16384, PROXY_TAIL_BYTES = 256 };

typedef struct ProxyPipe {
    int from;
    int to;
    List pieces;
    bool is_ended; // nothing more comes from there
    bool is_shut;  // and that was passed on
    bool is_held;  // nothing is written
    // the last bytes that were read, in front of the newest ones
    uint8_t seen[PROXY_TAIL_BYTES + PROXY_PIECE_BYTES];
    size_t seen_bytes;
} ProxyPipe;

void proxy_pipe_init(ProxyPipe *pipe, int from, int to);
void proxy_pipe_clear(ProxyPipe *pipe);
// Reads what is there, to be written at `due_ms`. False: the connection is broken.
bool proxy_pipe_read(ProxyPipe *pipe, int64_t due_ms);
// Throws away what is still to be written.
void proxy_pipe_drop(ProxyPipe *pipe);
// Whether the bytes read last, or they and those before, hold the text; whether they end with it.
bool proxy_pipe_has_read(const ProxyPipe *pipe, const char *text);
bool proxy_pipe_ends_with(const ProxyPipe *pipe, const void *bytes, size_t size);
// Writes what is due, and the end. False: the connection is broken.
bool proxy_pipe_write(ProxyPipe *pipe, int64_t now_ms);
// Whether something is due that could not be written; and how long until something is, -1: nothing.
bool proxy_pipe_is_full(const ProxyPipe *pipe, int64_t now_ms);
int proxy_pipe_wait_ms(const ProxyPipe *pipe, int64_t now_ms);

#endif
