#include <stdlib.h>
#include <string.h>

#include "ledger/ledger.h"
#include "rows.h"

static const uint8_t DIGEST[CRYPTO_SHA256_BYTES] = {1};

static LedgerClaim claim_of(const char *command_id, bool reserve)
{
    return (LedgerClaim){
        .application_id = "shop",
        .command_id = command_id,
        .digest = DIGEST,
        .action = "CreateEnvironment",
        .partition = 1,
        .offset = 2,
        .environment = reserve ? "main" : "",
        .source_environment = "",
        .account = "",
        .reserve = reserve,
        .origin = "created",
        .spec_digest = DIGEST,
        .subject = "applications/shop",
        .worker = "one-7",
    };
}

static void claims_are_taken_reserved_and_read_in_this_order(void **state)
{
    (void)state;
    const LedgerClaim claims[] = {claim_of("a", false), claim_of("b", true), claim_of("c", true)};
    LedgerBatch batch;
    ledger_claim_build(claims, 3, &batch);
    assert_int_equal(batch.count, 3);
    assert_int_equal(batch.answer, 2);
    assert_non_null(strstr(batch.statements[0].sql, "INSERT INTO provision.command"));
    assert_string_equal(text_get(&batch.statements[0].params[1]), "{\"a\",\"b\",\"c\"}");
    assert_string_equal(text_get(&batch.statements[0].params[8]),
                        "{\"one-7\",\"one-7\",\"one-7\"}");
    assert_non_null(strstr(batch.statements[1].sql, "INSERT INTO provision.environment"));
    assert_string_equal(text_get(&batch.statements[1].params[1]), "{\"b\",\"c\"}");
    assert_string_equal(text_get(&batch.statements[2].params[1]), "{\"a\",\"b\",\"c\"}");
    ledger_batch_clear(&batch);
}

static void nothing_is_reserved_where_nobody_asks(void **state)
{
    (void)state;
    const LedgerClaim claim = claim_of("a", false);
    LedgerBatch batch;
    ledger_claim_build(&claim, 1, &batch);
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.answer, 1);
    ledger_batch_clear(&batch);
}

#define DIGEST_HEX "0a00000000000000000000000000000000000000000000000000000000000000"
#define ID "00000000-0000-4000-8000-000000000001"
#define NO_ENVIRONMENT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL

static const char *const TAKEN[] = {"2", "taken", "4", "5", "6", "superseded", ID, "t",
                                    "{\"code\": \"X\"}", "{\"a\": 1}",
                                    // intent
                                    "open", "create_project", "7", "3", "t", "1500", "{\"r\": 1}",
                                    // the rest of the command
                                    "2500", "1", "3", NULL, NULL, "f",
                                    // environment
                                    "creating", "main", "created", ID, "CreateEnvironment",
                                    DIGEST_HEX, "acc", "p", "br", "ep", "{\"left\": []}", "9", "-5",
                                    // source
                                    NO_ENVIRONMENT,
                                    // account
                                    "t", "acc", "0102", "project", "neon", "org", "p", "8",
                                    // subject_sequence, now, timestamp, preview base
                                    "9", "1700000000000", "1600000000000", "staging"};

static const char *const FINISHED[] = {
    "1",  "finished", "1",    "5",  "6",  NULL,           NULL,           "f",  NULL,
    "{}", NULL,       NULL,   "0",  NULL, NULL,           NULL,           NULL, NULL,
    "0",  "0",        "00ff", "3",  "t",  NO_ENVIRONMENT, NO_ENVIRONMENT, NULL, NULL,
    NULL, NULL,       NULL,   NULL, NULL, NULL,           NULL,           "1",  "2",
    NULL};

static void assert_taken(const LedgerClaimed *claimed)
{
    assert_true(claimed->answered && claimed->undoing && claimed->had_intent);
    assert_int_equal(claimed->result, LEDGER_CLAIM_TAKEN);
    assert_int_equal(claimed->epoch, 4);
    assert_int_equal(claimed->partition, 5);
    assert_int_equal(claimed->offset, 6);
    assert_string_equal(claimed->stop, "superseded");
    assert_string_equal(claimed->stopped_by, ID);
    assert_int_equal(json_object_size(claimed->first_error), 1);
    assert_int_equal(json_object_size(claimed->journal), 1);
    assert_int_equal(claimed->intent.status, LEDGER_INTENT_OPEN);
    assert_string_equal(claimed->intent.step, "create_project");
    assert_int_equal(claimed->intent.number, 7);
    assert_int_equal(claimed->intent.epoch, 3);
    assert_true(claimed->intent.settles);
    assert_int_equal(claimed->intent.settled_in_ms, 1500);
    assert_non_null(claimed->intent.result);
    assert_int_equal(claimed->unsettled_in_ms, 2500);
    assert_int_equal(claimed->abandoned, 1);
    assert_int_equal(claimed->takeovers, 3);
    assert_int_equal(claimed->outcome.size, 0);
    assert_int_equal(claimed->subject_sequence, 9);
    assert_int_equal(claimed->now_ms, 1700000000000);
    assert_int_equal(claimed->timestamp_ms, 1600000000000);
    assert_string_equal(claimed->preview_base, "staging");
}

