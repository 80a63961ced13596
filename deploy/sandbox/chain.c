#include "chain.h"

#include <sodium.h>

#include "compute.h"
#include "handlers.h"
#include "log.h"
#include "render.h"

static void begin_operation(Sandbox *sandbox, Operation *operation);

Operation *chain_add(Sandbox *sandbox, Branch *branch, Endpoint *endpoint, Action action,
                     const Change *change)
{
    Operation *operation = store_add_operation(&sandbox->store, branch->project, branch, action);
    operation->endpoint = endpoint;
    operation->sandbox = sandbox;
    if (change != NULL) {
        operation->change = *change;
    }
    return operation;
}

Operation *chain_add_apply(Sandbox *sandbox, Branch *branch, const Change *change)
{
    Endpoint *endpoint = branch->endpoint;
    Operation *first = chain_add(sandbox, branch, endpoint, ACTION_APPLY_CONFIG, change);
    if (endpoint == NULL || endpoint->state == ENDPOINT_IDLE) {
        chain_add(sandbox, branch, endpoint, ACTION_SUSPEND_COMPUTE, NULL);
    }
    return first;
}

static void set_status(Operation *operation, OperationStatus status)
{
    operation->status = status;
    operation->updated_us = text_now_ms() * 1000;
    store_touch(&operation->mark);
}

static void apply_change(const Operation *operation)
{
    const Change *change = &operation->change;
    if (change->kind == CHANGE_CREATE_ROLE) {
        Role *role = store_find_role(operation->branch, change->name);
        if (role != NULL) {
            role->is_applied = true;
        }
    }
    if (change->kind == CHANGE_CREATE_DATABASE) {
        Database *database = store_find_database(operation->branch, change->name);
        if (database != NULL) {
            database->is_applied = true;
        }
    }
}

static void set_endpoint_state(Endpoint *endpoint, EndpointState state, int64_t now_ms)
{
    if (endpoint == NULL) {
        return;
    }
    endpoint->state = state;
    endpoint->is_pending_active = false;
    store_touch(&endpoint->mark);
    log_line("%s %s", endpoint->id, state == ENDPOINT_ACTIVE ? "started" : "suspended");
    endpoint->life.updated_ms = now_ms;
    if (state == ENDPOINT_ACTIVE) {
        endpoint->last_active_ms = now_ms;
    } else {
        endpoint->suspended_ms = now_ms;
    }
}

static void set_ready(Branch *branch, int64_t now_ms)
{
    branch->state = BRANCH_READY;
    branch->state_changed_ms = now_ms;
    store_update_branch(branch, now_ms);
}

static void apply_effect(Operation *operation)
{
    Branch *branch = operation->branch;
    int64_t now_ms = text_now_ms();
    store_touch(&branch->mark);
    switch (operation->action) {
    case ACTION_CREATE_TIMELINE:
    case ACTION_CREATE_BRANCH:
        if (branch->state == BRANCH_RESETTING && operation->sandbox->compute == NULL) {
            branches_take_contents(&operation->sandbox->store, branch, now_ms);
        }
        set_ready(branch, now_ms);
        break;
    case ACTION_START_COMPUTE:
        set_endpoint_state(operation->endpoint, ENDPOINT_ACTIVE, now_ms);
        break;
    case ACTION_SUSPEND_COMPUTE:
        set_endpoint_state(operation->endpoint, ENDPOINT_IDLE, now_ms);
        break;
    case ACTION_APPLY_CONFIG:
        apply_change(operation);
        break;
    case ACTION_DELETE_TIMELINE:
        break;
    }
}

static void go_on(Sandbox *sandbox, Project *project)
{
    if (project->current != NULL && store_is_alive(&project->life)) {
        begin_operation(sandbox, project->current);
    } else if (!store_is_alive(&project->life)) {
        chain_abandon(sandbox, project);
    }
}

static void cancel_rest(Operation *first)
{
    for (Operation *operation = first; operation != NULL; operation = operation->next) {
        set_status(operation, OPERATION_CANCELLED);
        sodium_memzero(&operation->change, sizeof(operation->change));
    }
}

static void retry_operation(void *argument)
{
    Operation *operation = argument;
    operation->retry_ms = 0;
    if (store_is_alive(&operation->project->life)) {
        begin_operation(operation->sandbox, operation);
    } else {
        operation->project->current = NULL;
        chain_abandon(operation->sandbox, operation->project);
    }
}

