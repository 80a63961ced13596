#include "versions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster.h"
#include "files.h"
#include "sql.h"
#include "text.h"

enum { VERSIONS_OLDEST = 15, VERSIONS_STOP_MS = 20000, VERSIONS_FORMAT = 2 };

/* Small, and as fast as what is thrown away may be. */
static const char CONFIGURATION[] =
    "shared_buffers = 16MB\n"
    "max_connections = 100\n"
    "fsync = off\n"
    "synchronous_commit = off\n"
    "wal_level = replica\n"
    "min_wal_size = 2MB\n"
    "max_wal_size = 64MB\n"
    /* What a branch still needs of its parent's log while it is copied. */
    "wal_keep_size = 64MB\n"
    "huge_pages = off\n"
    "jit = off\n"
    "log_timezone = 'UTC'\n"
    "timezone = 'UTC'\n"
    "password_encryption = scram-sha-256\n"
    /* Statements may hold passwords. */
    "log_statement = none\n"
    "log_min_error_statement = panic\n"
    "log_parameter_max_length_on_error = 0\n";

static const char CONFIGURATION_18[] = "io_method = sync\n";

/* cloud_admin comes in by the socket alone, everybody else by TLS alone. */
static const char ACCESS[] = "local   all cloud_admin trust\n"
                             "host    all cloud_admin all reject\n"
                             "hostssl all,replication all 127.0.0.0/8 scram-sha-256\n";

/* Runs `postgres --version` as the clusters' user, which also proves that it can be reached. */
static bool ask_version(const Version *version, const SpawnUser *user, const char *scratch_dir,
                        char *ret_text, size_t text_bytes)
{
    char program[VERSIONS_PATH_BYTES + 32];
    char log[VERSIONS_PATH_BYTES + 32];
    text_build(program, sizeof(program), "%s/bin/postgres", version->prefix);
    text_build(log, sizeof(log), "%s/version.log", scratch_dir);
    unlink(log);
    const char *const argv[] = {program, "--version", NULL};
    bool answered = spawn_run(user, argv, log);
    FILE *file = fopen(log, "re");
    if (file == NULL) {
        return false;
    }
    answered = answered && fgets(ret_text, (int)text_bytes, file) != NULL;
    fclose(file);
    ret_text[strcspn(ret_text, "\n")] = '\0';
    return answered;
}

/* "postgres (PostgreSQL) 17.5 (Debian …)" */
static int parse_major(const char *text)
{
    const char *digits = strpbrk(text, "0123456789");
    return digits == NULL ? 0 : (int)strtol(digits, NULL, 10);
}

static void build_template_dir(Version *version, const char *cache_dir, const char *text)
{
    char name[64] = "";
    const char *digits = strpbrk(text, "0123456789");
    for (size_t i = 0; i + 1 < sizeof(name) && digits != NULL && digits[i] > ' '; i++) {
        name[i] = digits[i];
        if (name[i] == '/') {
            name[i] = '_';
        }
        name[i + 1] = '\0';
    }
    text_build(version->template_dir, sizeof(version->template_dir), "%s/template-%s-%d", cache_dir,
               name, VERSIONS_FORMAT);
}

/* Debian keeps libraries in lib, others in lib/postgresql. */
bool versions_has_library(const Version *version, const char *name)
{
    char path[VERSIONS_PATH_BYTES + 64];
    text_build(path, sizeof(path), "%s/lib/%s.so", version->prefix, name);
    if (access(path, R_OK) == 0) {
        return true;
    }
    text_build(path, sizeof(path), "%s/lib/postgresql/%s.so", version->prefix, name);
    return access(path, R_OK) == 0;
}

static bool open_version(Versions *versions, Version *version, const char *prefix,
                         const char *cache_dir, char *ret_error, size_t error_bytes)
{
    char text[128] = "";
    if (!text_copy(version->prefix, sizeof(version->prefix), prefix) ||
        !ask_version(version, &versions->user, versions->scratch_dir, text, sizeof(text))) {
        text_format(ret_error, error_bytes,
                    "--postgres %s: its bin/postgres can't be run by the clusters' user (--user)",
                    prefix);
        return false;
    }
    version->major = parse_major(text);
    if (version->major < VERSIONS_OLDEST) {
        text_format(ret_error, error_bytes, "--postgres %s: PostgreSQL %d or newer is needed",
                    prefix, VERSIONS_OLDEST);
        return false;
    }
    version->has_statistics = versions_has_library(version, "pg_stat_statements");
    build_template_dir(version, cache_dir, text);
    pthread_mutex_init(&version->making, NULL);
    return true;
}

/* The process that a folder in the making is of; 0: of none. */
static pid_t find_maker(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (strncmp(name, "template-", strlen("template-")) != 0 || dot == NULL || dot[1] == '\0' ||
        dot[1 + strspn(dot + 1, "0123456789")] != '\0') {
        return 0;
    }
    return (pid_t)strtol(dot + 1, NULL, 10);
}

void versions_remove_left(const char *cache_dir)
{
    DIR *list = opendir(cache_dir);
    for (const struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL;
         entry = readdir(list)) {
        pid_t maker = find_maker(entry->d_name);
        if (maker > 0 && (maker == getpid() || (kill(maker, 0) != 0 && errno == ESRCH))) {
            char path[VERSIONS_PATH_BYTES + 256];
            text_build(path, sizeof(path), "%s/%s", cache_dir, entry->d_name);
            files_remove_tree(path);
        }
    }
    if (list != NULL) {
        closedir(list);
    }
}

