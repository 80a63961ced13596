// provision.identity() on real clusters: each of its four parts tells one kind of copy of the
// ledger from the one that was confirmed, and each alone. By that a sweep is refused
// (LEDGER_CHANGED): what it compares is "recorded" and "present" of ledger/sweep.h.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cluster.h"
#include "ledger/sweep.h"
#include "run/migrate.h"
#include "spawn.h"
#include "support.h"

#define LEDGER "ledger"
// Both clusters' databases, so that only the clusters differ.
#define LEDGER_OID "60000"

enum { URI_BYTES = 256, PART_BYTES = 32 };

typedef enum Part {
    PART_SYSTEM,
    PART_TIMELINE,
    PART_DATABASE,
    PART_TABLE,
    PARTS,
    NO_PART = PARTS,
} Part;

// Not as provision.identity() asks for them. The timeline is that of the last checkpoint.
static const char *const PART_QUERIES[] = {
    [PART_SYSTEM] = "SELECT system_identifier::text FROM pg_control_system()",
    [PART_TIMELINE] = "SELECT timeline_id::text FROM pg_control_checkpoint()",
    [PART_DATABASE] = "SELECT oid::text FROM pg_database WHERE datname = current_database()",
    [PART_TABLE] = "SELECT c.oid::text FROM pg_class c JOIN pg_namespace n ON n.oid = "
                   "c.relnamespace WHERE n.nspname = 'provision' AND c.relname = 'installation'",
};

static Cluster home;
static char home_parts[PARTS][PART_BYTES];

static void write_uri(const Cluster *cluster, const char *database, char ret_uri[URI_BYTES])
{
    int length = snprintf(ret_uri, URI_BYTES, "postgresql:///%s?host=%s&port=5432&user=cloud_admin",
                          database, cluster->dir);
    assert_in_range(length, 1, URI_BYTES - 1);
}

static void execute_in(const Cluster *cluster, const char *database, const char *sql)
{
    PGconn *connection = cluster_admin(cluster, database);
    support_execute(connection, sql);
    PQfinish(connection);
}

