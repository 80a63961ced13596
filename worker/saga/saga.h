/*
 * A command as a saga: a table of named steps, run level-triggered. Each step asks for one effect,
 * or for none when the journal already has its fact; the engine performs the first step that asks;
 * what is learnt is written into the journal. There is no position to keep: a resumed command is a
 * normal one.
 *
 * Pure: effects are values that the caller performs, times and random numbers are given to it. The
 * rules about open intents (who waits, who reads on) are those of architecture.md's "Life of a
 * command" and are kept in engine.c.
 */
#ifndef SAGA_SAGA_H
#define SAGA_SAGA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/secret.h"
#include "contract/command.h"
#include "contract/waiting.h"
#include "ledger/ledger.h"
#include "neon/reply.h"
#include "neon/request.h"
#include "roles/mode.h"
#include "roles/report.h"
#include "saga/journal.h"

// What a repeated call meets.
typedef enum Protection {
    PROTECTED_READ,        // changes nothing
    PROTECTED_LEDGER,      // our own row: the same again
    PROTECTED_NOTHING,     // a second call is a second thing: settle the first, read, then decide
    PROTECTED_UNIQUE_NAME, // Neon refuses a second thing of that name
    PROTECTED_EXACT_ID,    // deletion of exactly one id
    PROTECTED_FENCE, // SQL under the branch's lock and fence: a former owner's calls are refused,
                     // so who takes over goes on at once
} Protection;

typedef enum EffectKind {
    EFFECT_NEON,         // request
    EFFECT_LOGIN,        // SELECT 1 through saga->connection
    EFFECT_MARK,         // the environment's row
    EFFECT_DEPENDENTS,   // environments on project_id, or the application's that use account
    EFFECT_STOP,         // stop mark of the command that the command stops
    EFFECT_ROLES,        // roles of the branch, by SQL through saga->connection
    EFFECT_SECRETS,      // passwords for roles are made and kept by the ledger; a new fence
    EFFECT_KEEP_SECRETS, // those that were set are the present ones
    EFFECT_PASSWORD,     // of one role, as the ledger keeps it
    EFFECT_JUDGE,        // what the ledger knows of marks (ledger/sweep.h)
    EFFECT_CONDEMN,      // project_id and branch_id ("": all of it) are about to be deleted
} EffectKind;

typedef struct Effect {
    EffectKind kind;
    NeonRequest request;
    char project_id[NAME_NEON_ID_BYTES]; // of the request (the project's lock), or of the ledger's
                                         // effect
    LedgerState state;                   // EFFECT_MARK; LEDGER_STATE_NONE: as it is
    // EFFECT_MARK: "" = as it is; EFFECT_DEPENDENTS; EFFECT_JUDGE: "" = nothing of what has expired
    char account[NAME_ACCOUNT_BYTES];
    uint32_t wait_ms;         // with ASK_WAIT
    RolesMode roles_mode;     // EFFECT_ROLES; OWNER: as saga->connection's owner
    bool lists_extensions;    // EFFECT_ROLES, PLAN: those of the databases, too
    const json_t *roles_spec; // EFFECT_ROLES: the wanted set (roles/spec.h), borrowed
    // EFFECT_ROLES, with the fence; EFFECT_CONDEMN; EFFECT_MARK: NULL = as it is;
    // EFFECT_DEPENDENTS: those on it come first; borrowed
    const char *branch_id;
    int64_t fence; // EFFECT_ROLES: of this run; EFFECT_SECRETS: at least this
    // Arrays of names, owned by the decision. EFFECT_SECRETS: roles that need a password, and
    // `renew`: those of them that get a new one in any case. EFFECT_KEEP_SECRETS: whose next ones
    // were set. EFFECT_ROLES, PLAN: roles that need a password; PASSWORDS: those whose password is
    // to be set; OWNER: the databases. EFFECT_ROLES, APPLY and PASSWORDS: `renew`: whose password
    // is set where it can't be told whether it differs. EFFECT_JUDGE: the marks, which are objects;
    // never NULL. NULL: none.
    json_t *names;
    json_t *renew;
    // EFFECT_PASSWORD; EFFECT_ROLES, PLAN: all that is asked is whether this one has saga->
    // connection's password, as its owner; NULL: not that. Borrowed.
    const char *role;
} Effect;

