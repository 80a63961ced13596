#include "ledger/sweep.h"

#include "ledger/cells.h"
#include "ledger/columns.h"

// Who copies a mark may change its environment's name: the one that the command was about is its
// subject, which commands claimed by a program that didn't write it lack.
// clang-format off
static const char JUDGE[] =
    "SELECT i.ordinal, jsonb_build_object('recorded', n.identity, "
    "'present', provision.identity(), "
    "'now_ms', floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, "
    "'marks', coalesce((SELECT jsonb_agg(jsonb_build_object("
    "'known', c.digest IS NOT NULL, 'action', c.action, "
    "'about', coalesce(c.subject = 'applications/' || a.name || '/environments/' "
    "|| (m.value ->> 'environment'), false), "
    "'finished', coalesce(c.status = 'finished', false), "
    "'settled', coalesce(greatest(c.unsettled_until, e.unsettled_until, "
    "CASE WHEN c.intent_status = 'open' AND c.intent_settles THEN c.settled_at END) "
    "<= clock_timestamp(), true), "
    "'delivered', coalesce(c.journal ->> 'branch_id' = m.value ->> 'branch', false), "
    "'state', e.state, 'maker', e.command_id, "
    "'owner', (SELECT o.application_id || '/' || o.environment FROM provision.environment o "
    "WHERE o.project_id = m.value ->> 'project' AND o.state <> 'gone' "
    "AND o.branch_id = m.value ->> 'branch' ORDER BY o.application_id, o.environment LIMIT 1), "
    "'inhabitant', (SELECT o.application_id || '/' || o.environment FROM provision.environment o "
    "WHERE o.project_id = m.value ->> 'project' AND o.state <> 'gone' "
    "ORDER BY o.application_id, o.environment LIMIT 1)) ORDER BY m.ordinal) "
    "FROM jsonb_array_elements(i.marks) WITH ORDINALITY AS m(value, ordinal) "
    "CROSS JOIN LATERAL (SELECT coalesce(m.value ->> 'application', i.application_id) AS name) AS a "
    "LEFT JOIN provision.command c ON c.application_id = a.name "
    "AND c.command_id = CASE WHEN m.value ->> 'command' "
    "~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN (m.value ->> 'command')::uuid END "
    "LEFT JOIN provision.environment e ON e.application_id = a.name "
    "AND e.environment = m.value ->> 'environment'), '[]'), "
    "'expired', coalesce((SELECT jsonb_agg(to_jsonb(x)) FROM (SELECT e.environment, "
    "coalesce(e.project_id, '') AS project_id, coalesce(e.branch_id, '') AS branch_id, "
    "(e.details ->> 'expires_at_ms')::bigint AS expires_at_ms FROM provision.environment e "
    "WHERE e.application_id = i.application_id AND e.account = nullif(i.account, '') "
    "AND e.state = 'ready' AND e.origin = 'branched' "
    "AND (e.details ->> 'expires_at_ms')::bigint "
    "<= floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint "
    "ORDER BY e.environment LIMIT " COLUMNS_TEXT(LEDGER_EXPIRED_MAX) ") AS x), '[]')) "
    "FROM unnest($1::text[], $2::text[], $3::jsonb[]) WITH ORDINALITY AS "
    "i(application_id, account, marks, ordinal) "
    "CROSS JOIN provision.installation n";
// clang-format on

static const Column JUDGE_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerJudge, application_id)},
    {COLUMN_TEXT, offsetof(LedgerJudge, account)},
    {COLUMN_TEXT, offsetof(LedgerJudge, marks)},
};

void ledger_judge_build(const LedgerJudge *asks, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_statement(ret_batch, JUDGE, COLUMNS(JUDGE_COLUMNS, LedgerJudge), asks, count);
}

static bool fail(json_t **answers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_decref(answers[i]);
        answers[i] = NULL;
    }
    return false;
}

bool ledger_judge_decode(const PGresult *rows, json_t **ret_answers, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++) {
        ret_answers[i] = NULL;
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        Cells cells;
        json_t **one = &ret_answers[cells_begin(&cells, rows, row, count)];
        json_decref(*one);
        *one = cells_object(&cells);
        if (!cells_end(&cells, err)) {
            return fail(ret_answers, count);
        }
    }
    return true;
}

// Those of commands that run no more are of no use: they go on the way.
static const char CONDEMN[] =
    "WITH present AS (SELECT i.* FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], "
    "$5::text[], $6::text[]) WITH ORDINALITY AS i(application_id, command_id, epoch, environment, "
    "project_id, branch_id, ordinal) "
    "JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.epoch = i.epoch AND c.status = 'running'), "
    "forgotten AS (DELETE FROM provision.condemned d USING (SELECT o.application_id, o.command_id "
    "FROM provision.condemned o WHERE NOT EXISTS ("
    "SELECT FROM provision.command c WHERE c.application_id = o.application_id "
    "AND c.command_id = o.command_id AND c.status = 'running') FOR UPDATE SKIP LOCKED) AS o "
    "WHERE d.application_id = o.application_id AND d.command_id = o.command_id), "
    "condemned AS (INSERT INTO provision.condemned AS d (application_id, command_id, environment, "
    "project_id, branch_id) "
    "SELECT p.application_id, p.command_id, p.environment, p.project_id, p.branch_id FROM present "
    "p "
    "ORDER BY p.application_id COLLATE \"C\", p.command_id "
    "ON CONFLICT (application_id, command_id) DO UPDATE SET environment = EXCLUDED.environment, "
    "project_id = EXCLUDED.project_id, branch_id = EXCLUDED.branch_id) "
    "SELECT ordinal FROM present";

static const Column CONDEMN_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerCondemn, key.application_id)},
    {COLUMN_TEXT, offsetof(LedgerCondemn, key.command_id)},
    {COLUMN_INT64, offsetof(LedgerCondemn, key.epoch)},
    {COLUMN_TEXT, offsetof(LedgerCondemn, environment)},
    {COLUMN_TEXT, offsetof(LedgerCondemn, project_id)},
    {COLUMN_TEXT, offsetof(LedgerCondemn, branch_id)},
};

void ledger_condemn_build(const LedgerCondemn *asks, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_locked_statement(ret_batch, CONDEMN, COLUMNS(CONDEMN_COLUMNS, LedgerCondemn), asks,
                                 count);
}
