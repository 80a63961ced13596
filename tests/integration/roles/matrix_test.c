// Who may do what, cell by cell: role × action × objects that were there and that came later.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/text.h"
#include "kit.h"
#include "matrix_table.h"
#include "rows.h"

static const char SPEC[] =
    "{\"prefix\": \"encore\", \"policy\": \"authoritative\", \"adopt\": true,"
    " \"databases\": [\"main\", \"other\", \"neondb\"], \"services\": ["
    "{\"name\": \"reader\", \"access\": {\"main\": \"read\", \"neondb\": \"read\"}},"
    "{\"name\": \"writer\", \"access\": {\"main\": \"write\", \"neondb\": \"write\"}},"
    "{\"name\": \"mig\", \"access\": {\"main\": \"admin\", \"neondb\": \"admin\"}},"
    "{\"name\": \"elsewhere\", \"access\": {\"other\": \"write\"}},"
    "{\"name\": \"none\", \"access\": {}}]}";

static const char *const ROLES[MATRIX_ROLES] = MATRIX_ROLE_NAMES;

// Where a cell is measured.
typedef struct Place {
    const char *database;
    bool adopted;       // its owner was neondb_owner before
    const char *schema; // of objects; NULL: none are concerned
    const char *maker;
    bool reads_and_writes_only; // of objects that still belong to their maker
} Place;

typedef struct Matrix {
    Kit kit;
    size_t cells;
    size_t mismatches;
} Matrix;

static Matrix matrix;

static void make_objects(PGconn *connection, const char *schema, const char *maker)
{
    rows_run(connection, "SET search_path = %s", schema);
    rows_run(connection, "CREATE TABLE t_%s (id serial PRIMARY KEY, x int)", maker);
    rows_run(connection, "INSERT INTO t_%s (x) VALUES (7)", maker);
    rows_run(connection, "CREATE VIEW v_%s AS SELECT x FROM t_%s", maker, maker);
    rows_run(connection, "CREATE MATERIALIZED VIEW m_%s AS SELECT x FROM t_%s", maker, maker);
    rows_run(connection, "CREATE SEQUENCE s_%s", maker);
    rows_run(connection, "CREATE FUNCTION f_%s() RETURNS int LANGUAGE sql AS 'SELECT 1'", maker);
}

// In public and in a new schema of this maker; the connection is closed.
static void make_sets(PGconn *connection, const char *maker)
{
    char schema[64];
    (void)snprintf(schema, sizeof(schema), "app_%s", maker);
    rows_run(connection, "CREATE SCHEMA %s", schema);
    make_objects(connection, "public", maker);
    make_objects(connection, schema, maker);
    PQfinish(connection);
}

static void expand(const Place *place, const char *sql, Text *ret_text)
{
    for (const char *c = sql; *c != '\0'; c++) {
        if (*c != '$') {
            text_append_char(ret_text, *c);
            continue;
        }
        c++;
        switch (*c) {
        case 'n':
            text_append(ret_text, place->schema);
            break;
        case 'd':
            text_append(ret_text, place->database);
            break;
        case 'a':
        case 'w':
            text_printf(ret_text, "db_%s_%s", place->database, *c == 'a' ? "admin" : "writer");
            break;
        default:
            text_printf(ret_text, "%s.%c_%s", place->schema, *c, place->maker);
        }
    }
    assert_true(text_ok(ret_text));
}

static bool is_allowed(const Place *place, char letter)
{
    bool old = cluster_major() < 16;
    switch (letter) {
    case 'A':
        return true;
    case 'o':
        return old;
    case 'y':
        return !old;
    case 'a':
        return old || place->adopted;
    case 'r':
        return cluster_major() != 16 || place->adopted;
    case 'p':
        return old || strcmp(place->schema, "public") == 0;
    default:
        assert_int_equal(letter, 'D');
        return false;
    }
}

