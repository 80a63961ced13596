// What changed behind our back is seen by a plan, and repaired by an apply or reported; what an
// additive policy leaves as it is stays. `roles_drift_test MAJOR [SHARE]`: every SHAREth injection.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drift_table.h"
#include "kit.h"
#include "rows.h"
#include "snapshot.h"

#define SERVICES                                                                                   \
    "{\"name\": \"reader\", \"access\": {\"main\": \"read\"}},"                                    \
    "{\"name\": \"writer\", \"access\": {\"main\": \"write\", \"other\": \"read\"}},"              \
    "{\"name\": \"mig\", \"access\": {\"main\": \"admin\"}}"
#define SPEC(policy, services)                                                                     \
    "{\"prefix\": \"encore\", \"policy\": \"" policy "\", \"adopt\": true,"                        \
    " \"databases\": [\"main\", \"other\"], \"services\": [" services "]}"

static const char AUTHORITATIVE[] =
    SPEC("authoritative", SERVICES ", {\"name\": \"none\", \"access\": {}}");
static const char ADDITIVE[] = SPEC("additive", SERVICES ", {\"name\": \"none\", \"access\": {}}");
static const char WITHOUT_WRITER_AND_NONE[] =
    SPEC("authoritative", "{\"name\": \"reader\", \"access\": {\"main\": \"read\"}},"
                          "{\"name\": \"mig\", \"access\": {\"main\": \"admin\"}}");

static Kit kit;
static json_t *looked_at; // databases of snapshots
static const Drift *current;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_msg("%s: not so: %s", current->name, #condition);                                 \
        }                                                                                          \
    } while (0)

static void as_admin(const char *database, const char *user, const char *sql)
{
    CLEANUP(cluster_finish) PGconn *connection = cluster_admin(&kit.cluster, database);
    if (user != NULL) {
        rows_run(connection, "SET SESSION AUTHORIZATION %s", user);
    }
    rows_run(connection, "%s", sql);
}

// DROP DATABASE takes no transaction: it goes alone.
static void inject(const Drift *drift)
{
    as_admin(drift->database, drift->user, drift->sql);
}

