// Databases that had owners and contents before: handed over object by object, and whoever worked
// in them before goes on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "kit.h"
#include "rows.h"

static const char SPEC[] =
    "{\"prefix\": \"encore\", \"policy\": \"authoritative\", \"adopt\": true,"
    " \"databases\": [\"neondb\"], \"services\": ["
    "{\"name\": \"reader\", \"access\": {\"neondb\": \"read\"}},"
    "{\"name\": \"writer\", \"access\": {\"neondb\": \"write\"}},"
    "{\"name\": \"mig\", \"access\": {\"neondb\": \"admin\"}}]}";

// 2,000 tables in the end: 1,000 of neondb_owner, 500 of another API role, 500 of a role that
// neondb_owner made.
static const char *const OWNERS[] = {"neondb_owner", "legacy_api", "legacy_sql"};
static const int TABLES[] = {1000, 500, 500};
enum { OWNER_COUNT = 3 };

// What can be owned beside tables, in a schema `kinds`.
static const char KINDS[] =
    "CREATE SCHEMA kinds; SET search_path = kinds;"
    "CREATE TABLE plain (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, a int, b int);"
    "CREATE TABLE parts (k int) PARTITION BY LIST (k);"
    "CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);"
    "CREATE VIEW seen AS SELECT a FROM plain; CREATE MATERIALIZED VIEW kept AS SELECT a FROM plain;"
    "CREATE SEQUENCE counter; CREATE TYPE mood AS ENUM ('good', 'bad');"
    "CREATE TYPE pair AS (x int, y int); CREATE DOMAIN small AS int CHECK (VALUE < 10);"
    "CREATE TYPE spans AS RANGE (subtype = float8);"
    "CREATE FUNCTION one(a int, \"B b\" text) RETURNS int LANGUAGE sql AS 'SELECT 1';"
    "CREATE PROCEDURE act() LANGUAGE sql AS 'SELECT 1';"
    "CREATE FUNCTION step(int, int) RETURNS int LANGUAGE sql AS 'SELECT $1 + $2';"
    "CREATE FUNCTION tick(int) RETURNS int LANGUAGE sql AS 'SELECT $1 + 1';"
    "CREATE AGGREGATE total(int) (SFUNC = step, STYPE = int, INITCOND = '0');"
    "CREATE AGGREGATE ticks(*) (SFUNC = tick, STYPE = int, INITCOND = '0');"
    "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = step);"
    "CREATE COLLATION german (provider = icu, locale = 'de-DE');"
    "CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.english);"
    "CREATE TEXT SEARCH DICTIONARY stems (TEMPLATE = snowball, LANGUAGE = english);"
    "CREATE STATISTICS both_columns ON a, b FROM plain;"
    "CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;"
    "CREATE RULE quiet AS ON DELETE TO plain DO INSTEAD NOTHING;"
    "CREATE PUBLICATION news FOR TABLE plain; CREATE EXTENSION hstore;"
    "CREATE TABLE \"we\"\"ird; DROP\" (\"x y\" int); CREATE SCHEMA \"other $$ schema\";"
    "CREATE TABLE \"other $$ schema\".t (x int)";

static Kit kit;

static void make_tables(const char *database, const char *owner, int count)
{
    CLEANUP(cluster_finish) PGconn *connection = cluster_user(&kit.cluster, database, owner);
    rows_run(connection,
             "CREATE SCHEMA of_%s; SET search_path = of_%s;"
             "CREATE SEQUENCE s; CREATE TYPE e AS ENUM ('a');"
             "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
             owner, owner);
    // A transaction for 100 tables: the lock table is finite.
    for (int first = 1; first <= count; first += 100) {
        rows_run(connection,
                 "DO $$ BEGIN FOR i IN %d..%d LOOP EXECUTE "
                 "format('CREATE TABLE t%%s (id int PRIMARY KEY, x text)', i); END LOOP; END $$",
                 first, first + 99 < count ? first + 99 : count);
    }
    rows_run(connection, "INSERT INTO t1 VALUES (1, 'old');"
                         "CREATE VIEW v AS SELECT x FROM t1;"
                         "CREATE MATERIALIZED VIEW m AS SELECT x FROM t1");
}

