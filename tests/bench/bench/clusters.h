/* Many branches of one project with clusters whose computes sleep: what they cost, and how long
 * some of them take to wake. */
#ifndef BENCH_CLUSTERS_H
#define BENCH_CLUSTERS_H

#include <stddef.h>

void clusters_measure(size_t branches, const char *major);

#endif
