/*
 * JSON forms as texts that the public interface hands out.
 */
#ifndef LIB_FORM_H
#define LIB_FORM_H

#include <protobuf-c/protobuf-c.h>

#include "provisioning/v1/command.pb-c.h"

// On one line; freed with free().
char *form_of(const ProtobufCMessage *message);
// The same of a command, its key shown as "***".
char *form_of_command(const Provisioning__V1__Command *message);

#endif
