#include "compute.h"
struct Compute {
    int unused;
};
Compute *compute_open(Sandbox *sandbox, char *ret_error, size_t error_bytes)
{
    (void)sandbox;
    text_format(ret_error, error_bytes, "only --no-compute works yet");
    return NULL;
}
void compute_close(Compute *compute, bool remove)
{
    (void)compute;
    (void)remove;
}
const char *compute_ca_file(const Compute *compute)
{
    (void)compute;
    return "";
}
int compute_versions(const Compute *compute, int *m, int most)
{
    (void)compute;
    (void)m;
    (void)most;
    return 0;
}
void compute_begin(Compute *compute, Operation *operation)
{
    (void)compute;
    (void)operation;
}
bool compute_add_endpoint(Compute *compute, Endpoint *endpoint)
{
    (void)compute;
    (void)endpoint;
    return false;
}
void compute_remove_endpoint(Compute *compute, Endpoint *endpoint)
{
    (void)compute;
    (void)endpoint;
}
void compute_remove_project(Compute *compute, Project *project)
{
    (void)compute;
    (void)project;
}
void compute_sync(Compute *compute, Branch *branch, ComputeFunction done, void *argument)
{
    (void)compute;
    (void)branch;
    done(argument);
}
