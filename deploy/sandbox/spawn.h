/* Child processes: PostgreSQL's programs, run as an unprivileged user where the sandbox is root
 * (they refuse root). Every function may be called on any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct SpawnUser {
    bool is_switched; /* started as root: children run as uid and gid */
    uid_t uid;
    gid_t gid;
} SpawnUser;

/* Whom children run as: `name`, else postgres, else nobody where we are root; ourselves otherwise.
 * False with a sentence in ret_error when there is no such user. */
bool spawn_find_user(const char *name, SpawnUser *ret_user, char *ret_error, size_t error_bytes);

/* Starts argv[0] with output appended to `log_path`, in a session of its own and without our files.
 * The kernel sends it SIGINT (a server's fast shutdown) when this process dies. Returns its pid, or
 * -1 with errno set. */
pid_t spawn_start(const SpawnUser *user, const char *const *argv, const char *log_path);
/* Starts it and waits; false when it can't be started or ends with another status than 0. */
bool spawn_run(const SpawnUser *user, const char *const *argv, const char *log_path);
/* Waits for a child up to `timeout_ms`. True when it is gone. */
bool spawn_wait(pid_t pid, int timeout_ms);
/* Whether the child still runs; reaps it otherwise. */
bool spawn_is_running(pid_t pid);
