#include "support.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "run/migrate.h"

enum { DEADLINE_S = 20 };

const char *const SUPPORT_HOSTILE[] = {
    "",
    "NULL",
    "null",
    "{}",
    "{a,b}",
    "\"",
    "\\",
    "\\\"",
    "it's",
    "'; DROP SCHEMA provision; --",
    "$1",
    "a\tb\nc\rd\x01\x7f",
    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
    "\xef\xbf\xbe\xcc\x81",
    "  spaces  ",
    "\\x00ff",
    "%s%n",
};
const size_t SUPPORT_HOSTILE_COUNT = sizeof(SUPPORT_HOSTILE) / sizeof(SUPPORT_HOSTILE[0]);

void support_require(void)
{
    if (getenv("PROVISION_TEST_LEDGER") == NULL) {
        (void)fprintf(stderr, "PROVISION_TEST_LEDGER is not set\n");
        exit(getenv("CI") == NULL ? SUPPORT_SKIP : EXIT_FAILURE);
    }
}

static PGconn *connect_to(const char *uri)
{
    PGconn *connection = PQconnectdb(uri);
    if (PQstatus(connection) != CONNECTION_OK) {
        fail_msg("%s", PQerrorMessage(connection));
    }
    support_execute(connection, "SET client_min_messages = warning");
    return connection;
}

void support_execute(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(connection));
    }
    PQclear(result);
}

void support_assert_value(PGconn *connection, const char *sql, const char *expected)
{
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
        fail_msg("%s: %d rows %s", sql, PQntuples(result), PQerrorMessage(connection));
    }
    if (expected == NULL) {
        assert_true(PQgetisnull(result, 0, 0));
    } else {
        assert_string_equal(PQgetvalue(result, 0, 0), expected);
    }
    PQclear(result);
}

// The same URI with another database.
static void other_database(const char *uri, const char *database, char *ret_uri)
{
    const char *slash = strrchr(uri, '/');
    assert_non_null(slash);
    (void)snprintf(ret_uri, SUPPORT_URI_BYTES, "%.*s/%s", (int)(slash - uri), uri, database);
}

