// Whose turn it is to sweep (run/sweep_ledger.h).
#include "run/sweep_ledger.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

enum { INTERVAL_MS = 3600 * 1000 };

static bool take(PGconn *connection)
{
    Error err = ERROR_INIT;
    bool is_mine = false;
    if (!sweep_ledger_take_turn(connection, INTERVAL_MS, &is_mine, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
    return is_mine;
}

static void end(PGconn *connection)
{
    Error err = ERROR_INIT;
    if (!sweep_ledger_end_turn(connection, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
}

// How long the server waits for a session that has begun a transaction and says nothing more.
static void expect_limit(PGconn *connection, const char *expected)
{
    PGresult *shown = PQexec(connection, "SHOW idle_in_transaction_session_timeout");
    assert_int_equal(PQresultStatus(shown), PGRES_TUPLES_OK);
    assert_string_equal(PQgetvalue(shown, 0, 0), expected);
    PQclear(shown);
}

static void one_worker_has_the_turn_of_an_interval(void **state)
{
    Support *support = *state;
    assert_true(take(support->one));
    assert_false(take(support->two)); // nor does it wait
    end(support->two);
    end(support->one);
    assert_false(take(support->two));
    end(support->two);
}

static void a_turn_ends_with_the_worker_that_froze_in_it(void **state)
{
    Support *support = *state;
    assert_true(take(support->one));
    expect_limit(support->one, "1min");
    end(support->one);
    expect_limit(support->one, "0");
}

static int let_time_pass(void **state)
{
    Support *support = *state;
    support_execute(support->one, "UPDATE provision.installation SET swept_at = NULL");
    return 0;
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_worker_has_the_turn_of_an_interval, let_time_pass),
        cmocka_unit_test_setup(a_turn_ends_with_the_worker_that_froze_in_it, let_time_pass),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
