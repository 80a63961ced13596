#include "wal.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "text.h"

/* Clusters are made with segments of 1 MB: initdb's --wal-segsize in versions.c. */
enum { WAL_SEGMENT_BITS = 20, WAL_TIMELINE_DIGITS = 8 };

/* The first members of ControlFileData, the same in PostgreSQL 11 to 18. */
typedef struct ControlHead {
    uint64_t system_id;
    uint32_t versions[2];
    int32_t state;
    int64_t time;
    uint64_t checkpoint;
    uint64_t redo;
    uint32_t timeline;
} ControlHead;

bool wal_read_control(const char *data_dir, WalControl *ret_control)
{
    char path[PATH_MAX];
    ControlHead head;
    if (!text_format(path, sizeof(path), "%s/global/pg_control", data_dir)) {
        return false;
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    bool got = fread(&head, sizeof(head), 1, file) == 1;
    fclose(file);
    if (got) {
        *ret_control = (WalControl){head.system_id, head.checkpoint, head.redo, head.timeline};
    }
    return got;
}

bool wal_parse_lsn(const char *text, uint64_t *ret_lsn)
{
    static const char HEX[] = "0123456789ABCDEFabcdef";
    size_t high = strspn(text, HEX);
    size_t low = text[high] == '/' ? strspn(text + high + 1, HEX) : 0;
    if (high == 0 || high > 8 || low == 0 || low > 8 || text[high + 1 + low] != '\0') {
        return false;
    }
    *ret_lsn = strtoull(text, NULL, 16) << 32 | strtoull(text + high + 1, NULL, 16);
    return true;
}

void wal_render_lsn(uint64_t lsn, char ret_text[WAL_LSN_BYTES])
{
    text_build(ret_text, WAL_LSN_BYTES, "%X/%X", (unsigned)(lsn >> 32), (unsigned)lsn);
}

void wal_build_name(uint32_t timeline, uint64_t lsn, char ret_name[WAL_NAME_BYTES])
{
    uint64_t low = (lsn & UINT32_MAX) >> WAL_SEGMENT_BITS;
    text_build(ret_name, WAL_NAME_BYTES, "%08X%08X%08X", timeline, (unsigned)(lsn >> 32),
               (unsigned)low);
}

static bool is_segment(const char *name)
{
    return strlen(name) == WAL_NAME_BYTES - 1 &&
           strspn(name, "0123456789ABCDEF") == WAL_NAME_BYTES - 1;
}

static bool is_timeline(const char *name)
{
    return strspn(name, "0123456789ABCDEF") == WAL_TIMELINE_DIGITS &&
           strcmp(name + WAL_TIMELINE_DIGITS, ".history") == 0;
}

static bool copy_one(const char *from, const char *to, const char *name, bool is_linked,
                     const SpawnUser *user)
{
    char source[PATH_MAX];
    char target[PATH_MAX];
    if (!text_format(source, sizeof(source), "%s/pg_wal/%s", from, name) ||
        !text_format(target, sizeof(target), "%s/pg_wal/%s", to, name)) {
        return false;
    }
    return (is_linked && link(source, target) == 0) || files_copy(source, target, user);
}

bool wal_copy(const char *from_data, const char *to_data, const char *first, const char *whole,
              const SpawnUser *user)
{
    char folder[PATH_MAX];
    DIR *dir = text_format(folder, sizeof(folder), "%s/pg_wal", from_data) ? opendir(folder) : NULL;
    bool copied = dir != NULL;
    for (const struct dirent *entry = copied ? readdir(dir) : NULL; copied && entry != NULL;
         entry = readdir(dir)) {
        const char *name = entry->d_name;
        if (is_timeline(name) || (is_segment(name) && strcmp(name, first) >= 0)) {
            copied = copy_one(from_data, to_data, name, strcmp(name, whole) < 0, user);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return copied;
}
