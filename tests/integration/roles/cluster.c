#include "cluster.h"

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "neon_like.h"
#include "spawn.h"

enum { START_MS = 60000, STOP_MS = 20000, POLL_MS = 5, LINE_BYTES = 65536 };

// Everything is logged with its parameters: what the tests look for is there if it could be.
static const char CONFIGURATION[] = "shared_buffers = 16MB\n"
                                    "max_connections = 60\n"
                                    "fsync = off\n"
                                    "synchronous_commit = off\n"
                                    "full_page_writes = off\n"
                                    "wal_level = replica\n"
                                    "autovacuum = off\n"
                                    "min_wal_size = 2MB\n"
                                    "huge_pages = off\n"
                                    "log_timezone = 'UTC'\n"
                                    "timezone = 'UTC'\n"
                                    "listen_addresses = ''\n"
                                    "password_encryption = scram-sha-256\n"
                                    "shared_preload_libraries = 'pg_stat_statements'\n"
                                    "pg_stat_statements.track_utility = on\n"
                                    "log_statement = all\n"
                                    "log_min_duration_statement = 0\n"
                                    "log_parameter_max_length = -1\n"
                                    "log_parameter_max_length_on_error = -1\n"
                                    "log_lock_waits = on\n"
                                    "deadlock_timeout = 20ms\n";
static const char CONFIGURATION_18[] = "io_method = sync\n";
static const char ACCESS[] = "local all cloud_admin trust\n"
                             "local all,replication all scram-sha-256\n";

static struct {
    int major;
    char prefix[CLUSTER_PATH_BYTES];
    char dir[CLUSTER_PATH_BYTES];
    char template_dir[CLUSTER_PATH_BYTES];
    char log[CLUSTER_PATH_BYTES];
    int count;
} program;

__attribute__((format(printf, 2, 3))) static void put(char *field, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(field, CLUSTER_PATH_BYTES, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= CLUSTER_PATH_BYTES) {
        abort();
    }
}

// "/usr/lib/postgresql/15", "…/postgres-17.10.0-beta.17": the digits after the last slash.
static int parse_major(const char *path, size_t length)
{
    size_t start = length;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    start += strcspn(path + start, "0123456789");
    return start < length ? (int)strtol(path + start, NULL, 10) : 0;
}

static bool find_version(int major)
{
    const char *rest = getenv("PROVISION_POSTGRES_DIRS");
    while (rest != NULL && *rest != '\0') {
        size_t length = strcspn(rest, ":");
        if (parse_major(rest, length) == major) {
            put(program.prefix, "%.*s", (int)length, rest);
            return true;
        }
        rest += rest[length] == ':' ? length + 1 : length;
    }
    return false;
}

void cluster_require(int argc, char **argv)
{
    program.major = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 15;
    if (!find_version(program.major)) {
        (void)fprintf(stderr, "PROVISION_POSTGRES_DIRS names no PostgreSQL %d\n", program.major);
        exit(getenv("CI") == NULL ? CLUSTER_SKIP : EXIT_FAILURE);
    }
    const char *folder = getenv("CLUSTER_FOLDER");
    put(program.dir, "%s/provision-roles-%d-XXXXXX", folder == NULL ? "/tmp" : folder,
        program.major);
    if (mkdtemp(program.dir) == NULL || chmod(program.dir, 0755) != 0) {
        abort();
    }
    spawn_own(program.dir);
    put(program.log, "%s/log", program.dir);
}

int cluster_major(void)
{
    return program.major;
}

void cluster_program(const char *name, char ret_path[CLUSTER_PATH_BYTES])
{
    put(ret_path, "%s/bin/%s", program.prefix, name);
}

static void run_program(const char *const *argv)
{
    if (!spawn_run(argv, program.log)) {
        fail_msg("%s failed, see %s", argv[0], program.log);
    }
}