static void judge(const Place *place, const MatrixAction *action, int role, bool was_allowed,
                  const RowsOutcome *outcome)
{
    bool expected = is_allowed(place, action->expect[role]);
    bool is_denial =
        strncmp(outcome->state, "42501", 5) == 0 || strncmp(outcome->state, "0100", 4) == 0;
    matrix.cells++;
    if (was_allowed == expected && (was_allowed || is_denial)) {
        return;
    }
    matrix.mismatches++;
    print_message("mismatch: %s in %s (%s, made by %s): %s expected, %s %s %s\n", ROLES[role],
                  place->database, action->name, place->maker == NULL ? "-" : place->maker,
                  expected ? "allowed" : "denied", was_allowed ? "allowed" : "denied",
                  outcome->state, outcome->text);
}

static void measure(PGconn *connection, const Place *place, const MatrixAction *action, int role)
{
    Text sql = TEXT_INIT(4096);
    RowsOutcome outcome = {.state = "42501", .text = "no connection"};
    bool was_allowed = false;
    if (connection != NULL) {
        expand(place, action->sql, &sql);
        bool alone = strncmp(action->sql, "CREATE DATABASE", 15) == 0;
        rows_run(connection, "%s", alone ? "SELECT" : "BEGIN");
        was_allowed = rows_try(connection, text_get(&sql), &outcome);
        rows_run(connection, "%s",
                 !alone        ? "ROLLBACK"
                 : was_allowed ? "DROP DATABASE made"
                               : "SELECT");
    }
    judge(place, action, role, was_allowed, &outcome);
    text_clear(&sql);
}

static bool concerns(const Place *place, const MatrixAction *action, MatrixScope scope)
{
    return action->scope == scope &&
           (!place->reads_and_writes_only || strcmp(action->expect, MATRIX_READ) == 0 ||
            strcmp(action->expect, MATRIX_WRITE) == 0);
}

static PGconn *log_in(const char *database, int role)
{
    bool ours = strncmp(ROLES[role], "svc_", 4) == 0 || strncmp(ROLES[role], "encore_", 7) == 0;
    return ours ? kit_try_login(&matrix.kit, database, ROLES[role])
                : cluster_login(&matrix.kit.cluster, database, ROLES[role], CLUSTER_PASSWORD, NULL);
}

// One login per role, and all actions of the scope at all places, which are in one database.
static void measure_scope(MatrixScope scope, const Place *places, size_t count)
{
    for (int role = 0; role < MATRIX_ROLES; role++) {
        CLEANUP(cluster_finish) PGconn *connection = log_in(places[0].database, role);
        for (size_t p = 0; p < count; p++) {
            for (size_t i = 0; i < sizeof(MATRIX_ACTIONS) / sizeof(MATRIX_ACTIONS[0]); i++) {
                if (concerns(&places[p], &MATRIX_ACTIONS[i], scope)) {
                    measure(connection, &places[p], &MATRIX_ACTIONS[i], role);
                }
            }
        }
    }
}

static void measure_objects(const char *database, bool adopted, bool reads_and_writes_only,
                            const char *const *makers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char schema[64];
        (void)snprintf(schema, sizeof(schema), "app_%s", makers[i]);
        const Place places[] = {
            {database, adopted, "public", makers[i], reads_and_writes_only},
            {database, adopted, schema, makers[i], reads_and_writes_only},
        };
        measure_scope(MATRIX_OBJECT, places, 2);
    }
}

static void print_cells(void)
{
    print_message("PostgreSQL %d: %zu cells, %zu mismatches\n", cluster_major(), matrix.cells,
                  matrix.mismatches);
    assert_int_equal(matrix.mismatches, 0);
}

static const char *const IN_MAIN[] = {"platform", "mig", "global_admin"};
static const char *const IN_NEONDB[] = {"owner", "api", "sql", "mig", "global_admin"};
static const char *const LATER[] = {"owner_later", "api_later"};
static const char *const SQL_LATER[] = {"sql_later"};

