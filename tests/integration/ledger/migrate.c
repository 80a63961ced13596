#include "run/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger/schema.h"
#include "support.h"

enum { STARTERS = 6 };

static int drop_schema(void **state)
{
    Support *support = *state;
    support_execute(support->one, "DROP SCHEMA IF EXISTS provision CASCADE");
    return 0;
}

static int make_schema(void **state)
{
    Support *support = *state;
    (void)drop_schema(state);
    assert_true(migrate_run(support->uri, true, NULL, NULL));
    return 0;
}

// What a run says, to compare with; freed by the caller.
static char *said_by_run(const char *uri, bool apply)
{
    char *said = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&said, &size);
    Error err = ERROR_INIT;
    if (!migrate_run(uri, apply, out, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
    (void)fclose(out);
    return said;
}

static void assert_refused(const char *uri, const char *run_code, const char *check_code)
{
    Error err = ERROR_INIT;
    char id[UUID_TEXT_BYTES];
    if (run_code != NULL) {
        assert_false(migrate_run(uri, true, NULL, &err));
        assert_string_equal(err.code, run_code);
    }
    assert_false(migrate_check(uri, id, &err));
    assert_string_equal(err.code, check_code);
    assert_null(strstr(err.text, "s3cret"));
}

static void a_run_applies_each_migration_once_and_names_it(void **state)
{
    Support *support = *state;
    char *said = said_by_run(support->uri, true);
    assert_string_equal(said, "applied 001_initial\napplied 002_progress\napplied "
                              "003_stop_marks\napplied 004_role_secrets\napplied 005_sweep\n"
                              "applied 006_statistics\n");
    free(said);
    said = said_by_run(support->uri, true);
    assert_string_equal(said, "");
    free(said);
    support_assert_value(support->one,
                         "SELECT name || ' ' || length(checksum) FROM provision.schema_migration "
                         "WHERE version = 1",
                         "initial 64");
}

static void a_dry_run_says_what_it_would_do_and_does_nothing(void **state)
{
    Support *support = *state;
    char *said = said_by_run(support->uri, false);
    assert_string_equal(said,
                        "would apply 001_initial\nwould apply 002_progress\nwould apply "
                        "003_stop_marks\nwould apply 004_role_secrets\nwould apply 005_sweep\n"
                        "would apply 006_statistics\n");
    free(said);
    support_assert_value(support->one, "SELECT to_regnamespace('provision')", NULL);
}

static void the_installation_has_one_id_for_good(void **state)
{
    Support *support = *state;
    char first[UUID_TEXT_BYTES];
    char again[UUID_TEXT_BYTES];
    Error err = ERROR_INIT;
    assert_true(migrate_check(support->uri, first, &err));
    assert_true(uuid_is_valid(first));
    assert_true(migrate_run(support->uri, true, NULL, &err));
    assert_true(migrate_check(support->uri, again, &err));
    assert_string_equal(first, again);
    support_execute(support->one, "DELETE FROM provision.installation");
    assert_refused(support->uri, NULL, "LEDGER_ROW_INVALID");
}

static void a_ledger_without_schema_asks_for_migrate(void **state)
{
    Support *support = *state;
    char id[UUID_TEXT_BYTES];
    Error err = ERROR_INIT;
    assert_false(migrate_check(support->uri, id, &err));
    assert_string_equal(err.code, "SCHEMA_TOO_OLD");
    assert_non_null(strstr(err.text, "provision-worker migrate"));
    support_assert_value(support->one, "SELECT to_regnamespace('provision')", NULL);
}

// What the first version left: its table of migrations, its schema, a command that runs.
static void make_first_version(Support *support)
{
    size_t count;
    const SchemaMigration *first = schema_migrations(&count);
    support_execute(support->one,
                    "CREATE SCHEMA provision; CREATE TABLE provision.schema_migration (version "
                    "integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, runs_with "
                    "integer NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
    support_execute(support->one, first->sql);
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO provision.schema_migration VALUES (1, '%s', '%s', %d)", first->name,
                   first->checksum, first->runs_with);
    support_execute(support->one, sql);
    support_execute(support->one,
                    "INSERT INTO provision.command (application_id, command_id, digest, action, "
                    "partition, record_offset, record_timestamp_ms, epoch) VALUES ('shop', "
                    "'00000000-0000-4000-8000-000000000001', sha256('x'), 'CreateEnvironment', 3, "
                    "1, 1, 4)");
}

static void a_ledger_of_the_first_version_is_brought_up_with_what_it_holds(void **state)
{
    Support *support = *state;
    make_first_version(support);
    Error err = ERROR_INIT;
    char installation[UUID_TEXT_BYTES];
    assert_false(migrate_check(support->uri, installation, &err));
    assert_string_equal(err.code, "SCHEMA_TOO_OLD");
    char *said = said_by_run(support->uri, true);
    assert_string_equal(said, "applied 002_progress\napplied 003_stop_marks\napplied "
                              "004_role_secrets\napplied 005_sweep\napplied 006_statistics\n");
    free(said);
    assert_true(migrate_check(support->uri, installation, &err));
    support_assert_value(
        support->one,
        "SELECT epoch || ' ' || (worker IS NULL AND subject IS NULL AND progress_at IS NULL AND "
        "waiting_for IS NULL) FROM provision.command",
        "4 true");
    // a worker of the first version still claims, one of this version takes over
    support_execute(support->one, "UPDATE provision.command SET epoch = 5");
    LedgerClaim claim = support_claim(1);
    static const char DIGEST[] = "SELECT encode(sha256('x'), 'hex')";
    uint8_t digest[CRYPTO_SHA256_BYTES];
    PGresult *hex = PQexec(support->one, DIGEST);
    assert_true(crypto_hex_decode(PQgetvalue(hex, 0, 0), digest, sizeof(digest)));
    PQclear(hex);
    claim.digest = digest;
    LedgerClaimed claimed = {.answered = false};
    support_take(support->one, &claim, 1, &claimed);
    assert_int_equal(claimed.result, LEDGER_CLAIM_TAKEN);
    assert_int_equal(claimed.epoch, 6);
    ledger_claimed_clear(&claimed);
    support_assert_value(support->one, "SELECT worker FROM provision.command", "one");
}

static const char IDENTITY[] = "SELECT coalesce((identity = provision.identity())::text, 'none') "
                               "|| ' ' || (confirmed_at IS NOT NULL) FROM provision.installation";

// As it was before 005: what it holds may be all that a backup knew.
static void upgrade_from_four(Support *support, const char *row)
{
    assert_true(migrate_run(support->uri, true, NULL, NULL));
    support_execute(support->one,
                    "DELETE FROM provision.schema_migration WHERE version >= 5; "
                    "DROP TABLE provision.condemned; DROP FUNCTION provision.identity(); "
                    "ALTER TABLE provision.installation DROP COLUMN identity, "
                    "DROP COLUMN confirmed_at, DROP COLUMN swept_at");
    support_execute(support->one, row);
    char *said = said_by_run(support->uri, true);
    assert_string_equal(said, "applied 005_sweep\napplied 006_statistics\n");
    free(said);
}

static void a_ledger_that_knows_something_already_is_not_confirmed_by_migrating(void **state)
{
    Support *support = *state;
    static const char *const ROWS[] = {
        "INSERT INTO provision.command (application_id, command_id, digest, action, partition, "
        "record_offset, record_timestamp_ms, epoch) VALUES ('shop', "
        "'00000000-0000-4000-8000-000000000001', sha256('x'), 'CreateEnvironment', 3, 1, 1, 4)",
        "INSERT INTO provision.environment (application_id, environment, state, origin, "
        "command_id, action, spec_digest) VALUES ('shop', 'live', 'ready', 'created', "
        "'00000000-0000-4000-8000-000000000001', 'CreateEnvironment', sha256('x'))",
        "INSERT INTO provision.account (application_id, account) VALUES ('shop', 'main')",
    };
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        (void)drop_schema(state);
        upgrade_from_four(support, ROWS[i]);
        support_assert_value(support->one, IDENTITY, "none false");
    }
    (void)drop_schema(state);
    upgrade_from_four(support, "SELECT 'nothing'");
    support_assert_value(support->one, IDENTITY, "true true");
}

