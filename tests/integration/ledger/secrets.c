// Passwords of roles, and the fence, against a real PostgreSQL.
#include <stdio.h>
#include <string.h>

#include "ledger/secrets.h"
#include "support.h"

#define SECRET(role, sealed, renew)                                                                \
    "{\"role\": \"" role "\", \"sealed\": \"" sealed "\", \"renew\": " renew "}"
#define VALUE(column, role)                                                                        \
    "SELECT encode(" column ", 'hex') FROM provision.role_secret WHERE role = '" role "'"

static LedgerFence run_secrets(PGconn *connection, size_t i, int64_t epoch, int64_t at_least,
                               const char *secrets)
{
    char environment[32];
    (void)snprintf(environment, sizeof environment, "env-%zu", i);
    const LedgerSecrets ask = {support_key(i, epoch), environment, at_least, secrets};
    LedgerBatch batch;
    LedgerFence fence;
    Error err = ERROR_INIT;
    ledger_secrets_build(&ask, 1, &batch);
    PGresult *rows = support_run(connection, &batch);
    assert_true(ledger_secrets_decode(rows, &fence, 1, &err));
    PQclear(rows);
    return fence;
}

static bool run_keep(PGconn *connection, size_t i, int64_t epoch, const char *roles)
{
    char environment[32];
    (void)snprintf(environment, sizeof environment, "env-%zu", i);
    const LedgerKeep keep = {support_key(i, epoch), environment, roles};
    LedgerBatch batch;
    ledger_keep_build(&keep, 1, &batch);
    return support_written(connection, &batch);
}

static void a_role_without_a_password_gets_one_once(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    LedgerFence first =
        run_secrets(support->one, 1, epoch, 1, "[" SECRET("svc", "0102", "false") "]");
    assert_true(first.written);
    assert_int_equal(first.fence, 1);
    support_assert_value(support->one, VALUE("sealed_next", "svc"), "0102");
    support_assert_value(support->one, "SELECT sealed_password IS NULL FROM provision.role_secret",
                         "t");
    LedgerFence second =
        run_secrets(support->one, 1, epoch, 1, "[" SECRET("svc", "0304", "false") "]");
    assert_int_equal(second.fence, 2);
    support_assert_value(support->one, VALUE("sealed_next", "svc"), "0102");
}

static void a_command_renews_once(void **state)
{
    Support *support = *state;
    int64_t one = support_take_one(support->one, 1);
    (void)run_secrets(support->one, 1, one, 1, "[" SECRET("svc", "01", "true") "]");
    assert_true(run_keep(support->one, 1, one, "[\"svc\"]"));
    support_assert_value(support->one, VALUE("sealed_password", "svc"), "01");
    (void)run_secrets(support->one, 1, one, 1, "[" SECRET("svc", "02", "true") "]");
    support_assert_value(support->one, "SELECT sealed_next IS NULL FROM provision.role_secret",
                         "t");
    // another one does, and what is set stays known until its next one is kept
    support_execute(support->one,
                    "UPDATE provision.role_secret SET next_command = gen_random_uuid()");
    (void)run_secrets(support->one, 1, one, 1, "[" SECRET("svc", "03", "true") "]");
    support_assert_value(support->one, VALUE("sealed_password", "svc"), "01");
    support_assert_value(support->one, VALUE("sealed_next", "svc"), "03");
}

static void the_fence_only_rises(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    assert_int_equal(run_secrets(support->one, 1, epoch, 40, "[]").fence, 40);
    assert_int_equal(run_secrets(support->one, 1, epoch, 7, "[]").fence, 41);
}

static void who_lost_the_command_changes_nothing(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    (void)run_secrets(support->one, 1, epoch, 1, "[" SECRET("svc", "01", "true") "]");
    (void)support_take_one(support->two, 1);
    assert_false(
        run_secrets(support->one, 1, epoch, 9, "[" SECRET("new", "02", "true") "]").written);
    assert_false(run_keep(support->one, 1, epoch, "[\"svc\"]"));
    support_assert_value(support->one, "SELECT fence FROM provision.environment", "1");
    support_assert_value(support->one, VALUE("sealed_next", "svc"), "01");
    support_assert_value(support->one, "SELECT count(*) FROM provision.role_secret", "1");
}

