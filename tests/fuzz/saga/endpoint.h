/*
 * The endpoint of an imported branch, where it has none yet: one that reads and writes, which
 * somebody makes, once.
 */
#ifndef FUZZ_SAGA_ENDPOINT_H
#define FUZZ_SAGA_ENDPOINT_H

#include "world.h"

void endpoint_land(World *world, const NeonRequest *request, int64_t at_ms);
bool endpoint_is_there(const World *world);
// The status and text of a reply.
int endpoint_write(const World *world, const NeonRequest *request, Text *text);

#endif