static void copy_tree(const char *from, const char *to)
{
    const char *const argv[] = {"/bin/cp", "-a", "--reflink=auto", from, to, NULL};
    run_program(argv);
}

static void remove_tree(const char *path)
{
    const char *const argv[] = {"/bin/rm", "-rf", path, NULL};
    run_program(argv);
}

static void write_file(const char *dir, const char *name, const char *mode, const char *text)
{
    char path[CLUSTER_PATH_BYTES];
    put(path, "%s/%s", dir, name);
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void wait_until_ready(const Cluster *cluster)
{
    const char *const names[] = {"host", "port", "user", "dbname", NULL};
    const char *const values[] = {cluster->dir, "5432", "cloud_admin", "postgres", NULL};
    struct timespec begun;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &begun);
    while (PQpingParams(names, values, 0) != PQPING_OK) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        if ((now.tv_sec - begun.tv_sec) * 1000 > START_MS || !spawn_is_running(cluster->pid)) {
            fail_msg("PostgreSQL %d did not start, see %s/log", program.major, cluster->dir);
        }
        spawn_pause(POLL_MS);
    }
}

// `cluster->dir` has its data in data/.
static void launch(Cluster *cluster)
{
    char postgres[CLUSTER_PATH_BYTES];
    char data[CLUSTER_PATH_BYTES];
    char log[CLUSTER_PATH_BYTES];
    cluster_program("postgres", postgres);
    put(data, "%s/data", cluster->dir);
    put(log, "%s/log", cluster->dir);
    const char *const argv[] = {postgres, "-D", data, "-k", cluster->dir, "-p", "5432", NULL};
    cluster->pid = spawn_start(argv, log);
    assert_true(cluster->pid > 0);
    wait_until_ready(cluster);
}

static void end_server(Cluster *cluster, int signal)
{
    if (cluster->pid > 0) {
        spawn_end(cluster->pid, signal, STOP_MS);
        cluster->pid = 0;
    }
}

static void make_dir(char *dir)
{
    put(dir, "%s/%d", program.dir, program.count++);
    assert_int_equal(mkdir(dir, 0755), 0);
    spawn_own(dir);
}

// A cluster that doesn't run, for others to be copied from.
static void make_template(char *ret_dir)
{
    Cluster cluster = {.pid = 0};
    make_dir(cluster.dir);
    char initdb[CLUSTER_PATH_BYTES];
    char data[CLUSTER_PATH_BYTES];
    cluster_program("initdb", initdb);
    put(data, "%s/data", cluster.dir);
    const char *const argv[] = {initdb,
                                "-D",
                                data,
                                "-U",
                                "cloud_admin",
                                "-E",
                                "UTF8",
                                "--locale=C.UTF-8",
                                "--auth=trust",
                                "--wal-segsize=1",
                                "--no-sync",
                                "--no-instructions",
                                NULL};
    run_program(argv);
    write_file(data, "postgresql.conf", "ae", CONFIGURATION);
    if (program.major >= 18) {
        write_file(data, "postgresql.conf", "ae", CONFIGURATION_18);
    }
    write_file(data, "pg_hba.conf", "we", ACCESS);
    launch(&cluster);
    neon_like_make(cluster.dir, program.major);
    end_server(&cluster, SIGINT);
    put(ret_dir, "%s", cluster.dir);
}

static void copy_files(Cluster *cluster, const char *parent_dir)
{
    char from[CLUSTER_PATH_BYTES];
    char to[CLUSTER_PATH_BYTES];
    *cluster = (Cluster){.pid = 0};
    make_dir(cluster->dir);
    put(from, "%s/data", parent_dir);
    put(to, "%s/data", cluster->dir);
    copy_tree(from, to);
    put(to, "%s/data/postmaster.pid", cluster->dir);
    remove_tree(to);
}

static void start_of(Cluster *cluster, const char *parent_dir)
{
    copy_files(cluster, parent_dir);
    launch(cluster);
}

