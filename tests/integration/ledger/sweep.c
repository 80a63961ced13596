#include "ledger/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define COMMAND "00000000-0000-4000-8000-000000000001"
#define UNKNOWN_COMMAND "00000000-0000-4000-8000-0000000000ff"

static void add_command(PGconn *connection, const char *id, const char *more)
{
    char sql[1024];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO provision.command (application_id, command_id, digest, action, "
                   "partition, record_offset, record_timestamp_ms, epoch) VALUES ('shop', '%s', "
                   "decode(repeat('00', 32), 'hex'), 'BranchEnvironment', 0, 0, 0, 1)",
                   id);
    support_execute(connection, sql);
    (void)snprintf(sql, sizeof(sql), "UPDATE provision.command SET %s WHERE command_id = '%s'",
                   more, id);
    support_execute(connection, sql);
}

#define FINISHED "status = 'finished', outcome = '', finished_at = now()"

static void add_environment(PGconn *connection, const char *application, const char *environment,
                            const char *state, const char *project, const char *branch)
{
    char sql[1024];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO provision.environment (application_id, environment, state, origin, "
                   "command_id, action, spec_digest, account, project_id, branch_id) VALUES ('%s', "
                   "'%s', '%s', 'branched', '" COMMAND "', 'BranchEnvironment', "
                   "decode(repeat('00', 32), 'hex'), 'main', '%s', '%s')",
                   application, environment, state, project, branch);
    support_execute(connection, sql);
}

