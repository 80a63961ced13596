/*
 * What the files of roles/talk share; nobody else includes it.
 */
#ifndef ROLES_TALK_PARTS_H
#define ROLES_TALK_PARTS_H

#include "base/text.h"
#include "roles/plan.h"
#include "roles/talk.h"
#include "roles/talk_batch.h"

enum {
    TALK_LOOKS_MAX = 4,
    TALK_PLANS = ROLES_QUERY_CREATOR + 1,
    // A plan that isn't empty after so many applies is given up.
    TALK_ROUNDS_MAX = 3,
    // What an owner plan holds at most; fewer: it is the last.
    TALK_CHUNK = 300,
    // After so many failures what was to be applied at once is tried one by one.
    TALK_ATTEMPTS_AT_ONCE = 3,
    TALK_ATTEMPTS_MAX = 8,
    // Databases that are created in one batch: those that are there are worked in meanwhile.
    TALK_CREATED_AT_ONCE = 4,
    TALK_HOLDER_BYTES = 200,
    TALK_NOT_SENT = -1,
};

typedef enum TalkState {
    TALK_OPENS, // takes the lock and looks for the first time
    TALK_ASKS,  // who has the lock, and ends those that aren't runs of ours
    TALK_LOOKS,
    TALK_VERIFIES,
    TALK_APPLIES,
    TALK_CREATES,
    TALK_HOLDS,
    TALK_PINGS,
    TALK_WAITS,
    TALK_DONE,
    TALK_FAILED,
} TalkState;

typedef struct TalkSecret {
    RolesSecret wanted; // `set`: the plan is to set it
    char *verifier;     // that it is compared with
    char *covered;      // by the pad; NULL: not yet
    bool was_set;       // in this run
    bool is_noted;      // in the report
} TalkSecret;

struct RolesTalk {
    const RolesTask *task;
    char *database; // NULL: CLUSTER
    TalkState state;
    TalkState after_wait;
    uint32_t attempts; // that failed one after another
    uint32_t wait_ms;  // 0: not chosen yet
    Text holder;       // of the lock, when it was asked for last; empty: a run of ours
    TalkBatch batch;
    bool is_built; // the batch, of this state

    // the look that the batch has at its end
    RolesQuery looks[TALK_LOOKS_MAX];
    int look_count;
    int look_at;
    char *parameter;
    char *roles; // JSON array, of the verifiers that are asked for
    RolesPlan plans[TALK_PLANS];

    TalkSecret *secrets;
    RolesSecret *asked; // as the plan gets them
    int pad_at;         // its statement in the batch that opens; TALK_NOT_SENT: none is needed
    Secret pad;         // of this session
    bool verifies;      // the verifiers can be read, and there is something to compare
    bool is_compared;   // the look to come knows which are to be set
    RolesCheck *checks;
    size_t check_count;

    // the plan that is applied
    RolesQuery applied;
    int *verdicts;      // of its steps: index of the result that tells, or TALK_NOT_SENT
    bool is_one_by_one; // since it failed as a whole
    uint32_t rounds;    // of applies, but for chunks
    json_t *done;       // statements that were executed
    json_t *failed;     // statement → why
    json_t *missing;    // names of databases
    bool has_roles;     // databases may be worked in

    RolesReport report;
    Error err;
};

// ---- talk.c

void talk_go(RolesTalk *talk, TalkState state);
void talk_fail(RolesTalk *talk, const Error *err);

// ---- talk_trouble.c

// An SQL error of the batch, or the session's end: waits and tries again, or gives up.
void talk_stumble(RolesTalk *talk, const Error *err);
// May the same succeed a little later?
bool talk_is_passing(const char *sqlstate);
bool talk_may_retry(const RolesTalk *talk);
void talk_wait_for(RolesTalk *talk, TalkState then); // after a failure
// The failed result of one statement; code = SQLSTATE.
void talk_read_failure(const PGresult *result, Error *ret_err);
bool talk_has_failed(const PGresult *result);

// ---- talk_holder.c

void talk_holder_build(RolesTalk *talk);
void talk_holder_learn(RolesTalk *talk, PGresult *const *results);

// ---- talk_look.c

void talk_look_begin(RolesTalk *talk); // secrets
void talk_look_clear(RolesTalk *talk);
// Asks for a pad where passwords may have to be set.
void talk_look_add_pad(RolesTalk *talk);
bool talk_look_learn_pad(RolesTalk *talk, PGresult *const *results); // as talk_look_learn
// The role's wanted password; NULL: none is known.
const char *talk_look_covered(RolesTalk *talk, const char *role);
// Adds the looks of this conversation to the batch: at its end.
void talk_look_add(RolesTalk *talk, bool with_verifiers, bool with_second);
// Reads them. False: it failed, and the state is set.
bool talk_look_learn(RolesTalk *talk, PGresult *const *results);
// Whether another look is needed, with passwords to be set.
bool talk_look_verified(RolesTalk *talk);
// They can't be read: whoever asked for the run says which are to be set. Returns as above.
bool talk_look_unreadable(RolesTalk *talk);
// What the next look is told about the passwords: that all are as wanted, or what is known before
// anything was compared.
void talk_look_assume_set(RolesTalk *talk);
void talk_look_restart(RolesTalk *talk);
void talk_look_note_set(RolesTalk *talk, const char *role); // its password was set
// PASSWORDS: puts into the report which ones aren't set, but for those that the plan still names.
void talk_look_settle(RolesTalk *talk);

// ---- talk_apply.c

// A change that is worth to be tried.
bool talk_apply_counts(const RolesTalk *talk, RolesQuery plan, const RolesStep *step);
size_t talk_apply_count(const RolesTalk *talk, RolesQuery plan);
void talk_apply_begin(RolesTalk *talk, RolesQuery plan);
void talk_apply_expect(RolesTalk *talk, size_t step_count); // verdicts: none is sent
void talk_apply_build(RolesTalk *talk);
void talk_apply_learn(RolesTalk *talk, PGresult *const *results);
// Puts what is left of the plan into the report.
void talk_apply_settle(RolesTalk *talk, RolesQuery plan);

// ---- talk_cluster.c and talk_database.c: after a look

void talk_cluster_decide(RolesTalk *talk);
void talk_cluster_build_create(RolesTalk *talk);
void talk_cluster_learn_create(RolesTalk *talk, PGresult *const *results);
void talk_database_decide(RolesTalk *talk);

#endif
