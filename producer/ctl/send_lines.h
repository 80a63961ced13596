/*
 * Commands in bulk: one JSON form a line (https://github.com/ndjson/ndjson-spec), sent as they are
 * read, so that a pipe may stay open. Of the first line that is no command nothing is sent, nor of
 * what follows it.
 */
#ifndef CTL_SEND_LINES_H
#define CTL_SEND_LINES_H

#include "base/bytes.h"
#include "ctl/send.h"
#include "ctl/send_input.h"

// Whether a line is a whole JSON object, so that the input is one command a line.
bool send_lines_is_form(Bytes line);
bool send_lines_is_blank(Bytes line);

// Makes a command of a line's JSON form, or NULL and *err.
typedef ProvisionCommand *SendLine(const void *context, const char *json, ProvisionError *err);

// Returns the exit code (send_many).
int send_lines(const SendOptions *options, SendInput *input, SendLine *make, const void *context);

#endif
