/* The part of the sandbox that has real PostgreSQL clusters behind its branches: what operations do
 * there, waking and suspending, and what SQL made that the API has to show. All functions are
 * called on the loop; work on clusters runs on libuv's threads, one job a cluster at a time. */
#pragma once

#include "sandbox.h"

enum { COMPUTE_ERROR_BYTES = 512, COMPUTE_VERSION_BYTES = 16 };

/* Cleans up what a crash left in the state folder, makes the CA. NULL with a sentence in ret_error.
 */
Compute *compute_open(Sandbox *sandbox, char *ret_error, size_t error_bytes);
/* Stops every cluster and waits for it; with `remove`, deletes their folders. */
void compute_close(Compute *compute, bool remove);
/* The CA's file, for clients. */
/* Whether copies of branches share what doesn't change: the file system can. */
bool compute_shares_blocks(const Compute *compute);
const char *compute_ca_file(const Compute *compute);
/* The versions that can be asked for: fills ret_majors, returns how many. */
int compute_versions(const Compute *compute, int *ret_majors, int most);

/* Whether that version of PostgreSQL has the library, and which one it is. */
bool compute_find_library(const Compute *compute, int major, const char *name,
                          char ret_version[COMPUTE_VERSION_BYTES]);

/* After a restart: the store's branches get their clusters back, stopped, and its endpoints their
 * ports; folders of no branch go. False with a sentence in ret_error. */
bool compute_restore(Compute *compute, char *ret_error, size_t error_bytes);

/* Does what the operation says; chain_end_work is called when done, never from within. */
void compute_begin(Compute *compute, Operation *operation);
/* Opens the endpoint's port. False when none could be opened. */
bool compute_add_endpoint(Compute *compute, Endpoint *endpoint);
/* Likewise, at the port it had; at another one where that is taken. */
bool compute_reopen_endpoint(Compute *compute, Endpoint *endpoint);
void compute_remove_endpoint(Compute *compute, Endpoint *endpoint);
/* Takes the branch's cluster away, for a new one to come: it becomes that of `preserved`. */
void compute_hand_over(Compute *compute, Branch *branch, Branch *preserved);
/* Removes the clusters of a deleted project. */
void compute_remove_project(Compute *compute, Project *project);
/* Stops them and closes their ports, for compute_add_endpoint to open others. */
void compute_stop_project(Compute *compute, Project *project);

/* Whether the branch's data of that time, or at that position of its log (time_ms 0), can be had;
 * false with a sentence in ret_error. */
bool compute_check_point(const Branch *branch, const char *lsn, int64_t time_ms, char *ret_error,
                         size_t error_bytes);

/* Sets `socket_dir`, where cloud_admin comes in, and `log` of the branch's cluster, if it has one.
 */
void compute_describe(const Branch *branch, json_t *json);
/* Lets the next `count` commits that change roles fail at endpoints whose id contains `match`. */
void compute_fail_commits(Compute *compute, const char *match, int64_t count);

typedef void (*ComputeFunction)(void *argument);
/* Brings roles and databases made by SQL into the store, then calls `done`; at once where there is
 * no branch, its compute does not run or its project is changing. */
void compute_sync(Compute *compute, Branch *branch, ComputeFunction done, void *argument);
/* Reads the schema of one of the branch's databases into `ret` ({sql} or {error}, the caller's and
 * alive until `done`), then calls `done`. A suspended compute runs for just that. */
void compute_dump(Compute *compute, Branch *branch, const char *database, json_t *ret,
                  ComputeFunction done, void *argument);
/* Two schemas of a database, for compute_compare. */
typedef struct ComputeTexts {
    const char *database;
    const char *base;
    const char *text;
} ComputeTexts;

/* Sets `diff` in `ret`, the way from `base` to `text` as `diff -u` tells it and empty where they
 * are the same, or `error`; then calls `done`, maybe at once. */
void compute_compare(Compute *compute, Branch *branch, const ComputeTexts *texts, json_t *ret,
                     ComputeFunction done, void *argument);
