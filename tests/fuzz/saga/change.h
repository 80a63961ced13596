/*
 * What is changed in a world without being made or deleted: the settings of a project or endpoint,
 * the expiry and the contents of a branch.
 */
#ifndef FUZZ_SAGA_CHANGE_H
#define FUZZ_SAGA_CHANGE_H

#include "world.h"

#define CHANGE_RETENTION "604800"
#define CHANGE_MAX_CU "2"

// How many calls of a kind have landed by now.
size_t change_count(const World *world, const Change *change);
// Which kind a request is of, or NULL.
Change *change_of(World *world, const NeonRequest *request);
void change_land(World *world, const NeonRequest *request, int64_t at_ms);

// Members of what a reply shows, each behind a comma.
void change_append_project(const World *world, Text *text);
void change_append_branch(const World *world, Text *text);
void change_append_endpoint(const World *world, Text *text);

#endif
