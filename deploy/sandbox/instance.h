/* A branch's cluster with its queue of jobs, and what the parts of compute share. The cluster
 * itself belongs to the running job; everything else here to the loop. */
#pragma once

#include "cluster.h"
#include "compute.h"
#include "files_measure.h"
#include "jobs.h"
#include "relay.h"
#include "settings.h"

struct Instance {
    Cluster cluster;
    JobQueue jobs;
    Branch *branch;
    bool is_up; /* takes logins, as far as the loop knows */
    bool is_waking;
    bool is_removed;
    char address[CLUSTER_ADDRESS_BYTES]; /* where, while it is up */
    uint64_t end_lsn;                    /* the last that was heard of the end of its log; or 0 */
    Instance *prev, *next;
};

struct Compute {
    Sandbox *sandbox;
    char state_dir[VERSIONS_PATH_BYTES];
    Versions versions;
    Tls *tls;
    RelayOwner relay_owner;
    Instance *instances;
    int next_number;      /* of a cluster's folders */
    unsigned comparisons; /* made so far */
    JobPool pool;
    bool is_closing;
    bool shares_blocks;
    uv_timer_t sweep;
};

/* One piece of work on an instance, from its submission to its end on the loop. */
typedef struct Work Work;
typedef void (*WorkDone)(Work *work, const char *error); /* error NULL: done well */

enum { WORK_CHANGES_MAX = 2, INSTANCE_HOST_BYTES = 128 };

struct Work {
    Compute *compute;
    Instance *instance;
    Instance *parent;   /* of a copy */
    int cluster_number; /* that a restored branch gets when the copy succeeds; 0: has it already */
    bool empties;       /* the copy's tables */
    ClusterPoint point; /* of the parent, that a copy takes */
    int64_t begin_ms;   /* when a cluster was asked for that begins a history */
    FilesUsage usage;   /* of a copy, in copied_ms */
    int64_t copied_ms;
    uint64_t copied_lsn;  /* the end of the parent's log that a copy has */
    uint64_t end_lsn;     /* of the cluster's log; 0: not read */
    Operation *operation; /* NULL: nobody's operation */
    char host[INSTANCE_HOST_BYTES];
    char pooler_host[INSTANCE_HOST_BYTES];
    Change changes[WORK_CHANGES_MAX];
    int change_count;
    json_t *contents;                    /* roles and databases that were read, and what SQL told */
    char database[STORE_SQL_NAME_BYTES]; /* whose schema is read */
    json_t *result;                      /* the submitter's, for `done` alone */
    json_t *known;                       /* what the cluster is to get */
    json_t *settings;                    /* what the endpoint asks PostgreSQL for */
    char libraries[SETTINGS_LIBRARIES_BYTES];
    WorkDone done;
    ComputeFunction then; /* of a sync */
    void *argument;
};

/* A new instance for the branch, without files yet. */
Instance *instance_new(Compute *compute, Branch *branch);
/* The one with the branch's cluster_number. */
Instance *instance_open(Compute *compute, Branch *branch);
/* Work for the instance; hosts are those of its branch's endpoint. */
Work *instance_new_work(Instance *instance, Compute *compute, WorkDone done);
/* Submit; `work` is freed after its `done`. */
void instance_create(Work *work);
void instance_copy(Work *work); /* waits for the parent's queue */
void instance_start(Work *work);
void instance_apply(Work *work);
void instance_read(Work *work);
void instance_dump(Work *work); /* a stopped cluster is started and stopped again */
void instance_stop(Work *work); /* reads roles and databases before */
void instance_remove(Work *work);
/* The cluster runs: those that wait for it go on. */
void instance_note_up(Instance *instance);
/* Brings what was read into the store. */
void instance_merge(Work *work);
/* ACTION_CREATE_BRANCH (compute_history.c). */
void compute_begin_copy(Compute *compute, Operation *operation);
/* Nothing is on its way that a login could wait for. */
bool compute_has_failed(const Endpoint *endpoint);
/* What relays ask of compute (compute_logins.c). */
RelayOwner compute_build_relay_owner(Compute *compute);
