/*
 * The steps that tables in sagas.c are made of, one topic a file. Each step is a pair: `ask` says
 * what is to be done next, or that the journal has its fact; `learn` writes what came of it into
 * the journal.
 */
#ifndef SAGA_STEPS_H
#define SAGA_STEPS_H

#include "saga/saga.h"

#define STEP_PAIR(topic, name)                                                                     \
    Ask topic##_ask_##name(Saga *saga, Effect *effect);                                            \
    Lesson topic##_learn_##name(Saga *saga, const Answer *answer)

// steps_account.c: what a key is.
STEP_PAIR(account, key);
STEP_PAIR(account, organizations);
STEP_PAIR(account, scope);
bool account_check_connect(Saga *saga, Error *err);
STEP_PAIR(account, successor); // does it reach what the key before has reached?
STEP_PAIR(account, users);     // environments that still need it
bool account_check_disconnect(Saga *saga, Error *err);

// steps_discover.c: what an account's key sees, in notes.
STEP_PAIR(discover, regions);
STEP_PAIR(discover, projects);
STEP_PAIR(discover, branches);
bool discover_check(Saga *saga, Error *err);

// steps_sweep.c, steps_sweep_judge.c: what of it no environment owns, in notes (saga/sweep.h).
STEP_PAIR(sweep, ledger); // it is the one that was confirmed
STEP_PAIR(sweep, projects);
STEP_PAIR(sweep, branches);
STEP_PAIR(sweep, judge);
bool sweep_check(Saga *saga, Error *err);

// steps_orphan.c: deletes one thing that no environment owns.
STEP_PAIR(orphan, judge);
STEP_PAIR(orphan, read);
STEP_PAIR(orphan, condemn);
STEP_PAIR(orphan, alone); // the same judgement, now that others see what is condemned
STEP_PAIR(orphan, branches);
STEP_PAIR(orphan, delete);
bool orphan_check(Saga *saga, Error *err);
bool orphan_is_final(const Saga *saga);

// steps_cancel.c: sets the stop mark of another command.
STEP_PAIR(cancel, stop);
bool cancel_check(Saga *saga, Error *err);
bool cancel_is_final(const Saga *saga);

// steps_project.c
STEP_PAIR(project, region);
STEP_PAIR(project, find); // ours, by name and mark
STEP_PAIR(project, create);
STEP_PAIR(project, read);       // region, version, retention of a project that is not ours
STEP_PAIR(project, duplicates); // a second one of this very command
STEP_PAIR(project, remove_duplicate);
STEP_PAIR(project, undo_find);
STEP_PAIR(project, undo_delete);
bool project_check_create(Saga *saga, Error *err);
// The project that the undo deletes next, or "".
const char *project_undo_target(const Saga *saga);

// steps_branch.c
STEP_PAIR(branch, source);       // the branch to branch from
STEP_PAIR(branch, announce);     // our row names the project, so that its deleter sees us
STEP_PAIR(branch, source_stays); // nobody deletes that project
STEP_PAIR(branch, find);
STEP_PAIR(branch, create);
STEP_PAIR(branch, undo_find);
STEP_PAIR(branch, undo_delete);
bool branch_check_create(Saga *saga, Error *err);

// steps_import.c: somebody's branch, and its endpoint.
STEP_PAIR(import, branch);
STEP_PAIR(import, maker);    // has the command that makes the branch ended?
STEP_PAIR(import, announce); // our row names the branch, so that other importers see us
STEP_PAIR(import, alone);
STEP_PAIR(import, look); // has it an endpoint?
STEP_PAIR(import, create_endpoint);
STEP_PAIR(import, endpoint); // the one that was made
STEP_PAIR(import, undo_look);
STEP_PAIR(import, undo_endpoint);
bool import_check(Saga *saga, Error *err);

// steps_preflight.c: what is on a branch that was imported. Nothing of it fails the command.
STEP_PAIR(preflight, databases);
STEP_PAIR(preflight, roles);
STEP_PAIR(preflight, connection);
STEP_PAIR(preflight, pooled);
STEP_PAIR(preflight, login);
STEP_PAIR(preflight, plan);

// steps_leftover.c: what an earlier, failed command of the environment could not remove.
STEP_PAIR(leftover, remove);

