/*
 * Small files, read whole.
 */
#ifndef SYS_FILE_TEXT_H
#define SYS_FILE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

typedef enum FileResult {
    FILE_READ,
    FILE_FAILED,    // errno says why
    FILE_TOO_LARGE, // more than the limit
} FileResult;

void file_close_at(int *fd); // for CLEANUP; -1 is ignored
// From where `fd` stands to its end.
FileResult file_read(int fd, size_t limit_bytes, Buffer *ret_content);
// `bytes` without one "\n" or "\r\n" at its end.
Bytes file_without_line_break(Bytes bytes);

#endif
