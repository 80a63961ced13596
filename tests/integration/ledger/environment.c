#include "support.h"

static bool run_mark(PGconn *connection, const LedgerMark *mark)
{
    LedgerBatch batch;
    ledger_mark_build(mark, 1, &batch);
    return support_written(connection, &batch);
}

static void a_mark_sets_what_it_names_and_leaves_the_rest(void **state)
{
    Support *support = *state;
    LedgerMark mark = {
        .key = support_key(1, support_take_one(support->one, 1)),
        .environment = "env-1",
        .account = "main",
        .project_id = "p-1",
        .branch_id = "br-1",
    };
    assert_true(run_mark(support->one, &mark));
    support_assert_value(support->one,
                         "SELECT concat_ws(' ', state, account, project_id, branch_id) FROM "
                         "provision.environment",
                         "creating main p-1 br-1");
    mark.state = LEDGER_STATE_DELETING;
    mark.account = mark.project_id = mark.branch_id = "";
    assert_true(run_mark(support->one, &mark));
    support_assert_value(support->one,
                         "SELECT concat_ws(' ', state, account, project_id, branch_id) FROM "
                         "provision.environment",
                         "deleting main p-1 br-1");
}

static void a_stale_or_finished_command_marks_nothing(void **state)
{
    Support *support = *state;
    LedgerMark mark = {
        .key = support_key(1, support_take_one(support->one, 1)),
        .environment = "env-1",
        .state = LEDGER_STATE_DELETING,
        .account = "main",
        .project_id = "",
        .branch_id = "",
    };
    (void)support_take_one(support->two, 1);
    assert_false(run_mark(support->one, &mark));
    mark.key.epoch = 2;
    support_execute(support->one, "UPDATE provision.command SET status = 'finished', outcome = '', "
                                  "finished_at = now()");
    assert_false(run_mark(support->one, &mark));
    support_assert_value(support->one, "SELECT state FROM provision.environment", "creating");
}

static void a_mark_of_an_environment_that_is_not_there_writes_nothing(void **state)
{
    Support *support = *state;
    LedgerMark mark = {
        .key = support_key(1, support_take_one(support->one, 1)),
        .environment = "env-2",
        .account = "",
        .project_id = "p",
        .branch_id = "",
    };
    assert_false(run_mark(support->one, &mark));
}

static void add(PGconn *connection, const char *application, const char *environment,
                const char *state, const char *project)
{
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO provision.environment (application_id, environment, state, origin, "
                   "command_id, action, spec_digest, project_id, branch_id) VALUES ('%s', '%s', "
                   "'%s', 'branched', '00000000-0000-4000-8000-000000000001', 'BranchEnvironment', "
                   "decode(repeat('00', 32), 'hex'), %s, 'br-%s')",
                   application, environment, state, project, environment);
    support_execute(connection, sql);
}

enum { CROWD = LEDGER_DEPENDENTS_MAX + 4 };

static const char *environment_of(int number)
{
    static char name[16];
    (void)snprintf(name, sizeof(name), "env-%d", number);
    return name;
}

static void dependents_are_all_others_on_the_project_that_are_not_gone(void **state)
{
    Support *support = *state;
    add(support->one, "shop", "main", "deleting", "'p-1'");
    add(support->one, "shop", "preview", "creating", "'p-1'");
    add(support->one, "shop", "old", "gone", "'p-1'");
    add(support->one, "shop", "elsewhere", "ready", "'p-2'");
    add(support->one, "shop", "unknown", "creating", "NULL");
    add(support->one, "blog", "main", "failed", "'p-1'");
    const LedgerDependents asks[] = {{"shop", "main", "p-1", "", ""},
                                     {"shop", "x", "p-3", "", ""},
                                     {"shop", "elsewhere", "p-2", "", ""},
                                     {"", "", "p-1", "", ""}};
    LedgerBatch batch;
    LedgerDependent list[2];
    ledger_dependents_build(asks, 4, &batch);
    PGresult *rows = support_run(support->one, &batch);
    assert_int_equal(ledger_dependents_decode(rows, 0, list, 2), 2);
    assert_string_equal(list[0].application_id, "blog");
    assert_int_equal(list[0].state, LEDGER_STATE_FAILED);
    assert_string_equal(list[1].environment, "preview");
    assert_string_equal(list[1].branch_id, "br-preview");
    assert_string_equal(list[1].origin, "branched");
    assert_int_equal(list[1].state, LEDGER_STATE_CREATING);
    assert_int_equal(ledger_dependents_decode(rows, 1, list, 2), 0);
    assert_int_equal(ledger_dependents_decode(rows, 2, list, 2), 0);
    // what is being deleted is never left out for want of room
    assert_int_equal(ledger_dependents_decode(rows, 3, list, 1), 3);
    assert_string_equal(list[0].environment, "main");
    assert_int_equal(list[0].state, LEDGER_STATE_DELETING);
    PQclear(rows);
}

