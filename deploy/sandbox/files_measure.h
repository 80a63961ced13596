/* What a tree of files takes on the disk, and how much of that it shares with other files. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct FilesUsage {
    int64_t shared_bytes; /* blocks and whole files (hard links) that others have too */
    int64_t own_bytes;
} FilesUsage;

/* On any thread. Where the file system can't tell what is shared, nothing is. */
void files_measure_tree(const char *path, FilesUsage *ret_usage);
