#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ledger/cells.h"
#include "ledger/columns.h"

// Takes what is running and has the same digest; a row that only a stop mark has made is filled.
// The row is locked in every case, so a worker that claims the same at the same time comes after.
static const char TAKE[] =
    "INSERT INTO provision.command AS c (application_id, command_id, digest, action, partition, "
    "record_offset, record_timestamp_ms, subject, worker, epoch, claimed_at, progress_at) "
    "SELECT i.*, 1, clock_timestamp(), clock_timestamp() "
    "FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::text[], $5::integer[], $6::bigint[], "
    "$7::bigint[], $8::text[], $9::text[]) AS i(application_id, command_id, digest, action, "
    "partition, "
    "record_offset, record_timestamp_ms, subject, worker) "
    "ORDER BY i.application_id COLLATE \"C\", i.command_id "
    "ON CONFLICT (application_id, command_id) DO UPDATE SET "
    "digest = EXCLUDED.digest, "
    "action = coalesce(c.action, EXCLUDED.action), "
    "partition = coalesce(c.partition, EXCLUDED.partition), "
    "record_offset = coalesce(c.record_offset, EXCLUDED.record_offset), "
    "record_timestamp_ms = coalesce(c.record_timestamp_ms, EXCLUDED.record_timestamp_ms), "
    "epoch = c.epoch + 1, "
    "subject = coalesce(c.subject, EXCLUDED.subject), "
    "worker = EXCLUDED.worker, claimed_at = EXCLUDED.claimed_at, " LEDGER_PROGRESS ", "
    "takeovers = c.takeovers + (c.digest IS NOT NULL)::integer, "
    "abandoned = c.abandoned + (c.intent_status IS NOT DISTINCT FROM 'open' "
    "AND c.intent_number > c.abandoned_number)::integer, "
    "abandoned_number = CASE WHEN c.intent_status = 'open' THEN c.intent_number "
    "ELSE c.abandoned_number END "
    "WHERE c.status = 'running' AND (c.digest IS NULL OR c.digest = EXCLUDED.digest)";

static const Column TAKE_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerClaim, application_id)},
    {COLUMN_TEXT, offsetof(LedgerClaim, command_id)},
    {COLUMN_DIGEST, offsetof(LedgerClaim, digest)},
    {COLUMN_TEXT, offsetof(LedgerClaim, action)},
    {COLUMN_INT32, offsetof(LedgerClaim, partition)},
    {COLUMN_INT64, offsetof(LedgerClaim, offset)},
    {COLUMN_INT64, offsetof(LedgerClaim, timestamp_ms)},
    {COLUMN_TEXT, offsetof(LedgerClaim, subject)},
    {COLUMN_TEXT, offsetof(LedgerClaim, worker)},
};

// A row that runs with our digest is one that TAKE has just taken: it holds the row's lock, and
// neither ever comes back. What a failed attempt has left stays known to the next one.
static const char RESERVE[] =
    "INSERT INTO provision.environment AS e (application_id, environment, state, origin, "
    "command_id, action, spec_digest, account) "
    "SELECT i.application_id, i.environment, 'creating', i.origin, i.command_id, i.action, "
    "i.spec_digest, nullif(i.account, '') "
    "FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::text[], $5::text[], $6::text[], "
    "$7::bytea[], $8::text[]) AS i(application_id, command_id, digest, action, environment, "
    "origin, spec_digest, account) "
    "JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.status = 'running' AND c.digest = i.digest "
    "ORDER BY i.application_id COLLATE \"C\", i.environment COLLATE \"C\" "
    "ON CONFLICT (application_id, environment) DO UPDATE SET "
    "state = 'creating', origin = EXCLUDED.origin, command_id = EXCLUDED.command_id, "
    "action = EXCLUDED.action, spec_digest = EXCLUDED.spec_digest, "
    "account = CASE WHEN e.state = 'failed' THEN coalesce(EXCLUDED.account, e.account) "
    "ELSE EXCLUDED.account END, "
    "project_id = CASE WHEN e.state = 'failed' THEN e.project_id END, "
    "branch_id = CASE WHEN e.state = 'failed' THEN e.branch_id END, "
    "endpoint_id = CASE WHEN e.state = 'failed' THEN e.endpoint_id END, "
    "details = CASE WHEN e.state = 'failed' AND e.details ? 'left' "
    "THEN jsonb_build_object('left', e.details -> 'left') ELSE '{}'::jsonb END, "
    "updated_at = clock_timestamp() "
    "WHERE e.state = 'gone' OR (e.state = 'failed' AND e.action = EXCLUDED.action)";

