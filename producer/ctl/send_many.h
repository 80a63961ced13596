/*
 * Many commands without waiting for each other, in their order, with a progress line on a terminal.
 */
#ifndef CTL_SEND_MANY_H
#define CTL_SEND_MANY_H

#include "ctl/send.h"

typedef enum SendNext {
    SEND_NEXT_COMMAND,
    SEND_NEXT_LATER, // there is none yet; it waited a moment
    SEND_NEXT_END,
    SEND_NEXT_FAULT, // of the input: what was taken before is sent, nothing else
} SendNext;

typedef struct SendSource {
    // The next command becomes the caller's; *err is set with SEND_NEXT_FAULT.
    SendNext (*next)(void *context, ProvisionCommand **ret_command, ProvisionError *err);
    void *context;
} SendSource;

// Returns the exit code: of what was wrong with the input or with Kafka, else, with --wait, that of
// the worst outcome. --timeout counts from the last outcome.
int send_many(const SendOptions *options, const SendSource *source);

#endif
