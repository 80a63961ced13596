/*
 * What the subcommands that show states have in common: their options, and how states are read and
 * followed.
 */
#ifndef CTL_VIEW_H
#define CTL_VIEW_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "ctl/connection.h"
#include "provision/provision.h"

enum { VIEW_TIMEOUT_MS = 30000 };

typedef struct View {
    Connection *connection;
    const char *application_id;
    int64_t timeout_ms; // of the first reading
    int64_t idle_ms;    // with `watch`; -1: never ends by itself
    long count;         // of changes; 0: no limit
    bool watch;
} View;

// A child parser; its input is the View. It brings the connection's options with it.
extern const struct argp VIEW_ARGP;

View view_of(Connection *connection); // with the defaults

typedef struct ViewParts {
    // Whether the state is shown: a change of others is passed over.
    bool (*wants)(void *context, const ProvisionState *state);
    // A state that is there; called for all of them, in the order of the subjects.
    void (*add)(void *context, const ProvisionState *state);
    // All were added; the exit code. With another than 0 nothing is followed.
    int (*finish)(void *context);
    void *context;
} ViewParts;

// Reads all states, then, with --watch, prints a line for each change. Exit code.
int view_run(const View *view, const ViewParts *parts);

#endif
