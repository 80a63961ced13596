/*
 * The role hierarchy over a link with round trips that take time: neon-sandbox's PostgreSQL behind
 * a proxy that delays. Every service writes to every database. The conversations are the worker's
 * (roles/talks.h), driven without its loop.
 */
#include <argp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "bench/meter.h"
#include "box.h"
#include "driver.h"
#include "login.h"
#include "support/proxy.h"

enum { NAME_BYTES = 32, PORT_BYTES = 8, MOST = 400 };

typedef struct Bench {
    unsigned databases;
    unsigned services;
    unsigned round_trip_ms;
    const char *major;
    bool statements;
    bool on_disk;
    Box box;
    Proxy *proxy;
    char port[PORT_BYTES];
    json_t *spec;
    json_t *logins;
    Secret *passwords;
    RolesSecret *secrets;
    size_t secret_count;
    int64_t fence;
    Meter meter;
    const char *owner_password;
} Bench;

static const struct argp_option OPTIONS[] = {
    {"databases", 'd', "N", 0, "databases (20)", 0},
    {"services", 's', "N", 0, "services, each of which writes to all of them (50)", 0},
    {"round-trip-ms", 'r', "MS", 0, "what a round trip takes (20)", 0},
    {"statements", 't', NULL, 0, "also say where the server's time went", 0},
    {"disk", 'k', NULL, 0, "keep the cluster in /tmp instead of in memory", 0},
    {"postgres", 'p', "MAJOR", 0, "PostgreSQL's version (17)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    Bench *bench = state->input;
    unsigned *number = key == 'd'   ? &bench->databases
                       : key == 's' ? &bench->services
                       : key == 'r' ? &bench->round_trip_ms
                                    : NULL;
    if (key == 'p') {
        bench->major = argument;
        return 0;
    }
    if (key == 't') {
        bench->statements = true;
        return 0;
    }
    if (key == 'k') {
        bench->on_disk = true;
        return 0;
    }
    if (number == NULL) {
        return ARGP_ERR_UNKNOWN;
    }
    char *end = NULL;
    unsigned long value = strtoul(argument, &end, 10);
    if (*end != '\0' || value > MOST) {
        argp_error(state, "'%s' is not a number up to %d", argument, MOST);
    }
    *number = (unsigned)value;
    return 0;
}

static void make_spec(Bench *bench)
{
    Error err = ERROR_INIT;
    bench->spec = roles_spec_new("encore", ROLES_AUTHORITATIVE, false);
    for (unsigned d = 0; d < bench->databases; d++) {
        roles_spec_add_database(bench->spec, box_text("app_%02u", d));
    }
    for (unsigned s = 0; s < bench->services; s++) {
        roles_spec_add_service(bench->spec, box_text("service_%02u", s));
        for (unsigned d = 0; d < bench->databases; d++) {
            roles_spec_add_access(bench->spec, box_text("app_%02u", d), ROLES_WRITER);
        }
    }
    if (!roles_spec_check(bench->spec, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

static void make_secrets(Bench *bench)
{
    bench->logins = roles_spec_logins(bench->spec);
    bench->secret_count = json_array_size(bench->logins);
    bench->passwords = alloc_zeroed(bench->secret_count, sizeof(*bench->passwords));
    bench->secrets = alloc_zeroed(bench->secret_count, sizeof(*bench->secrets));
    for (size_t i = 0; i < bench->secret_count; i++) {
        secret_set_text(&bench->passwords[i], box_text("Zk3kdL0sVbn29QwPm4xTr8Yc%08zu", i));
        bench->secrets[i] = (RolesSecret){
            .role = json_string_value(json_array_get(bench->logins, i)),
            .password = &bench->passwords[i],
        };
    }
}

static void open_branch(Bench *bench)
{
    /* A disk's time to make the files of a database isn't what is measured. */
    (void)setenv("BOX_FOLDER", bench->on_disk ? "/tmp" : "/dev/shm", 1);
    const LoginVersions versions = login_list_versions("--operation-ms", "20");
    const char *uri = NULL;
    box_start(&bench->box, versions.arguments);
    REPLY made = login_create_project(&bench->box, bench->major, &uri);
    const char *secret = strchr(uri + strlen("postgresql://"), ':') + 1;
    const char *at = strchr(secret, '@');
    const char *port = strchr(at, ':') + 1;
    bench->owner_password = box_text("%.*s", (int)(at - secret), secret);
    bench->proxy = proxy_open("127.0.0.1", (int)strtol(port, NULL, 10));
    (void)snprintf(bench->port, sizeof(bench->port), "%d", proxy_port(bench->proxy));
    proxy_delay(bench->proxy, (int)bench->round_trip_ms);
    proxy_delay_first(bench->proxy, (int)bench->round_trip_ms);
}

// Beside the log of the only cluster.
static pid_t find_server(const Bench *bench)
{
    char text[NAME_BYTES] = "";
    REPLY state = box_call(&bench->box, "GET", "/sandbox/state", NULL);
    const char *log = box_string(state.json, "projects.0.branches.0.log");
    FILE *file =
        fopen(box_text("%.*s/data/postmaster.pid", (int)(strrchr(log, '/') - log), log), "re");
    if (file == NULL || fgets(text, sizeof(text), file) == NULL) {
        fail_msg("the cluster at %s doesn't run", log);
    }
    (void)fclose(file);
    return (pid_t)strtol(text, NULL, 10);
}

static void open_meter(Bench *bench)
{
    for (int part = 0; part < METER_PART_COUNT; part++) {
        bench->meter.pids[part] = getpid();
    }
    bench->meter.pids[METER_LEDGER] = find_server(bench);
    bench->meter.pids[METER_SANDBOX] = bench->box.pid;
}

// As cloud_admin, by the socket of the only cluster.
static PGconn *open_admin(const Bench *bench)
{
    REPLY state = box_call(&bench->box, "GET", "/sandbox/state", NULL);
    PGconn *admin =
        PQconnectdb(box_text("host=%s port=5432 user=cloud_admin dbname=postgres",
                             box_string(state.json, "projects.0.branches.0.socket_dir")));
    if (PQstatus(admin) != CONNECTION_OK) {
        fail_msg("%s", PQerrorMessage(admin));
    }
    return admin;
}

static void watch_statements(const Bench *bench)
{
    PGconn *admin = open_admin(bench);
    PQclear(PQexec(admin, "ALTER ROLE neondb_owner SET pg_stat_statements.track_planning = on"));
    PQfinish(admin);
}

static void print_statements(const Bench *bench)
{
    PGconn *admin = open_admin(bench);
    PGresult *rows =
        PQexec(admin, "SELECT sum(calls), round(sum(total_plan_time)::numeric), "
                      "round(sum(total_exec_time)::numeric), "
                      "left(regexp_replace(query, '\\s+', ' ', 'g'), 70) FROM pg_stat_statements "
                      "GROUP BY 4 ORDER BY sum(total_plan_time + total_exec_time) DESC LIMIT 15");
    printf("\n%9s %9s %9s\n", "calls", "plan ms", "run ms");
    for (int i = 0; i < PQntuples(rows); i++) {
        printf("%9s %9s %9s  %s\n", PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1),
               PQgetvalue(rows, i, 2), PQgetvalue(rows, i, 3));
    }
    PQclear(PQexec(admin, "SELECT FROM pg_stat_statements_reset()"));
    PQclear(rows);
    PQfinish(admin);
}

static void run(Bench *bench, const char *title, RolesMode mode)
{
    RolesDriverFigures figures = {0};
    RolesReport report = ROLES_REPORT_INIT;
    Error err = ERROR_INIT;
    const RolesDriverTarget target = {.host = "127.0.0.1",
                                      .port = bench->port,
                                      .user = "neondb_owner",
                                      .password = bench->owner_password,
                                      .sslmode = "require",
                                      .figures = &figures};
    const RolesTask task = {.mode = mode,
                            .spec = bench->spec,
                            .secrets = bench->secrets,
                            .secret_count = bench->secret_count,
                            .fence = {.branch_id = "br-bench", .number = ++bench->fence}};
    MeterReading before;
    MeterReading after;
    meter_read(&bench->meter, &before);
    if (!roles_driver_run(&target, &task, &report, &err)) {
        fail_msg("%s: %s: %s", title, err.code, err.text);
    }
    meter_read(&bench->meter, &after);
    double cpu_s = meter_cpu_s(&before, &after, METER_BENCH);
    double between_s = meter_cpu_s(&before, &after, METER_SANDBOX);
    double server_s = meter_cpu_s(&before, &after, METER_LEDGER);
    printf("%-22s %7.2f s %9u %7u %9u %8zu %9.2f %9.2f %9.2f%s\n", title, figures.seconds,
           figures.critical, figures.all, figures.sessions, report.count + report.omitted, server_s,
           cpu_s, between_s,
           report.remains && mode != ROLES_MODE_PLAN ? "  something remains" : "");
    roles_report_clear(&report);
    if (bench->statements) {
        print_statements(bench);
    }
}

static void close_branch(Bench *bench)
{
    proxy_close(bench->proxy);
    box_stop(&bench->box);
    for (size_t i = 0; i < bench->secret_count; i++) {
        secret_clear(&bench->passwords[i]);
    }
    free(bench->passwords);
    free(bench->secrets);
    json_decref(bench->logins);
    json_decref(bench->spec);
}

int main(int argc, char **argv)
{
    static const struct argp parser = {
        OPTIONS, parse, NULL, "Sets up roles and checks them again, over a slow link.",
        NULL,    NULL,  NULL};
    Bench bench = {.databases = 20, .services = 50, .round_trip_ms = 20, .major = "17"};
    argp_parse(&parser, argc, argv, 0, NULL, &bench);
    meter_print_machine();
    make_spec(&bench);
    make_secrets(&bench);
    open_branch(&bench);
    printf("%u databases, %u services, %u ms a round trip, PostgreSQL %s\n\n", bench.databases,
           bench.services, bench.round_trip_ms, bench.major);
    printf("%-22s %9s %17s %9s %8s %29s\n%-22s %9s %9s %7s %9s %8s %9s %9s %9s\n", "", "",
           "round trips", "", "", "CPU seconds", "", "time", "critical", "in all", "sessions",
           "changes", "server", "client", "relay");
    open_meter(&bench);
    if (bench.statements) {
        watch_statements(&bench);
    }
    run(&bench, "set-up", ROLES_MODE_APPLY);
    run(&bench, "converged, plan", ROLES_MODE_PLAN);
    run(&bench, "converged, apply", ROLES_MODE_APPLY);
    run(&bench, "converged, plan again", ROLES_MODE_PLAN);
    close_branch(&bench);
    return 0;
}
