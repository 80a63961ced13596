#include <stdlib.h>

#include "base/alloc.h"
#include "ledger/cells.h"
#include "ledger/columns.h"
#include "ledger/secrets.h"

// A role without any password gets a row, and one to renew another next password, unless this very
// command made the last one: a repeated call changes the fence only.
static const char SECRETS[] =
    "WITH present AS (SELECT i.* FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], "
    "$5::bigint[], $6::jsonb[]) WITH ORDINALITY AS i(application_id, command_id, epoch, "
    "environment, fence, secrets, ordinal) "
    "JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.epoch = i.epoch AND c.status = 'running'), "
    "fenced AS (UPDATE provision.environment e SET fence = greatest(e.fence + 1, p.fence), "
    "updated_at = clock_timestamp() FROM present p WHERE e.application_id = p.application_id "
    "AND e.environment = p.environment RETURNING p.ordinal, e.fence), "
    "kept AS (INSERT INTO provision.role_secret AS r (application_id, environment, role, "
    "sealed_next, next_command) "
    "SELECT p.application_id, p.environment, s.value ->> 'role', "
    "decode(s.value ->> 'sealed', 'hex'), p.command_id "
    "FROM present p JOIN fenced f ON f.ordinal = p.ordinal "
    "CROSS JOIN jsonb_array_elements(p.secrets) AS s(value) "
    "WHERE (s.value ->> 'renew')::boolean OR NOT EXISTS (SELECT FROM provision.role_secret b "
    "WHERE b.application_id = p.application_id AND b.environment = p.environment "
    "AND b.role = s.value ->> 'role') "
    "ORDER BY p.application_id COLLATE \"C\", p.environment COLLATE \"C\", "
    "s.value ->> 'role' COLLATE \"C\" "
    "ON CONFLICT (application_id, environment, role) DO UPDATE SET "
    "sealed_next = EXCLUDED.sealed_next, next_command = EXCLUDED.next_command, "
    "updated_at = clock_timestamp() "
    "WHERE r.next_command IS DISTINCT FROM EXCLUDED.next_command) "
    "SELECT ordinal, fence FROM fenced";

static const Column SECRETS_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerSecrets, key.application_id)},
    {COLUMN_TEXT, offsetof(LedgerSecrets, key.command_id)},
    {COLUMN_INT64, offsetof(LedgerSecrets, key.epoch)},
    {COLUMN_TEXT, offsetof(LedgerSecrets, environment)},
    {COLUMN_INT64, offsetof(LedgerSecrets, fence_at_least)},
    {COLUMN_TEXT, offsetof(LedgerSecrets, secrets)},
};

void ledger_secrets_build(const LedgerSecrets *asks, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_locked_statement(ret_batch, SECRETS, COLUMNS(SECRETS_COLUMNS, LedgerSecrets), asks,
                                 count);
}

bool ledger_secrets_decode(const PGresult *rows, LedgerFence *ret_fences, size_t count, Error *err)
{
    for (size_t i = 0; i < count; i++) {
        ret_fences[i] = (LedgerFence){.written = false};
    }
    for (int row = 0; row < PQntuples(rows); row++) {
        Cells cells;
        LedgerFence *one = &ret_fences[cells_begin(&cells, rows, row, count)];
        one->fence = cells_int64(&cells);
        one->written = true;
        if (!cells_end(&cells, err)) {
            return false;
        }
    }
    return true;
}

static const char KEEP[] =
    "WITH present AS (SELECT i.* FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], "
    "$5::jsonb[]) WITH ORDINALITY AS i(application_id, command_id, epoch, environment, roles, "
    "ordinal) "
    "JOIN provision.command c ON c.application_id = i.application_id "
    "AND c.command_id = i.command_id AND c.epoch = i.epoch AND c.status = 'running'), "
    "kept AS (UPDATE provision.role_secret r SET sealed_password = r.sealed_next, "
    "sealed_next = NULL, updated_at = clock_timestamp() FROM present p "
    "WHERE r.application_id = p.application_id AND r.environment = p.environment "
    "AND r.sealed_next IS NOT NULL AND p.roles ? r.role) "
    "SELECT ordinal FROM present";

static const Column KEEP_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerKeep, key.application_id)},
    {COLUMN_TEXT, offsetof(LedgerKeep, key.command_id)},
    {COLUMN_INT64, offsetof(LedgerKeep, key.epoch)},
    {COLUMN_TEXT, offsetof(LedgerKeep, environment)},
    {COLUMN_TEXT, offsetof(LedgerKeep, roles)},
};

void ledger_keep_build(const LedgerKeep *keeps, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_locked_statement(ret_batch, KEEP, COLUMNS(KEEP_COLUMNS, LedgerKeep), keeps, count);
}

static const char PASSWORDS[] =
    "SELECT i.ordinal, r.role, encode(r.sealed_password, 'hex'), encode(r.sealed_next, 'hex') "
    "FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS i(application_id, "
    "environment, role, ordinal) "
    "JOIN provision.role_secret r ON r.application_id = i.application_id "
    "AND r.environment = i.environment AND (i.role = '' OR r.role = i.role) "
    "ORDER BY i.ordinal, r.role";

static const Column PASSWORDS_COLUMNS[] = {
    {COLUMN_TEXT, offsetof(LedgerPasswords, application_id)},
    {COLUMN_TEXT, offsetof(LedgerPasswords, environment)},
    {COLUMN_TEXT, offsetof(LedgerPasswords, role)},
};

void ledger_passwords_build(const LedgerPasswords *asks, size_t count, LedgerBatch *ret_batch)
{
    *ret_batch = (LedgerBatch){.count = 0};
    columns_add_statement(ret_batch, PASSWORDS, COLUMNS(PASSWORDS_COLUMNS, LedgerPasswords), asks,
                          count);
}

void ledger_passwords_clear(LedgerPasswordList *list)
{
    for (size_t i = 0; i < list->count; i++) {
        buffer_clear(&list->list[i].sealed);
        buffer_clear(&list->list[i].next);
    }
    free(list->list);
    *list = (LedgerPasswordList){.list = NULL};
}

bool ledger_passwords_decode(const PGresult *rows, size_t index, LedgerPasswordList *ret_list,
                             Error *err)
{
    int row_count = PQntuples(rows);
    *ret_list = (LedgerPasswordList){.list = NULL};
    ret_list->list = alloc_zeroed((size_t)row_count + 1, sizeof(*ret_list->list));
    for (int row = 0; row < row_count; row++) {
        Cells cells;
        if (cells_begin(&cells, rows, row, SIZE_MAX) != index) {
            continue;
        }
        LedgerPassword *one = &ret_list->list[ret_list->count++];
        cells_text(&cells, one->role, sizeof one->role);
        cells_bytes(&cells, &one->sealed);
        cells_bytes(&cells, &one->next);
        if (!cells_end(&cells, err)) {
            ledger_passwords_clear(ret_list);
            return false;
        }
    }
    return true;
}
