#include "support/proxy_pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"

typedef struct Piece {
    ListLink link;
    int64_t due_ms;
    size_t size;
    size_t written;
    uint8_t bytes[];
} Piece;

void proxy_pipe_init(ProxyPipe *pipe, int from, int to)
{
    *pipe = (ProxyPipe){.from = from, .to = to};
    list_init(&pipe->pieces);
}

void proxy_pipe_drop(ProxyPipe *pipe)
{
    LIST_EACH(&pipe->pieces, link)
    {
        list_remove(link);
        free(LIST_ENTRY(link, Piece, link));
    }
}

void proxy_pipe_clear(ProxyPipe *pipe)
{
    proxy_pipe_drop(pipe);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}

static void keep(ProxyPipe *pipe, const uint8_t *bytes, size_t size, int64_t due_ms)
{
    Piece *piece = alloc_bytes(sizeof(*piece) + size);
    *piece = (Piece){.due_ms = due_ms, .size = size};
    memcpy(piece->bytes, bytes, size);
    list_append(&pipe->pieces, &piece->link);
}

bool proxy_pipe_read(ProxyPipe *pipe, int64_t due_ms)
{
    size_t tail = pipe->seen_bytes < PROXY_TAIL_BYTES ? pipe->seen_bytes : PROXY_TAIL_BYTES;
    memmove(pipe->seen, pipe->seen + pipe->seen_bytes - tail, tail);
    pipe->seen_bytes = tail;
    ssize_t size = recv(pipe->from, pipe->seen + tail, PROXY_PIECE_BYTES, 0);
    if (size < 0) {
        return would_block();
    }
    pipe->is_ended = size == 0;
    if (size > 0) {
        keep(pipe, pipe->seen + tail, (size_t)size, due_ms);
        pipe->seen_bytes += (size_t)size;
    }
    return true;
}

bool proxy_pipe_has_read(const ProxyPipe *pipe, const char *text)
{
    return memmem(pipe->seen, pipe->seen_bytes, text, strlen(text)) != NULL;
}

bool proxy_pipe_ends_with(const ProxyPipe *pipe, const void *bytes, size_t size)
{
    return pipe->seen_bytes >= size &&
           memcmp(pipe->seen + pipe->seen_bytes - size, bytes, size) == 0;
}

static Piece *first_of(const ProxyPipe *pipe)
{
    ListLink *link = list_first(&pipe->pieces);
    return link == NULL ? NULL : LIST_ENTRY(link, Piece, link);
}

static bool is_due(const ProxyPipe *pipe, const Piece *piece, int64_t now_ms)
{
    return !pipe->is_held && piece->due_ms <= now_ms;
}

// Whether it is gone: all of it was written.
static bool write_piece(const ProxyPipe *pipe, Piece *piece, bool *ret_broken)
{
    ssize_t size = send(pipe->to, piece->bytes + piece->written, piece->size - piece->written,
                        MSG_NOSIGNAL | MSG_DONTWAIT);
    *ret_broken = size < 0 && !would_block();
    piece->written += size > 0 ? (size_t)size : 0;
    if (piece->written < piece->size) {
        return false;
    }
    list_remove(&piece->link);
    free(piece);
    return true;
}

bool proxy_pipe_write(ProxyPipe *pipe, int64_t now_ms)
{
    bool is_broken = false;
    LIST_EACH(&pipe->pieces, link)
    {
        Piece *piece = LIST_ENTRY(link, Piece, link);
        if (!is_due(pipe, piece, now_ms) || !write_piece(pipe, piece, &is_broken)) {
            break;
        }
    }
    if (pipe->is_ended && !pipe->is_shut && list_is_empty(&pipe->pieces)) {
        pipe->is_shut = true;
        (void)shutdown(pipe->to, SHUT_WR);
    }
    return !is_broken;
}

bool proxy_pipe_is_full(const ProxyPipe *pipe, int64_t now_ms)
{
    const Piece *first = first_of(pipe);
    return first != NULL && is_due(pipe, first, now_ms);
}

int proxy_pipe_wait_ms(const ProxyPipe *pipe, int64_t now_ms)
{
    const Piece *first = first_of(pipe);
    bool is_waiting = first != NULL && !pipe->is_held && first->due_ms > now_ms;
    return is_waiting ? (int)(first->due_ms - now_ms) : -1; // what is due waits for its socket
}