static const Column RESERVE_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerClaim, application_id)},
    {COLUMN_TEXT, offsetof(LedgerClaim, command_id)},
    {COLUMN_DIGEST, offsetof(LedgerClaim, digest)},
    {COLUMN_TEXT, offsetof(LedgerClaim, action)},
    {COLUMN_TEXT, offsetof(LedgerClaim, environment)},
    {COLUMN_TEXT, offsetof(LedgerClaim, origin)},
    {COLUMN_DIGEST, offsetof(LedgerClaim, spec_digest)},
    {COLUMN_TEXT, offsetof(LedgerClaim, account)},
};

#define ENVIRONMENT_COLUMNS(e)                                                                     \
    e ".state, " e ".environment, " e ".origin, " e ".command_id, " e ".action, "                  \
      "encode(" e ".spec_digest, 'hex'), " e ".account, " e ".project_id, " e ".branch_id, " e     \
      ".endpoint_id, " e ".details, " e ".sequence, " LEDGER_IN_MS(e ".unsettled_until") ", "

// Outcomes are large: those of a batch that come behind enough others are left out, and claimed
// once more (nothing was changed by that: they are finished). A running row never is.
#define LEDGER_OUTCOMES_BYTES "2097152"
// clang-format off
static const char CONTEXT[] =
    "SELECT i.ordinal, "
    "CASE WHEN c.digest IS DISTINCT FROM i.digest THEN 'reused' "
    "WHEN c.status = 'finished' THEN 'finished' ELSE 'taken' END, "
    "c.epoch, c.partition, c.record_offset, c.stop, c.stopped_by, c.direction = 'undo', "
    "c.first_error, c.journal, " LEDGER_INTENT_COLUMNS ", " LEDGER_IN_MS("c.unsettled_until") ", "
    "c.abandoned, c.takeovers, encode(c.outcome, 'hex'), c.outcome_sequence, "
    "c.published_at IS NOT NULL, " ENVIRONMENT_COLUMNS("e") ENVIRONMENT_COLUMNS("s")
    "a.sealed_key IS NOT NULL, a.account, encode(a.sealed_key, 'hex'), a.key_kind, "
    "a.neon_account_id, a.org_id, a.project_id, a.sequence, "
    "CASE WHEN i.writes_account THEN a.sequence WHEN i.writes_application THEN p.sequence "
    "ELSE e.sequence END, "
    "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, c.record_timestamp_ms, "
    "p.preview_base "
    "FROM (SELECT i.*, sum(octet_length(c.outcome)) OVER "
    "(ORDER BY i.ordinal ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before "
    "FROM unnest($1::text[], $2::uuid[], $3::bytea[], $4::text[], $5::text[], $6::text[], "
    "$7::boolean[], $8::boolean[], $9::boolean[]) WITH ORDINALITY AS i(application_id, command_id, "
    "digest, environment, source, account, writes_account, writes_application, source_is_base, "
    "ordinal) "
    "JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id) AS i "
    "JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND (c.outcome IS NULL OR i.bytes_before IS NULL "
    "OR i.bytes_before < " LEDGER_OUTCOMES_BYTES ") "
    "LEFT JOIN provision.application p ON p.application_id = i.application_id "
    "LEFT JOIN provision.environment e ON e.application_id = i.application_id "
    "AND e.environment = i.environment "
    "LEFT JOIN provision.environment s ON s.application_id = i.application_id "
    "AND s.environment = CASE WHEN i.source_is_base THEN p.preview_base ELSE i.source END "
    "LEFT JOIN provision.account a ON a.application_id = i.application_id "
    "AND a.account = coalesce(nullif(i.account, ''), "
    "CASE WHEN i.source_is_base THEN e.account END, s.account, e.account)";
// clang-format on

static const Column CONTEXT_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerClaim, application_id)},
    {COLUMN_TEXT, offsetof(LedgerClaim, command_id)},
    {COLUMN_DIGEST, offsetof(LedgerClaim, digest)},
    {COLUMN_TEXT, offsetof(LedgerClaim, environment)},
    {COLUMN_TEXT, offsetof(LedgerClaim, source_environment)},
    {COLUMN_TEXT, offsetof(LedgerClaim, account)},
    {COLUMN_FLAG, offsetof(LedgerClaim, writes_account)},
    {COLUMN_FLAG, offsetof(LedgerClaim, writes_application)},
    {COLUMN_FLAG, offsetof(LedgerClaim, source_is_base)},
};

