/*
 * What SweepAccount has found so far: notes of the journal, in memory only. Who takes the command
 * over looks again.
 */
#ifndef SAGA_SWEEP_H
#define SAGA_SWEEP_H

#include "saga/verdict.h"

#define NOTE_SWEEP_PROJECTS "sweep_projects" // counts
#define NOTE_SWEEP_BRANCHES "sweep_branches"
#define NOTE_SWEEP_MARKED "sweep_marked"
#define NOTE_SWEEP_OTHERS "sweep_others"
#define NOTE_SWEEP_FOREIGN "sweep_foreign"
#define NOTE_SWEEP_OMITTED "sweep_omitted"
#define NOTE_SWEEP_DOUBTS "sweep_doubts" // texts
// [{"verdict": number, "environment", "command", "project", "branch", "name", "created_at_ms",
// "expires_at_ms", "is_project"}]
#define NOTE_SWEEP_FINDINGS "sweep_findings"
// {branch: flag} of what the ledger called expired before the listing; false: not so at Neon, where
// somebody has lifted the expiry or put it off.
#define NOTE_SWEEP_DUE "sweep_due"

// Branches that are to be judged: findings without a verdict, with "is_root".
#define NOTE_SWEEP_PENDING "sweep_pending"

enum { SWEEP_JUDGED_MAX = 200 }; // marks in one question

// A note that is a list.
json_t *sweep_array(Saga *saga, const char *note);
// A note that is a number: one more.
void sweep_count(Saga *saga, const char *note);
// A page more: a long listing goes on.
Lesson sweep_learnt(Saga *saga);

// A deletion may follow: it was asked for, and the listing is beyond doubt.
bool sweep_deletes(const Saga *saga);
// ... of this finding, too.
bool sweep_deletes_finding(const Saga *saga, const json_t *finding);

#endif
