// A second run says nothing and writes nothing: no statement, no transaction id, no tuple.
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
#include "snapshot.h"

static const char SPEC[] =
    "{\"prefix\": \"encore\", \"policy\": \"authoritative\", \"adopt\": true,"
    " \"databases\": [\"main\", \"other\", \"neondb\"], \"services\": ["
    "{\"name\": \"reader\", \"access\": {\"main\": \"read\", \"neondb\": \"read\"}},"
    "{\"name\": \"writer\", \"access\": {\"main\": \"write\", \"other\": \"write\"}},"
    "{\"name\": \"mig\", \"access\": {\"main\": \"admin\", \"neondb\": \"admin\"}},"
    "{\"name\": \"none\", \"access\": {}}]}";

static Kit kit;

// Up to here transactions have numbers.
static int64_t next_transaction(void)
{
    CLEANUP(cluster_finish) PGconn *connection = cluster_admin(&kit.cluster, "postgres");
    return rows_number(connection, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint");
}

static int64_t count_writing_statements(void)
{
    CLEANUP(cluster_finish) PGconn *connection = cluster_admin(&kit.cluster, "postgres");
    return rows_number(
        connection, "SELECT count(*) FROM pg_stat_statements WHERE query ~* "
                    "'^\\s*(GRANT|REVOKE|ALTER|CREATE|DROP|COMMENT|DO|INSERT|UPDATE|DELETE)\\M'");
}

static void reset_statements(void)
{
    CLEANUP(cluster_finish) PGconn *connection = cluster_admin(&kit.cluster, "postgres");
    rows_run(connection, "SELECT pg_stat_statements_reset()");
}

static void run_again(const char *user, const char *password)
{
    const json_t *databases = json_object_get(kit.spec, "databases");
    CLEANUP(rows_free) char *before = snapshot_tuples(&kit.cluster, databases);
    reset_statements();
    int64_t transaction = next_transaction();
    CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
    kit_run_as(&kit, ROLES_MODE_APPLY, user, password, &run);
    int64_t transactions = next_transaction() - transaction;
    CLEANUP(rows_free) char *after = snapshot_tuples(&kit.cluster, databases);
    if (!run.done || run.report.remains || kit_count_changes(&run.report) > 0) {
        kit_print("second run", &run);
        fail();
    }
    assert_int_equal(count_writing_statements(), 0);
    assert_int_equal(transactions, 0);
    assert_true(snapshot_is_equal(before, after));
}

static void a_second_run_writes_nothing(void **state)
{
    (void)state;
    kit.fence.number++;
    run_again("neondb_owner", CLUSTER_PASSWORD);
}

static void a_run_as_the_platform_role_writes_nothing(void **state)
{
    (void)state;
    char password[KIT_PASSWORD_BYTES];
    kit.fence.number++;
    kit_password(&kit, "encore_platform", password);
    run_again("encore_platform", password);
}

// The other order: what the platform role's own session repairs.
static void a_run_as_the_platform_role_repairs_what_it_can(void **state)
{
    (void)state;
    char password[KIT_PASSWORD_BYTES];
    kit_password(&kit, "encore_platform", password);
    const json_t *databases = json_object_get(kit.spec, "databases");
    CLEANUP(rows_free) char *before = snapshot_meaning(&kit.cluster, databases);
    CLEANUP(cluster_finish) PGconn *admin = cluster_admin(&kit.cluster, "main");
    rows_run(admin, "REVOKE CONNECT ON DATABASE main FROM db_main_reader;"
                    "ALTER ROLE svc_mig IN DATABASE main RESET role; DROP ROLE svc_none;"
                    "GRANT CREATE ON SCHEMA public TO svc_writer");
    CLEANUP(kit_run_clear) KitRun run = KIT_RUN_INIT;
    kit_run_as(&kit, ROLES_MODE_APPLY, "encore_platform", password, &run);
    if (!run.done || run.report.remains) {
        kit_print("as the platform role", &run);
        fail();
    }
    CLEANUP(rows_free) char *after = snapshot_meaning(&kit.cluster, databases);
    assert_true(snapshot_is_equal(before, after));
    kit_assert_converged(&kit);
}

static int set_up(void **state)
{
    (void)state;
    kit_start(&kit, SPEC);
    CLEANUP(cluster_finish) PGconn *owner = cluster_user(&kit.cluster, "neondb", "neondb_owner");
    rows_run(owner, "CREATE TABLE public.old (id serial, x int); CREATE SCHEMA app;"
                    "CREATE VIEW app.v AS SELECT x FROM public.old");
    kit_converge(&kit);
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
        cmocka_unit_test(a_second_run_writes_nothing),
        cmocka_unit_test(a_run_as_the_platform_role_writes_nothing),
        cmocka_unit_test(a_run_as_the_platform_role_repairs_what_it_can),
    };
    cluster_require(argc, argv);
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    cluster_forget_all();
    return failed;
}