static void add_reserve(const LedgerClaim *claims, size_t count, LedgerBatch *batch)
{
    LedgerClaim *reserving = alloc_zeroed(count, sizeof(*claims));
    size_t reserving_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (claims[i].reserve) {
            reserving[reserving_count++] = claims[i];
        }
    }
    if (reserving_count > 0) {
        columns_add_statement(batch, RESERVE, COLUMNS(RESERVE_COLUMNS, LedgerClaim), reserving,
                              reserving_count);
    }
    free(reserving);
}

void ledger_claim_build(const LedgerClaim *claims, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_statement(ret_batch, TAKE, COLUMNS(TAKE_COLUMNS, LedgerClaim), claims, count);
    add_reserve(claims, count, ret_batch);
    columns_add_statement(ret_batch, CONTEXT, COLUMNS(CONTEXT_COLUMNS, LedgerClaim), claims, count);
    ret_batch->answer = ret_batch->count - 1;
}

static LedgerClaimResult decode_result(Cells *cells)
{
    static const char *const NAMES[] = {
        [LEDGER_CLAIM_TAKEN] = "taken",
        [LEDGER_CLAIM_FINISHED] = "finished",
        [LEDGER_CLAIM_REUSED] = "reused",
    };
    return (LedgerClaimResult)cells_choice(cells, NAMES, sizeof(NAMES) / sizeof(NAMES[0]));
}

static json_t *object_or_empty(json_t *object)
{
    return object == NULL ? json_object() : object;
}

static void decode_command(Cells *cells, LedgerClaimed *claimed)
{
    claimed->result = decode_result(cells);
    claimed->epoch = cells_int64(cells);
    claimed->partition = cells_int32(cells);
    claimed->offset = cells_int64(cells);
    cells_text(cells, claimed->stop, sizeof(claimed->stop));
    cells_text(cells, claimed->stopped_by, sizeof(claimed->stopped_by));
    claimed->undoing = cells_flag(cells);
    claimed->first_error = cells_object(cells);
    claimed->journal = object_or_empty(cells_object(cells));
    cells_intent(cells, &claimed->intent);
    claimed->had_intent = claimed->intent.number > 0;
    claimed->unsettled_in_ms = cells_int64(cells);
    claimed->abandoned = cells_int64(cells);
    claimed->takeovers = cells_int64(cells);
    cells_bytes(cells, &claimed->outcome);
    claimed->outcome_sequence = cells_int64(cells);
    claimed->published = cells_flag(cells);
}

static void decode_environment(Cells *cells, LedgerEnvironment *environment)
{
    environment->state = cells_state(cells);
    cells_text(cells, environment->environment, sizeof(environment->environment));
    cells_text(cells, environment->origin, sizeof(environment->origin));
    cells_text(cells, environment->command_id, sizeof(environment->command_id));
    cells_text(cells, environment->action, sizeof(environment->action));
    cells_digest(cells, environment->spec_digest);
    cells_text(cells, environment->account, sizeof(environment->account));
    cells_text(cells, environment->project_id, sizeof(environment->project_id));
    cells_text(cells, environment->branch_id, sizeof(environment->branch_id));
    cells_text(cells, environment->endpoint_id, sizeof(environment->endpoint_id));
    environment->details = object_or_empty(cells_object(cells));
    environment->sequence = cells_int64(cells);
    environment->unsettled_in_ms = cells_int64(cells);
}

static void decode_account(Cells *cells, LedgerAccount *account)
{
    account->found = cells_flag(cells);
    cells_text(cells, account->account, sizeof(account->account));
    cells_bytes(cells, &account->sealed_key);
    cells_text(cells, account->key_kind, sizeof(account->key_kind));
    cells_text(cells, account->neon_account_id, sizeof(account->neon_account_id));
    cells_text(cells, account->org_id, sizeof(account->org_id));
    cells_text(cells, account->project_id, sizeof(account->project_id));
    account->sequence = cells_int64(cells);
}

static bool decode_row(const PGresult *rows, int row, LedgerClaimed *claimed, size_t count,
                       Error *err)
{
    Cells cells;
    LedgerClaimed *one = &claimed[cells_begin(&cells, rows, row, count)];
    ledger_claimed_clear(one);
    decode_command(&cells, one);
    decode_environment(&cells, &one->environment);
    decode_environment(&cells, &one->source);
    decode_account(&cells, &one->account);
    one->subject_sequence = cells_int64(&cells);
    one->now_ms = cells_int64(&cells);
    one->timestamp_ms = cells_int64(&cells);
    cells_text(&cells, one->preview_base, sizeof(one->preview_base));
    one->answered = true;
    return cells_end(&cells, err);
}

bool ledger_claim_decode(const PGresult *rows, LedgerClaimed *ret_claimed, size_t count, Error *err)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        if (!decode_row(rows, row, ret_claimed, count, err)) {
            return false;
        }
    }
    return true;
}
