#include "ctl/send_input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { PIECE_BYTES = 64 * 1024 };

void send_input_begin(SendInput *input, int fd)
{
    *input = (SendInput){.fd = fd, .keeps = true};
}

void send_input_clear(SendInput *input)
{
    free(input->bytes);
    input->bytes = NULL;
}

static void make_room(SendInput *input)
{
    if (!input->keeps && input->start > 0) {
        memmove(input->bytes, input->bytes + input->start, input->end - input->start);
        input->end -= input->start;
        input->searched -= input->start;
        input->start = 0;
    }
    if (input->room - input->end >= PIECE_BYTES) {
        return;
    }
    input->room = 2 * input->room + PIECE_BYTES;
    char *bytes = alloc_bytes(input->room);
    if (input->end > 0) {
        memcpy(bytes, input->bytes, input->end);
    }
    free(input->bytes);
    input->bytes = bytes;
}

// SEND_INPUT_LINE: something came, or the end.
static SendInputResult fill(SendInput *input, int timeout_ms)
{
    struct pollfd ready = {.fd = input->fd, .events = POLLIN};
    int count = poll(&ready, 1, timeout_ms);
    if (count == 0 || (count < 0 && errno == EINTR)) {
        return SEND_INPUT_LATER;
    }
    make_room(input);
    ssize_t size = read(input->fd, input->bytes + input->end, PIECE_BYTES);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) {
        return SEND_INPUT_LATER;
    }
    if (size < 0) {
        input->problem = errno;
        return SEND_INPUT_FAILED;
    }
    input->has_ended = size == 0;
    input->end += (size_t)size;
    return SEND_INPUT_LINE;
}

static bool find_line(SendInput *input, size_t *ret_size)
{
    const char *end = input->searched == input->end ? NULL
                                                    : memchr(input->bytes + input->searched, '\n',
                                                             input->end - input->searched);
    input->searched = input->end;
    *ret_size =
        end == NULL ? input->end - input->start : (size_t)(end - (input->bytes + input->start)) + 1;
    return end != NULL || (input->has_ended && *ret_size > 0);
}

SendInputResult send_input_line(SendInput *input, int timeout_ms, Bytes *ret_line)
{
    size_t size = 0;
    while (!find_line(input, &size)) {
        if (input->has_ended) {
            return SEND_INPUT_END;
        }
        if (size > SEND_INPUT_BYTES_MAX) {
            return SEND_INPUT_TOO_LONG;
        }
        SendInputResult result = fill(input, timeout_ms);
        if (result != SEND_INPUT_LINE && (result != SEND_INPUT_LATER || timeout_ms >= 0)) {
            return result;
        }
    }
    *ret_line = (Bytes){(const uint8_t *)input->bytes + input->start, size};
    input->start += size;
    input->searched = input->start;
    input->line++;
    return SEND_INPUT_LINE;
}

void send_input_rewind(SendInput *input)
{
    input->start = 0;
    input->searched = 0;
    input->line = 0;
    input->keeps = false;
}

SendInputResult send_input_rest(SendInput *input, Bytes *ret_rest)
{
    SendInputResult result = SEND_INPUT_LINE;
    while (!input->has_ended && result != SEND_INPUT_FAILED &&
           input->end - input->start <= SEND_INPUT_BYTES_MAX) {
        result = fill(input, -1);
    }
    bool too_long = input->end - input->start > SEND_INPUT_BYTES_MAX;
    *ret_rest = (Bytes){(const uint8_t *)input->bytes + input->start,
                        too_long ? SEND_INPUT_BYTES_MAX : input->end - input->start};
    return result == SEND_INPUT_FAILED ? result : too_long ? SEND_INPUT_TOO_LONG : SEND_INPUT_LINE;
}
