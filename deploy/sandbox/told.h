/* What a cluster's preloaded library (neon_ddl/) tells the control plane, and is told by it. */
#pragma once

#include <jansson.h>

#include "cluster.h"

/* [[kind, role, password]…], oldest first, since the last call; never NULL. On the cluster's job.
 */
json_t *told_read(Cluster *cluster);
/* Lets the next `count` commits that change roles fail. False when the file can't be written. */
bool told_fail_commits(const Cluster *cluster, int64_t count);
