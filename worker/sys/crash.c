#include "sys/crash.h"

#include <stddef.h>

static const struct {
    const char *name;
    bool of_step;
} POINTS[] = {
#define CRASH_POINT_ROW(symbol, name, of_step) {name, of_step},
    CRASH_POINTS(CRASH_POINT_ROW)
#undef CRASH_POINT_ROW
};

const char *crash_point_name(CrashPoint point)
{
    return POINTS[point].name;
}

bool crash_point_is_of_step(CrashPoint point)
{
    return POINTS[point].of_step;
}

#ifdef PROVISION_CRASH_POINTS

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WISHES_MAX = 8, NAME_BYTES = 160 };

static void append(const char *file, const char *name)
{
    char line[NAME_BYTES + 2];
    int size = snprintf(line, sizeof line, "%s\n", name);
    int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    assert(fd >= 0);
    ssize_t written = write(fd, line, (size_t)size);
    assert(written == size);
    (void)written;
    close(fd);
}

static void say(const char *name)
{
    char line[NAME_BYTES + 32];
    int size = snprintf(line, sizeof line, "crash point %s\n", name);
    (void)!write(STDERR_FILENO, line, (size_t)size);
}

static void hold(void)
{
    const char *file = getenv("CRASH_POINT_HOLD");
    assert(file != NULL);
    int fd = open(file, O_RDONLY | O_CLOEXEC); // returns when it is opened for writing
    assert(fd >= 0);
    close(fd);
}

static void act(const char *mode, const char *name)
{
    say(name);
    if (strcmp(mode, "abort") == 0) {
        abort();
    } else if (strcmp(mode, "kill") == 0) {
        (void)kill(getpid(), SIGKILL);
    } else if (strcmp(mode, "stop") == 0) {
        (void)kill(getpid(), SIGSTOP);
    } else {
        assert(strcmp(mode, "hold") == 0);
        hold();
    }
}

// What a wish leaves out matches all: its name is a prefix that ends where a part of ours does.
static bool matches(const char *wish, size_t size, const char *name)
{
    return strncmp(wish, name, size) == 0 && (name[size] == '\0' || name[size] == '/');
}

// WISH: POINT[/ACTION[/STEP]][#N][=MODE]
static void meet(const char *wish, atomic_int *passed, const char *name)
{
    char mode[16] = "abort";
    int nth = 1;
    size_t size = strcspn(wish, "#=,");
    const char *rest = wish + size;
    if (*rest == '#') {
        char *end = NULL;
        nth = (int)strtol(rest + 1, &end, 10);
        rest = end;
    }
    if (*rest == '=') {
        (void)snprintf(mode, sizeof mode, "%.*s", (int)strcspn(rest + 1, ","), rest + 1);
    }
    if (matches(wish, size, name) && atomic_fetch_add(passed, 1) + 1 == nth) {
        act(mode, name);
    }
}

void crash_point(CrashPoint point, const char *action, const char *step)
{
    static atomic_int passed[WISHES_MAX];
    const char *trace = getenv("CRASH_POINT_TRACE");
    const char *wish = getenv("CRASH_POINT_AT");
    char name[NAME_BYTES];
    if (trace == NULL && wish == NULL) {
        return;
    }
    (void)snprintf(name, sizeof name, "%s%s%s%s%s", crash_point_name(point),
                   action != NULL ? "/" : "", action != NULL ? action : "", step != NULL ? "/" : "",
                   step != NULL ? step : "");
    if (trace != NULL) {
        append(trace, name);
    }
    for (size_t i = 0; wish != NULL && i < WISHES_MAX; i++) {
        meet(wish, &passed[i], name);
        wish = strchr(wish, ',');
        wish = wish != NULL ? wish + 1 : NULL;
    }
}

#endif
