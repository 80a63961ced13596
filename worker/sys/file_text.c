#include "sys/file_text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/secret.h"

void file_close_at(int *fd)
{
    if (*fd >= 0) {
        int saved_errno = errno;
        (void)close(*fd);
        errno = saved_errno;
    }
}

// Bytes read, at most `size`; negative with errno.
static ssize_t read_up_to(int fd, uint8_t *data, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t taken = read(fd, data + length, size - length);
        if (taken < 0 && errno == EINTR) {
            continue;
        }
        if (taken < 0) {
            return -1;
        }
        if (taken == 0) {
            break;
        }
        length += (size_t)taken;
    }
    return (ssize_t)length;
}

FileResult file_read(int fd, size_t limit_bytes, Buffer *ret_content)
{
    uint8_t *data = alloc_bytes(limit_bytes + 1);
    ssize_t length = read_up_to(fd, data, limit_bytes + 1);
    FileResult result = FILE_READ;
    if (length < 0) {
        result = FILE_FAILED;
    } else if ((size_t)length > limit_bytes) {
        result = FILE_TOO_LARGE;
    } else {
        buffer_set(ret_content, (Bytes){data, (size_t)length});
    }
    int saved_errno = errno;
    secret_zero(data, limit_bytes + 1);
    free(data);
    errno = saved_errno;
    return result;
}

Bytes file_without_line_break(Bytes bytes)
{
    if (bytes.size > 0 && bytes.data[bytes.size - 1] == '\n') {
        bytes.size--;
        if (bytes.size > 0 && bytes.data[bytes.size - 1] == '\r') {
            bytes.size--;
        }
    }
    return bytes;
}
