/*
 * Every byte of a topic, as a reader without isolation sees it.
 */
#ifndef E2E_TOPIC_BYTES_H
#define E2E_TOPIC_BYTES_H

#include "base/bytes.h"

typedef void TopicBytesVisitor(void *context, Bytes bytes, const char *place);

// Calls `visit` for key, value and every header of every record up to the topic's end as it is now.
void topic_bytes_read(const char *bootstrap, const char *topic, TopicBytesVisitor *visit,
                      void *context);

#endif
