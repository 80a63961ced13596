#include "files_measure.h"

#include <fcntl.h>
#include <fts.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MEASURE_EXTENTS = 32 };

/* Room for the extents that one call asks for: https://docs.kernel.org/filesystems/fiemap.html */
typedef union ExtentMap {
    struct fiemap map;
    char bytes[sizeof(struct fiemap) + MEASURE_EXTENTS * sizeof(struct fiemap_extent)];
} ExtentMap;

static int64_t count_shared(int file)
{
    ExtentMap extents;
    int64_t shared_bytes = 0;
    uint64_t from = 0;
    for (bool is_last = false; !is_last;) {
        memset(&extents, 0, sizeof(extents));
        extents.map.fm_start = from;
        extents.map.fm_length = UINT64_MAX - from;
        extents.map.fm_extent_count = MEASURE_EXTENTS;
        if (ioctl(file, FS_IOC_FIEMAP, &extents.map) != 0) {
            return shared_bytes;
        }
        is_last = extents.map.fm_mapped_extents == 0;
        for (uint32_t i = 0; i < extents.map.fm_mapped_extents; i++) {
            const struct fiemap_extent *extent = &extents.map.fm_extents[i];
            bool is_shared = (extent->fe_flags & FIEMAP_EXTENT_SHARED) != 0;
            shared_bytes += is_shared ? (int64_t)extent->fe_length : 0;
            is_last = is_last || (extent->fe_flags & FIEMAP_EXTENT_LAST) != 0;
            from = extent->fe_logical + extent->fe_length;
        }
    }
    return shared_bytes;
}

static void measure_file(const char *path, const struct stat *info, FilesUsage *usage)
{
    int64_t bytes = (int64_t)info->st_blocks * 512;
    int64_t shared_bytes = 0;
    if (info->st_nlink > 1) {
        shared_bytes = bytes;
    } else if (bytes > 0) {
        int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        shared_bytes = file < 0 ? 0 : count_shared(file);
        if (file >= 0) {
            close(file);
        }
    }
    shared_bytes = shared_bytes < bytes ? shared_bytes : bytes;
    usage->shared_bytes += shared_bytes;
    usage->own_bytes += bytes - shared_bytes;
}

void files_measure_tree(const char *path, FilesUsage *ret_usage)
{
    *ret_usage = (FilesUsage){0};
    char *copy = strdup(path);
    char *const roots[] = {copy, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry = tree == NULL ? NULL : fts_read(tree); entry != NULL;
         entry = fts_read(tree)) {
        if (entry->fts_info == FTS_F) {
            measure_file(entry->fts_accpath, entry->fts_statp, ret_usage);
        }
    }
    if (tree != NULL) {
        fts_close(tree);
    }
    free(copy);
}
