// In a ledger that holds thousands of environments and commands of one application, a statement
// reads what it is about and a handful of rows besides.
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "ledger/secrets.h"
#include "ledger/sweep.h"
#include "support.h"

enum { ROWS_MOST = 16 };

// Half of the commands have ended, of these half are published; one project has most branches.
static const char *const CROWD[] = {
    "INSERT INTO provision.environment (application_id, environment, state, origin, command_id, "
    "action, spec_digest, account, project_id, branch_id) SELECT 'shop', 'crowd-' || n, "
    "(ARRAY['ready', 'gone', 'failed'])[1 + n % 3], 'created', gen_random_uuid(), "
    "'CreateEnvironment', decode(repeat('00', 32), 'hex'), 'main', 'p-' || n, 'br-' || n "
    "FROM generate_series(10, 5000) AS n",
    "INSERT INTO provision.role_secret (application_id, environment, role, sealed_password) "
    "SELECT application_id, environment, 'web', 'x' FROM provision.environment",
    "INSERT INTO provision.command (application_id, command_id, digest, action, partition, "
    "record_offset, record_timestamp_ms, epoch, status, outcome, finished_at, published_at, stop, "
    "stopped_by) SELECT 'shop', gen_random_uuid(), decode(repeat('01', 32), 'hex'), "
    "'CreateEnvironment', 0, n, 0, 1, CASE WHEN n % 2 = 0 THEN 'finished' ELSE 'running' END, "
    "CASE WHEN n % 2 = 0 THEN 'o'::bytea END, CASE WHEN n % 2 = 0 THEN now() END, "
    "CASE WHEN n % 4 = 0 THEN now() END, CASE WHEN n % 5 = 0 THEN 'cancelled' END, "
    "CASE WHEN n % 5 = 0 THEN gen_random_uuid() END FROM generate_series(1, 5000) AS n",
    "INSERT INTO provision.account (application_id, account, sealed_key, sequence) "
    "SELECT 'shop', 'account-' || n, 'x', 1 FROM generate_series(1, 5000) AS n",
    "INSERT INTO provision.application (application_id) SELECT 'shop-' || n "
    "FROM generate_series(1, 5000) AS n",
};

static int fill(void **state)
{
    int status = support_begin(state);
    const Support *support = *state;
    for (size_t i = 0; i < sizeof(CROWD) / sizeof(CROWD[0]); i++) {
        support_execute(support->one, CROWD[i]);
    }
    support_execute(support->one, "VACUUM ANALYZE");
    // "-c name=value -c …"
    char options[] = LEDGER_SESSION_OPTIONS;
    char *rest = options;
    char *word = NULL;
    while ((word = strtok_r(rest, " ", &rest)) != NULL) {
        char sql[128];
        (void)snprintf(sql, sizeof(sql), "SET %s", word);
        if (strcmp(word, "-c") != 0) {
            support_execute(support->one, sql);
        }
    }
    return status;
}

static void build_claim(const LedgerKey *key, LedgerBatch *batch)
{
    LedgerClaim claim = support_claim(2);
    (void)key;
    claim.source_environment = "crowd-20";
    ledger_claim_build(&claim, 1, batch);
}

static void build_open(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerOpen open = {.key = *key, .step = "s", .settles = true, .journal = "{}"};
    ledger_open_build(&open, 1, batch);
}

static void build_close(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerClose close = {.key = *key, .number = 1, .result = "{}", .journal = "{}"};
    ledger_close_build(&close, 1, batch);
}

static void build_save(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerSave save = {.key = *key, .journal = "{}"};
    ledger_save_build(&save, 1, batch);
}

static void build_look(const LedgerKey *key, LedgerBatch *batch)
{
    ledger_look_build(key, 1, batch);
}

static void build_note(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerNote note = {.key = *key, .step = "s", .waiting_for = "operation"};
    ledger_note_build(&note, 1, batch);
}

static void build_mark(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerMark mark = {*key, "env-1", LEDGER_STATE_DELETING, "", "p-1", ""};
    ledger_mark_build(&mark, 1, batch);
}

static void build_dependents(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerDependents ask = {key->application_id, "env-1", "p-20", "", ""};
    ledger_dependents_build(&ask, 1, batch);
}

static void build_stop(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerStop stop = {
        key->application_id, support_claim(3).command_id, key->command_id, "cancelled", "", ""};
    ledger_stop_build(&stop, 1, batch);
}

static void build_condemn(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerCondemn condemn = {*key, "env-1", "p-1", "br-1"};
    ledger_condemn_build(&condemn, 1, batch);
}

static void build_secrets(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerSecrets secrets = {*key, "env-1", 1, "[{\"role\": \"web\", \"sealed\": \"00\"}]"};
    ledger_secrets_build(&secrets, 1, batch);
}

static void build_keep(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerKeep keep = {*key, "env-1", "[\"web\"]"};
    ledger_keep_build(&keep, 1, batch);
}

static void build_passwords(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerPasswords ask = {key->application_id, "crowd-20", ""};
    ledger_passwords_build(&ask, 1, batch);
}

static void build_conclude(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerConclude conclude = support_conclude_environment(1, key->epoch, 1);
    ledger_conclude_build(&conclude, 1, batch);
}

static void build_conclude_account(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerConclude conclude = support_conclude_account(1, key->epoch, 1);
    ledger_conclude_build(&conclude, 1, batch);
}

static void build_published(const LedgerKey *key, LedgerBatch *batch)
{
    const LedgerPublished published = {key->application_id, key->command_id};
    ledger_published_build(&published, 1, batch);
}

static const struct {
    const char *name;
    void (*build)(const LedgerKey *key, LedgerBatch *batch);
} STATEMENTS[] = {
    {"claim", build_claim},
    {"open", build_open},
    {"close", build_close},
    {"save", build_save},
    {"look", build_look},
    {"note", build_note},
    {"mark", build_mark},
    {"dependents", build_dependents},
    {"stop", build_stop},
    {"condemn", build_condemn},
    {"secrets", build_secrets},
    {"keep", build_keep},
    {"passwords", build_passwords},
    {"conclude", build_conclude},
    {"conclude an account", build_conclude_account},
    {"published", build_published},
};

// Rows that the transaction has read so far.
static int64_t rows_read(PGconn *connection)
{
    PGresult *result =
        PQexec(connection, "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) "
                           "FROM pg_stat_xact_user_tables WHERE schemaname = 'provision'");
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    int64_t rows = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return rows;
}

static void no_statement_reads_the_crowd(void **state)
{
    const Support *support = *state;
    const LedgerKey key = support_key(1, support_take_one(support->one, 1));
    for (size_t i = 0; i < sizeof(STATEMENTS) / sizeof(STATEMENTS[0]); i++) {
        LedgerBatch batch;
        support_execute(support->one, "BEGIN");
        int64_t before = rows_read(support->one);
        STATEMENTS[i].build(&key, &batch);
        PQclear(support_run(support->one, &batch));
        int64_t read = rows_read(support->one) - before;
        print_message("%-20s %3lld rows read\n", STATEMENTS[i].name, (long long)read);
        if (read > ROWS_MOST) {
            fail_msg("%s read %lld rows", STATEMENTS[i].name, (long long)read);
        }
        support_execute(support->one, "ROLLBACK");
    }
}

int main(void)
{
    support_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_statement_reads_the_crowd),
    };
    return cmocka_run_group_tests(tests, fill, support_end);
}