bool versions_open(Versions *versions, const Options *options, const SpawnUser *user,
                   const char *cache_dir, const char *scratch_dir, char *ret_error,
                   size_t error_bytes)
{
    *versions = (Versions){.user = *user};
    text_build(versions->scratch_dir, sizeof(versions->scratch_dir), "%s", scratch_dir);
    for (int i = 0; i < options->postgres_count; i++) {
        Version *version = &versions->list[versions->count];
        if (!open_version(versions, version, options->postgres_dirs[i], cache_dir, ret_error,
                          error_bytes)) {
            return false;
        }
        if (versions_find(versions, version->major) != NULL) {
            text_format(ret_error, error_bytes, "--postgres %s: PostgreSQL %d was given before",
                        options->postgres_dirs[i], version->major);
            return false;
        }
        versions->count++;
    }
    return true;
}

void versions_close(Versions *versions)
{
    for (int i = 0; i < versions->count; i++) {
        pthread_mutex_destroy(&versions->list[i].making);
    }
}

Version *versions_find(Versions *versions, int major)
{
    for (int i = 0; i < versions->count; i++) {
        if (versions->list[i].major == major) {
            return &versions->list[i];
        }
    }
    return NULL;
}

static bool append_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "ae");
    if (file == NULL) {
        return false;
    }
    bool written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written;
}

static bool run_initdb(const Versions *versions, const Version *version, const char *data,
                       const char *log)
{
    char program[VERSIONS_PATH_BYTES + 32];
    text_build(program, sizeof(program), "%s/bin/initdb", version->prefix);
    /* Neon's databases have the builtin provider's C.UTF-8, where there is one. */
    const char *provider =
        version->major >= 17 ? "--locale-provider=builtin" : "--locale-provider=libc";
    const char *const argv[] = {program,
                                "-D",
                                data,
                                "-U",
                                "cloud_admin",
                                "-E",
                                "UTF8",
                                "--locale=C.UTF-8",
                                provider,
                                "--auth=trust",
                                "--wal-segsize=1",
                                "--no-sync",
                                "--no-instructions",
                                NULL};
    return spawn_run(&versions->user, argv, log);
}

static bool configure(const Versions *versions, const Version *version, const char *data)
{
    char path[CLUSTER_PATH_BYTES];
    text_build(path, sizeof(path), "%s/postgresql.conf", data);
    if (!append_text(path, CONFIGURATION) ||
        (version->major >= 18 && !append_text(path, CONFIGURATION_18))) {
        return false;
    }
    text_build(path, sizeof(path), "%s/pg_hba.conf", data);
    return files_write(path, ACCESS, sizeof(ACCESS) - 1, 0600, &versions->user);
}

/* Neon's own roles, then a clean stop, so that copies start without recovery. */
static bool prepare(Versions *versions, Version *version, const char *data, const char *log,
                    char *ret_error, size_t error_bytes)
{
    char program[VERSIONS_PATH_BYTES + 32];
    text_build(program, sizeof(program), "%s/bin/postgres", version->prefix);
    const char *sockets = versions->scratch_dir;
    const char *const argv[] = {program, "-D", data, "-k", sockets, "-h", "", "-p", "5432", NULL};
    Cluster cluster = {.versions = versions, .version = version};
    text_build(cluster.socket_dir, sizeof(cluster.socket_dir), "%s", sockets);
    cluster.pid =
        cluster_start_server(versions, version, argv, sockets, log, ret_error, error_bytes);
    if (cluster.pid <= 0) {
        return false;
    }
    PGconn *connection = cluster_connect(&cluster, "postgres");
    bool prepared = sql_prepare_cluster(connection, version->major, ret_error, error_bytes);
    PQfinish(connection);
    cluster_stop(&cluster, false);
    return prepared;
}

static bool make_template(Versions *versions, Version *version, char *ret_error, size_t error_bytes)
{
    char building[VERSIONS_PATH_BYTES + 64];
    char log[VERSIONS_PATH_BYTES + 64];
    text_build(building, sizeof(building), "%s.%d", version->template_dir, (int)getpid());
    text_build(log, sizeof(log), "%s/template-%d.log", versions->scratch_dir, version->major);
    files_remove_tree(building);
    if (!files_make_dir(building, &versions->user) ||
        !run_initdb(versions, version, building, log) || !configure(versions, version, building)) {
        text_format(ret_error, error_bytes, "initdb of PostgreSQL %d failed, see %s",
                    version->major, log);
        files_remove_tree(building);
        return false;
    }
    if (!prepare(versions, version, building, log, ret_error, error_bytes)) {
        files_remove_tree(building);
        return false;
    }
    /* Another sandbox with the same cache may have been first. */
    if (rename(building, version->template_dir) != 0) {
        files_remove_tree(building);
    }
    return access(version->template_dir, F_OK) == 0;
}

bool versions_make_template(Versions *versions, Version *version, char *ret_error,
                            size_t error_bytes)
{
    pthread_mutex_lock(&version->making);
    bool made = access(version->template_dir, F_OK) == 0 ||
                make_template(versions, version, ret_error, error_bytes);
    pthread_mutex_unlock(&version->making);
    return made;
}
