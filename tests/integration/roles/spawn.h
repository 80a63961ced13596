/*
 * Programs of the tests' clusters, run as an unprivileged user where the test is root (PostgreSQL
 * refuses root).
 */
#ifndef ROLES_TEST_SPAWN_H
#define ROLES_TEST_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

// Starts argv[0] with output appended to `log_path`; the kernel sends it SIGINT when this process
// dies, which is a server's fast shutdown.
pid_t spawn_start(const char *const *argv, const char *log_path);
// Starts it and waits; false when it ends with another status than 0.
bool spawn_run(const char *const *argv, const char *log_path);
bool spawn_is_running(pid_t pid); // reaps it otherwise
// Sends the signal and waits for the end; SIGKILL after `timeout_ms`.
void spawn_end(pid_t pid, int signal, int timeout_ms);
void spawn_own(const char *path); // gives it to that user
// Waits a moment between two looks at a condition that has a deadline.
void spawn_pause(int ms);

#endif
