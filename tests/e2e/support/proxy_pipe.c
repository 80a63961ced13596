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

static Piece *first_due(const ProxyPipe *pipe, int64_t now_ms)
{
    ListLink *link = pipe->is_held ? NULL : list_first(&pipe->pieces);
    Piece *piece = link == NULL ? NULL : LIST_ENTRY(link, Piece, link);
    return piece != NULL && piece->due_ms <= now_ms ? piece : NULL;
}

bool proxy_pipe_write(ProxyPipe *pipe, int64_t now_ms)
{
    Piece *piece = NULL;
    while ((piece = first_due(pipe, now_ms)) != NULL) {
        ssize_t size = send(pipe->to, piece->bytes + piece->written, piece->size - piece->written,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size < 0) {
            return would_block();
        }
        piece->written += (size_t)size;
        if (piece->written == piece->size) {
            list_remove(&piece->link);
            free(piece);
        }
    }
    if (pipe->is_ended && !pipe->is_shut && list_is_empty(&pipe->pieces)) {
        pipe->is_shut = true;
        (void)shutdown(pipe->to, SHUT_WR);
    }
    return true;
}

bool proxy_pipe_is_full(const ProxyPipe *pipe, int64_t now_ms)
{
    return first_due(pipe, now_ms) != NULL;
}

int proxy_pipe_wait_ms(const ProxyPipe *pipe, int64_t now_ms)
{
    ListLink *link = pipe->is_held ? NULL : list_first(&pipe->pieces);
    if (link == NULL) {
        return -1;
    }
    int64_t left_ms = LIST_ENTRY(link, Piece, link)->due_ms - now_ms;
    return left_ms > 0 ? (int)left_ms : -1; // what is due waits for its socket
}
