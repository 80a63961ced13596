/* What each operation does to its cluster. */
#include <string.h>
#include <utlist.h>

#include "chain.h"
#include "instance.h"
#include "log.h"
#include "render.h"
#include "told.h"

static void end_operation(Work *work, const char *error)
{
    if (error != NULL) {
        log_warn("%s of %s: %s", render_action(work->operation->action),
                 work->operation->branch->id, error);
    }
    chain_end_work(work->compute->sandbox, work->operation, error);
}

static void end_created(Work *work, const char *error)
{
    Branch *branch = work->instance->branch;
    if (error == NULL) {
        branch->roles->is_applied = true;
        branch->databases->is_applied = true;
        instance_note_up(work->instance);
    }
    end_operation(work, error);
}

static void end_started(Work *work, const char *error)
{
    if (error == NULL) {
        instance_note_up(work->instance);
    }
    end_operation(work, error);
}

static void end_stopped(Work *work, const char *error)
{
    instance_merge(work);
    end_operation(work, error);
}

static void add_change(Work *work, ChangeKind kind, const char *name, const char *owner,
                       const char *password)
{
    Change *change = &work->changes[work->change_count++];
    change->kind = kind;
    text_build(change->name, sizeof(change->name), "%s", name);
    text_build(change->owner, sizeof(change->owner), "%s", owner);
    text_build(change->password, sizeof(change->password), "%s", password);
}

static void begin_create(Compute *compute, Operation *operation)
{
    Branch *branch = operation->branch;
    Instance *instance =
        branch->instance != NULL ? branch->instance : instance_new(compute, branch);
    Work *work = instance_new_work(instance, compute, end_created);
    work->operation = operation;
    work->begin_ms = branch->life.created_ms;
    add_change(work, CHANGE_CREATE_ROLE, branch->roles->name, "", branch->roles->password);
    add_change(work, CHANGE_CREATE_DATABASE, branch->databases->name, branch->databases->owner, "");
    instance_create(work);
}

static void end_nothing(void *argument)
{
    Operation *operation = argument;
    chain_end_work(operation->sandbox, operation, NULL);
}

static void begin_on_instance(Compute *compute, Operation *operation)
{
    Work *work = instance_new_work(operation->branch->instance, compute, end_operation);
    work->operation = operation;
    switch (operation->action) {
    case ACTION_START_COMPUTE:
        work->done = end_started;
        instance_start(work);
        break;
    case ACTION_APPLY_CONFIG:
        work->done = end_started;
        work->changes[work->change_count++] = operation->change;
        instance_apply(work);
        break;
    case ACTION_SUSPEND_COMPUTE:
        work->done = end_stopped;
        instance_stop(work);
        break;
    case ACTION_DELETE_TIMELINE:
        if (operation->branch->is_recoverable) {
            work->done = end_stopped;
            instance_stop(work);
            break;
        }
        instance_remove(work);
        break;
    case ACTION_CREATE_TIMELINE:
    case ACTION_CREATE_BRANCH:
        instance_remove(work);
        break;
    }
}

static void end_preserved(Work *work, const char *error)
{
    (void)error;
    instance_merge(work);
}

void compute_hand_over(Compute *compute, Branch *branch, Branch *preserved)
{
    Instance *old = branch->instance;
    branch->instance = NULL;
    if (old == NULL) {
        return;
    }
    old->branch = preserved;
    preserved->instance = old;
    preserved->cluster_number = branch->cluster_number;
    preserved->told_bytes = branch->told_bytes;
    branch->cluster_number = 0;
    store_touch(&preserved->mark);
    instance_stop(instance_new_work(old, compute, end_preserved));
}

void compute_describe(const Branch *branch, json_t *json)
{
    char log[CLUSTER_PATH_BYTES + 16];
    if (branch->instance != NULL) {
        text_build(log, sizeof(log), "%s/postgres.log", branch->instance->cluster.dir);
        json_object_set_new(json, "log", json_string(log));
        json_object_set_new(json, "socket_dir", json_string(branch->instance->cluster.socket_dir));
    }
}

void compute_fail_commits(Compute *compute, const char *match, int64_t count)
{
    const Instance *instance = NULL;
    DL_FOREACH(compute->instances, instance)
    {
        const Endpoint *endpoint = instance->branch->endpoint;
        if (!instance->is_removed && endpoint != NULL && strstr(endpoint->id, match) != NULL &&
            !told_fail_commits(&instance->cluster, count)) {
            log_warn("%s: commit_fails can't be set", endpoint->id);
        }
    }
}

void compute_begin(Compute *compute, Operation *operation)
{
    if (compute->is_closing) {
        return;
    }
    if (operation->action == ACTION_CREATE_TIMELINE) {
        begin_create(compute, operation);
    } else if (operation->action == ACTION_CREATE_BRANCH) {
        compute_begin_copy(compute, operation);
    } else if (operation->branch->instance == NULL) {
        timers_after(&compute->sandbox->timers, 0, end_nothing, operation);
    } else {
        begin_on_instance(compute, operation);
    }
}
