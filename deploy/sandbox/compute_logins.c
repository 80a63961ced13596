/* Logins: a suspended compute is woken, a faulty one refuses. */
#include <stdlib.h>

#include "instance.h"
#include "log.h"
#include "refuse.h"
#include "render.h"

static void end_wake(Work *work, const char *error)
{
    Instance *instance = work->instance;
    Endpoint *endpoint = instance->branch->endpoint;
    instance->is_waking = false;
    if (error != NULL) {
        log_warn("waking %s: %s", instance->branch->id, error);
        if (endpoint != NULL && endpoint->relay != NULL) {
            relay_give_up(endpoint->relay);
        }
        return;
    }
    if (endpoint != NULL && endpoint->state == ENDPOINT_IDLE) {
        log_line("%s woken", endpoint->id);
        endpoint->state = ENDPOINT_ACTIVE;
        endpoint->last_active_ms = text_now_ms();
        store_touch(&endpoint->mark);
    }
    instance_note_up(instance);
}

static const char *find_address(void *context, Endpoint *endpoint)
{
    Compute *compute = context;
    Instance *instance = endpoint->branch->instance;
    if (instance != NULL && instance->is_up) {
        return instance->address;
    }
    bool is_on_its_way = instance == NULL || instance->is_waking ||
                         endpoint->branch->state != BRANCH_READY ||
                         (endpoint->state == ENDPOINT_INIT && store_is_locked(endpoint->project));
    if (!is_on_its_way && !compute->is_closing && !instance->is_removed) {
        instance->is_waking = true;
        instance_start(instance_new_work(instance, compute, end_wake));
    }
    return NULL;
}

static void on_unreachable(void *context, Endpoint *endpoint)
{
    (void)context;
    if (endpoint->branch->instance != NULL) {
        endpoint->branch->instance->is_up = false;
    }
}

bool compute_has_failed(const Endpoint *endpoint)
{
    const Branch *branch = endpoint->branch;
    return !store_is_locked(endpoint->project) &&
           (branch->state != BRANCH_READY || branch->instance == NULL);
}

static bool refuses(void *context, Endpoint *endpoint)
{
    Compute *compute = context;
    return endpoint->is_disabled || compute_has_failed(endpoint) ||
           faults_take_login(&compute->sandbox->faults, endpoint->id, text_now_ms());
}

/* A refused login on its thread. */
typedef struct Refusal {
    JobQueue queue;
    const Tls *tls;
    char host[INSTANCE_HOST_BYTES];
    char pooler_host[INSTANCE_HOST_BYTES];
    int file;
} Refusal;

static bool run_refusal(Job *job)
{
    const Refusal *refusal = job->context;
    const char *const hosts[2] = {refusal->host, refusal->pooler_host};
    refuse_login(refusal->tls, hosts, refusal->file);
    return true;
}

static void end_refusal(Job *job)
{
    free(job->context);
}

static void refuse(void *context, Endpoint *endpoint, int file)
{
    Compute *compute = context;
    Refusal *refusal = calloc(1, sizeof(*refusal));
    if (refusal == NULL) {
        abort();
    }
    jobs_init(&refusal->queue, &compute->pool);
    refusal->tls = compute->tls;
    refusal->file = file;
    render_host(endpoint, false, refusal->host);
    render_host(endpoint, true, refusal->pooler_host);
    jobs_submit(&refusal->queue, run_refusal, end_refusal, refusal);
    log_line("%s refuses a login (fault)", endpoint->id);
}

RelayOwner compute_build_relay_owner(Compute *compute)
{
    return (RelayOwner){compute, refuses, refuse, find_address, on_unreachable};
}
