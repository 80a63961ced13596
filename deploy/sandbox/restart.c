#include "restart.h"

#include "chain.h"
#include "compute.h"
#include "handlers.h"
#include "log.h"
#include "saved.h"

bool restart_load(Sandbox *sandbox, char *ret_error, size_t error_bytes)
{
    if (sandbox->options.ephemeral) {
        return true;
    }
    int64_t begin_us = text_monotonic_us();
    sandbox->saved = saved_open(sandbox, ret_error, error_bytes);
    const Store *store = &sandbox->store;
    if (store->projects != NULL) {
        log_line("goes on with %lld projects, %lld branches (read in %lld ms)",
                 (long long)store->created[KIND_PROJECT], (long long)store->created[KIND_BRANCH],
                 (long long)((text_monotonic_us() - begin_us) / 1000));
    }
    return sandbox->saved != NULL;
}

bool restart_resume(Sandbox *sandbox, char *ret_error, size_t error_bytes)
{
    int64_t now_ms = text_now_ms();
    if (sandbox->saved == NULL) {
        return true;
    }
    if (sandbox->compute != NULL && !compute_restore(sandbox->compute, ret_error, error_bytes)) {
        return false;
    }
    for (Project *project = sandbox->store.projects; project != NULL; project = project->next) {
        chain_resume(sandbox, project);
        for (Branch *branch = project->branches; branch != NULL; branch = branch->next) {
            if (store_is_alive(&branch->life) && store_is_alive(&project->life)) {
                branches_watch_expiry(sandbox, branch, now_ms);
            }
        }
    }
    return true;
}