static json_t *ask(PGconn *connection, const char *account, const char *marks)
{
    const LedgerJudge asks[] = {{"blog", "", "[]"}, {"shop", account, marks}};
    LedgerBatch batch;
    json_t *answers[2];
    Error err = ERROR_INIT;
    ledger_judge_build(asks, 2, &batch);
    PGresult *rows = support_run(connection, &batch);
    if (!ledger_judge_decode(rows, answers, 2, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
    PQclear(rows);
    assert_int_equal(json_array_size(json_object_get(answers[0], "marks")), 0);
    json_decref(answers[0]);
    return answers[1];
}

static void expect(const json_t *object, const char *key, const char *expected)
{
    char *text = json_dumps(json_object_get(object, key), JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL || strcmp(text, expected) != 0) {
        fail_msg("%s is %s, not %s", key, text == NULL ? "missing" : text, expected);
    }
    free(text);
}

// The answer about the branch "br-1" of project "p-1" that the mark of a command names.
static json_t *ask_one(PGconn *connection, const char *command)
{
    char marks[256];
    (void)snprintf(marks, sizeof(marks),
                   "[{\"command\":\"%s\",\"environment\":\"pr\",\"project\":\"p-1\","
                   "\"branch\":\"br-1\"}]",
                   command);
    json_t *answer = ask(connection, "", marks);
    json_t *one = json_incref(json_array_get(json_object_get(answer, "marks"), 0));
    json_decref(answer);
    return one;
}

static void what_the_ledger_does_not_know_is_not_known(void **state)
{
    Support *support = *state;
    static const char *const COMMANDS[] = {UNKNOWN_COMMAND, "no uuid", ""};
    for (size_t i = 0; i < 3; i++) {
        json_t *one = ask_one(support->one, COMMANDS[i]);
        expect(one, "known", "false");
        expect(one, "finished", "false");
        expect(one, "state", "null");
        expect(one, "owner", "null");
        json_decref(one);
    }
    // a stop mark alone is no command
    support_execute(support->one,
                    "INSERT INTO provision.command (application_id, command_id, stop, stopped_by) "
                    "VALUES ('shop', '" COMMAND "', 'cancelled', '" UNKNOWN_COMMAND "')");
    json_t *one = ask_one(support->one, COMMAND);
    expect(one, "known", "false");
    json_decref(one);
}

static void a_mark_may_be_of_another_application(void **state)
{
    Support *support = *state;
    add_command(support->one, COMMAND, "application_id = 'zoo'");
    json_t *own = ask_one(support->one, COMMAND);
    expect(own, "known", "false");
    json_decref(own);
    json_t *answer = ask(support->one, "",
                         "[{\"application\":\"zoo\",\"command\":\"" COMMAND
                         "\",\"environment\":\"pr\",\"project\":\"p-1\",\"branch\":\"br-1\"}]");
    const json_t *theirs = json_array_get(json_object_get(answer, "marks"), 0);
    expect(theirs, "known", "true");
    expect(theirs, "finished", "false");
    json_decref(answer);
}

static void a_command_has_delivered_the_branch_of_its_journal(void **state)
{
    Support *support = *state;
    static const struct {
        const char *set, *delivered;
    } CASES[] = {
        {"journal = '{\"branch_id\":\"br-1\"}'", "true"},
        {"journal = '{\"branch_id\":\"br-2\"}'", "false"},
        {"journal = '{\"project_id\":\"p-1\"}'", "false"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        support_execute(support->one, "TRUNCATE provision.command");
        add_command(support->one, COMMAND, CASES[i].set);
        json_t *one = ask_one(support->one, COMMAND);
        expect(one, "delivered", CASES[i].delivered);
        json_decref(one);
    }
    json_t *one = ask_one(support->one, UNKNOWN_COMMAND);
    expect(one, "delivered", "false");
    json_decref(one);
}

static void a_command_is_about_its_own_environment(void **state)
{
    Support *support = *state;
    static const struct {
        const char *set, *about;
    } CASES[] = {
        {"subject = 'applications/shop/environments/pr'", "true"},
        {"subject = 'applications/shop/environments/pr:1'", "false"},
        {"subject = 'applications/blog/environments/pr'", "false"},
        {"subject = 'applications/shop/accounts/pr'", "false"},
        {"subject = NULL", "false"}, // claimed by a program that didn't write it
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        support_execute(support->one, "TRUNCATE provision.command");
        add_command(support->one, COMMAND, CASES[i].set);
        json_t *one = ask_one(support->one, COMMAND);
        expect(one, "about", CASES[i].about);
        json_decref(one);
    }
    json_t *one = ask_one(support->one, UNKNOWN_COMMAND);
    expect(one, "about", "false");
    json_decref(one);
}

static void what_may_still_appear_is_not_settled(void **state)
{
    Support *support = *state;
    static const struct {
        const char *set, *finished, *settled;
    } CASES[] = {
        {"epoch = 2", "false", "true"},
        {FINISHED, "true", "true"},
        {FINISHED ", unsettled_until = now() + interval '1 min'", "true", "false"},
        {FINISHED ", unsettled_until = now() - interval '1 min'", "true", "true"},
        {FINISHED ", intent_number = 1, intent_status = 'open', intent_step = 's', "
                  "intent_epoch = 1, intent_settles = true, sent_before = now(), "
                  "settled_at = now() + interval '1 min'",
         "true", "false"},
        {FINISHED ", intent_number = 1, intent_status = 'closed', intent_step = 's', "
                  "intent_epoch = 1, intent_settles = true, sent_before = now(), "
                  "settled_at = now() + interval '1 min'",
         "true", "true"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        support_execute(support->one, "TRUNCATE provision.command");
        add_command(support->one, COMMAND, CASES[i].set);
        json_t *one = ask_one(support->one, COMMAND);
        expect(one, "known", "true");
        expect(one, "action", "\"BranchEnvironment\"");
        expect(one, "finished", CASES[i].finished);
        expect(one, "settled", CASES[i].settled);
        json_decref(one);
    }
    add_environment(support->one, "shop", "pr", "ready", "p-2", "br-2");
    support_execute(support->one,
                    "UPDATE provision.environment SET unsettled_until = now() + interval '1 min'");
    json_t *one = ask_one(support->one, COMMAND);
    expect(one, "settled", "false");
    expect(one, "state", "\"ready\"");
    expect(one, "maker", "\"" COMMAND "\"");
    json_decref(one);
}

static void whoever_is_on_it_owns_it(void **state)
{
    Support *support = *state;
    add_command(support->one, COMMAND, FINISHED);
    add_environment(support->one, "shop", "gone", "gone", "p-1", "br-1");
    add_environment(support->one, "shop", "elsewhere", "ready", "p-2", "br-1");
    json_t *one = ask_one(support->one, COMMAND);
    expect(one, "owner", "null");
    expect(one, "inhabitant", "null");
    json_decref(one);
    add_environment(support->one, "blog", "beside", "creating", "p-1", "br-2");
    one = ask_one(support->one, COMMAND);
    expect(one, "owner", "null");
    expect(one, "inhabitant", "\"blog/beside\"");
    json_decref(one);
    add_environment(support->one, "docs", "imported", "failed", "p-1", "br-1");
    one = ask_one(support->one, COMMAND);
    expect(one, "owner", "\"docs/imported\"");
    json_decref(one);
}

static void what_has_expired_is_listed_for_its_account(void **state)
{
    Support *support = *state;
    add_environment(support->one, "shop", "pr:1", "ready", "p-1", "br-1");
    add_environment(support->one, "shop", "pr:2", "ready", "p-1", "br-2");
    add_environment(support->one, "shop", "pr:3", "gone", "p-1", "br-3");
    add_environment(support->one, "shop", "stays", "ready", "p-1", "br-4");
    add_environment(support->one, "blog", "pr:1", "ready", "p-1", "br-5");
    support_execute(support->one,
                    "UPDATE provision.environment SET details = jsonb_build_object("
                    "'expires_at_ms', floor(extract(epoch FROM now()) * 1000)::bigint "
                    "+ CASE environment WHEN 'pr:2' THEN 60000 ELSE -60000 END) "
                    "WHERE environment <> 'stays'");
    json_t *answer = ask(support->one, "main", "[]");
    const json_t *expired = json_object_get(answer, "expired");
    assert_int_equal(json_array_size(expired), 1);
    expect(json_array_get(expired, 0), "environment", "\"pr:1\"");
    expect(json_array_get(expired, 0), "branch_id", "\"br-1\"");
    int64_t expires_at_ms =
        json_integer_value(json_object_get(json_array_get(expired, 0), "expires_at_ms"));
    assert_true(expires_at_ms < json_integer_value(json_object_get(answer, "now_ms")));
    json_decref(answer);
    static const char *const OTHERS[] = {"", "second"};
    for (size_t i = 0; i < 2; i++) {
        answer = ask(support->one, OTHERS[i], "[]");
        expect(answer, "expired", "[]");
        json_decref(answer);
    }
}

static bool is_confirmed(PGconn *connection)
{
    json_t *answer = ask(connection, "", "[]");
    const json_t *present = json_object_get(answer, "present");
    assert_true(json_is_string(present));
    bool same = json_equal(json_object_get(answer, "recorded"), present);
    json_decref(answer);
    return same;
}

static void a_copy_of_the_ledger_is_not_the_one_that_was_confirmed(void **state)
{
    Support *support = *state;
    assert_true(is_confirmed(support->one));
    // as a dump restores it: the same rows in another table
    support_execute(support->one,
                    "CREATE TABLE provision.copied AS SELECT * FROM provision.installation; "
                    "DROP TABLE provision.installation; "
                    "ALTER TABLE provision.copied RENAME TO installation");
    assert_false(is_confirmed(support->one));
    support_execute(support->one, "UPDATE provision.installation SET identity = NULL");
    assert_false(is_confirmed(support->one));
    support_execute(support->one,
                    "UPDATE provision.installation SET identity = provision.identity()");
    assert_true(is_confirmed(support->one));
}

static bool condemn(PGconn *connection, int64_t epoch, const char *branch)
{
    const LedgerCondemn ask = {{"shop", COMMAND, epoch}, "pr", "p-1", branch};
    LedgerBatch batch;
    ledger_condemn_build(&ask, 1, &batch);
    return support_written(connection, &batch);
}

static size_t dependents(PGconn *connection, LedgerDependent *ret_first)
{
    const LedgerDependents ask = {"shop", "pr", "p-1", "", ""};
    LedgerBatch batch;
    ledger_dependents_build(&ask, 1, &batch);
    PGresult *rows = support_run(connection, &batch);
    size_t count = ledger_dependents_decode(rows, 0, ret_first, 1);
    PQclear(rows);
    return count;
}

static void what_is_condemned_shows_for_as_long_as_its_command_runs(void **state)
{
    Support *support = *state;
    LedgerDependent first = {.state = LEDGER_STATE_NONE};
    add_command(support->one, COMMAND, "epoch = 1");
    assert_false(condemn(support->one, 2, "")); // stale
    assert_int_equal(dependents(support->two, &first), 0);
    assert_true(condemn(support->one, 1, "br-1"));
    assert_int_equal(dependents(support->two, &first), 1);
    assert_int_equal(first.state, LEDGER_STATE_DELETING);
    assert_string_equal(first.origin, "branched");
    assert_string_equal(first.branch_id, "br-1");
    assert_string_equal(first.environment, "pr");
    assert_true(condemn(support->one, 1, "")); // once more: the whole project
    assert_int_equal(dependents(support->two, &first), 1);
    assert_string_equal(first.origin, "created");
    support_execute(support->one, "UPDATE provision.command SET " FINISHED);
    assert_int_equal(dependents(support->two, &first), 0);
    assert_false(condemn(support->one, 1, ""));
    support_assert_value(support->one, "SELECT count(*) FROM provision.condemned", "0");
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_the_ledger_does_not_know_is_not_known, support_empty_tables),
        cmocka_unit_test_setup(a_command_is_about_its_own_environment, support_empty_tables),
        cmocka_unit_test_setup(a_mark_may_be_of_another_application, support_empty_tables),
        cmocka_unit_test_setup(a_command_has_delivered_the_branch_of_its_journal,
                               support_empty_tables),
        cmocka_unit_test_setup(what_may_still_appear_is_not_settled, support_empty_tables),
        cmocka_unit_test_setup(whoever_is_on_it_owns_it, support_empty_tables),
        cmocka_unit_test_setup(what_has_expired_is_listed_for_its_account, support_empty_tables),
        cmocka_unit_test_setup(what_is_condemned_shows_for_as_long_as_its_command_runs,
                               support_empty_tables),
        cmocka_unit_test(a_copy_of_the_ledger_is_not_the_one_that_was_confirmed),
    };
    return cmocka_run_group_tests(tests, support_begin, support_end);
}