// legacy_sql is neondb_owner's; both others may create in `database`.
static void make_owners(const char *database)
{
    CLEANUP(cluster_finish) PGconn *owner = cluster_user(&kit.cluster, database, "neondb_owner");
    rows_run(owner,
             "DO $$ BEGIN IF to_regrole('legacy_sql') IS NULL THEN "
             "CREATE ROLE legacy_sql LOGIN PASSWORD '" CLUSTER_PASSWORD "'; END IF; END $$;"
             "GRANT CREATE ON DATABASE %s TO legacy_api, legacy_sql",
             database);
}

static int64_t count_in_neondb(const char *sql)
{
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "neondb");
    return rows_number(admin, "%s", sql);
}

static int64_t count_foreign_objects(void)
{
    // Extensions have no ALTER … OWNER; default privileges are no objects.
    return count_in_neondb(
        "SELECT count(*) FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid "
        "WHERE d.datname = current_database() AND s.deptype = 'o' "
        "AND s.refobjid <> 'db_neondb_admin'::regrole AND s.classid NOT IN "
        "('pg_default_acl'::regclass, 'pg_extension'::regclass) AND NOT EXISTS (SELECT FROM "
        "pg_depend p WHERE p.classid = s.classid AND p.objid = s.objid AND p.deptype = 'e')");
}

static bool names_owner(const RolesReport *report, const char *database, const char *owner)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(report->owners); i++) {
        const json_t *row = json_array_get(report->owners, i);
        found =
            found || (strcmp(json_string_value(json_object_get(row, "database")), database) == 0 &&
                      strcmp(json_string_value(json_object_get(row, "owner")), owner) == 0);
    }
    return found;
}

static const RolesChange *find_blocked(const RolesReport *report, const char *object)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->changes[i].blocked && strstr(report->changes[i].object, object) != NULL) {
            return &report->changes[i];
        }
    }
    return NULL;
}

// What the application of an owner did before: its own tables, new ones, a migration of its own.
static void old_application_works(const char *owner, int turn)
{
    CLEANUP(cluster_finish) PGconn *connection = cluster_user(&kit.cluster, "neondb", owner);
    rows_run(connection, "SET search_path = of_%s", owner);
    rows_run(connection, "UPDATE t1 SET x = 'new'; INSERT INTO t2 VALUES (%d, 'x');", turn);
    rows_run(connection, "SELECT * FROM v; SELECT nextval('s'); SELECT f();"
                         "REFRESH MATERIALIZED VIEW m; TRUNCATE t3");
    rows_run(connection, "ALTER TABLE t1 ADD COLUMN c%d int; CREATE INDEX ON t1 (c%d)", turn, turn);
    rows_run(connection, "CREATE TABLE later_%d (x int); DROP TABLE t%d", turn, 10 + turn);
    rows_run(connection, "CREATE SCHEMA more_%s_%d", owner, turn);
}

static void services_and_migrations_work(void)
{
    CLEANUP(cluster_finish) PGconn *reader = kit_login(&kit, "neondb", "svc_reader");
    CLEANUP(cluster_finish) PGconn *writer = kit_login(&kit, "neondb", "svc_writer");
    CLEANUP(cluster_finish) PGconn *mig = kit_login(&kit, "neondb", "svc_mig");
    CLEANUP(cluster_finish) PGconn *platform = kit_login(&kit, "neondb", "encore_platform");
    rows_run(platform, "SET ROLE db_neondb_admin");
    for (int i = 0; i < OWNER_COUNT; i++) {
        rows_run(reader, "SELECT * FROM of_%s.t1; SELECT * FROM of_%s.t400", OWNERS[i], OWNERS[i]);
        rows_run(writer, "INSERT INTO of_%s.t4 VALUES (1, 'x'); SELECT nextval('of_%s.s')",
                 OWNERS[i], OWNERS[i]);
        rows_run(mig, "ALTER TABLE of_%s.t400 ADD COLUMN z int; ALTER TYPE of_%s.e ADD VALUE 'b'",
                 OWNERS[i], OWNERS[i]);
        rows_run(platform, "CREATE TABLE of_%s.migrated (x int); DROP TABLE of_%s.t30", OWNERS[i],
                 OWNERS[i]);
        rows_run(writer, "INSERT INTO of_%s.migrated VALUES (1)", OWNERS[i]);
    }
}