static void a_migration_that_was_changed_is_refused(void **state)
{
    Support *support = *state;
    support_execute(support->one, "UPDATE provision.schema_migration SET checksum = 'x'");
    assert_refused(support->uri, "MIGRATION_CHANGED", "MIGRATION_CHANGED");
}

static void a_later_schema_is_refused(void **state)
{
    Support *support = *state;
    support_execute(support->one,
                    "INSERT INTO provision.schema_migration VALUES (999, 'x', 'y', 999)");
    assert_refused(support->uri, "SCHEMA_TOO_NEW", "SCHEMA_TOO_NEW");
}

static void a_later_schema_that_says_it_runs_with_this_program_is_fine(void **state)
{
    Support *support = *state;
    Error err = ERROR_INIT;
    char installation[UUID_TEXT_BYTES];
    support_execute(support->one,
                    "INSERT INTO provision.schema_migration VALUES (999, 'x', 'y', 1)");
    assert_true(migrate_run(support->uri, true, NULL, &err));
    assert_true(migrate_check(support->uri, installation, &err));
}

static void a_migration_that_fails_leaves_nothing_of_itself(void **state)
{
    Support *support = *state;
    support_execute(support->one, "CREATE SCHEMA provision; CREATE TABLE provision.role_secret ()");
    Error err = ERROR_INIT;
    assert_false(migrate_run(support->uri, true, NULL, &err));
    assert_string_equal(err.code, "MIGRATION_FAILED");
    assert_non_null(strstr(err.text, "001_initial"));
    support_assert_value(support->one, "SELECT to_regclass('provision.installation')", NULL);
    support_assert_value(support->one, "SELECT count(*) FROM provision.schema_migration", "0");
    support_execute(support->one, "DROP TABLE provision.role_secret");
    assert_true(migrate_run(support->uri, true, NULL, &err));
}

