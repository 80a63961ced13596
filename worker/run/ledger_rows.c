#include "run/ledger_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char *const NO_ID = "";

const char *ledger_rows_name(LedgerOpKind kind)
{
    static const char *const NAMES[LEDGER_OP_COUNT_OF] = {
        [LEDGER_OP_CLAIM] = "claim",         [LEDGER_OP_OPEN] = "open",
        [LEDGER_OP_CLOSE] = "close",         [LEDGER_OP_SAVE] = "save",
        [LEDGER_OP_LOOK] = "look",           [LEDGER_OP_NOTE] = "note",
        [LEDGER_OP_MARK] = "mark",           [LEDGER_OP_DEPENDENTS] = "dependents",
        [LEDGER_OP_STOP] = "stop",           [LEDGER_OP_CONCLUDE] = "conclude",
        [LEDGER_OP_PUBLISHED] = "published", [LEDGER_OP_PURGE] = "purge",
        [LEDGER_OP_SECRETS] = "secrets",     [LEDGER_OP_KEEP] = "keep",
        [LEDGER_OP_PASSWORDS] = "passwords", [LEDGER_OP_JUDGE] = "judge",
        [LEDGER_OP_CONDEMN] = "condemn",
    };
    return NAMES[kind] == NULL ? "other" : NAMES[kind];
}

static void key_of(const LedgerOp *op, const char **ret_application, const char **ret_command)
{
    const LedgerKey *key = NULL;
    switch (op->kind) {
    case LEDGER_OP_CLAIM:
        *ret_application = op->ask.claim.application_id;
        *ret_command = op->ask.claim.command_id;
        return;
    case LEDGER_OP_PUBLISHED:
        *ret_application = op->ask.published.application_id;
        *ret_command = op->ask.published.command_id;
        return;
    case LEDGER_OP_DEPENDENTS:
        *ret_application = op->ask.dependents.application_id;
        *ret_command = op->ask.dependents.environment;
        return;
    case LEDGER_OP_STOP: // no target twice in a batch
        *ret_application = op->ask.stop.application_id;
        *ret_command = op->ask.stop.target_id;
        return;
    case LEDGER_OP_PASSWORDS:
        *ret_application = op->ask.passwords.application_id;
        *ret_command = op->ask.passwords.environment;
        return;
    case LEDGER_OP_JUDGE:
        *ret_application = op->ask.judge.application_id;
        *ret_command = op->ask.judge.account;
        return;
    case LEDGER_OP_CONDEMN:
        key = &op->ask.condemn.key;
        break;
    case LEDGER_OP_SECRETS:
        key = &op->ask.secrets.key;
        break;
    case LEDGER_OP_KEEP:
        key = &op->ask.keep.key;
        break;
    case LEDGER_OP_OPEN:
        key = &op->ask.open.key;
        break;
    case LEDGER_OP_CLOSE:
        key = &op->ask.close.key;
        break;
    case LEDGER_OP_SAVE:
        key = &op->ask.save.key;
        break;
    case LEDGER_OP_LOOK:
        key = &op->ask.look;
        break;
    case LEDGER_OP_NOTE:
        key = &op->ask.note.key;
        break;
    case LEDGER_OP_MARK:
        key = &op->ask.mark.key;
        break;
    case LEDGER_OP_CONCLUDE:
        key = &op->ask.conclude.key;
        break;
    case LEDGER_OP_PURGE:
    case LEDGER_OP_COUNT_OF:
        break;
    }
    *ret_application = key != NULL ? key->application_id : NO_ID;
    *ret_command = key != NULL ? key->command_id : NO_ID;
}

size_t ledger_rows_most(LedgerOpKind kind)
{
    return kind == LEDGER_OP_STOP ? LEDGER_STOPS_MAX : LEDGER_ROWS_MAX;
}

size_t ledger_rows_bytes(const LedgerOp *op)
{
    if (op->kind == LEDGER_OP_CONCLUDE) {
        // outcomes travel as hexadecimal digits
        return 2 * op->ask.conclude.outcome.size + strlen(op->ask.conclude.journal);
    }
    if (op->kind == LEDGER_OP_SECRETS) {
        return strlen(op->ask.secrets.secrets);
    }
    if (op->kind == LEDGER_OP_JUDGE) {
        return strlen(op->ask.judge.marks);
    }
    return op->kind == LEDGER_OP_OPEN ? strlen(op->ask.open.journal) : 0;
}

