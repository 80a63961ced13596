/*
 * A command in flight: from its record to its outcome. It waits for its lanes, claims its row,
 * performs what its saga asks for one effect after another, concludes, and hands its outcome to the
 * outbox.
 *
 * When its partition is taken away it finishes the call in flight, closes its intent, and parks;
 * when the same record is delivered again it takes its place in the lanes as any record does and
 * goes on from where it was. Whether another worker claimed it meanwhile shows at the first write.
 */
#ifndef RUN_FLIGHT_H
#define RUN_FLIGHT_H

#include "run/note.h"
#include "run/record_copy.h"
#include "run/tally_wait.h"
#include "run/worker.h"
#include "saga/conclude.h"
#include "sys/log.h"

struct RolePasswords;

typedef enum FlightPhase {
    FLIGHT_WAITING, // for its lanes
    FLIGHT_CLAIMING,
    FLIGHT_RUNNING, // an effect, a statement or a timer is under way
    FLIGHT_PARKED,  // claimed, nothing under way, no assignment (or not its turn yet)
} FlightPhase;

// What a command has once it is claimed: most commands that a worker holds wait to be.
typedef struct FlightWork {
    LedgerClaimed claimed;
    Saga saga;
    Decision decision; // under way
    Conclusion conclusion;
} FlightWork;

typedef struct Flight {
    ListLink link;
    Worker *worker;
    Partition *partition; // NULL: its assignment is over
    RecordCopy record;
    Command *command;
    char subject[SUBJECT_TEXT_BYTES]; // of the command, as events and logs name it
    LaneEntry lane;
    FlightPhase phase;
    char stop[16]; // heard from this worker's own Cancel; "" = none
    char stopped_by[UUID_TEXT_BYTES];
    bool is_accepted;      // told of (run/progress.h), as are these steps
    uint64_t told_steps;   // bits
    const Step *performed; // the last one that taught something, not told of yet; NULL: none
    bool overtakes;        // stopped while it waited for its lanes: it ends without them
    bool goes_on;          // without an assignment, which was lost: see flight_detach
    bool is_dropped;       // freed as soon as nothing is under way
    LedgerOp op;
    uint8_t spec_digest[CRYPTO_SHA256_BYTES];
    bool has_saga;
    FlightWork *work; // from its claim on; NULL: it waits
    Secret api_key;
    bool has_key;  // it was opened, or found not to be needed
    Lesson lesson; // learnt, and being written
    GateEntry place;
    GateEntry role_run;  // of those that talk with a branch's databases, while it does
    GateEntry inventory; // of the few that take one; kept to the end, since nobody who has one
                         // waits for another: both commands only read their account
    size_t held_bytes;   // counted for its partition while it has one
    LockEntry lock;
    BucketEntry token;
    LoopTimer *timer;
    void (*on_timer)(struct Flight *flight);
    HttpCall *call;
    int64_t sent_boot_ms; // the call, or the last one
    TallyWait neon_wait;
    Pg *login;
    bool login_asked;
    struct RolesRun *roles; // run/roles_run.h, under way; NULL: none
    void (*on_passwords)(struct Flight *flight, struct RolePasswords *passwords, const Error *err);
    int64_t intent_number;
    int64_t send_limit_ms;
    char *texts[3]; // JSON of the statement under way
    Buffer sealed_key;
    int64_t started_boot_ms;
    int64_t step_boot_us;     // when the step under way was asked for
    int64_t progress_boot_ms; // it last wrote something new into its row
    const char *step;         // the last that was asked for; NULL: none
    int64_t step_boot_ms;     // since when
    NoteMemory note;
} Flight;

// A command that waits longer than this looks for a stop mark every so often.
enum { FLIGHT_LOOK_MS = 10000 };