static void fail_operation(Sandbox *sandbox, Operation *operation, int64_t retry_ms)
{
    set_status(operation, OPERATION_FAILED);
    operation->failures_count++;
    log_line("operation %s of %s failed: %s", render_action(operation->action),
             operation->project->id, operation->error);
    if (retry_ms > 0) {
        operation->retry_ms = text_now_ms() + retry_ms;
        timers_after(&sandbox->timers, retry_ms, retry_operation, operation);
        return;
    }
    /* Nothing is on its way any more, so no state may say it is. */
    if (operation->endpoint != NULL && operation->endpoint->is_pending_active) {
        set_endpoint_state(operation->endpoint, ENDPOINT_IDLE, text_now_ms());
    }
    if (operation->action == ACTION_CREATE_BRANCH && operation->branch->state == BRANCH_RESETTING) {
        set_ready(operation->branch, text_now_ms());
    }
    cancel_rest(operation->next);
    operation->project->current = NULL;
    go_on(sandbox, operation->project);
}

static void end_wait(Sandbox *sandbox, Operation *operation)
{
    if (--operation->waits > 0) {
        return;
    }
    if (operation->work_failed) {
        fail_operation(sandbox, operation, 0);
        return;
    }
    set_status(operation, OPERATION_FINISHED);
    apply_effect(operation);
    sodium_memzero(&operation->change, sizeof(operation->change));
    operation->project->current = operation->next;
    go_on(sandbox, operation->project);
}

/* The old password holds until the operation ends, so the new one is set when its time is over. */
static bool works_last(const Operation *operation)
{
    return operation->change.kind == CHANGE_SET_PASSWORD;
}

static void end_time(void *argument)
{
    Operation *operation = argument;
    Sandbox *sandbox = operation->sandbox;
    if (sandbox->compute != NULL && works_last(operation)) {
        compute_begin(sandbox->compute, operation);
    }
    end_wait(sandbox, operation);
}

void chain_end_work(Sandbox *sandbox, Operation *operation, const char *error)
{
    if (error != NULL) {
        operation->work_failed = true;
        text_format(operation->error, sizeof(operation->error), "%.200s", error);
    }
    end_wait(sandbox, operation);
}

static void begin_operation(Sandbox *sandbox, Operation *operation)
{
    int64_t now_ms = text_now_ms();
    set_status(operation, OPERATION_RUNNING);
    operation->started_us = operation->updated_us;
    operation->error[0] = '\0';
    operation->work_failed = false;
    operation->waits = 1;
    const Fault *fault =
        faults_take_operation(&sandbox->faults, render_action(operation->action), now_ms);
    if (fault != NULL) {
        text_build(operation->error, sizeof(operation->error), "%s",
                   fault->message[0] != '\0' ? fault->message : "internal error");
        fail_operation(sandbox, operation, fault->retry_ms);
        return;
    }
    int64_t usual_ms = sandbox->options.operation_ms;
    timers_after(&sandbox->timers, faults_operation_ms(&sandbox->faults, usual_ms, now_ms),
                 end_time, operation);
    if (sandbox->compute != NULL) {
        operation->waits++;
        if (!works_last(operation)) {
            compute_begin(sandbox->compute, operation);
        }
    }
}

void chain_start(Sandbox *sandbox, Project *project)
{
    if (project->current != NULL && project->current->status == OPERATION_SCHEDULING) {
        begin_operation(sandbox, project->current);
    }
}

static bool is_unfinished(const Operation *operation)
{
    return operation->status == OPERATION_SCHEDULING || operation->status == OPERATION_RUNNING ||
           (operation->status == OPERATION_FAILED && operation->retry_ms != 0);
}

void chain_resume(Sandbox *sandbox, Project *project)
{
    for (Operation *operation = project->operations; operation != NULL;
         operation = operation->next) {
        operation->sandbox = sandbox;
        if (!is_unfinished(operation)) {
            continue;
        }
        operation->change.is_repeated = operation->status != OPERATION_SCHEDULING;
        operation->retry_ms = 0;
        set_status(operation, OPERATION_SCHEDULING);
        project->current = project->current == NULL ? operation : project->current;
    }
    chain_start(sandbox, project);
}

void chain_abandon(Sandbox *sandbox, Project *project)
{
    Operation *current = project->current;
    bool is_under_way = current != NULL && (current->status == OPERATION_RUNNING ||
                                            current->status == OPERATION_FAILED);
    cancel_rest(is_under_way ? current->next : current);
    if (is_under_way) {
        return;
    }
    project->current = NULL;
    if (sandbox->compute != NULL && project->is_recoverable) {
        compute_stop_project(sandbox->compute, project);
    } else if (sandbox->compute != NULL) {
        compute_remove_project(sandbox->compute, project);
    }
}