int ledger_rows_compare(const LedgerOp *a, const LedgerOp *b)
{
    const char *a_application = NO_ID;
    const char *a_command = NO_ID;
    const char *b_application = NO_ID;
    const char *b_command = NO_ID;
    key_of(a, &a_application, &a_command);
    key_of(b, &b_application, &b_command);
    int order = strcmp(a_application, b_application);
    return order != 0 ? order : strcmp(a_command, b_command);
}

static int compare_pointers(const void *a, const void *b)
{
    return ledger_rows_compare(*(LedgerOp *const *)a, *(LedgerOp *const *)b);
}

// Collects one member of each row's question and hands the array to the builder.
#define BUILD(Type, member, builder)                                                               \
    do {                                                                                           \
        Type rows[LEDGER_ROWS_MAX];                                                                \
        for (size_t i = 0; i < count; i++) {                                                       \
            rows[i] = ops[i]->ask.member;                                                          \
        }                                                                                          \
        builder(rows, count, ret_batch);                                                           \
    } while (0)

void ledger_rows_build(LedgerOpKind kind, LedgerOp **ops, size_t count, LedgerBatch *ret_batch)
{
    qsort(ops, count, sizeof(LedgerOp *), compare_pointers);
    switch (kind) {
    case LEDGER_OP_CLAIM:
        BUILD(LedgerClaim, claim, ledger_claim_build);
        break;
    case LEDGER_OP_OPEN:
        BUILD(LedgerOpen, open, ledger_open_build);
        break;
    case LEDGER_OP_CLOSE:
        BUILD(LedgerClose, close, ledger_close_build);
        break;
    case LEDGER_OP_SAVE:
        BUILD(LedgerSave, save, ledger_save_build);
        break;
    case LEDGER_OP_LOOK:
        BUILD(LedgerKey, look, ledger_look_build);
        break;
    case LEDGER_OP_NOTE:
        BUILD(LedgerNote, note, ledger_note_build);
        break;
    case LEDGER_OP_MARK:
        BUILD(LedgerMark, mark, ledger_mark_build);
        break;
    case LEDGER_OP_DEPENDENTS:
        BUILD(LedgerDependents, dependents, ledger_dependents_build);
        break;
    case LEDGER_OP_STOP:
        BUILD(LedgerStop, stop, ledger_stop_build);
        break;
    case LEDGER_OP_SECRETS:
        BUILD(LedgerSecrets, secrets, ledger_secrets_build);
        break;
    case LEDGER_OP_KEEP:
        BUILD(LedgerKeep, keep, ledger_keep_build);
        break;
    case LEDGER_OP_PASSWORDS:
        BUILD(LedgerPasswords, passwords, ledger_passwords_build);
        break;
    case LEDGER_OP_JUDGE:
        BUILD(LedgerJudge, judge, ledger_judge_build);
        break;
    case LEDGER_OP_CONDEMN:
        BUILD(LedgerCondemn, condemn, ledger_condemn_build);
        break;
    case LEDGER_OP_CONCLUDE:
        BUILD(LedgerConclude, conclude, ledger_conclude_build);
        break;
    case LEDGER_OP_PUBLISHED:
        BUILD(LedgerPublished, published, ledger_published_build);
        break;
    case LEDGER_OP_PURGE:
        ledger_purge_build(ops[0]->ask.purge_retention_ms, ret_batch); // the worker has one
        break;
    case LEDGER_OP_COUNT_OF:
        break;
    }
}

// Decodes into an array and hands each row its answer. A type takes no parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define DECODE(Type, member, decoder)                                                              \
    do {                                                                                           \
        Type *answers = alloc_zeroed(count, sizeof(*answers));                                     \
        ok = decoder(rows, answers, count, err);                                                   \
        for (size_t i = 0; i < count && ok; i++) {                                                 \
            ops[i]->answer.member = answers[i];                                                    \
        }                                                                                          \
        free(answers);                                                                             \
    } while (0)
// NOLINTEND(bugprone-macro-parentheses)

