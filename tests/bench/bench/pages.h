/* What pages of listings cost in a sandbox without clusters that holds many branches. */
#ifndef BENCH_PAGES_H
#define BENCH_PAGES_H

#include <stddef.h>

// All of them in one project.
void pages_measure_project(size_t branches);
// Spread evenly.
void pages_measure_projects(size_t branches, size_t projects);

#endif
