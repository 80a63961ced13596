/* Moments of a branch's past: which can be had, and what a branch made at one begins with. */
#include <string.h>

#include "chain.h"
#include "handlers.h"
#include "instance.h"
#include "knowledge.h"
#include "log.h"
#include "render.h"

/* Times are given with whole seconds; a position that is read right after a shutdown lies behind
 * its record. */
enum { HISTORY_TIME_SLACK_MS = 1000, HISTORY_LSN_SLACK_BYTES = 256 };

static uint64_t find_end(const Instance *instance)
{
    return instance->end_lsn != 0 ? instance->end_lsn : cluster_read_lsn(&instance->cluster);
}

bool compute_check_point(const Branch *branch, const char *lsn, int64_t time_ms, char *ret_error,
                         size_t error_bytes)
{
    const Instance *instance = branch->instance;
    ClusterHistory history;
    uint64_t position = 0;
    char begin[TEXT_TIME_BYTES];
    char least[WAL_LSN_BYTES];
    char most[WAL_LSN_BYTES];
    if (instance == NULL) {
        text_format(ret_error, error_bytes, "the branch has no history yet");
        return false;
    }
    if (!cluster_read_history(&instance->cluster, &history, ret_error, error_bytes)) {
        return false;
    }
    text_time(history.begin_ms, begin);
    if (time_ms != 0 && time_ms < history.begin_ms - HISTORY_TIME_SLACK_MS) {
        text_format(ret_error, error_bytes, "the branch's history begins at %s", begin);
        return false;
    }
    uint64_t end = find_end(instance);
    if (time_ms == 0 && (!wal_parse_lsn(lsn, &position) || position < history.begin_lsn ||
                         position > end + HISTORY_LSN_SLACK_BYTES)) {
        wal_render_lsn(history.begin_lsn, least);
        wal_render_lsn(end, most);
        text_format(ret_error, error_bytes, "the branch's history reaches from %s to %s", least,
                    most);
        return false;
    }
    return true;
}

/* What the API lists is what the data of then has; passwords are today's. */
static void follow_data(Work *work)
{
    Branch *branch = work->instance->branch;
    for (Role *role = branch->roles; role != NULL; role = role->next) {
        role->is_known = false;
        role->is_applied = true;
        role->is_pending = role->is_ours;
    }
    for (Database *database = branch->databases; database != NULL; database = database->next) {
        database->is_applied = true;
    }
    instance_merge(work);
}

static void end_removed(Work *work, const char *error)
{
    (void)work;
    (void)error;
}

/* The branch goes over to the copy, or keeps what it has. */
static void replace_cluster(const Work *work, const char *error)
{
    Instance *copy = work->instance;
    Branch *branch = copy->branch;
    Instance *unwanted = copy;
    if (error == NULL) {
        unwanted = branch->instance;
        branch->instance = copy;
        branch->cluster_number = work->cluster_number;
        branch->told_bytes = 0;
    }
    if (!work->compute->is_closing) {
        instance_remove(instance_new_work(unwanted, work->compute, end_removed));
    }
}

static void end_copy(Work *work, const char *error)
{
    Branch *branch = work->instance->branch;
    if (work->cluster_number != 0) {
        replace_cluster(work, error);
    }
    if (error == NULL && branch->state == BRANCH_RESETTING) {
        branches_take_contents(&work->compute->sandbox->store, branch, text_now_ms());
    }
    if (error == NULL && work->contents != NULL) {
        follow_data(work);
    }
    if (error == NULL && branch->parent != NULL && branch->parent_lsn[0] == '\0') {
        wal_render_lsn(work->copied_lsn, branch->parent_lsn);
    }
    store_touch(&branch->mark);
    if (error != NULL) {
        log_warn("%s of %s: %s", render_action(work->operation->action), branch->id, error);
    }
    if (error == NULL) {
        enum { KB = 1024 };
        log_line("%s copied from %s in %lld ms: %lld kB shared, %lld kB of its own", branch->id,
                 work->parent->branch->id, (long long)work->copied_ms,
                 (long long)(work->usage.shared_bytes / KB),
                 (long long)(work->usage.own_bytes / KB));
    }
    chain_end_work(work->compute->sandbox, work->operation, error);
}

/* A restored branch keeps its cluster until the copy is whole. */
static Work *new_copy(Compute *compute, Branch *branch)
{
    Instance *old = branch->instance;
    if (old == NULL || branch->state != BRANCH_RESETTING) {
        return instance_new_work(old != NULL ? old : instance_new(compute, branch), compute,
                                 end_copy);
    }
    int old_number = branch->cluster_number;
    int64_t old_told_bytes = branch->told_bytes;
    Work *work = instance_new_work(instance_new(compute, branch), compute, end_copy);
    work->cluster_number = branch->cluster_number;
    branch->instance = old;
    branch->cluster_number = old_number;
    branch->told_bytes = old_told_bytes;
    return work;
}

static void end_without_source(void *argument)
{
    Operation *operation = argument;
    chain_end_work(operation->sandbox, operation, "the source branch has no data");
}

void compute_begin_copy(Compute *compute, Operation *operation)
{
    Branch *branch = operation->branch;
    if (branch->source->instance == NULL) {
        timers_after(&compute->sandbox->timers, 0, end_without_source, operation);
        return;
    }
    Work *work = new_copy(compute, branch);
    work->operation = operation;
    work->parent = branch->source->instance;
    work->empties = branch->is_schema_only;
    work->begin_ms = branch->life.created_ms;
    work->point.time_ms = branch->parent_ms;
    if (branch->parent_ms == 0 && branch->parent_lsn[0] != '\0') {
        (void)wal_parse_lsn(branch->parent_lsn, &work->point.lsn);
    }
    instance_copy(work);
}
