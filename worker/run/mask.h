/*
 * Keeps a secret out of what others sent: a hostile or careless endpoint may echo the key it was
 * called with into an error's text.
 */
#ifndef RUN_MASK_H
#define RUN_MASK_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/secret.h"

// Whether the secret stands in the bytes; false for an empty one.
bool mask_finds(Bytes bytes, const Secret *secret);
// The bytes with each occurrence of the secret overwritten by asterisks: in `copy`, or as they were
// where there is none.
Bytes mask_bytes(Bytes bytes, const Secret *secret, Buffer *copy);

#endif