static void assert_context(const LedgerClaimed *claimed)
{
    const LedgerEnvironment *environment = &claimed->environment;
    assert_int_equal(environment->state, LEDGER_STATE_CREATING);
    assert_string_equal(environment->environment, "main");
    assert_string_equal(environment->origin, "created");
    assert_string_equal(environment->command_id, ID);
    assert_string_equal(environment->action, "CreateEnvironment");
    assert_int_equal(environment->spec_digest[0], 10);
    assert_string_equal(environment->account, "acc");
    assert_string_equal(environment->project_id, "p");
    assert_string_equal(environment->branch_id, "br");
    assert_string_equal(environment->endpoint_id, "ep");
    assert_non_null(json_object_get(environment->details, "left"));
    assert_int_equal(environment->sequence, 9);
    assert_int_equal(environment->unsettled_in_ms, -5);
    assert_int_equal(claimed->source.state, LEDGER_STATE_NONE);
    assert_int_equal(json_object_size(claimed->source.details), 0);
    assert_true(claimed->account.found);
    assert_string_equal(claimed->account.account, "acc");
    assert_int_equal(claimed->account.sealed_key.size, 2);
    assert_string_equal(claimed->account.key_kind, "project");
    assert_string_equal(claimed->account.neon_account_id, "neon");
    assert_string_equal(claimed->account.org_id, "org");
    assert_string_equal(claimed->account.project_id, "p");
    assert_int_equal(claimed->account.sequence, 8);
}

static void rows_are_matched_by_their_ordinal(void **state)
{
    (void)state;
    PGresult *rows = rows_of(TAKEN, ROWS_COUNT(TAKEN));
    rows_append(rows, FINISHED, ROWS_COUNT(FINISHED));
    LedgerClaimed *claimed = calloc(3, sizeof(*claimed));
    Error err = ERROR_INIT;
    assert_true(ledger_claim_decode(rows, claimed, 3, &err));
    assert_taken(&claimed[1]);
    assert_context(&claimed[1]);
    assert_true(claimed[0].answered && claimed[0].published);
    assert_int_equal(claimed[0].result, LEDGER_CLAIM_FINISHED);
    assert_int_equal(claimed[0].outcome.size, 2);
    assert_int_equal(claimed[0].outcome_sequence, 3);
    assert_false(claimed[0].had_intent || claimed[0].account.found);
    assert_false(claimed[2].answered);
    // Decoding again frees what was there.
    assert_true(ledger_claim_decode(rows, claimed, 3, &err));
    for (size_t i = 0; i < 3; i++) {
        ledger_claimed_clear(&claimed[i]);
        assert_false(claimed[i].answered);
    }
    free(claimed);
    PQclear(rows);
}

static void another_digest_is_a_reused_id_and_another_word_an_error(void **state)
{
    (void)state;
    const char *values[ROWS_COUNT(FINISHED)];
    memcpy(values, FINISHED, sizeof(FINISHED));
    LedgerClaimed *claimed = calloc(1, sizeof(*claimed));
    Error err = ERROR_INIT;
    values[1] = "reused";
    PGresult *rows = rows_of(values, ROWS_COUNT(values));
    assert_true(ledger_claim_decode(rows, claimed, 1, &err));
    assert_int_equal(claimed->result, LEDGER_CLAIM_REUSED);
    PQclear(rows);
    values[1] = "lost";
    rows = rows_of(values, ROWS_COUNT(values));
    assert_false(ledger_claim_decode(rows, claimed, 1, &err));
    assert_non_null(strstr(err.text, "column 2"));
    PQclear(rows);
    ledger_claimed_clear(claimed);
    free(claimed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_are_taken_reserved_and_read_in_this_order),
        cmocka_unit_test(nothing_is_reserved_where_nobody_asks),
        cmocka_unit_test(rows_are_matched_by_their_ordinal),
        cmocka_unit_test(another_digest_is_a_reused_id_and_another_word_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