static void make_ledger(const Cluster *cluster)
{
    Error err = ERROR_INIT;
    char uri[URI_BYTES];
    execute_in(cluster, "postgres", "CREATE DATABASE " LEDGER " OID " LEDGER_OID);
    execute_in(cluster, "postgres", "ALTER DATABASE " LEDGER " SET synchronous_commit = on");
    write_uri(cluster, LEDGER, uri);
    if (!migrate_run(uri, true, NULL, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

static void read_parts(PGconn *connection, char ret_parts[PARTS][PART_BYTES])
{
    support_execute(connection, "CHECKPOINT");
    for (size_t i = 0; i < PARTS; i++) {
        PGresult *result = PQexec(connection, PART_QUERIES[i]);
        assert_int_equal(PQntuples(result), 1);
        (void)snprintf(ret_parts[i], PART_BYTES, "%s", PQgetvalue(result, 0, 0));
        PQclear(result);
    }
}

// As a sweep asks.
static bool is_confirmed(PGconn *connection)
{
    const LedgerJudge ask = {"shop", "", "[]"};
    LedgerBatch batch;
    json_t *answer = NULL;
    Error err = ERROR_INIT;
    ledger_judge_build(&ask, 1, &batch);
    PGresult *rows = support_run(connection, &batch);
    if (!ledger_judge_decode(rows, &answer, 1, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
    PQclear(rows);
    const json_t *recorded = json_object_get(answer, "recorded");
    assert_true(json_is_string(recorded));
    bool is_same = json_equal(recorded, json_object_get(answer, "present"));
    json_decref(answer);
    return is_same;
}

// The copy differs from the ledger at home in this part and no other.
static void expect_other(const Cluster *cluster, const char *database, Part part)
{
    char parts[PARTS][PART_BYTES];
    PGconn *connection = cluster_admin(cluster, database);
    read_parts(connection, parts);
    for (size_t i = 0; i < PARTS; i++) {
        bool is_same = strcmp(parts[i], home_parts[i]) == 0;
        if (is_same == (i == part)) {
            fail_msg("part %zu is %s, and %s at home", i, parts[i], home_parts[i]);
        }
    }
    assert_int_equal(is_confirmed(connection), part == NO_PART);
    support_execute(connection,
                    "UPDATE provision.installation SET identity = provision.identity()");
    assert_true(is_confirmed(connection));
    PQfinish(connection);
}

static int begin(void **state)
{
    (void)state;
    cluster_start(&home);
    make_ledger(&home);
    PGconn *connection = cluster_admin(&home, LEDGER);
    read_parts(connection, home_parts);
    assert_true(is_confirmed(connection));
    PQfinish(connection);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cluster_stop(&home);
    return 0;
}

// What a snapshot of the disk is can't be told from inside; the comment on the function says so.
static void a_copy_of_the_disk_is_taken_for_the_ledger(void **state)
{
    (void)state;
    CLEANUP(cluster_stop) Cluster copy = {.pid = 0};
    cluster_start_copy(&copy, &home);
    expect_other(&copy, LEDGER, NO_PART);
}

static void one_that_was_promoted_has_another_timeline(void **state)
{
    (void)state;
    CLEANUP(cluster_stop) Cluster standby = {.pid = 0};
    cluster_start_promoted(&standby, &home);
    expect_other(&standby, LEDGER, PART_TIMELINE);
}

// What stands in it, put into a cluster that was made in the same way.
static void one_on_another_cluster_has_another_system(void **state)
{
    (void)state;
    CLEANUP(cluster_stop) Cluster other = {.pid = 0};
    char sql[512];
    PGconn *connection = cluster_admin(&home, LEDGER);
    PGresult *recorded = PQexec(connection, "SELECT identity FROM provision.installation");
    assert_int_equal(PQntuples(recorded), 1);
    (void)snprintf(sql, sizeof(sql), "UPDATE provision.installation SET identity = '%s'",
                   PQgetvalue(recorded, 0, 0));
    PQclear(recorded);
    PQfinish(connection);
    cluster_start_unrelated(&other);
    make_ledger(&other);
    execute_in(&other, LEDGER, sql);
    expect_other(&other, LEDGER, PART_SYSTEM);
}

static void one_in_another_database_has_another_database(void **state)
{
    (void)state;
    execute_in(&home, "postgres", "CREATE DATABASE copied TEMPLATE " LEDGER);
    expect_other(&home, "copied", PART_DATABASE);
}

static void run_program(const char *const *argv)
{
    char log[CLUSTER_PATH_BYTES + 16];
    (void)snprintf(log, sizeof(log), "%s/programs", home.dir);
    if (!spawn_run(argv, log)) {
        fail_msg("%s failed, see %s", argv[0], log);
    }
}

// Comes last: it takes the place of the ledger at home.
static void one_out_of_a_dump_has_another_table(void **state)
{
    (void)state;
    char uri[URI_BYTES];
    char file[CLUSTER_PATH_BYTES + 16];
    char pg_dump[CLUSTER_PATH_BYTES];
    char psql[CLUSTER_PATH_BYTES];
    write_uri(&home, LEDGER, uri);
    (void)snprintf(file, sizeof(file), "%s/dump.sql", home.dir);
    cluster_program("pg_dump", pg_dump);
    cluster_program("psql", psql);
    run_program(
        (const char *const[]){pg_dump, "--schema=provision", "--clean", "--file", file, uri, NULL});
    run_program((const char *const[]){psql, "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1",
                                      "--single-transaction", "--file", file, uri, NULL});
    expect_other(&home, LEDGER, PART_TABLE);
}

int main(int argc, char **argv)
{
    cluster_require(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_of_the_disk_is_taken_for_the_ledger),
        cmocka_unit_test(one_that_was_promoted_has_another_timeline),
        cmocka_unit_test(one_on_another_cluster_has_another_system),
        cmocka_unit_test(one_in_another_database_has_another_database),
        cmocka_unit_test(one_out_of_a_dump_has_another_table),
    };
    int failed = cmocka_run_group_tests(tests, begin, end);
    cluster_forget_all();
    return failed;
}