// It collects all that an account's key sees (saga/inventory.h, saga/sweep.h).
bool flight_takes_inventory(const Flight *flight);
// It has its place among those.
void flight_admit(Flight *flight);
// Takes over the command. It starts as soon as its lanes are free.
void flight_start(Worker *worker, Partition *partition, const Record *record, Command *command);
// The record of a flight without an assignment came again.
void flight_attach(Flight *flight, Partition *partition);
// The partition was taken away. Lanes are left; what has not claimed yet is freed. With `lost` the
// group doesn't answer, so there may be nobody who has it now: what runs goes on until a write
// shows that another worker has claimed it, and its outcome waits in the ledger.
void flight_detach(Flight *flight, bool lost);
// Whether it may do more: it has an assignment, or has lost it.
bool flight_may_act(const Flight *flight);
// Lets go: at once, or when what is under way has ended and its intent is closed. Its record may
// make a new flight meanwhile.
void flight_drop(Flight *flight);
// Cuts off what is under way, too; at the end of the process.
void flight_free(Flight *flight);
// Takes back what would begin something and waits for the ledger: a claim, or an intent that was
// never sent. One that was may stand in the ledger: sent again, it is closed as soon as it can be.
void flight_withdraw(Flight *flight);
// Marks it as dropped without freeing it: nothing that ends meanwhile starts it.
void flight_doom(Flight *flight);
bool flight_is_under_way(const Flight *flight);
// Parked ones with nothing under way; the others are at work, even where the group was left.
size_t flight_count_resting(const Worker *worker);
// Starts those whose lanes have become free.
void flight_start_ready(List *ready);

LogFields flight_log(const Flight *flight);
// Its row was written. The same again, with nothing learnt since, is no progress.
void flight_progress(Flight *flight);
// What keeps a claimed command from going on, at which step, since when (CLOCK_BOOTTIME).
Waiting flight_waits_for(const Flight *flight, int64_t now_boot_ms, const char **ret_step,
                         int64_t *ret_since_boot_ms);

// ---- flight_claim.c
void flight_claim(Flight *flight);
// Opens the key of its calls, then goes on.
void flight_open_key(Flight *flight);

// ---- flight_stop.c

// A stop mark was written for this command: what this worker holds of it hears that at once.
void flight_tell_stop(Worker *worker, const char *application_id, const char *command_id,
                      const char *stop, const char *stopped_by);

// ---- flight_run.c

// At a step boundary: asks the saga what is next.
void flight_advance(Flight *flight);
// The row was written by another: drop, or claim again when the assignment is still ours.
void flight_stale(Flight *flight);
void flight_after(Flight *flight, uint32_t wait_ms, void (*then)(Flight *flight));
// A wait that ends by the deadline, where that still turns the command, and by commands.max_wait.
uint32_t flight_cap_wait(const Flight *flight, uint32_t wait_ms);
void flight_put(Flight *flight, LedgerOpKind kind, void (*done)(LedgerOp *op));
LedgerKey flight_key(const Flight *flight);
// What it knows is out of date: back to the lanes, whose turn claims it anew. Returns false when it
// was dropped instead, because its turn won't come here.
bool flight_wait(Flight *flight);
// Frees the texts of the statement that ended.
void flight_free_texts(Flight *flight);
// The same. Returns false when the flight was waiting for that to be freed.
bool flight_landed(Flight *flight);
SagaNow flight_now(void);

// ---- flight_effect.c
void flight_perform(Flight *flight);
// The moment of its call to Neon has come.
void flight_on_token(BucketEntry *entry);
// Its place among those that talk with a branch's databases has come.
void flight_on_role_run(Flight *flight);
// What came of the effect: written where it changed something, then the command goes on.
void flight_learn(Flight *flight, const Answer *answer);

// ---- flight_ledger.c
void flight_perform_ledger(Flight *flight);

// ---- flight_roles.c

// Performs EFFECT_ROLES: connects, runs the conversations of worker/roles, and ends with
// flight_learn. With a mutating decision the intent is committed, and what changes something is
// sent until flight->send_limit_ms only.
void flight_run_roles(Flight *flight);

// ---- flight_end.c
void flight_conclude(Flight *flight);
// The claim says that the command is finished, or its id was used for another.
void flight_finished(Flight *flight);
void flight_reused(Flight *flight);

#endif
