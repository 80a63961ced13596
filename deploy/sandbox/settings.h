/* What clients ask of PostgreSQL itself: `pg_settings` and `preload_libraries`. A compute takes
 * them when it starts the next time. */
#pragma once

#include "cluster.h"
#include "exchange.h"

enum { SETTINGS_MOST = CLUSTER_CHOSEN_MAX, SETTINGS_LIBRARIES_BYTES = 256 };

/* Answers 400 for names that are none, or that the compute sets by itself. Values are PostgreSQL's
 * to judge: a compute that doesn't start with them starts without. NULL passes. */
bool settings_check(Exchange *exchange, json_t *pg_settings);
/* Answers 400 for libraries that the PostgreSQL of that version doesn't have. NULL passes; without
 * clusters everything does. */
bool settings_check_libraries(Exchange *exchange, int major, const json_t *preload_libraries);
/* "name=value" for each that the endpoint's compute starts with; the caller's, NULL: none. */
json_t *settings_build(const Endpoint *endpoint);
/* What it preloads beside the sandbox's own, as far as that version has it: ",a,b" or "". NULL
 * asks for nothing. */
void settings_build_libraries(const Endpoint *endpoint, const Version *version,
                              char ret_libraries[SETTINGS_LIBRARIES_BYTES]);
