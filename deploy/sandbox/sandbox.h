/* The whole program as one value, handed to every handler. */
#pragma once

#include <stdio.h>
#include <uv.h>

#include "calls.h"
#include "faults.h"
#include "keys.h"
#include "limits.h"
#include "options.h"
#include "store.h"
#include "timers.h"

typedef struct Compute Compute; /* compute.h */

typedef struct Sandbox {
    Options options;
    uv_loop_t loop;
    Timers timers;
    Store store;
    Keys keys;
    Limits limits;
    Faults faults;
    Calls calls;
    FILE *record;        /* NULL without --record */
    Compute *compute;    /* NULL with --no-compute */
    struct Saved *saved; /* saved.h; NULL with --ephemeral */
    char seed_project[IDS_BYTES];
    bool is_stopping;
} Sandbox;