static bool decode_claims(const PGresult *rows, LedgerOp **ops, size_t count, Error *err)
{
    LedgerClaimed *answers = alloc_zeroed(count, sizeof(*answers));
    bool ok = ledger_claim_decode(rows, answers, count, err);
    for (size_t i = 0; i < count; i++) {
        if (ok) {
            *ops[i]->answer.claimed = answers[i];
        } else {
            ledger_claimed_clear(&answers[i]);
        }
    }
    free(answers);
    return ok;
}

static void decode_dependents(const PGresult *rows, size_t index, LedgerOp *op)
{
    op->answer.dependents.list = alloc_zeroed(SAGA_DEPENDENTS_MAX, sizeof(LedgerDependent));
    op->answer.dependents.count =
        ledger_dependents_decode(rows, index, op->answer.dependents.list, SAGA_DEPENDENTS_MAX);
}

static bool decode_judged(const PGresult *rows, LedgerOp **ops, size_t count, Error *err)
{
    json_t *answers[LEDGER_ROWS_MAX];
    bool ok = ledger_judge_decode(rows, answers, count, err);
    for (size_t i = 0; i < count && ok; i++) {
        ops[i]->answer.judged = answers[i];
    }
    return ok;
}

static bool decode_passwords(const PGresult *rows, LedgerOp **ops, size_t count, Error *err)
{
    size_t decoded = 0;
    while (decoded < count &&
           ledger_passwords_decode(rows, decoded, &ops[decoded]->answer.passwords, err)) {
        decoded++;
    }
    for (size_t i = 0; decoded < count && i < decoded; i++) {
        ledger_passwords_clear(&ops[i]->answer.passwords);
    }
    return decoded == count;
}

bool ledger_rows_decode(LedgerOpKind kind, const PGresult *rows, LedgerOp **ops, size_t count,
                        Error *err)
{
    bool ok = true;
    switch (kind) {
    case LEDGER_OP_CLAIM:
        ok = decode_claims(rows, ops, count, err);
        break;
    case LEDGER_OP_OPEN:
        DECODE(LedgerOpened, opened, ledger_open_decode);
        break;
    case LEDGER_OP_CLOSE:
        DECODE(LedgerClosed, closed, ledger_close_decode);
        break;
    case LEDGER_OP_LOOK:
        DECODE(LedgerLook, look, ledger_look_decode);
        break;
    case LEDGER_OP_SAVE:
    case LEDGER_OP_NOTE:
    case LEDGER_OP_MARK:
    case LEDGER_OP_KEEP:
    case LEDGER_OP_CONDEMN:
    case LEDGER_OP_CONCLUDE:
        DECODE(bool, written, ledger_written_decode);
        break;
    case LEDGER_OP_JUDGE:
        ok = decode_judged(rows, ops, count, err);
        break;
    case LEDGER_OP_STOP:
        DECODE(LedgerStopped, stopped, ledger_stop_decode);
        break;
    case LEDGER_OP_SECRETS:
        DECODE(LedgerFence, fence, ledger_secrets_decode);
        break;
    case LEDGER_OP_PASSWORDS:
        ok = decode_passwords(rows, ops, count, err);
        break;
    case LEDGER_OP_DEPENDENTS:
        for (size_t i = 0; i < count; i++) {
            decode_dependents(rows, i, ops[i]);
        }
        break;
    case LEDGER_OP_PURGE:
        ops[0]->answer.purged = strtoll(PQgetvalue(rows, 0, 0), NULL, 10);
        break;
    case LEDGER_OP_PUBLISHED:
    case LEDGER_OP_COUNT_OF:
        break;
    }
    return ok;
}

void ledger_rows_send(Pg *pg, const LedgerBatch *batch, int64_t send_limit_boot_ms,
                      PgCallback *callback, void *context)
{
    PgStatement statements[LEDGER_STATEMENTS_MAX];
    const char *params[LEDGER_STATEMENTS_MAX][LEDGER_PARAMS_MAX];
    for (size_t i = 0; i < batch->count; i++) {
        const LedgerStatement *statement = &batch->statements[i];
        for (size_t p = 0; p < statement->param_count; p++) {
            params[i][p] = text_get(&statement->params[p]);
        }
        statements[i] = (PgStatement){.sql = statement->sql,
                                      .param_count = (int)statement->param_count,
                                      .params = params[i],
                                      .is_prepared = true};
    }
    pg_run_until(pg, statements, (int)batch->count, send_limit_boot_ms, callback, context);
}
