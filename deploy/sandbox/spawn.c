#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

enum { SPAWN_CANNOT_EXECUTE = 127, SPAWN_POLL_MS = 5 };

bool spawn_find_user(const char *name, SpawnUser *ret_user, char *ret_error, size_t error_bytes)
{
    *ret_user = (SpawnUser){.uid = geteuid(), .gid = getegid()};
    if (geteuid() != 0) {
        return true;
    }
    const struct passwd *entry = getpwnam(name != NULL ? name : "postgres");
    if (entry == NULL && name == NULL) {
        entry = getpwnam("nobody");
    }
    if (entry == NULL || entry->pw_uid == 0) {
        text_format(ret_error, error_bytes,
                    "PostgreSQL does not run as root: --user needs an unprivileged user");
        return false;
    }
    *ret_user = (SpawnUser){true, entry->pw_uid, entry->pw_gid};
    return true;
}

/* Between fork and exec of a process with threads: async-signal-safe calls only. */
_Noreturn static void become_child(const SpawnUser *user, const char *const *argv,
                                   const char *log_path, pid_t parent)
{
    static char *const ENVIRONMENT[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", NULL};
    setsid();
    int null = open("/dev/null", O_RDONLY);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (null < 0 || log < 0) {
        _exit(SPAWN_CANNOT_EXECUTE);
    }
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (user->is_switched &&
        (setgroups(1, &user->gid) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0)) {
        _exit(SPAWN_CANNOT_EXECUTE);
    }
    /* After setuid, which clears it. */
    prctl(PR_SET_PDEATHSIG, SIGINT);
    if (getppid() != parent) {
        _exit(SPAWN_CANNOT_EXECUTE);
    }
    /* execve leaves the arguments alone, but its type can't say so. */
    union {
        const char *const *ours;
        char *const *theirs;
    } arguments = {argv};
    execve(argv[0], arguments.theirs, ENVIRONMENT);
    _exit(SPAWN_CANNOT_EXECUTE);
}

pid_t spawn_start(const SpawnUser *user, const char *const *argv, const char *log_path)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become_child(user, argv, log_path, parent);
    }
    return pid;
}

bool spawn_run(const SpawnUser *user, const char *const *argv, const char *log_path)
{
    pid_t pid = spawn_start(user, argv, log_path);
    int status = 0;
    if (pid < 0) {
        return false;
    }
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool spawn_is_running(pid_t pid)
{
    int status = 0;
    pid_t result = waitpid(pid, &status, WNOHANG);
    return result == 0 || (result < 0 && errno == EINTR);
}

bool spawn_wait(pid_t pid, int timeout_ms)
{
    int64_t deadline_us = text_monotonic_us() + (int64_t)timeout_ms * 1000;
    while (spawn_is_running(pid)) {
        if (text_monotonic_us() > deadline_us) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = SPAWN_POLL_MS * 1000000L}, NULL);
    }
    return true;
}