typedef enum Ask {
    ASK_NOTHING, // the journal has its fact
    ASK_EFFECT,
    ASK_WAIT, // nothing to do before effect->wait_ms have passed
} Ask;

enum { SAGA_DEPENDENTS_MAX = LEDGER_DEPENDENTS_MAX };

// What came of an effect.
typedef struct Answer {
    const NeonReply *reply;            // EFFECT_NEON
    const Error *error;                // EFFECT_LOGIN: kind ERROR_NONE = it worked
    const LedgerDependent *dependents; // EFFECT_DEPENDENTS: at most SAGA_DEPENDENTS_MAX
    size_t dependent_count;            // all there are
    const LedgerStopped *stopped;      // EFFECT_STOP
    // EFFECT_ROLES: `error` as with EFFECT_LOGIN, and where there is none: what came of it
    // (with code ROLES_FENCED: its fence_seen)
    const RolesReport *roles;
    const json_t *unknown; // EFFECT_ROLES, PLAN: those of its names for which the ledger has none
    int64_t fence;         // EFFECT_SECRETS: this run's
    // EFFECT_PASSWORD; may be taken over; empty: none. `next`: one that was to be set, and perhaps
    // was. `error`: neither can be opened.
    Secret *password;
    Secret *next_password;
    const json_t *judged; // EFFECT_JUDGE; NULL: it wasn't answered
} Answer;

typedef enum Lesson {
    LESSON_LEARNT,  // the journal changed
    LESSON_WAIT,    // the same again after saga->wait_ms; saga_next says so, too
    LESSON_FAILED,  // saga->failure says why
    LESSON_UNKNOWN, // a mutation that may have happened: its intent stays open
} Lesson;

typedef struct Saga Saga;

typedef struct Step {
    const char *name; // stable: logs, metrics, the journal and events show it
    Protection protection;
    Ask (*ask)(Saga *saga, Effect *effect);
    Lesson (*learn)(Saga *saga, const Answer *answer);
    const struct Step *undo; // steps that remove what this one may have made, or NULL
} Step;

struct Ending;

typedef struct SagaDefinition {
    Action action;
    const char *name;
    const Step *steps; // ends with a step without a name
    // Its success as an event, and what becomes of its subject's row (saga/conclude_parts.h).
    void (*conclude)(struct Ending *ending);
    // What the ledger's rows refuse, before any step: false and `err` (rejected).
    bool (*check)(Saga *saga, Error *err);
    // From here on only forward: a stop or a passed deadline no longer turns it. NULL: it can
    // always turn.
    bool (*is_final)(const Saga *saga);
    // It undoes nothing: where it fails, the environment stays as it was, and what it was told of
    // stays true.
    bool works_in_place;
    // Its subject's row is left alone and its events carry no sequence, even where it fails.
    bool leaves_row;
} SagaDefinition;

// Settings and identity that steps need.
typedef struct SagaRules {
    const char *installation;
    uint32_t poll_ms;
    uint32_t listing_lag_ms;
    uint32_t operation_timeout_ms;
    uint32_t max_wait_ms;
    int64_t max_age_ms;
    int64_t memory_ms; // finished commands are remembered for so long (ledger.retention)
    uint32_t login_attempts;
    int64_t crash_limit;
    bool check_login;
    int64_t sweep_min_age_ms;
    const char *reveal_recipients; // base/recipients.h
    const char *roles_prefix;      // roles/names.h
    // of passwords' digests in the journal; secret
    uint8_t digest_key[CRYPTO_KEY_BYTES];
} SagaRules;

// Where a login works; lives in memory only.
typedef struct SagaConnection {
    char host[256];
    int port;
    char database[64];
    char role[64];
    Secret password;
    Secret uri, pooled_uri; // RevealCredentials: as Neon gives them, for one database
    char owner[64];         // who logs in instead of role: ROLES_MODE_OWNER, and to look at role
    Secret owner_password;
    Secret old_password; // RevealCredentials: compared where `password` isn't the one
} SagaConnection;

typedef struct SagaFailure {
    Error error;
    char step[48];
    int neon_status; // 0 = none
    char neon_request_id[64];
} SagaFailure;

typedef struct SagaIntent {
    bool open;
    bool foreign; // opened under another epoch: its opener may still close it
    bool settles;
    char step[48];
    int64_t settled_boot_ms; // on our CLOCK_BOOTTIME
} SagaIntent;

