/*
 * The ledger's statements: SQL text with array parameters (a loop turn's work goes as multi-row
 * statements; it may be one row), and the decoding of their rows. Nothing is sent here: a
 * LedgerBatch is handed to the PostgreSQL driver, which runs its statements as one transaction (one
 * pipeline, one Sync).
 *
 * A batch never holds the same command, nor the same environment to reserve, twice. Whatever its
 * order, rows are locked in the order of (application, command), so that batches of several workers
 * don't wait for each other. Each decoder maps the rows back by the ordinal that the statement
 * carries. Every write names the epoch of its claim and changes nothing if it is stale: a row that
 * doesn't come back is a stale one. Texts that PostgreSQL can't keep (invalid UTF-8, \u0000 in
 * JSON) make the server refuse the whole batch.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include <jansson.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/name.h"
#include "base/text.h"
#include "base/uuid.h"

enum { LEDGER_PARAMS_MAX = 32, LEDGER_STATEMENTS_MAX = 4 };

// For the sessions that run the statements. All that is looked up here has an index, by which a row
// costs the same in a table of any size; reading and hashing a whole table for a large batch looks
// cheaper to PostgreSQL, but grows with it. Plans aren't kept (only what is parsed is): one that
// was made for a table of a few rows would be wrong a minute later.
#define LEDGER_SESSION_OPTIONS                                                                     \
    "-c plan_cache_mode=force_custom_plan -c enable_seqscan=off -c enable_hashjoin=off "           \
    "-c enable_mergejoin=off -c jit=off"

typedef struct LedgerStatement {
    const char *sql; // static
    size_t param_count;
    Text params[LEDGER_PARAMS_MAX]; // array literals or scalars, text format
} LedgerStatement;

typedef struct LedgerBatch {
    LedgerStatement statements[LEDGER_STATEMENTS_MAX];
    size_t count;
    size_t answer; // index of the statement whose rows the decoder takes
} LedgerBatch;

void ledger_batch_clear(LedgerBatch *batch);

// The states of an environment's row.
typedef enum LedgerState {
    LEDGER_STATE_NONE, // no row
    LEDGER_STATE_CREATING,
    LEDGER_STATE_READY,
    LEDGER_STATE_DELETING,
    LEDGER_STATE_FAILED,
    LEDGER_STATE_GONE,
} LedgerState;
const char *ledger_state_name(LedgerState state);

typedef struct LedgerEnvironment {
    LedgerState state;
    char environment[NAME_ENVIRONMENT_BYTES];
    char origin[16];                  // created, branched, imported, or empty
    char command_id[UUID_TEXT_BYTES]; // that made the row what it is (creating: its maker)
    char action[32];                  // of that command: CreateEnvironment, …
    uint8_t spec_digest[CRYPTO_SHA256_BYTES];
    char account[NAME_ACCOUNT_BYTES];
    char project_id[NAME_NEON_ID_BYTES];
    char branch_id[NAME_NEON_ID_BYTES];
    char endpoint_id[NAME_NEON_ID_BYTES];
    json_t *details; // object, owned; names, host, settings, databases, roles, what was left; never
                     // NULL once decoded
    int64_t sequence;
    int64_t
        unsettled_in_ms; // until nothing of a passed-over intent can still appear; <= 0: settled
} LedgerEnvironment;
void ledger_environment_clear(LedgerEnvironment *environment);

typedef struct LedgerAccount {
    bool found;
    char account[NAME_ACCOUNT_BYTES];
    Buffer sealed_key; // AEAD, associated data = application, account
    char key_kind[16]; // personal, organization, project
    char neon_account_id[128];
    char org_id[64];
    char project_id[NAME_NEON_ID_BYTES];
    int64_t sequence;
} LedgerAccount;
void ledger_account_clear(LedgerAccount *account);

typedef enum LedgerIntentStatus {
    LEDGER_INTENT_NONE,
    LEDGER_INTENT_OPEN,
    LEDGER_INTENT_CLOSED
} LedgerIntentStatus;

typedef struct LedgerIntent {
    LedgerIntentStatus status;
    char step[48];
    int64_t number; // grows with every intent of a command
    int64_t epoch;  // of its opener
    bool settles; // what it may have made can appear until settled_at (false: deletion by exact id)
    int64_t settled_in_ms; // by the ledger's clock when the row was read; <= 0: settled
    json_t *result;        // owned; facts that its closer learnt, NULL when none
} LedgerIntent;
void ledger_intent_clear(LedgerIntent *intent);

// ---- claim

typedef struct LedgerClaim {
    const char *application_id;
    const char *command_id;
    const uint8_t *digest;
    const char *action;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    const char *environment;        // that it writes; "" = none
    const char *source_environment; // that it relies on; "" = none
    bool source_is_base;            // that is the application's preview base
    // named in the command; "" = the one of the source, else of the environment; with
    // source_is_base the other way round, because the preview may be there
    const char *account;
    bool writes_account;     // the account is the subject
    bool writes_application; // the application is
    bool reserve; // Create, Branch: insert the environment's row as `creating`, or take over one
                  // that is `gone`, or `failed` by the same action
    const char *origin;         // with reserve
    const uint8_t *spec_digest; // with reserve
    // for people who look
    const char *subject; // that it is about, as events name it
    const char *worker;  // who claims
} LedgerClaim;

typedef enum LedgerClaimResult {
    LEDGER_CLAIM_TAKEN,    // it is ours under `epoch`
    LEDGER_CLAIM_FINISHED, // its outcome is there
    LEDGER_CLAIM_REUSED,   // same id, other digest: never executed
} LedgerClaimResult;

typedef struct LedgerClaimed {
    bool answered; // the row came back
    LedgerClaimResult result;
    int64_t epoch;
    int32_t partition; // coordinates of the record that was claimed first
    int64_t offset;
    int64_t timestamp_ms; // tells it from a record at the same place of a recreated topic
    char stop[16];        // "", cancelled, superseded
    char stopped_by[UUID_TEXT_BYTES];
    bool undoing;        // direction
    json_t *first_error; // owned, object or NULL: why it turned
    json_t *journal;     // owned, object
    LedgerIntent intent;
    int64_t unsettled_in_ms;
    int64_t abandoned; // intents left open by their opener; takeovers of the same one count once
    int64_t takeovers;
    bool had_intent;          // an intent was opened at some time: it may have had an effect
    Buffer outcome;           // finished
    int64_t outcome_sequence; // 0 = none
    bool published;
    LedgerEnvironment environment, source;
    LedgerAccount account;
    char preview_base[NAME_ENVIRONMENT_BYTES]; // of the application; "" = none
    int64_t subject_sequence;                  // present one of what the command writes
    int64_t now_ms;                            // the ledger's clock
} LedgerClaimed;
void ledger_claimed_clear(LedgerClaimed *claimed);

// One transaction: rows inserted or taken over (epoch + 1; abandoned + 1 where an open intent of an
// earlier epoch was not counted yet), environments reserved, context read. Of finished rows only
// the first that together have 2 MiB of outcomes are answered, and always one.
void ledger_claim_build(const LedgerClaim *claims, size_t count, LedgerBatch *ret_batch);
// `ret_claimed`: `count` initialised (zeroed) structs in the order of the claims.
bool ledger_claim_decode(const PGresult *rows, LedgerClaimed *ret_claimed, size_t count,
                         Error *err);

// ---- writes of a running command

typedef struct LedgerKey {
    const char *application_id;
    const char *command_id;
    int64_t epoch;
} LedgerKey;

typedef struct LedgerOpen {
    LedgerKey key;
    const char *step;
    bool settles;
    int64_t send_window_ms;
    int64_t settle_after_ms; // settled_at = sent_before + this
    bool is_final;           // only forward from here: a stop mark no longer turns it
    bool goes_on;            // false: the same again, with nothing learnt since; no progress
    const char *journal;     // JSON object
} LedgerOpen;
typedef struct LedgerOpened {
    bool written; // false: stale
    int64_t number;
    char stop[16];
    char stopped_by[UUID_TEXT_BYTES];
} LedgerOpened;
// Commits the intent: replaces the one before; one that was still open and settles moves into
// unsettled_until (the largest settled_at). A row with a stop mark that the command has not turned
// for (undoing = false) is not written either: written = false, stop set.
void ledger_open_build(const LedgerOpen *opens, size_t count, LedgerBatch *ret_batch);
bool ledger_open_decode(const PGresult *rows, LedgerOpened *ret_opened, size_t count, Error *err);

typedef struct LedgerClose {
    LedgerKey key; // epoch of the opener
    int64_t number;
    bool goes_on;        // something was learnt; false: no progress
    const char *result;  // JSON object of facts
    const char *journal; // written only while the epoch is current
} LedgerClose;
typedef struct LedgerClosed {
    bool written; // its own intent was still open, and is closed now
    bool current; // the closer still owns the command
} LedgerClosed;
// The opener may close its intent even after it lost the command; only its own, only while open.
// One that a takeover had counted as abandoned is not any more.
void ledger_close_build(const LedgerClose *closes, size_t count, LedgerBatch *ret_batch);
bool ledger_close_decode(const PGresult *rows, LedgerClosed *ret_closed, size_t count, Error *err);

typedef struct LedgerSave {
    LedgerKey key;
    bool undoing;            // never goes back to false
    const char *first_error; // JSON object or NULL
    const char *journal;
} LedgerSave;
void ledger_save_build(const LedgerSave *saves, size_t count, LedgerBatch *ret_batch);
// ret_written[i]: whether row i was still ours.
bool ledger_written_decode(const PGresult *rows, bool *ret_written, size_t count, Error *err);

// Notes what a command waits for without writing anything else, for people who look; the next write
// of its owner takes that away. Nothing is written where one came in between.
typedef struct LedgerNote {
    LedgerKey key;
    const char *step;
    const char *waiting_for; // contract/waiting.h
    int64_t waiting_ms;      // for so long
} LedgerNote;
void ledger_note_build(const LedgerNote *notes, size_t count,
                       LedgerBatch *ret_batch); // ledger_written_decode

// The present owner looks whether the opener has closed its intent.
void ledger_look_build(const LedgerKey *keys, size_t count, LedgerBatch *ret_batch);
typedef struct LedgerLook {
    bool current; // the epoch is still the row's
    LedgerIntent intent;
    char stop[16];
    char stopped_by[UUID_TEXT_BYTES];
} LedgerLook;
bool ledger_look_decode(const PGresult *rows, LedgerLook *ret_looks, size_t count, Error *err);

// ---- stop marks

typedef struct LedgerStop {
    const char *application_id;
    const char *target_id;  // command that is to stop
    const char *command_id; // that asks for it
    const char *stop;       // cancelled, superseded
    // Nothing is stopped where this environment of the application was opened for another
    // repository; "": whatever it was opened for.
    const char *environment, *repository;
} LedgerStop;
typedef struct LedgerStopped {
    bool found; // the target has a row, perhaps just made for the mark
    bool finished;
    char stop[16]; // its mark, whoever's it is; the first one stays
    char stopped_by[UUID_TEXT_BYTES];
    char action[32]; // "" = it was never claimed
    bool undoing;
    bool had_intent;
    json_t *journal; // owned
    Buffer outcome;  // finished
} LedgerStopped;
void ledger_stopped_clear(LedgerStopped *stopped);
// Marks targets that aren't finished, on behalf of commands that aren't finished. No target stands
// in it twice. It names no epoch: whoever runs the target honours the mark.
void ledger_stop_build(const LedgerStop *stops, size_t count, LedgerBatch *ret_batch);
// What each target is after that; its owner clears it. When that fails nothing is left to clear.
bool ledger_stop_decode(const PGresult *rows, LedgerStopped *ret_stopped, size_t count, Error *err);

// ---- effects of steps on environments (one command at a time writes a subject)

typedef struct LedgerMark {
    LedgerKey key;
    const char *environment;
    LedgerState state;   // LEDGER_STATE_NONE: leave it
    const char *account; // "" = leave it, as the following ones
    const char *project_id, *branch_id;
} LedgerMark;
void ledger_mark_build(const LedgerMark *marks, size_t count,
                       LedgerBatch *ret_batch); // ledger_written_decode

// Environments of any application on a project, but for the one that asks; or those of the
// application that use an account. The project or the account is "". Those in `gone` are left out.
// What is condemned (ledger/sweep.h) shows as an environment that is being deleted. First come
// those that created the project, then those on the branch ("": none in particular), and of both,
// as of the others, first those that are being deleted. Of each ask the first LEDGER_DEPENDENTS_MAX
// are sent.
#define LEDGER_DEPENDENTS_MAX 256
typedef struct LedgerDependents {
    const char *application_id, *environment, *project_id, *account, *branch_id;
} LedgerDependents;
void ledger_dependents_build(const LedgerDependents *asks, size_t count, LedgerBatch *ret_batch);
typedef struct LedgerDependent {
    char application_id[NAME_APPLICATION_BYTES];
    char environment[NAME_ENVIRONMENT_BYTES];
    LedgerState state;
    char origin[16];
    char branch_id[NAME_NEON_ID_BYTES];
} LedgerDependent;
// Rows of ask `index`, at most `max` of them; returns their whole number.
size_t ledger_dependents_decode(const PGresult *rows, size_t index, LedgerDependent *ret_list,
                                size_t max);

// ---- conclude and publish

typedef struct LedgerConclude {
    LedgerKey key;
    const char *journal;
    Bytes outcome;
    int64_t sequence;        // of the subject after this; 0: the subject's sequence doesn't change
    const char *environment; // "" = no environment is written
    LedgerState state;       // with environment
    const char *account;     // of the environment; or of the account that is written
    const char *project_id, *branch_id, *endpoint_id;
    const char *details; // JSON object; NULL = leave those that are there
    bool writes_account; // upsert of the account's row:
    Bytes sealed_key;    // empty: it is disconnected
    const char *key_kind, *neon_account_id, *org_id, *account_project_id;
    bool writes_application; // upsert of the application's row:
    const char *preview_base;
    bool heeds_stop; // a stop mark keeps it from being written: the command can still turn
} LedgerConclude;
// One transaction, guarded by the epoch and by the subject's sequence being `sequence - 1`; nothing
// is written where the environment has no row. Environment, account and application exclude each
// other. The environment's unsettled_until becomes the largest of its own, the command's, and the
// settled_at of an intent that is still open and settles. Where it ends as `gone` or `failed`, the
// passwords of its roles are forgotten: nothing leads back from there to the same branch.
void ledger_conclude_build(const LedgerConclude *concludes, size_t count,
                           LedgerBatch *ret_batch); // ledger_written_decode

typedef struct LedgerPublished {
    const char *application_id, *command_id;
} LedgerPublished;
void ledger_published_build(const LedgerPublished *commands, size_t count, LedgerBatch *ret_batch);

// Forgets finished commands that were published longer ago than `retention_ms`, at most
// LEDGER_PURGE_MAX at once; the answer's one value says how many. `retention_ms` is longer than the
// command topic's retention, so none of them can be delivered again. One that seems unpublished
// (its worker died between Kafka's commit and published_at) is kept twice as long. Stop marks of
// that age whose command never came go, too.
enum { LEDGER_PURGE_MAX = 1000 };
void ledger_purge_build(int64_t retention_ms, LedgerBatch *ret_batch);

#endif
