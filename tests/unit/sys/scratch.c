#include "scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

int scratch_setup(void **state)
{
    char *path = strdup("/tmp/provision-test-XXXXXX");
    if (path == NULL || mkdtemp(path) == NULL) {
        free(path);
        return -1;
    }
    *state = path;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

int scratch_teardown(void **state)
{
    int failed = nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return failed;
}

const char *scratch_path(void **state, const char *name)
{
    static char paths[8][SCRATCH_PATH_BYTES];
    static size_t next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, SCRATCH_PATH_BYTES, "%s/%s", (const char *)*state, name);
    return path;
}

const char *scratch_write(void **state, const char *name, const void *data, size_t size)
{
    const char *path = scratch_path(state, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

const char *scratch_write_text(void **state, const char *name, const char *text)
{
    return scratch_write(state, name, text, strlen(text));
}

void scratch_folder(void **state, const char *name)
{
    assert_int_equal(mkdir(scratch_path(state, name), 0700), 0);
}

static int original_stderr = -1;
static int captured = -1;

void scratch_begin_capture(void)
{
    captured = memfd_create("stderr", MFD_CLOEXEC);
    original_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_true(captured >= 0 && original_stderr >= 0);
    assert_int_equal(dup2(captured, STDERR_FILENO), STDERR_FILENO);
}

char *scratch_end_capture(void)
{
    assert_int_equal(dup2(original_stderr, STDERR_FILENO), STDERR_FILENO);
    off_t size = lseek(captured, 0, SEEK_END);
    assert_true(size >= 0);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(pread(captured, text, (size_t)size, 0), size);
    (void)close(captured);
    (void)close(original_stderr);
    return text;
}