// Database, objects and login privileges of neondb_owner elsewhere stay as they are.
static char *look_elsewhere(void)
{
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "elsewhere");
    return rows_value(admin, "SELECT string_agg(format('%%s %%s %%s', oid::regclass, "
                             "relowner::regrole, relacl), ', ' ORDER BY oid) || (SELECT "
                             "format('%%s %%s', datdba::regrole, datacl) FROM pg_database WHERE "
                             "datname = current_database()) FROM pg_class WHERE oid >= 16384");
}

static void apply(KitRun *run)
{
    kit_run(&kit, ROLES_MODE_APPLY, run);
    if (!run->done) {
        kit_print("apply", run);
        fail();
    }
}

static void two_thousand_tables_of_three_owners_become_the_admin_roles(void **state)
{
    (void)state;
    CLEANUP(cluster_finish) PGconn *owner = cluster_user(&kit.cluster, "postgres", "neondb_owner");
    rows_run(owner, "CREATE DATABASE elsewhere");
    make_owners("neondb");
    make_owners("elsewhere");
    for (int i = 0; i < OWNER_COUNT; i++) {
        make_tables("neondb", OWNERS[i], TABLES[i]);
        make_tables("elsewhere", OWNERS[i], 5);
    }
    CLEANUP(cluster_finish) PGconn *inside = cluster_user(&kit.cluster, "neondb", "neondb_owner");
    rows_run(inside, "%s", KINDS);
    CLEANUP(rows_free) char *before = look_elsewhere();
    CLEANUP(kit_run_clear) KitRun first = KIT_RUN_INIT;
    apply(&first);
    bool is_apart = cluster_major() >= 16;
    assert_int_equal(names_owner(&first.report, "neondb", "legacy_api"), is_apart);
    assert_int_equal(json_array_size(first.report.owners), is_apart);
    assert_int_equal(first.report.remains, is_apart);
    assert_int_equal(count_foreign_objects() > 500, is_apart);
    old_application_works("legacy_api", 1);
    kit_converge(&kit);
    assert_int_equal(count_foreign_objects(), 0);
    assert_int_equal(
        count_in_neondb("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname "
                        "~ '^t[0-9]+$' AND relowner = 'db_neondb_admin'::regrole"),
        2000 - 1);
    for (int i = 0; i < OWNER_COUNT; i++) {
        old_application_works(OWNERS[i], 2);
    }
    services_and_migrations_work();
    kit_converge(&kit);
    assert_int_equal(count_foreign_objects(), 0);
    CLEANUP(rows_free) char *after = look_elsewhere();
    assert_string_equal(before, after);
}