static bool contains(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static bool mentions(const RolesReport *report, const char *part, bool blocked_only)
{
    for (size_t i = 0; i < report->count; i++) {
        const RolesChange *change = &report->changes[i];
        bool counts = !blocked_only || change->change[0] == '\0' || change->blocked;
        if (counts && (contains(change->object, part) || contains(change->reason, part) ||
                       contains(change->change, part))) {
            return true;
        }
    }
    return false;
}

static bool can_log_in(const char *login)
{
    char role[64];
    const char *space = strchr(login, ' ');
    assert_non_null(space);
    (void)snprintf(role, sizeof(role), "%.*s", (int)(space - login), login);
    PGconn *connection = kit_try_login(&kit, space + 1, role);
    PQfinish(connection);
    return connection != NULL;
}

static DriftEnd end_here(const Drift *drift)
{
    bool old = cluster_major() < 16;
    switch (drift->end) {
    case DRIFT_REPAIRED_16:
        return old ? DRIFT_BLOCKED : DRIFT_REPAIRED;
    case DRIFT_REPAIRED_15:
        return old ? DRIFT_REPAIRED : DRIFT_BLOCKED;
    case DRIFT_REPAIRED:
    case DRIFT_BLOCKED:
    case DRIFT_FOUND:
    case DRIFT_ADOPTED:
    case DRIFT_HANDED_OVER:
        break;
    }
    return drift->end;
}

// Seen, and not touched by looking.
static void assert_planned(const Drift *drift)
{
    CLEANUP(rows_free) char *before = snapshot_tuples(&kit.cluster, looked_at);
    CLEANUP(kit_run_clear) KitRun plan = KIT_RUN_INIT;
    kit_run(&kit, ROLES_MODE_PLAN, &plan);
    CLEANUP(rows_free) char *after = snapshot_tuples(&kit.cluster, looked_at);
    if (!plan.done || !mentions(&plan.report, drift->mentions, false)) {
        kit_print(drift->name, &plan);
        fail();
    }
    CHECK(snapshot_is_equal(before, after));
}

static void assert_applied(const Drift *drift, DriftEnd end)
{
    if (end != DRIFT_BLOCKED && end != DRIFT_FOUND) {
        kit_converge(&kit);
        return;
    }
    CLEANUP(kit_run_clear) KitRun apply = KIT_RUN_INIT;
    kit_run(&kit, ROLES_MODE_APPLY, &apply);
    if (!apply.done || !mentions(&apply.report, drift->mentions, true) ||
        apply.report.remains != (end == DRIFT_BLOCKED)) {
        kit_print(drift->name, &apply);
        fail();
    }
    as_admin(drift->database, NULL, drift->undo);
    kit_converge(&kit);
}

// `before` is what the catalogs say of the converged state; it is replaced where who owned
// something remains a member.
static void try_one(const Drift *drift, char **before)
{
    current = drift;
    DriftEnd end = end_here(drift);
    inject(drift);
    CLEANUP(rows_free) char *drifted = snapshot_meaning(&kit.cluster, looked_at);
    CHECK(strcmp(*before, drifted) != 0 || drift->login != NULL);
    CHECK(drift->login == NULL || !can_log_in(drift->login));
    assert_planned(drift);
    assert_applied(drift, end);
    char *after = snapshot_meaning(&kit.cluster, looked_at);
    CHECK(end == DRIFT_ADOPTED || end == DRIFT_HANDED_OVER || snapshot_is_equal(*before, after));
    CHECK(drift->login == NULL || can_log_in(drift->login));
    free(*before);
    *before = after;
}

// Of what is the same for all versions only every so many-th, from which on.
static size_t share = 1;
static size_t share_begin;

static bool is_here(const Drift *drift)
{
    bool is_common =
        drift->since == 0 && drift->end != DRIFT_REPAIRED_16 && drift->end != DRIFT_REPAIRED_15;
    bool is_left_out = is_common && (size_t)(drift - DRIFTS) % share != share_begin;
    return drift->since <= cluster_major() && !is_left_out;
}

static void every_drift_is_seen_and_repaired_or_reported(void **state)
{
    (void)state;
    int count = 0;
    int by_end[DRIFT_HANDED_OVER + 1] = {0};
    CLEANUP(rows_free) char *before = snapshot_meaning(&kit.cluster, looked_at);
    for (size_t i = 0; i < sizeof(DRIFTS) / sizeof(DRIFTS[0]); i++) {
        if (is_here(&DRIFTS[i])) {
            try_one(&DRIFTS[i], &before);
            by_end[end_here(&DRIFTS[i])]++;
            count++;
        }
    }
    print_message("PostgreSQL %d: %d injections, each seen; %d repaired, %d repaired with the old "
                  "owner as a member, %d blocked, %d findings\n",
                  cluster_major(), count, by_end[DRIFT_REPAIRED],
                  by_end[DRIFT_ADOPTED] + by_end[DRIFT_HANDED_OVER], by_end[DRIFT_BLOCKED],
                  by_end[DRIFT_FOUND]);
    assert_true((size_t)count >= 34 / share);
}

static int64_t count_statements(const char *pattern)
{
    CLEANUP(cluster_finish) PGconn *connection = cluster_admin(&kit.cluster, "postgres");
    return rows_number(connection, "SELECT count(*) FROM pg_stat_statements WHERE query ~* '%s'",
                       pattern);
}

static void leave_one(const Drift *drift)
{
    current = drift;
    inject(drift);
    CLEANUP(rows_free) char *before = snapshot_meaning(&kit.cluster, looked_at);
    as_admin("postgres", NULL, "SELECT pg_stat_statements_reset()");
    CLEANUP(kit_run_clear) KitRun apply = KIT_RUN_INIT;
    kit_run(&kit, ROLES_MODE_APPLY, &apply);
    CLEANUP(rows_free) char *after = snapshot_meaning(&kit.cluster, looked_at);
    if (!apply.done || !mentions(&apply.report, drift->mentions, true) ||
        kit_count_changes(&apply.report) > 0) {
        kit_print(drift->name, &apply);
        fail();
    }
    CHECK(snapshot_is_equal(before, after));
    CHECK(count_statements("^\\s*(REVOKE|ALTER|GRANT|COMMENT|CREATE|DROP|DO)\\M") == 0);
}

static void an_additive_policy_takes_nothing_away_and_says_what_is_too_much(void **state)
{
    (void)state;
    int count = 0;
    CLEANUP(rows_free) char *before = snapshot_meaning(&kit.cluster, looked_at);
    for (size_t i = 0; i < sizeof(DRIFTS) / sizeof(DRIFTS[0]); i++) {
        if (!DRIFTS[i].extra || !is_here(&DRIFTS[i])) {
            continue;
        }
        kit_wish(&kit, ADDITIVE);
        leave_one(&DRIFTS[i]);
        kit_wish(&kit, AUTHORITATIVE);
        if (end_here(&DRIFTS[i]) == DRIFT_BLOCKED) {
            as_admin(DRIFTS[i].database, NULL, DRIFTS[i].undo);
        }
        kit_converge(&kit);
        CLEANUP(rows_free) char *after = snapshot_meaning(&kit.cluster, looked_at);
        CHECK(snapshot_is_equal(before, after));
        count++;
    }
    print_message("PostgreSQL %d: %d injections left as they are\n", cluster_major(), count);
    assert_true((size_t)count >= 20 / share);
}

static void an_additive_policy_gives_what_is_missing(void **state)
{
    (void)state;
    CLEANUP(rows_free) char *before = snapshot_meaning(&kit.cluster, looked_at);
    as_admin("postgres", "encore_platform", "REVOKE db_main_reader FROM svc_reader");
    as_admin("main", NULL, "REVOKE SELECT ON app.t FROM db_main_reader");
    kit_wish(&kit, ADDITIVE);
    as_admin("postgres", NULL, "SELECT pg_stat_statements_reset()");
    kit_converge(&kit);
    assert_int_equal(count_statements("^\\s*REVOKE\\M"), 0);
    kit_wish(&kit, AUTHORITATIVE);
    CLEANUP(rows_free) char *after = snapshot_meaning(&kit.cluster, looked_at);
    assert_true(snapshot_is_equal(before, after));
}

static void a_removed_service_keeps_its_role_but_neither_login_nor_memberships(void **state)
{
    (void)state;
    kit_wish(&kit, WITHOUT_WRITER_AND_NONE);
    kit_converge(&kit);
    assert_false(can_log_in("svc_writer main"));
    assert_false(can_log_in("svc_none postgres"));
    CLEANUP(cluster_finish) PGconn *connection = cluster_admin(&kit.cluster, "postgres");
    assert_int_equal(rows_number(connection, "SELECT count(*) FROM pg_roles WHERE NOT rolcanlogin "
                                             "AND rolname IN ('svc_writer', 'svc_none')"),
                     2);
    assert_int_equal(rows_number(connection, "SELECT count(*) FROM pg_auth_members WHERE member = "
                                             "'svc_writer'::regrole"),
                     0);
    kit_wish(&kit, AUTHORITATIVE);
    kit_converge(&kit);
    assert_true(can_log_in("svc_writer main"));
}

static void an_additive_policy_leaves_a_removed_service_its_login(void **state)
{
    (void)state;
    kit_wish(&kit, SPEC("additive", ""));
    CLEANUP(kit_run_clear) KitRun apply = KIT_RUN_INIT;
    kit_run(&kit, ROLES_MODE_APPLY, &apply);
    assert_true(apply.done);
    assert_true(mentions(&apply.report, "svc_writer", true));
    assert_int_equal(kit_count_changes(&apply.report), 0);
    kit_wish(&kit, AUTHORITATIVE);
    assert_true(can_log_in("svc_writer main"));
    kit_assert_converged(&kit);
}

static int64_t count_memberships(const char *role)
{
    CLEANUP(cluster_finish) PGconn *connection = cluster_admin(&kit.cluster, "postgres");
    return rows_number(connection,
                       "SELECT count(*) FROM pg_auth_members WHERE member = '%s'::regrole", role);
}

static void a_role_that_somebody_else_made_gets_nothing_and_loses_what_it_has(void **state)
{
    (void)state;
    if (cluster_major() < 16) {
        skip(); // CREATEROLE is enough to administer it: it is ours again
    }
    as_admin("postgres", NULL, DRIFT_MADE_BY_ANOTHER("svc_mig") "GRANT db_main_admin TO svc_mig");
    kit_wish(&kit, ADDITIVE);
    CLEANUP(kit_run_clear) KitRun additive = KIT_RUN_INIT;
    kit_run(&kit, ROLES_MODE_APPLY, &additive);
    assert_true(additive.done && additive.report.remains);
    assert_true(mentions(&additive.report, "svc_mig in db_main_admin", true));
    assert_int_equal(kit_count_changes(&additive.report), 0);
    assert_int_equal(count_memberships("svc_mig"), 1);
    kit_wish(&kit, AUTHORITATIVE);
    CLEANUP(kit_run_clear) KitRun apply = KIT_RUN_INIT;
    kit_run(&kit, ROLES_MODE_APPLY, &apply);
    assert_true(apply.done && apply.report.remains);
    assert_int_equal(count_memberships("svc_mig"), 0);
    assert_true(mentions(&apply.report, "svc_mig", true));
    assert_false(mentions(&apply.report, "IN DATABASE", false));
    as_admin("postgres", NULL, "DROP ROLE svc_mig");
    kit_converge(&kit);
}

static int set_up(void **state)
{
    (void)state;
    kit_start(&kit, AUTHORITATIVE);
    looked_at = json_pack("[s]", "main");
    as_admin("postgres", NULL, "CREATE ROLE stranger LOGIN PASSWORD '" CLUSTER_PASSWORD "'");
    as_admin("postgres", "neondb_owner", "CREATE ROLE legacy_sql LOGIN");
    kit_converge(&kit);
    CLEANUP(cluster_finish) PGconn *connection = kit_login(&kit, "main", "svc_mig");
    rows_run(connection, "CREATE SCHEMA app; CREATE TABLE app.t (x int);"
                         "CREATE VIEW app.v AS SELECT x FROM app.t;"
                         "CREATE MATERIALIZED VIEW app.m AS SELECT x FROM app.t;"
                         "CREATE SEQUENCE app.s; CREATE TYPE app.e AS ENUM ('a');"
                         "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kit_stop(&kit);
    json_decref(looked_at);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_additive_policy_takes_nothing_away_and_says_what_is_too_much),
        cmocka_unit_test(every_drift_is_seen_and_repaired_or_reported),
        cmocka_unit_test(an_additive_policy_gives_what_is_missing),
        cmocka_unit_test(a_removed_service_keeps_its_role_but_neither_login_nor_memberships),
        cmocka_unit_test(an_additive_policy_leaves_a_removed_service_its_login),
        cmocka_unit_test(a_role_that_somebody_else_made_gets_nothing_and_loses_what_it_has),
    };
    cluster_require(argc, argv);
    if (argc > 2) {
        share = strtoul(argv[2], NULL, 10);
        share_begin = (size_t)cluster_major() % share;
    }
    int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    cluster_forget_all();
    return failed;
}
