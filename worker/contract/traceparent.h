/*
 * The W3C trace context that came with a record, so that events continue the trace.
 * https://www.w3.org/TR/trace-context/#traceparent-header
 */
#ifndef CONTRACT_TRACEPARENT_H
#define CONTRACT_TRACEPARENT_H

#include <stddef.h>

#include "contract/command.h"

enum { TRACEPARENT_BYTES = 56 };

// The value of the header "traceparent" when there is one and it is valid (version 00), else "".
void traceparent_find(const RecordHeader *headers, size_t count,
                      char ret_traceparent[TRACEPARENT_BYTES]);

#endif