// steps_guard.c: before a project goes, nobody else may live in it.
STEP_PAIR(guard, mark);
STEP_PAIR(guard, environments);
STEP_PAIR(guard, branches);
STEP_PAIR(guard, creating); // the row is ours to create again

// steps_ready.c: until a new branch can be used.
STEP_PAIR(ready, operations);
STEP_PAIR(ready, branch);
STEP_PAIR(ready, endpoint);
STEP_PAIR(ready, database);
STEP_PAIR(ready, connection);
STEP_PAIR(ready, pooled);
STEP_PAIR(ready, login);

// steps_password.c: replaces the inherited passwords of a branch.
STEP_PAIR(password, parent_roles);
STEP_PAIR(password, roles);
STEP_PAIR(password, reveal);
STEP_PAIR(password, reset);
// The roles of a branch's creation, too, are to be in its list; a reply without any is fine.
void password_expect_roles(Saga *saga, const json_t *body);

// steps_reveal.c: a role's password and URIs, for whoever is listed as a recipient.
STEP_PAIR(reveal, role);
STEP_PAIR(reveal, password);
STEP_PAIR(reveal, kept); // ... of a role made by SQL, as the ledger has it
STEP_PAIR(reveal, uri);
STEP_PAIR(reveal, pooled_uri);
STEP_PAIR(reveal, check); // which one of two it is
bool reveal_check(Saga *saga, Error *err);

// steps_roles.c: the roles of a branch, compared and converged.
STEP_PAIR(roles, find); // by SetupRoles
STEP_PAIR(roles, plan);
STEP_PAIR(roles, apply);
STEP_PAIR(roles, reveal_owner); // of what our own sessions can't hand over
STEP_PAIR(roles, adopt);
bool roles_check_setup(Saga *saga, Error *err);
bool roles_is_final(const Saga *saga);

// steps_preview.c: the base, and a preview that is open already.
bool preview_check_base(Saga *saga, Error *err);
STEP_PAIR(preview, look); // is its branch still there, and for how long?
STEP_PAIR(preview, extend);
bool preview_check_open(Saga *saga, Error *err);
bool preview_check_close(Saga *saga, Error *err);

// steps_reset.c: a branch becomes what its parent is.
STEP_PAIR(reset, children);
STEP_PAIR(reset, look); // was it reset since?
STEP_PAIR(reset, restore);
bool reset_check(Saga *saga, Error *err);
bool reset_is_final(const Saga *saga);

// steps_secrets.c: passwords of roles made by SQL.
STEP_PAIR(secrets, connection); // with what a branch has inherited
STEP_PAIR(secrets, inherited);  // which ones a branch has, and what is left to the API
STEP_PAIR(secrets, prepare);    // the ledger keeps them, before
STEP_PAIR(secrets, set);
STEP_PAIR(secrets, keep);
// Roles whose password is replaced, as a new array; NULL: none.
json_t *secrets_renewed(const Saga *saga);
// Journals whose wanted password is known to be theirs: what was learnt stays so, and these are
// kept.
void secrets_note_set(Saga *saga, const RolesReport *report);

// steps_rotate.c
STEP_PAIR(rotate, find); // whose passwords
bool rotate_check(Saga *saga, Error *err);
bool rotate_is_final(const Saga *saga);

// steps_edit.c: settings of a project or an endpoint, compared and changed.
STEP_PAIR(edit, siblings);
STEP_PAIR(edit, late_siblings);
STEP_PAIR(edit, project);
STEP_PAIR(edit, patch_project);
STEP_PAIR(edit, endpoint);
STEP_PAIR(edit, patch_endpoint);
bool edit_check_project(Saga *saga, Error *err);
bool edit_check_endpoint(Saga *saga, Error *err);
bool edit_is_final(const Saga *saga);

// steps_delete.c
STEP_PAIR(delete, mark);
STEP_PAIR(delete, environments); // of the ledger, on the same project
STEP_PAIR(delete, guard);        // what Neon says stands in the way
STEP_PAIR(delete, branch);
STEP_PAIR(delete, project);
bool delete_check(Saga *saga, Error *err);
bool delete_is_final(const Saga *saga);

// steps_confirm.c: what else carries the deleted environment's mark.
STEP_PAIR(confirm, gone);
STEP_PAIR(confirm, judge); // what the ledger knows of its maker
STEP_PAIR(confirm, remove);

#undef STEP_PAIR

#endif