static void only_what_is_named_is_kept(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    (void)run_secrets(support->one, 1, epoch, 1,
                      "[" SECRET("svc", "01", "false") "," SECRET("other", "02", "false") "]");
    assert_true(run_keep(support->one, 1, epoch, "[\"svc\", \"nobody\"]"));
    support_assert_value(support->one, VALUE("sealed_password", "svc"), "01");
    support_assert_value(support->one, VALUE("sealed_next", "other"), "02");
}

static void passwords_are_listed_for_one_environment(void **state)
{
    Support *support = *state;
    for (size_t i = 0; i < SUPPORT_HOSTILE_COUNT; i++) {
        const char *role = SUPPORT_HOSTILE[i];
        json_t *secrets = json_pack("[{s:s, s:s, s:b}]", "role", role, "sealed", "0a", "renew", 0);
        if (secrets == NULL || strlen(role) > 63) {
            json_decref(secrets);
            continue;
        }
        char *text = json_dumps(secrets, 0);
        int64_t epoch = support_take_one(support->one, 1);
        (void)run_secrets(support->one, 1, epoch, 1, text);
        const LedgerPasswords asks[] = {{"shop", "env-2", ""}, {"shop", "env-1", role}};
        LedgerBatch batch;
        LedgerPasswordList list;
        Error err = ERROR_INIT;
        ledger_passwords_build(asks, 2, &batch);
        PGresult *rows = support_run(support->one, &batch);
        assert_true(ledger_passwords_decode(rows, 0, &list, &err));
        assert_int_equal(list.count, 0);
        ledger_passwords_clear(&list);
        assert_true(ledger_passwords_decode(rows, 1, &list, &err));
        assert_true(list.count >= 1);
        assert_int_equal(list.list[0].next.data[0], 10);
        ledger_passwords_clear(&list);
        PQclear(rows);
        free(text);
        json_decref(secrets);
    }
}

static void conclude(PGconn *connection, int64_t epoch, LedgerState state, int64_t sequence)
{
    const LedgerConclude conclude = {.key = support_key(1, epoch),
                                     .journal = "{}",
                                     .sequence = sequence,
                                     .environment = "env-1",
                                     .state = state,
                                     .account = "",
                                     .project_id = "",
                                     .branch_id = "",
                                     .endpoint_id = "",
                                     .details = "{}",
                                     .key_kind = "",
                                     .neon_account_id = "",
                                     .org_id = "",
                                     .account_project_id = ""};
    LedgerBatch batch;
    ledger_conclude_build(&conclude, 1, &batch);
    PQclear(support_run(connection, &batch));
}

static void passwords_go_with_their_environment(void **state)
{
    static const struct {
        LedgerState state;
        const char *left;
    } ENDS[] = {{LEDGER_STATE_READY, "1"}, {LEDGER_STATE_GONE, "0"}, {LEDGER_STATE_FAILED, "0"}};
    Support *support = *state;
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        support_execute(support->one, "TRUNCATE provision.command, provision.environment, "
                                      "provision.role_secret");
        int64_t epoch = support_take_one(support->one, 1);
        (void)run_secrets(support->one, 1, epoch, 1, "[" SECRET("svc", "01", "false") "]");
        conclude(support->one, epoch, ENDS[i].state, 1);
        support_assert_value(support->one, "SELECT count(*) FROM provision.role_secret",
                             ENDS[i].left);
    }
}

// One whose subject was written by somebody else meanwhile takes nothing away.
static void a_conclusion_that_is_not_written_forgets_nothing(void **state)
{
    Support *support = *state;
    int64_t epoch = support_take_one(support->one, 1);
    (void)run_secrets(support->one, 1, epoch, 1, "[" SECRET("svc", "01", "false") "]");
    conclude(support->one, epoch, LEDGER_STATE_GONE, 7);
    conclude(support->one, epoch + 1, LEDGER_STATE_GONE, 1);
    support_assert_value(support->one, "SELECT count(*) FROM provision.role_secret", "1");
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_role_without_a_password_gets_one_once, support_empty_tables),
        cmocka_unit_test_setup(a_command_renews_once, support_empty_tables),
        cmocka_unit_test_setup(the_fence_only_rises, support_empty_tables),
        cmocka_unit_test_setup(who_lost_the_command_changes_nothing, support_empty_tables),
        cmocka_unit_test_setup(only_what_is_named_is_kept, support_empty_tables),
        cmocka_unit_test_setup(passwords_are_listed_for_one_environment, support_empty_tables),
        cmocka_unit_test_setup(passwords_go_with_their_environment, support_empty_tables),
        cmocka_unit_test_setup(a_conclusion_that_is_not_written_forgets_nothing,
                               support_empty_tables),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