// However many others there are, of applications that come first by name.
static void who_is_on_the_branch_is_never_left_out_for_want_of_room(void **state)
{
    Support *support = *state;
    for (int i = 0; i < CROWD; i++) {
        add(support->one, "a-shop", environment_of(i), i % 2 == 0 ? "ready" : "deleting", "'p-1'");
    }
    add(support->one, "zoo", "live", "ready", "'p-1'");
    add(support->one, "zoo", "ends", "deleting", "'p-1'");
    add(support->one, "zoo", "root", "ready", "'p-1'");
    support_execute(support->one,
                    "UPDATE provision.environment SET origin = CASE environment WHEN 'root' THEN "
                    "'created' ELSE 'imported' END, branch_id = 'br-live' WHERE application_id = "
                    "'zoo'");
    const LedgerDependents ask = {"m-shop", "live", "p-1", "", "br-live"};
    LedgerBatch batch;
    LedgerDependent list[4];
    ledger_dependents_build(&ask, 1, &batch);
    PGresult *rows = support_run(support->one, &batch);
    assert_int_equal(PQntuples(rows), LEDGER_DEPENDENTS_MAX);
    assert_int_equal(ledger_dependents_decode(rows, 0, list, 4), CROWD + 3);
    assert_string_equal(list[0].environment, "root");
    assert_string_equal(list[1].environment, "ends");
    assert_string_equal(list[2].environment, "live");
    assert_string_equal(list[2].application_id, "zoo");
    assert_int_equal(list[3].state, LEDGER_STATE_DELETING);
    PQclear(rows);
}

static void who_uses_an_account_is_of_the_application_and_not_gone(void **state)
{
    Support *support = *state;
    add(support->one, "shop", "main", "ready", "'p-1'");
    add(support->one, "shop", "other", "ready", "'p-1'");
    add(support->one, "shop", "old", "gone", "NULL");
    add(support->one, "blog", "main", "ready", "'p-1'");
    support_execute(support->one, "UPDATE provision.environment SET account = CASE environment "
                                  "WHEN 'other' THEN 'second' ELSE 'first' END");
    const LedgerDependents asks[] = {{"shop", "first", "", "first", ""},
                                     {"shop", "main", "", "third", ""},
                                     {"blog", "", "", "first", ""}};
    LedgerBatch batch;
    LedgerDependent list[2];
    ledger_dependents_build(asks, 3, &batch);
    PGresult *rows = support_run(support->one, &batch);
    assert_int_equal(ledger_dependents_decode(rows, 0, list, 2), 1);
    assert_string_equal(list[0].application_id, "shop");
    assert_string_equal(list[0].environment, "main");
    assert_int_equal(ledger_dependents_decode(rows, 1, list, 2), 0);
    assert_int_equal(ledger_dependents_decode(rows, 2, list, 2), 1);
    assert_string_equal(list[0].application_id, "blog");
    PQclear(rows);
}

// Deleter and brancher each write first and read then: whoever commits last sees the other.
static void of_a_deleter_and_a_brancher_at_least_one_sees_the_other(void **state)
{
    Support *support = *state;
    add(support->one, "blog", "main", "ready", "'p-1'");
    support_execute(support->one, "BEGIN");
    support_execute(support->one, "UPDATE provision.environment SET state = 'deleting'");
    LedgerMark mark = {
        .key = support_key(1, support_take_one(support->two, 1)),
        .environment = "env-1",
        .account = "",
        .project_id = "p-1",
        .branch_id = "",
    };
    assert_true(run_mark(support->two, &mark));
    support_execute(support->one, "COMMIT");
    const LedgerDependents deleter = {"blog", "main", "p-1", "", ""};
    const LedgerDependents brancher = {"shop", "env-1", "p-1", "", ""};
    LedgerDependent seen;
    LedgerBatch batch;
    ledger_dependents_build(&deleter, 1, &batch);
    PGresult *rows = support_run(support->one, &batch);
    assert_int_equal(ledger_dependents_decode(rows, 0, &seen, 1), 1);
    assert_int_equal(seen.state, LEDGER_STATE_CREATING);
    PQclear(rows);
    ledger_dependents_build(&brancher, 1, &batch);
    rows = support_run(support->two, &batch);
    assert_int_equal(ledger_dependents_decode(rows, 0, &seen, 1), 1);
    assert_int_equal(seen.state, LEDGER_STATE_DELETING);
    PQclear(rows);
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_mark_sets_what_it_names_and_leaves_the_rest, support_empty_tables),
        cmocka_unit_test_setup(a_stale_or_finished_command_marks_nothing, support_empty_tables),
        cmocka_unit_test_setup(a_mark_of_an_environment_that_is_not_there_writes_nothing,
                               support_empty_tables),
        cmocka_unit_test_setup(dependents_are_all_others_on_the_project_that_are_not_gone,
                               support_empty_tables),
        cmocka_unit_test_setup(who_is_on_the_branch_is_never_left_out_for_want_of_room,
                               support_empty_tables),
        cmocka_unit_test_setup(who_uses_an_account_is_of_the_application_and_not_gone,
                               support_empty_tables),
        cmocka_unit_test_setup(of_a_deleter_and_a_brancher_at_least_one_sees_the_other,
                               support_empty_tables),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