int support_begin_empty(void **state)
{
    static Support support;
    const char *admin_uri = getenv("PROVISION_TEST_LEDGER");
    if (admin_uri == NULL) {
        fail_msg("call support_require first");
        return 1;
    }
    PGconn *admin = connect_to(admin_uri);
    char sql[128];
    (void)snprintf(support.database, sizeof(support.database), "provision_test_%ld",
                   (long)getpid());
    (void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s", support.database);
    support_execute(admin, sql);
    PQfinish(admin);
    other_database(admin_uri, support.database, support.uri);
    support.one = connect_to(support.uri);
    support.two = connect_to(support.uri);
    *state = &support;
    return 0;
}

int support_begin(void **state)
{
    int status = support_begin_empty(state);
    Error err = ERROR_INIT;
    if (!migrate_run(((Support *)*state)->uri, true, NULL, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
    return status;
}

int support_end(void **state)
{
    Support *support = *state;
    PQfinish(support->one);
    PQfinish(support->two);
    PGconn *admin = connect_to(getenv("PROVISION_TEST_LEDGER"));
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "DROP DATABASE %s WITH (FORCE)", support->database);
    support_execute(admin, sql);
    PQfinish(admin);
    return 0;
}

int support_empty_tables(void **state)
{
    Support *support = *state;
    support_execute(support->one,
                    "TRUNCATE provision.command, provision.environment, "
                    "provision.account, provision.application, provision.role_secret, "
                    "provision.condemned");
    return 0;
}

void support_send(PGconn *connection, LedgerBatch *batch)
{
    assert_int_equal(PQenterPipelineMode(connection), 1);
    for (size_t i = 0; i < batch->count; i++) {
        const LedgerStatement *statement = &batch->statements[i];
        const char *values[LEDGER_PARAMS_MAX];
        for (size_t p = 0; p < statement->param_count; p++) {
            values[p] = text_get(&statement->params[p]);
        }
        assert_int_equal(PQsendQueryParams(connection, statement->sql, (int)statement->param_count,
                                           NULL, values, NULL, NULL, 0),
                         1);
    }
    assert_int_equal(PQpipelineSync(connection), 1);
    assert_int_equal(PQflush(connection), 0);
    ledger_batch_clear(batch);
}

static char failure[8];

static bool is_done(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_FATAL_ERROR) {
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        (void)snprintf(failure, sizeof(failure), "%s", sqlstate == NULL ? "" : sqlstate);
        print_message("%s", PQresultErrorMessage(result));
    }
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

PGresult *support_receive(PGconn *connection, size_t statements, size_t answer)
{
    PGresult *kept = NULL;
    bool done = true;
    for (size_t i = 0; i < statements; i++) {
        PGresult *result = PQgetResult(connection);
        done = is_done(result) && done;
        if (i == answer) {
            kept = result;
        } else {
            PQclear(result);
        }
        assert_null(PQgetResult(connection));
    }
    PGresult *sync = PQgetResult(connection);
    assert_int_equal(PQresultStatus(sync), PGRES_PIPELINE_SYNC);
    PQclear(sync);
    assert_int_equal(PQexitPipelineMode(connection), 1);
    if (!done) {
        PQclear(kept);
        kept = NULL;
    }
    return kept;
}

PGresult *support_run(PGconn *connection, LedgerBatch *batch)
{
    size_t count = batch->count;
    size_t answer = batch->answer;
    support_send(connection, batch);
    PGresult *rows = support_receive(connection, count, answer);
    assert_non_null(rows);
    return rows;
}

void support_run_failing(PGconn *connection, LedgerBatch *batch, const char *sqlstate)
{
    size_t count = batch->count;
    size_t answer = batch->answer;
    support_send(connection, batch);
    assert_null(support_receive(connection, count, answer));
    assert_string_equal(failure, sqlstate);
}

void support_await_blocked(PGconn *watcher, PGconn *waiter, PGconn *holder)
{
    char sql[128];
    (void)snprintf(sql, sizeof(sql), "SELECT %d = ANY (pg_blocking_pids(%d))", PQbackendPID(holder),
                   PQbackendPID(waiter));
    time_t deadline = time(NULL) + DEADLINE_S;
    for (;;) {
        PGresult *result = PQexec(watcher, sql);
        bool blocked = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
        PQclear(result);
        if (blocked) {
            return;
        }
        assert_true(time(NULL) < deadline);
        (void)poll(NULL, 0, 1);
    }
}

LedgerClaim support_claim(size_t i)
{
    static char ids[SUPPORT_BATCH][UUID_TEXT_BYTES];
    static char environments[SUPPORT_BATCH][NAME_ENVIRONMENT_BYTES];
    static const uint8_t DIGEST[CRYPTO_SHA256_BYTES] = {1};
    static const uint8_t SPEC[CRYPTO_SHA256_BYTES] = {2};
    assert_true(i < SUPPORT_BATCH);
    (void)snprintf(ids[i], sizeof(ids[i]), "00000000-0000-4000-8000-%012zu", i);
    (void)snprintf(environments[i], sizeof(environments[i]), "env-%zu", i);
    return (LedgerClaim){
        .application_id = "shop",
        .command_id = ids[i],
        .digest = DIGEST,
        .action = "CreateEnvironment",
        .partition = 3,
        .offset = (int64_t)i,
        .timestamp_ms = 1700000000000,
        .environment = environments[i],
        .source_environment = "",
        .account = "",
        .reserve = true,
        .origin = "created",
        .spec_digest = SPEC,
        .subject = "applications/shop/environments/x",
        .worker = "one",
    };
}

LedgerKey support_key(size_t i, int64_t epoch)
{
    LedgerClaim claim = support_claim(i);
    return (LedgerKey){claim.application_id, claim.command_id, epoch};
}

void support_take(PGconn *connection, const LedgerClaim *claims, size_t count,
                  LedgerClaimed *ret_claimed)
{
    LedgerBatch batch;
    Error err = ERROR_INIT;
    ledger_claim_build(claims, count, &batch);
    PGresult *rows = support_run(connection, &batch);
    if (!ledger_claim_decode(rows, ret_claimed, count, &err)) {
        fail_msg("%s: %s", err.code, err.text);
    }
    PQclear(rows);
}

int64_t support_take_one(PGconn *connection, size_t i)
{
    LedgerClaim claim = support_claim(i);
    LedgerClaimed claimed = {.answered = false};
    support_take(connection, &claim, 1, &claimed);
    assert_true(claimed.answered);
    assert_int_equal(claimed.result, LEDGER_CLAIM_TAKEN);
    int64_t epoch = claimed.epoch;
    ledger_claimed_clear(&claimed);
    return epoch;
}

bool support_written(PGconn *connection, LedgerBatch *batch)
{
    bool written;
    Error err = ERROR_INIT;
    PGresult *rows = support_run(connection, batch);
    assert_true(ledger_written_decode(rows, &written, 1, &err));
    PQclear(rows);
    return written;
}

bool support_conclude(PGconn *connection, const LedgerConclude *conclude)
{
    LedgerBatch batch;
    ledger_conclude_build(conclude, 1, &batch);
    return support_written(connection, &batch);
}

LedgerConclude support_conclude_environment(size_t i, int64_t epoch, int64_t sequence)
{
    return (LedgerConclude){
        .key = support_key(i, epoch),
        .journal = "{\"end\": true}",
        .outcome = {(const uint8_t *)"\0o\\'", 4},
        .sequence = sequence,
        .environment = support_claim(i).environment,
        .state = LEDGER_STATE_READY,
        .account = "main",
        .project_id = "p-1",
        .branch_id = "br-1",
        .endpoint_id = "ep-1",
        .details = "{\"host\": \"h\"}",
        .key_kind = "",
        .neon_account_id = "",
        .org_id = "",
        .account_project_id = "",
    };
}

LedgerConclude support_conclude_account(size_t i, int64_t epoch, int64_t sequence)
{
    LedgerConclude conclude = support_conclude_environment(i, epoch, sequence);
    conclude.environment = "";
    conclude.writes_account = true;
    conclude.sealed_key = (Bytes){(const uint8_t *)"\1\2\3", 3};
    conclude.key_kind = "organization";
    conclude.neon_account_id = "acc";
    conclude.org_id = "org";
    return conclude;
}
