/*
 * Many commands without waiting for each other, in their order, with a progress line on a terminal.
 */
#ifndef CTL_SEND_MANY_H
#define CTL_SEND_MANY_H

#include "ctl/send.h"

typedef struct SendSource {
    // The next command, which becomes the caller's. NULL: the end, or, with *err set (it comes
    // empty), a fault of the input: what was taken before is sent, nothing else.
    ProvisionCommand *(*next)(void *context, ProvisionError *err);
    void *context;
} SendSource;

// Returns the exit code: of what was wrong with the input or with Kafka, else, with --wait, that of
// the worst outcome. --timeout counts from the last outcome.
int send_many(const SendOptions *options, const SendSource *source);

#endif
