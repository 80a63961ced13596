#include "bench/meter.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "support/cmocka.h"

enum { PATH_BYTES = 320, US_PER_S = 1000000, US_PER_TICK = 10000 };

int64_t meter_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

const char *meter_part_name(MeterPart part)
{
    static const char *const NAMES[] = {
        [METER_WORKER] = "worker", [METER_LEDGER] = "ledger", [METER_SANDBOX] = "sandbox",
        [METER_KAFKA] = "Kafka",   [METER_BENCH] = "bench",
    };
    return NAMES[part];
}

double meter_cpu_s(const MeterReading *from, const MeterReading *to, MeterPart part)
{
    return (double)(to->cpu_us[part] - from->cpu_us[part]) / US_PER_S;
}

// ---- whose process it is

// Of /proc/net/tcp, where a line begins "  0: 0100007F:5FAB 00000000:0000 0A …"; 0A is LISTEN.
static unsigned long listening_inode(const char *table, unsigned port)
{
    FILE *file = fopen(table, "re");
    assert_non_null(file);
    char line[256];
    unsigned long found = 0;
    while (found == 0 && fgets(line, sizeof line, file) != NULL) {
        unsigned local = 0;
        unsigned state = 0;
        unsigned long inode = 0;
        // NOLINTNEXTLINE(cert-err34-c): the kernel writes it
        if (sscanf(line, "%*d: %*x:%x %*x:%*x %x %*s %*s %*s %*s %*s %lu", &local, &state,
                   &inode) == 3 &&
            local == port && state == 0x0A) {
            found = inode;
        }
    }
    (void)fclose(file);
    return found;
}

static bool has_socket(const char *pid, unsigned long inode)
{
    char path[PATH_BYTES];
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    (void)snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    bool found = false;
    const struct dirent *entry = NULL;
    while (!found && folder != NULL && (entry = readdir(folder)) != NULL) {
        char target[64] = "";
        (void)snprintf(path, sizeof path, "/proc/%s/fd/%s", pid, entry->d_name);
        found = readlink(path, target, sizeof target - 1) > 0 && strcmp(target, wanted) == 0;
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return found;
}

static pid_t listener_of(const char *bootstrap)
{
    const char *colon = strrchr(bootstrap, ':');
    assert_non_null(colon);
    unsigned port = (unsigned)strtoul(colon + 1, NULL, 10);
    unsigned long inode = listening_inode("/proc/net/tcp6", port); // Java's sockets are both
    inode = inode != 0 ? inode : listening_inode("/proc/net/tcp", port);
    DIR *folder = opendir("/proc");
    assert_non_null(folder);
    pid_t pid = 0;
    const struct dirent *entry = NULL;
    while (inode != 0 && pid == 0 && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            has_socket(entry->d_name, inode)) {
            pid = (pid_t)strtol(entry->d_name, NULL, 10);
        }
    }
    (void)closedir(folder);
    if (pid == 0) {
        fail_msg("no process of ours listens on %s", bootstrap);
    }
    return pid;
}

// Ticks that ended children have used, and the parent's id, from /proc/PID/stat; its second member
// is a name in parentheses.
static int64_t reaped_ticks(pid_t pid, pid_t *ret_parent)
{
    char path[PATH_BYTES];
    char line[1024] = "";
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    (void)fclose(file);
    long parent = 0;
    long long user = 0;
    long long system = 0;
    const char *rest = strrchr(line, ')');
    assert_non_null(rest);
    // NOLINTNEXTLINE(cert-err34-c): the kernel writes it
    assert_int_equal(sscanf(rest + 1,
                            " %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %lld %lld",
                            &parent, &user, &system),
                     3);
    *ret_parent = (pid_t)parent;
    return user + system;
}

Meter meter_open(World *world, const Process *worker)
{
    pid_t backend = (pid_t)strtol(ledger_value(world, "SELECT pg_backend_pid()"), NULL, 10);
    Meter meter = {.pids = {[METER_WORKER] = worker->pid,
                            [METER_SANDBOX] = world->box.pid,
                            [METER_KAFKA] = listener_of(world->bootstrap),
                            [METER_BENCH] = getpid()}};
    (void)reaped_ticks(backend, &meter.pids[METER_LEDGER]);
    return meter;
}

// ---- accounts

static int64_t cpu_us(pid_t pid)
{
    clockid_t clock = 0;
    struct timespec used = {.tv_sec = 0};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        return 0; // it has just ended
    }
    return (int64_t)used.tv_sec * US_PER_S + used.tv_nsec / 1000;
}

static int64_t tree_cpu_us(pid_t root)
{
    char path[PATH_BYTES];
    pid_t parent = 0;
    int64_t total_us = cpu_us(root) + reaped_ticks(root, &parent) * US_PER_TICK;
    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)root, (long)root);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    long child = 0;
    // NOLINTNEXTLINE(cert-err34-c): the kernel writes it
    while (fscanf(file, "%ld", &child) == 1) {
        total_us += cpu_us((pid_t)child);
    }
    (void)fclose(file);
    return total_us;
}

void meter_read(const Meter *meter, MeterReading *ret_reading)
{
    ret_reading->at_us = meter_now_us();
    for (size_t i = 0; i < METER_PART_COUNT; i++) {
        ret_reading->cpu_us[i] =
            i == METER_LEDGER ? tree_cpu_us(meter->pids[i]) : cpu_us(meter->pids[i]);
    }
}

double meter_peak_mib(pid_t pid)
{
    char path[PATH_BYTES];
    char line[256];
    long kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (kib == 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            kib = strtol(line + 6, NULL, 10);
        }
    }
    (void)fclose(file);
    return (double)kib / 1024;
}

// ---- where

static void print_value(const char *name, const char *path, const char *prefix)
{
    char line[256];
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *value = strncmp(line, prefix, strlen(prefix)) == 0 ? strchr(line, ':') : NULL;
        if (value != NULL) {
            print_message("%-10s%s", name, value + 1 + strspn(value + 1, " \t"));
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static void print_commit(void)
{
    char commit[128] = "unknown\n";
    // NOLINTNEXTLINE(cert-env33-c): a fixed command
    FILE *git = popen("git -C " BENCH_SOURCE_DIR " describe --always --dirty 2>/dev/null", "re");
    if (git != NULL) {
        (void)!fgets(commit, sizeof commit, git);
        (void)pclose(git);
    }
    print_message("commit    %s", commit);
}

void meter_print_machine(void)
{
    struct utsname name;
    double load[3] = {0};
    (void)uname(&name);
    (void)getloadavg(load, 3);
    print_commit();
    print_value("CPU", "/proc/cpuinfo", "model name");
    print_value("memory", "/proc/meminfo", "MemTotal");
    print_message("system    %s %s, %ld CPUs, load %.1f before\n", name.sysname, name.release,
                  sysconf(_SC_NPROCESSORS_ONLN), load[0]);
}
