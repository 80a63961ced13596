/*
 * The journal's keys. Released ones keep their meaning.
 */
#ifndef SAGA_FACTS_H
#define SAGA_FACTS_H

// How many mutating calls of unknown result there were: proofs of absence from before don't count
// any more.
#define FACT_DOUBTS "doubts"
// Number of doubts at which the listing proved ours absent.
#define FACT_ABSENT_AT "absent_at"
#define FACT_CREATED_AT "created_at_ms"   // when the creation's reply was read, or it was adopted
#define FACT_CONFLICT_AT "conflict_at_ms" // first 409
#define FACT_GHOST_AT                                                                              \
    "ghost_at_ms" // first time a branch of an earlier command was seen under the name
#define FACT_OPERATIONS "operations"       // ids still to be waited for
#define FACT_UNDONE "undone"               // names of what was removed
#define FACT_MAYBE_DELETED "maybe_deleted" // step whose deletion's result was never read
// Until when, by the ledger's clock, such deletions may still take place, by step; whose thing is
// known to be gone has none.
#define FACT_DELETES_UNTIL "deletes_until_ms"
#define FACT_LEFT "left"           // names of what could not be removed
#define FACT_GAVE_UP "gave_up"     // undo tables that failed
#define FACT_DRIFT "drift"         // what was found and left alone
#define FACT_UNCHANGED "unchanged" // the environment was there with the same settings

#define FACT_REGION_OK "region_ok"
#define FACT_PROJECT_ID "project_id"
#define FACT_PROJECT_NAME "project_name"
#define FACT_PROJECT_READ "project_read" // region, version, retention are known
#define FACT_PROJECT_DELETED "project_deleted"
#define FACT_PROJECT_UNDONE "project_undone"
#define FACT_REGION_ID "region_id"
#define FACT_PG_VERSION "pg_version"
#define FACT_RETENTION "history_retention_seconds"
#define FACT_DUPLICATE "duplicate" // id of the last one that was listed
#define FACT_DUPLICATES_LISTED "duplicates_listed"

#define FACT_PARENT_ID "parent_id"
#define FACT_ANNOUNCED "announced"
#define FACT_NOT_DELETING "not_deleting"
#define FACT_BRANCH_ID "branch_id"
#define FACT_BRANCH_NAME "branch_name"
#define FACT_EXPIRES_AT "expires_at_ms" // of the branch; no fact: it stays
#define FACT_BRANCH_READY "branch_ready"
#define FACT_BRANCH_DELETED "branch_deleted"
#define FACT_BRANCH_UNDONE "branch_undone"
#define FACT_LEFTOVER_GONE "leftover_gone"
// Each is the id of the project that it holds for (saga/guard.h).
#define FACT_GUARD_MARKED "guard_marked" // our row is `deleting` with it
#define FACT_GUARD_ALONE "guard_alone"   // ... then the ledger knew of no other environment

#define FACT_ENDPOINT_ID "endpoint_id"
#define FACT_ENDPOINT_READY "endpoint_ready"
#define FACT_MIN_CU "min_cu"
#define FACT_MAX_CU "max_cu"
#define FACT_SUSPEND "suspend_timeout_seconds"
#define FACT_DATABASES "databases"
#define FACT_DATABASE "database"
#define FACT_ROLE "role"
#define FACT_HOST "host"
#define FACT_POOLED_HOST "pooled_host"
#define FACT_PORT "port"
#define FACT_LOGIN_WORKS "login_works"

#define FACT_EXPECTED_ROLES                                                                        \
    "expected_roles" // of the parent and of the creation's reply: the new branch has them all
#define FACT_ROLES "roles_to_rotate" // names, in order
#define FACT_ROTATED "rotated_roles"
#define FACT_OLD_PASSWORDS "old_passwords" // role → {digest, doubts}

#define FACT_MARKED "marked"
#define FACT_NO_ENVIRONMENTS "no_environments" // the ledger knows of no dependents
#define FACT_GONE "gone"
#define FACT_MISSING "missing" // Neon said 404: our mark is looked for before that is believed
#define FACT_CONFIRMED_GONE "confirmed_gone"
// Ids of what carries the mark of a deleted environment and stays: the ledger doesn't know its
// maker as finished.
#define FACT_STRANGERS "strangers"

#define FACT_STOP_SET "stop_set"           // in the target's row
#define FACT_TARGET_ACTION "target_action" // "": it was never claimed

#define FACT_ROLE_LISTED "role_listed"
#define FACT_BOOTSTRAP "bootstrap_role" // whose URIs are those of a role made by SQL, but for it
#define FACT_PASSWORD_CHECKED "password_checked"
#define FACT_REVEALED "revealed" // the password was; it lives in memory only