// The moment at which the engine is asked.
typedef struct SagaNow {
    int64_t boot_ms; // CLOCK_BOOTTIME: waits are measured on it
    int64_t wall_ms;
    uint32_t random;
} SagaNow;

struct Saga {
    const Command *command;
    const SagaDefinition *definition;
    const SagaRules *rules;
    const LedgerClaimed *ledger; // context that the claim read
    SagaNow now;
    Journal journal;
    SagaIntent intent;
    int64_t ledger_less_boot_ms; // the ledger's clock less our CLOCK_BOOTTIME
    int64_t unsettled_boot_ms;   // until nothing of a passed-over intent can still appear
    bool had_intent;             // something may have been done
    bool undoing;
    bool rejected; // refused before anything was done
    bool checked;
    char stop[16];
    char stopped_by[UUID_TEXT_BYTES];
    SagaFailure failure; // why it turned
    SagaConnection connection;
    uint32_t wait_ms;           // of LESSON_WAIT
    Waiting waiting;            // what was learnt last, asked to wait for this ...
    int64_t waiting_boot_ms;    // ... for the first time at this moment
    uint32_t attempt;           // since the last progress
    int64_t not_before_boot_ms; // nothing is done before: what was learnt last, asked to wait
    bool is_stuck;              // something was learnt that was no progress ...
    int64_t stuck_boot_ms;      // ... for the first time at this moment
};

typedef enum DecisionKind {
    DECISION_EFFECT,   // perform decision->effect, then saga_learn
    DECISION_WAIT,     // ask again after wait_ms
    DECISION_SAVE,     // write direction and journal (saga_first_error), then go on
    DECISION_CONCLUDE, // write the outcome (saga/conclude.h)
} DecisionKind;

typedef struct Decision {
    DecisionKind kind;
    const Step *step; // EFFECT
    Effect effect;    // EFFECT; cleared with decision_clear
    bool mutating;    // EFFECT: commit an intent first
    bool settles;     // EFFECT: ... whose result may appear later
    uint32_t wait_ms; // WAIT
    bool look; // WAIT: the opener of a foreign intent may close it: look into the ledger once a
               // second
} Decision;

// NULL when the action isn't executed by this version.
const SagaDefinition *saga_definition(Action action);

// A command that was claimed: `ledger` stays the caller's and must outlive the saga; the journal is
// taken over from it. `boot_ms`: CLOCK_BOOTTIME from before the claim was sent (its waits count
// from there, by the ledger's clock).
void saga_begin(Saga *saga, const Command *command, const SagaRules *rules, LedgerClaimed *ledger,
                SagaNow now);
void saga_clear(Saga *saga);

// The next thing to do, waits included: those that a lesson asked for, and those for open intents.
// Never call it while an effect is under way: call saga_learn first.
void saga_next(Saga *saga, SagaNow now, Decision *ret_decision);
void decision_clear(Decision *decision);

// The intent was committed: `settle_boot_ms` = our clock before its statement was handed over +
// send window + settle time.
void saga_opened(Saga *saga, const Step *step, bool settles, int64_t settled_boot_ms);
// From here on only forward: a stop mark changes nothing any more.
bool saga_is_final(const Saga *saga);
// A stop mark was seen in the row.
void saga_stop(Saga *saga, const char *stop, const char *stopped_by);
// What came of the effect. LESSON_UNKNOWN: leave the intent open. Otherwise close it with journal
// and delta.
Lesson saga_learn(Saga *saga, const Step *step, const Answer *answer, SagaNow now);
// The mutating call was not sent at all. It is asked for again after a growing delay, for as long
// as commands.max_wait.
void saga_not_sent(Saga *saga, SagaNow now);
// Another has closed the intent that we wait for, with these facts (may be NULL).
void saga_intent_closed(Saga *saga, const json_t *result);
// The command is given up for a reason outside of its steps (CRASH_LOOP); an earlier failure stays.
void saga_fail(Saga *saga, const Error *error, const char *step);

// What keeps the saga from going on at this moment, and since when (CLOCK_BOOTTIME; 0: since it was
// begun, or its last intent was opened). For people who look.
Waiting saga_waits_for(const Saga *saga, int64_t boot_ms, int64_t *ret_since_boot_ms);

// JSON of the failure for the ledger, NULL when there is none; the caller frees it.
char *saga_first_error(const Saga *saga);

// All tables as Mermaid diagrams (Markdown), as README carries them.
void saga_print(Text *text);

#endif