void cluster_start(Cluster *cluster)
{
    if (program.template_dir[0] == '\0') {
        make_template(program.template_dir);
    }
    start_of(cluster, program.template_dir);
}

void cluster_start_unrelated(Cluster *cluster)
{
    char template_dir[CLUSTER_PATH_BYTES];
    make_template(template_dir);
    start_of(cluster, template_dir);
}

static void command(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    }
    PQclear(result);
}

// After a checkpoint and with nobody writing, the files of a running server are a crashed one's,
// which recovers.
void cluster_start_copy(Cluster *cluster, const Cluster *parent)
{
    PGconn *connection = cluster_admin(parent, "postgres");
    command(connection, "CHECKPOINT");
    PQfinish(connection);
    start_of(cluster, parent->dir);
}

void cluster_start_promoted(Cluster *cluster, const Cluster *parent)
{
    char data[CLUSTER_PATH_BYTES];
    PGconn *connection = cluster_admin(parent, "postgres");
    command(connection, "CHECKPOINT");
    PQfinish(connection);
    copy_files(cluster, parent->dir);
    put(data, "%s/data", cluster->dir);
    write_file(data, "standby.signal", "we", "");
    launch(cluster);
    connection = cluster_admin(cluster, "postgres");
    command(connection, "SELECT pg_promote()");
    PQfinish(connection);
}

void cluster_stop(Cluster *cluster)
{
    end_server(cluster, SIGQUIT);
    if (cluster->dir[0] != '\0') {
        remove_tree(cluster->dir);
        cluster->dir[0] = '\0';
    }
}

void cluster_forget_all(void)
{
    remove_tree(program.dir);
    (void)rmdir(program.dir);
}

static PGconn *connect_to(const Cluster *cluster, const char *database, const char *user,
                          const char *password)
{
    const char *const names[] = {
        "host", "port", "user", "password", "dbname", "options", "client_encoding", NULL};
    const char *const values[] = {cluster->dir, "5432",   user,
                                  password,     database, "-c client_min_messages=warning",
                                  "UTF8",       NULL};
    PGconn *connection = PQconnectdbParams(names, values, 0);
    assert_non_null(connection);
    return connection;
}

PGconn *cluster_login(const Cluster *cluster, const char *database, const char *user,
                      const char *password, char *ret_error)
{
    PGconn *connection = connect_to(cluster, database, user, password);
    if (PQstatus(connection) == CONNECTION_OK) {
        return connection;
    }
    const char *text = PQerrorMessage(connection);
    if (strstr(text, "FATAL:") == NULL) {
        fail_msg("%s as %s: %s", database, user, text);
    }
    if (ret_error != NULL) {
        (void)snprintf(ret_error, 512, "%s", text);
    }
    PQfinish(connection);
    return NULL;
}

static PGconn *must(PGconn *connection)
{
    if (PQstatus(connection) != CONNECTION_OK) {
        fail_msg("%s", PQerrorMessage(connection));
    }
    return connection;
}

PGconn *cluster_admin(const Cluster *cluster, const char *database)
{
    return must(connect_to(cluster, database, "cloud_admin", NULL));
}

PGconn *cluster_user(const Cluster *cluster, const char *database, const char *user)
{
    return must(connect_to(cluster, database, user, CLUSTER_PASSWORD));
}

bool cluster_log_has(const Cluster *cluster, const char *text)
{
    char path[CLUSTER_PATH_BYTES];
    put(path, "%s/log", cluster->dir);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    char *line = malloc(LINE_BYTES);
    assert_non_null(line);
    bool found = false;
    while (!found && fgets(line, LINE_BYTES, file) != NULL) {
        found = strstr(line, text) != NULL;
    }
    free(line);
    (void)fclose(file);
    return found;
}

void cluster_finish(PGconn **connection)
{
    PQfinish(*connection);
    *connection = NULL;
}
