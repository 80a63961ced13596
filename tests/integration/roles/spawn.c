#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/unconst.h"

enum { CANNOT_EXECUTE = 127 };

static const struct passwd *find_owner(void)
{
    static const struct passwd *owner;
    if (geteuid() == 0 && owner == NULL) {
        owner = getpwnam("postgres");
        owner = owner != NULL ? owner : getpwnam("nobody");
        if (owner == NULL) {
            abort();
        }
    }
    return owner;
}

// Only what is allowed between fork and exec.
_Noreturn static void become(const struct passwd *owner, const char *const *argv,
                             const char *log_path, pid_t parent)
{
    static char *const ENVIRONMENT[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", NULL};
    setsid();
    int null = open("/dev/null", O_RDONLY);
    int log = open(log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (null < 0 || log < 0) {
        _exit(CANNOT_EXECUTE);
    }
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_range(STDERR_FILENO + 1, ~0U, 0);
    if (owner != NULL && (setgroups(1, &owner->pw_gid) != 0 || setgid(owner->pw_gid) != 0 ||
                          setuid(owner->pw_uid) != 0)) {
        _exit(CANNOT_EXECUTE);
    }
    // After setuid, which clears it.
    prctl(PR_SET_PDEATHSIG, SIGINT);
    if (getppid() != parent) {
        _exit(CANNOT_EXECUTE);
    }
    execve(argv[0], unconst(argv), ENVIRONMENT);
    _exit(CANNOT_EXECUTE);
}

pid_t spawn_start(const char *const *argv, const char *log_path)
{
    const struct passwd *owner = find_owner();
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        become(owner, argv, log_path, parent);
    }
    return pid;
}

bool spawn_run(const char *const *argv, const char *log_path)
{
    pid_t pid = spawn_start(argv, log_path);
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool spawn_is_running(pid_t pid)
{
    int status = 0;
    return waitpid(pid, &status, WNOHANG) == 0;
}

void spawn_end(pid_t pid, int signal, int timeout_ms)
{
    int handle = (int)syscall(SYS_pidfd_open, pid, 0);
    (void)kill(pid, signal);
    struct pollfd poll_fd = {.fd = handle, .events = POLLIN};
    if (handle < 0 || poll(&poll_fd, 1, timeout_ms) <= 0) {
        (void)kill(pid, SIGKILL);
    }
    if (handle >= 0) {
        (void)close(handle);
    }
    (void)waitpid(pid, NULL, 0);
}

void spawn_own(const char *path)
{
    const struct passwd *owner = find_owner();
    if (owner != NULL && chown(path, owner->pw_uid, owner->pw_gid) != 0) {
        abort();
    }
}

void spawn_pause(int ms)
{
    (void)poll(NULL, 0, ms);
}
