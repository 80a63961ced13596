/* The last calls of the API, for tests that ask what was sent: method, route, whose key,
 * status and time, never a query, a header or a body. */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "ids.h"

enum { CALLS_KEPT = 20000, CALLS_PATH_BYTES = 200 };

typedef struct Call {
    int64_t sequence;
    int64_t at_ms;
    int64_t took_us;
    const char *route; /* static: "POST /projects" */
    const char *fault; /* static name of the fault that was applied, or NULL */
    char path[CALLS_PATH_BYTES];
    char account_id[IDS_BYTES]; /* of its key; empty: it had none that is known */
    int status;                 /* 0: the connection was dropped instead of a reply */
} Call;

/* How often a mutating route was called, ever. */
typedef struct CallCount {
    const char *route;
    int64_t count;
} CallCount;

enum { CALLS_ROUTES_MAX = 64 };

typedef struct Calls {
    Call *ring;
    int64_t next_sequence;
    CallCount counts[CALLS_ROUTES_MAX];
    int count_used;
} Calls;

void calls_init(Calls *calls);
void calls_free(Calls *calls);
/* Keeps a copy; the sequence is set here. */
void calls_add(Calls *calls, const Call *call);
/* Those after `since`, oldest first, as {calls: [...], last: N}. */
json_t *calls_list(const Calls *calls, int64_t since);
/* {"POST /projects": N, …}: the mutating calls ever made, lost ones included. */
json_t *calls_count_mutations(const Calls *calls);
