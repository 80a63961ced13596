/*
 * JSON forms as texts that the public interface hands out.
 */
#ifndef LIB_FORM_H
#define LIB_FORM_H

#include <protobuf-c/protobuf-c.h>

// On one line; freed with free().
char *form_of(const ProtobufCMessage *message);

#endif
