#include "sys/reference.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/name.h"
#include "sys/file_text.h"

static const char NAME_CHARACTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789._-";
enum { NAME_LENGTH_MAX = 64 };

static bool is_name(const char *name)
{
    size_t length = strspn(name, NAME_CHARACTERS);
    return length > 0 && length <= NAME_LENGTH_MAX && name[length] == '\0' && name[0] != '.';
}

static bool invalid(const char *reference, const char *why, Error *err)
{
    return error_set(err, ERROR_INVALID, "REFERENCE_INVALID", "reference %.80s %s", reference, why);
}

static bool not_found(const char *reference, const char *application_id, Error *err)
{
    return error_set(err, ERROR_INVALID, "REFERENCE_NOT_FOUND",
                     "reference %.80s isn't there: put it into the folder of application %s under "
                     "secrets.references_root",
                     reference, application_id);
}

// By errno of the open or read that failed.
static bool unreadable(const char *reference, const char *application_id, Error *err)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return not_found(reference, application_id, err);
    case ELOOP:
        return invalid(reference, "is a symbolic link, which isn't followed", err);
    case EACCES:
        return invalid(reference, "may not be read by the worker", err);
    default:
        return error_set(err, ERROR_UNAVAILABLE, "REFERENCE_UNREADABLE",
                         "reference %.80s can't be read: %s", reference, strerror(errno));
    }
}

// O_NONBLOCK: a FIFO must not hold the worker.
static int open_below(const char *root, const char *application_id, const char *name)
{
    CLEANUP(file_close_at) int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return -1;
    }
    CLEANUP(file_close_at)
    int own = openat(folder, application_id, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (own < 0) {
        return -1;
    }
    return openat(own, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

typedef struct Reference {
    const char *root;
    const char *application_id;
    const char *text;
} Reference;

static bool read_below(const Reference *reference, const char *name, Buffer *ret_content,
                       Error *err)
{
    CLEANUP(file_close_at)
    int fd = open_below(reference->root, reference->application_id, name);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        return unreadable(reference->text, reference->application_id, err);
    }
    if (!S_ISREG(status.st_mode)) {
        return invalid(reference->text, "isn't a regular file", err);
    }
    switch (file_read(fd, REFERENCE_SECRET_BYTES, ret_content)) {
    case FILE_READ:
        return true;
    case FILE_TOO_LARGE:
        return invalid(reference->text, "is larger than 64 KiB", err);
    case FILE_FAILED:
        break;
    }
    return unreadable(reference->text, reference->application_id, err);
}

// The value of `name` in NAME=value lines.
static bool find_line(Bytes content, const char *name, Bytes *ret_value)
{
    size_t name_length = strlen(name);
    while (content.size > 0) {
        const uint8_t *end = memchr(content.data, '\n', content.size);
        size_t size = end == NULL ? content.size : (size_t)(end - content.data) + 1;
        Bytes line = file_without_line_break((Bytes){content.data, size});
        if (line.size > name_length && memcmp(line.data, name, name_length) == 0 &&
            line.data[name_length] == '=') {
            *ret_value = (Bytes){line.data + name_length + 1, line.size - name_length - 1};
            return true;
        }
        content = (Bytes){content.data + size, content.size - size};
    }
    return false;
}

static bool take(const Reference *reference, Bytes value, Secret *ret_secret, Error *err)
{
    if (value.size == 0) {
        return invalid(reference->text, "is empty", err);
    }
    if (memchr(value.data, '\0', value.size) != NULL) {
        return invalid(reference->text, "has a NUL byte in it", err);
    }
    secret_set(ret_secret, value);
    return true;
}

static bool resolve_file(const Reference *reference, const char *name, Secret *ret_secret,
                         Error *err)
{
    CLEANUP(buffer_clear) Buffer content = {NULL, 0};
    return read_below(reference, name, &content, err) &&
           take(reference, file_without_line_break(buffer_view(&content)), ret_secret, err);
}

static bool resolve_env(const Reference *reference, const char *name, Secret *ret_secret,
                        Error *err)
{
    CLEANUP(buffer_clear) Buffer content = {NULL, 0};
    Bytes value = {NULL, 0};
    if (!read_below(reference, "env", &content, err)) {
        return false;
    }
    if (!find_line(buffer_view(&content), name, &value)) {
        return not_found(reference->text, reference->application_id, err);
    }
    return take(reference, value, ret_secret, err);
}

bool reference_resolve(const char *root, const char *application_id, const char *reference,
                       Secret *ret_secret, Error *err)
{
    const Reference parts = {root, application_id, reference};
    bool is_file = strncmp(reference, "file:", 5) == 0;
    bool is_env = strncmp(reference, "env:", 4) == 0;
    const char *name = strchr(reference, ':');
    if ((!is_file && !is_env) || !is_name(name + 1)) {
        return error_set(
            err, ERROR_INVALID, "REFERENCE_INVALID",
            "a reference must be file:NAME or env:NAME with a NAME of 1 to 64 letters, "
            "digits, '.', '_' and '-' that doesn't begin with '.'");
    }
    if (!name_check_application(application_id, "application_id", err)) {
        return false;
    }
    if (root[0] == '\0') {
        return invalid(reference, "can't be used: this worker has no secrets.references_root", err);
    }
    return is_file ? resolve_file(&parts, name + 1, ret_secret, err)
                   : resolve_env(&parts, name + 1, ret_secret, err);
}
