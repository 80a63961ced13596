/*
 * Texts that come from outside, made fit for an error, a log line or an event: valid UTF-8 without
 * control characters, cut between characters, and without what looks like a key, a password or the
 * user part of a URI. Neon is not known to put a secret into a message; this keeps it so.
 */
#ifndef NEON_MESSAGE_H
#define NEON_MESSAGE_H

#include <stddef.h>

// Secrets become "***", control characters blanks, what is no UTF-8 '?'.
void neon_message_copy(char *field, size_t field_bytes, const char *text);
// Copies a short token (request id, error code): empty unless it is printable ASCII without blanks
// and fits.
void neon_message_copy_token(char *field, size_t field_bytes, const char *token);

#endif
