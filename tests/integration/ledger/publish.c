#include "support.h"

static void finish(PGconn *connection)
{
    (void)support_take_one(connection, 1);
    support_execute(connection, "UPDATE provision.command SET status = 'finished', outcome = 'o', "
                                "finished_at = now()");
}

static void run_published(PGconn *connection)
{
    const LedgerPublished published[] = {
        {"shop", support_claim(1).command_id},
        {"shop", support_claim(2).command_id},
        {"shop", support_claim(9).command_id},
    };
    LedgerBatch batch;
    ledger_published_build(published, 3, &batch);
    PQclear(support_run(connection, &batch));
}

static void published_is_set_once_and_only_where_an_outcome_is(void **state)
{
    static const char SET[] = "SELECT string_agg(command_id::text, ',') FROM provision.command "
                              "WHERE published_at IS NOT NULL";
    Support *support = *state;
    finish(support->one);
    (void)support_take_one(support->one, 2);
    run_published(support->one);
    support_assert_value(support->one, SET, "00000000-0000-4000-8000-000000000001");
    support_execute(support->one, "UPDATE provision.command SET published_at = 'epoch' "
                                  "WHERE published_at IS NOT NULL");
    run_published(support->two);
    support_assert_value(support->one,
                         "SELECT published_at = 'epoch' FROM provision.command WHERE status = "
                         "'finished'",
                         "t");
}

static void assert_purged(PGconn *connection, int64_t retention_ms, const char *count)
{
    LedgerBatch batch;
    ledger_purge_build(retention_ms, &batch);
    PGresult *rows = support_run(connection, &batch);
    assert_string_equal(PQgetvalue(rows, 0, 0), count);
    PQclear(rows);
}

static void only_what_was_published_long_ago_is_purged(void **state)
{
    Support *support = *state;
    finish(support->one);
    (void)support_take_one(support->one, 2);
    assert_purged(support->one, 3600000, "0"); // not published yet
    run_published(support->one);
    assert_purged(support->one, 3600000, "0"); // not long ago
    support_execute(support->one, "UPDATE provision.command SET published_at = "
                                  "now() - interval '2 hours' WHERE published_at IS NOT NULL");
    assert_purged(support->one, 3600000, "1");
    support_assert_value(support->one, "SELECT count(*) FROM provision.command", "1");
}

static void what_seems_unpublished_is_purged_in_the_end(void **state)
{
    Support *support = *state;
    finish(support->one);
    support_execute(support->one, "UPDATE provision.command SET finished_at = "
                                  "now() - interval '3 hours'");
    assert_purged(support->one, INT64_C(7200000), "0");
    assert_purged(support->one, INT64_C(3600000), "1");
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(published_is_set_once_and_only_where_an_outcome_is,
                               support_empty_tables),
        cmocka_unit_test_setup(only_what_was_published_long_ago_is_purged, support_empty_tables),
        cmocka_unit_test_setup(what_seems_unpublished_is_purged_in_the_end, support_empty_tables),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