static void a_ledger_that_may_lose_commits_is_refused(void **state)
{
    Support *support = *state;
    char sql[256];
    (void)snprintf(sql, sizeof(sql), "ALTER DATABASE %s SET synchronous_commit = off",
                   support->database);
    support_execute(support->one, sql);
    assert_refused(support->uri, "LEDGER_NOT_DURABLE", "LEDGER_NOT_DURABLE");
    (void)snprintf(sql, sizeof(sql), "ALTER DATABASE %s RESET synchronous_commit",
                   support->database);
    support_execute(support->one, sql);
}

static void a_role_without_rights_is_told_so(void **state)
{
    Support *support = *state;
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "CREATE ROLE %s LOGIN PASSWORD 's3cret'; REVOKE ALL ON DATABASE %s FROM PUBLIC; "
                   "GRANT CONNECT ON DATABASE %s TO %s",
                   support->database, support->database, support->database, support->database);
    support_execute(support->one, sql);
    char uri[SUPPORT_URI_BYTES];
    const char *host = strchr(support->uri, '@');
    assert_non_null(host);
    (void)snprintf(uri, sizeof(uri), "postgresql://%s:s3cret%s", support->database, host);
    assert_refused(uri, "LEDGER_REFUSED", "SCHEMA_TOO_OLD");
    (void)snprintf(uri, sizeof(uri), "postgresql://%s:s3cret2%s", support->database, host);
    assert_refused(uri, "LEDGER_UNAVAILABLE", "LEDGER_UNAVAILABLE");
    (void)snprintf(sql, sizeof(sql), "DROP OWNED BY %s; DROP ROLE %s", support->database,
                   support->database);
    support_execute(support->one, sql);
}

static void a_uri_whose_password_breaks_it_is_refused_without_repeating_it(void **state)
{
    (void)state;
    static const char *const URIS[] = {
        "postgresql://u:s3cret@s3cret@127.0.0.1:1/db",
        "postgresql://u:p/s3cret@127.0.0.1:1/db",
        "postgresql://u:s3cret%zz@127.0.0.1:1/db",
        "host=127.0.0.1 passwort=s3cret",
        "s3cret",
    };
    for (size_t i = 0; i < sizeof(URIS) / sizeof(URIS[0]); i++) {
        assert_refused(URIS[i], "LEDGER_URI_INVALID", "LEDGER_URI_INVALID");
    }
    assert_refused("postgresql://u:s3cret@127.0.0.1:1/db", "LEDGER_UNAVAILABLE",
                   "LEDGER_UNAVAILABLE");
}

// Each starter is a process; all are let go at once by closing the pipe that they read.
static pid_t start(const char *uri, const int gate[2])
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char byte;
        (void)close(gate[1]);
        ssize_t end = read(gate[0], &byte, 1);
        char id[UUID_TEXT_BYTES];
        bool done = end == 0 && migrate_run(uri, true, NULL, NULL) && migrate_check(uri, id, NULL);
        _exit(done ? 0 : 1);
    }
    return pid;
}

static void many_workers_may_start_at_once(void **state)
{
    Support *support = *state;
    int gate[2];
    pid_t starters[STARTERS];
    assert_int_equal(pipe(gate), 0);
    for (size_t i = 0; i < STARTERS; i++) {
        starters[i] = start(support->uri, gate);
    }
    (void)close(gate[0]);
    (void)close(gate[1]);
    for (size_t i = 0; i < STARTERS; i++) {
        int status;
        assert_int_equal(waitpid(starters[i], &status, 0), starters[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    support_assert_value(support->one, "SELECT count(*) FROM provision.schema_migration", "6");
    support_assert_value(support->one, "SELECT count(*) FROM provision.installation", "1");
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_run_applies_each_migration_once_and_names_it, drop_schema),
        cmocka_unit_test_setup(a_dry_run_says_what_it_would_do_and_does_nothing, drop_schema),
        cmocka_unit_test_setup(the_installation_has_one_id_for_good, make_schema),
        cmocka_unit_test_setup(a_ledger_without_schema_asks_for_migrate, drop_schema),
        cmocka_unit_test_setup(a_ledger_of_the_first_version_is_brought_up_with_what_it_holds,
                               drop_schema),
        cmocka_unit_test_setup(a_ledger_that_knows_something_already_is_not_confirmed_by_migrating,
                               drop_schema),
        cmocka_unit_test_setup(a_migration_that_was_changed_is_refused, make_schema),
        cmocka_unit_test_setup(a_later_schema_is_refused, make_schema),
        cmocka_unit_test_setup(a_later_schema_that_says_it_runs_with_this_program_is_fine,
                               make_schema),
        cmocka_unit_test_setup(a_migration_that_fails_leaves_nothing_of_itself, drop_schema),
        cmocka_unit_test_setup(a_ledger_that_may_lose_commits_is_refused, make_schema),
        cmocka_unit_test_setup(a_role_without_rights_is_told_so, drop_schema),
        cmocka_unit_test(a_uri_whose_password_breaks_it_is_refused_without_repeating_it),
        cmocka_unit_test_setup(many_workers_may_start_at_once, drop_schema),
    };
    return cmocka_run_group_tests(tests, support_begin_empty, support_end);
}
