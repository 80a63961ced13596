#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

enum { FILES_BUFFER_BYTES = 65536, FILES_OPEN_DIRS = 16 };

static void close_file(const int *file)
{
    if (*file >= 0) {
        close(*file);
    }
}

#define CLOSED __attribute__((cleanup(close_file)))

static bool own(int file, const SpawnUser *user)
{
    return !user->is_switched || fchown(file, user->uid, user->gid) == 0;
}

static bool write_all(int file, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t written = write(file, data, bytes);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            data += written;
            bytes -= (size_t)written;
        }
    }
    return true;
}

static bool copy_by_hand(int from, int to)
{
    char buffer[FILES_BUFFER_BYTES];
    for (;;) {
        ssize_t got = read(from, buffer, sizeof(buffer));
        if (got == 0) {
            return true;
        }
        if (got < 0 && errno != EINTR) {
            return false;
        }
        if (got > 0 && !write_all(to, buffer, (size_t)got)) {
            return false;
        }
    }
}

static bool copy_contents(int from, int to)
{
    enum { AT_ONCE_BYTES = 1 << 30 };
    if (ioctl(to, FICLONE, from) == 0) {
        return true;
    }
    for (;;) {
        ssize_t copied = copy_file_range(from, NULL, to, NULL, AT_ONCE_BYTES, 0);
        if (copied == 0) {
            return true;
        }
        if (copied < 0) {
            /* Not between these file systems; the offsets tell where to go on. */
            return copy_by_hand(from, to);
        }
    }
}

bool files_copy(const char *from_path, const char *to_path, const SpawnUser *user)
{
    CLOSED int from = open(from_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (from < 0) {
        return errno == ENOENT;
    }
    CLOSED int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return to >= 0 && own(to, user) && copy_contents(from, to);
}

/* It is the file system that decides (XFS, Btrfs and others can), so it is asked. */
bool files_share_blocks(const char *dir)
{
    static const char DATA[] = "a block";
    char from_path[PATH_MAX];
    char to_path[PATH_MAX];
    if (!text_format(from_path, sizeof(from_path), "%s/clone.%d", dir, (int)getpid()) ||
        !text_format(to_path, sizeof(to_path), "%s.2", from_path)) {
        return false;
    }
    CLOSED int from = open(from_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CLOSED int to = open(to_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool shares = from >= 0 && to >= 0 && write_all(from, DATA, sizeof(DATA)) &&
                  ioctl(to, FICLONE, from) == 0;
    unlink(from_path);
    unlink(to_path);
    return shares;
}

bool files_make_dir(const char *path, const SpawnUser *user)
{
    if (mkdir(path, 0700) != 0) {
        return errno == EEXIST;
    }
    return !user->is_switched || chown(path, user->uid, user->gid) == 0;
}

/* One copy: what stays the same while it descends. */
typedef struct TreeCopy {
    size_t root_bytes; /* of the path of the tree's root, slash included */
    const SpawnUser *user;
    FilesSkip skip;
} TreeCopy;

static bool copy_level(const TreeCopy *copy, const char *from, const char *to);

static bool copy_entry(const TreeCopy *copy, const char *from, const char *to, const char *name)
{
    char from_path[PATH_MAX];
    char to_path[PATH_MAX];
    struct stat info;
    if (!text_format(from_path, sizeof(from_path), "%s/%s", from, name) ||
        !text_format(to_path, sizeof(to_path), "%s/%s", to, name)) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (lstat(from_path, &info) != 0) {
        return errno == ENOENT;
    }
    bool is_directory = S_ISDIR(info.st_mode);
    bool is_skipped = copy->skip != NULL && copy->skip(from_path + copy->root_bytes, is_directory);
    if (is_directory && is_skipped) {
        return files_make_dir(to_path, copy->user);
    }
    if (is_directory) {
        return copy_level(copy, from_path, to_path);
    }
    return is_skipped || !S_ISREG(info.st_mode) || files_copy(from_path, to_path, copy->user);
}

static bool copy_level(const TreeCopy *copy, const char *from, const char *to)
{
    DIR *dir = opendir(from);
    if (dir == NULL) {
        return errno == ENOENT;
    }
    bool copied = files_make_dir(to, copy->user);
    for (const struct dirent *entry = readdir(dir); copied && entry != NULL; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            copied = copy_entry(copy, from, to, entry->d_name);
        }
    }
    int error = errno;
    closedir(dir);
    errno = error;
    return copied;
}

bool files_copy_tree(const char *from, const char *to, const SpawnUser *user, FilesSkip skip,
                     char *ret_error, size_t error_bytes)
{
    TreeCopy copy = {strlen(from) + 1, user, skip};
    errno = 0;
    bool copied = access(to, F_OK) != 0 && copy_level(&copy, from, to);
    if (!copied) {
        text_format(ret_error, error_bytes, "copying %s: %s", from, strerror(errno));
    }
    return copied;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    remove(path);
    return 0;
}

void files_remove_tree(const char *path)
{
    nftw(path, remove_entry, FILES_OPEN_DIRS, FTW_DEPTH | FTW_PHYS);
}

bool files_write(const char *path, const char *text, size_t bytes, unsigned mode,
                 const SpawnUser *user)
{
    unlink(path);
    CLOSED int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    return file >= 0 && own(file, user) && write_all(file, text, bytes);
}