// Neither is foreseeable by the plan: one waits in vain for a lock, one is refused by a trigger.
static void what_fails_in_a_chunk_is_reported_alone(void **state)
{
    (void)state;
    CLEANUP(cluster_finish) PGconn *owner = cluster_user(&kit.cluster, "neondb", "neondb_owner");
    rows_run(owner, "DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE "
                    "format('CREATE TABLE t%%s (x int)', i); END LOOP; END $$;"
                    "CREATE TABLE forbidden (x int); CREATE VIEW v AS SELECT x FROM forbidden");
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "neondb");
    rows_run(admin, "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS "
                    "'BEGIN IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE "
                    "object_identity = ''public.forbidden'') THEN RAISE EXCEPTION "
                    "''not this one''; END IF; END';"
                    "CREATE EVENT TRIGGER refuse ON ddl_command_end EXECUTE FUNCTION refuse()");
    rows_run(owner, "BEGIN; LOCK TABLE t20 IN ACCESS SHARE MODE");
    CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
    apply(&run);
    const RolesChange *forbidden = find_blocked(&run.report, "forbidden");
    const RolesChange *locked = find_blocked(&run.report, "t20");
    if (forbidden == NULL || strstr(forbidden->reason, "not this one") == NULL || locked == NULL) {
        kit_print("apply", &run);
        fail();
    }
    assert_true(run.report.remains);
    assert_int_equal(
        count_in_neondb("SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'v') AND "
                        "relowner = 'neondb_owner'::regrole"),
        2);
    rows_run(owner, "COMMIT");
    rows_run(admin, "DROP EVENT TRIGGER refuse");
    kit_converge(&kit);
    assert_int_equal(count_foreign_objects(), 0);
}

// TEMPORARY is PUBLIC's in a database that nobody has adopted: it must not be a way to the top.
static void who_only_has_a_temporary_table_gets_nothing(void **state)
{
    (void)state;
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "postgres");
    rows_run(admin, "CREATE ROLE stranger LOGIN PASSWORD '" CLUSTER_PASSWORD "'");
    CLEANUP(cluster_finish) PGconn *stranger = cluster_user(&kit.cluster, "neondb", "stranger");
    rows_run(stranger, "CREATE TEMP TABLE mine (x int); CREATE TYPE pg_temp.mine_too AS ENUM ('a');"
                       "SELECT lo_create(0)");
    CLEANUP(cluster_finish) PGconn *api = cluster_user(&kit.cluster, "neondb", "legacy_api");
    rows_run(api, "CREATE TEMP TABLE mine (x int)");
    CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
    apply(&run);
    assert_int_equal(rows_number(admin, "SELECT count(*) FROM pg_auth_members WHERE roleid = "
                                        "'db_neondb_admin'::regrole AND member IN "
                                        "('stranger'::regrole, 'legacy_api'::regrole)"),
                     0);
}

// One who owns no schema, which is all that can be seen from outside the database.
static void who_owns_but_a_table_goes_on_working(void **state)
{
    (void)state;
    CLEANUP(cluster_finish) PGconn *owner = cluster_user(&kit.cluster, "neondb", "neondb_owner");
    rows_run(owner, "CREATE ROLE \"a, \"\"b\"\"\" LOGIN PASSWORD '" CLUSTER_PASSWORD "';"
                    "CREATE ROLE app LOGIN PASSWORD '" CLUSTER_PASSWORD "';"
                    "GRANT CREATE ON SCHEMA public TO app, \"a, \"\"b\"\"\"");
    CLEANUP(cluster_finish) PGconn *app = cluster_user(&kit.cluster, "neondb", "app");
    rows_run(app, "CREATE TABLE t (x int)");
    CLEANUP(cluster_finish) PGconn *odd = cluster_user(&kit.cluster, "neondb", "a, \"b\"");
    rows_run(odd, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    kit_converge(&kit);
    assert_int_equal(count_foreign_objects(), 0);
    rows_run(app,
             "INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN y int; CREATE TABLE u (x int)");
    rows_run(odd, "DROP FUNCTION f()");
    kit_converge(&kit);
    rows_run(app, "ALTER TABLE u ADD COLUMN y int");
}

static int set_up(void **state)
{
    (void)state;
    kit_start(&kit, SPEC);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kit_stop(&kit);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_thousand_tables_of_three_owners_become_the_admin_roles,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_fails_in_a_chunk_is_reported_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_only_has_a_temporary_table_gets_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_owns_but_a_table_goes_on_working, set_up, tear_down),
    };
    cluster_require(argc, argv);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cluster_forget_all();
    return failed;
}
