#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

/* What a sandbox removes at its start must be a sandbox's: the folder has to be empty or one
 * before. */
static bool is_empty_folder(const char *dir)
{
    DIR *list = opendir(dir);
    bool is_empty = true;
    for (const struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL;
         entry = readdir(list)) {
        is_empty = is_empty && strspn(entry->d_name, ".") == strlen(entry->d_name);
    }
    if (list != NULL) {
        closedir(list);
    }
    return is_empty;
}

static bool has(const char *dir, const char *name)
{
    char path[PATH_MAX];
    return text_format(path, sizeof(path), "%s/%s", dir, name) && access(path, F_OK) == 0;
}

static bool check_kind(const char *dir, bool is_ephemeral, char *ret_error, size_t error_bytes)
{
    char clusters[PATH_MAX];
    bool is_kept = has(dir, "sandbox.db");
    if (is_ephemeral && is_kept) {
        text_format(
            ret_error, error_bytes,
            "--state %s holds a sandbox that is kept (sandbox.db), --ephemeral would remove "
            "it; choose another folder",
            dir);
        return false;
    }
    text_format(clusters, sizeof(clusters), "%s/clusters", dir);
    if (!is_ephemeral && !is_kept && !is_empty_folder(clusters)) {
        text_format(
            ret_error, error_bytes,
            "%s/sandbox.db is missing, but there are clusters (of an older neon-sandbox, or "
            "of one with --ephemeral that was killed); choose another --state, or remove "
            "this one",
            dir);
        return false;
    }
    return true;
}

int state_open(const char *dir, bool is_ephemeral, char *ret_error, size_t error_bytes)
{
    char path[PATH_MAX];
    if (mkdir(dir, 0755) != 0 && errno != EEXIST) {
        text_format(ret_error, error_bytes, "--state %s: %s", dir, strerror(errno));
        return -1;
    }
    if (!has(dir, "sandbox.lock") && !is_empty_folder(dir)) {
        text_format(ret_error, error_bytes,
                    "--state %s is neither empty nor a sandbox's folder; choose another", dir);
        return -1;
    }
    if (!text_format(path, sizeof(path), "%s/sandbox.lock", dir)) {
        text_format(ret_error, error_bytes, "--state: the path is too long");
        return -1;
    }
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0) {
        text_format(ret_error, error_bytes, "%s: %s", path, strerror(errno));
        return -1;
    }
    struct flock wanted = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(lock, F_OFD_SETLK, &wanted) != 0) {
        text_format(ret_error, error_bytes,
                    "--state %s is in use by another neon-sandbox; choose another folder", dir);
        close(lock);
        return -1;
    }
    if (!check_kind(dir, is_ephemeral, ret_error, error_bytes)) {
        close(lock);
        return -1;
    }
    return lock;
}

bool state_write_ready(const char *dir, const json_t *ready, char *ret_error, size_t error_bytes)
{
    char path[PATH_MAX];
    char temporary[PATH_MAX];
    text_build(path, sizeof(path), "%s/ready.json", dir);
    text_build(temporary, sizeof(temporary), "%s/ready.json.new", dir);
    if (json_dump_file(ready, temporary, JSON_INDENT(2)) != 0 || rename(temporary, path) != 0) {
        text_format(ret_error, error_bytes, "%s/ready.json: %s", dir, strerror(errno));
        return false;
    }
    return true;
}

void state_close(const char *dir, int lock, bool remove)
{
    char path[PATH_MAX];
    text_build(path, sizeof(path), "%s/ready.json", dir);
    unlink(path);
    if (remove) {
        text_build(path, sizeof(path), "%s/sandbox.lock", dir);
        unlink(path);
        rmdir(dir);
    }
    close(lock);
}