// roles/spec.h; stays with the environment, as does FACT_ROLE
#define FACT_ROLES_SPEC "roles_spec"
#define FACT_API_ROLES "api_roles"   // names that Neon lists and that can log in
#define FACT_PLANNED "roles_planned" // the roles were compared with what is wanted
#define FACT_NOTHING_TO_DO "nothing_to_do"
#define FACT_MANAGED "managed_logins"  // roles of ours that a branch inherits, and can log in
#define FACT_CHANGES "role_changes"    // [{database, object, change, reason, blocked}], bounded
#define FACT_OMITTED "changes_omitted" // how many that list has no room for
#define FACT_FENCE "fence"             // of the run that sets passwords
#define FACT_FENCE_SEEN "fence_seen"   // a greater one, found on the branch
#define FACT_TARGETS "secret_targets"  // roles made by SQL whose password is renewed
#define FACT_APPLIED "roles_applied"   // nothing is left to do for our own sessions
#define FACT_OWNERS "foreign_owners"   // [{database, owner}]: only they can hand over
#define FACT_OWNERS_TRIED "owners_tried"
#define FACT_PASSWORDS_SET "passwords_set" // those of FACT_TARGETS, or of FACT_MANAGED, are
#define FACT_ROLES_SET "roles_set" // names of roles whose wanted password is known to be theirs
#define FACT_NOT_SET "not_set"     // what is told of the other ones' when the others are kept
#define FACT_SECRETS_KEPT "secrets_kept"

// Edits: values by the keys of details, as they were before, and as they are.
#define FACT_BEFORE "before"
#define FACT_PRESENT "present"
#define FACT_PRESENT_DOUBTS "present_doubts"     // number of doubts at that reading
#define FACT_PATCHED "patched"                   // Neon has taken what is wanted
#define FACT_SIBLINGS "siblings"                 // [{application, environment}] of the project
#define FACT_SIBLINGS_OMITTED "siblings_omitted" // how many more there are
#define FACT_SIBLINGS_TOLD "siblings_told"       // they are those there were after the change

#define FACT_NEON_ACCOUNT "neon_account_id"
#define FACT_AUTH_METHOD "auth_method"
#define FACT_ORG_ID "org_id"
#define FACT_ORG_KNOWN "org_known"
#define FACT_KEY_KIND "key_kind"
#define FACT_KEY_PROJECT "key_project_id"
// A branch that was there before this command.
#define FACT_STANDS "stands"                 // nothing of it is undone
#define FACT_REOPENED "reopened"             // it was gone, and is made again
#define FACT_LOOKED_DOUBTS "looked_doubts"   // number of doubts when it was looked at
#define FACT_LAST_RESET "last_reset_ms"      // when it had been reset before; 0: never
#define FACT_RESET_DOUBTS "reset_doubts"     // number of doubts when that was looked at
#define FACT_EXTENDS "extends"               // it is to expire later than it does
#define FACT_REPOSITORY "repository"         // that a preview was opened for
#define FACT_RESET_DONE "reset_done"         // since then it was
#define FACT_CHILDREN_KNOWN "children_known" // it has none, or they are to be moved

#define FACT_PAGES_READ "pages_read" // of an account's inventory
#define FACT_UNUSED "unused"         // no environment uses the account

// DeleteOrphan.
#define FACT_ORPHAN_JUDGED "orphan_judged"
#define FACT_ORPHAN_READ "orphan_read"           // it carries the mark
#define FACT_ORPHAN_WHOLE "orphan_whole"         // its project goes
#define FACT_ORPHAN_CONDEMNED "orphan_condemned" // the ledger says so
#define FACT_ORPHAN_ALONE "orphan_alone"         // ... and still of no environment on it
#define FACT_ORPHAN_DELETED "orphan_deleted"     // by us

// Import.
// What made the branch by its mark: {application, environment, command, project, branch}.
#define FACT_MAKER "maker"
#define FACT_MAKER_ENDED "maker_ended" // or there is none that this ledger knows
#define FACT_ALONE "alone"             // no other environment is on the branch, or it may be
#define FACT_MADE_ENDPOINT "made_endpoint_id"
#define FACT_ENDPOINT_UNDONE "endpoint_undone"
#define FACT_DATABASE_OWNERS "database_owners" // [{name, owner}]
#define FACT_RESERVED "reserved_roles"         // names with a prefix of ours
#define FACT_ROLES_LISTED "roles_listed"
#define FACT_NO_URI "no_uri"           // Neon gives none
#define FACT_LOGIN_TRIED "login_tried" // FACT_LOGIN_WORKS says whether it worked
#define FACT_IMPORT_SPEC "import_spec" // what SetupRoles is asked to say: roles/spec.h
#define FACT_EXTENSIONS "extensions"

#endif