static void every_cell_of_existing_and_future_objects_is_as_the_table_says(void **state)
{
    (void)state;
    measure_objects("main", false, false, IN_MAIN, 3);
    measure_objects("neondb", true, false, IN_NEONDB, 5);
    const Place databases[] = {{.database = "main"}, {.database = "neondb", .adopted = true}};
    measure_scope(MATRIX_DATABASE, &databases[0], 1);
    measure_scope(MATRIX_DATABASE, &databases[1], 1);
    print_cells();
}

static void every_cell_of_the_cluster_is_as_the_table_says(void **state)
{
    (void)state;
    const Place place = {.database = "postgres"};
    measure_scope(MATRIX_CLUSTER, &place, 1);
    print_cells();
}

static void who_has_nothing_in_another_managed_database_cannot_connect_to_it(void **state)
{
    (void)state;
    static const MatrixAction CONNECT = {MATRIX_DATABASE, "connect elsewhere", "SELECT 1",
                                         "DDDAAAAADD"};
    const Place place = {.database = "other"};
    for (int role = 0; role < MATRIX_ROLES; role++) {
        CLEANUP(cluster_finish) PGconn *connection = log_in("other", role);
        measure(connection, &place, &CONNECT, role);
    }
    print_cells();
}

static void what_old_owners_create_later_is_readable_at_once_and_ours_after_a_run(void **state)
{
    (void)state;
    make_sets(cluster_user(&matrix.kit.cluster, "neondb", "neondb_owner"), "owner_later");
    make_sets(cluster_user(&matrix.kit.cluster, "neondb", "legacy_api"), "api_later");
    make_sets(cluster_user(&matrix.kit.cluster, "neondb", "legacy_sql"), "sql_later");
    measure_objects("neondb", true, true, LATER, 2);
    kit_converge(&matrix.kit);
    measure_objects("neondb", true, false, LATER, 2);
    measure_objects("neondb", true, false, SQL_LATER, 1);
    print_cells();
}

static void make_future_sets(const char *database)
{
    make_sets(kit_login(&matrix.kit, database, "svc_mig"), "mig");
    make_sets(kit_login(&matrix.kit, database, "encore_admin"), "global_admin");
}

static int set_up(void **state)
{
    (void)state;
    kit_start(&matrix.kit, SPEC);
    const Cluster *cluster = &matrix.kit.cluster;
    PGconn *owner = cluster_user(cluster, "neondb", "neondb_owner");
    rows_run(owner, "CREATE ROLE legacy_sql LOGIN PASSWORD '" CLUSTER_PASSWORD "';"
                    "GRANT CREATE ON DATABASE neondb TO legacy_sql, legacy_api;"
                    "GRANT CREATE ON SCHEMA public TO legacy_sql, legacy_api");
    make_sets(owner, "owner");
    make_sets(cluster_user(cluster, "neondb", "legacy_api"), "api");
    make_sets(cluster_user(cluster, "neondb", "legacy_sql"), "sql");
    PGconn *admin = cluster_admin(cluster, "postgres");
    rows_run(admin, "CREATE ROLE stranger LOGIN PASSWORD '" CLUSTER_PASSWORD "'");
    PQfinish(admin);
    kit_converge(&matrix.kit);
    PGconn *platform = kit_login(&matrix.kit, "main", "encore_platform");
    rows_run(platform, "SET ROLE db_main_admin");
    make_sets(platform, "platform");
    make_future_sets("main");
    make_future_sets("neondb");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kit_stop(&matrix.kit);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_of_existing_and_future_objects_is_as_the_table_says),
        cmocka_unit_test(every_cell_of_the_cluster_is_as_the_table_says),
        cmocka_unit_test(who_has_nothing_in_another_managed_database_cannot_connect_to_it),
        cmocka_unit_test(what_old_owners_create_later_is_readable_at_once_and_ours_after_a_run),
    };
    cluster_require(argc, argv);
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    cluster_forget_all();
    return failed;
}
