/*
 * Who sent a command: an Ed25519 signature (RFC 8032) in the record's header provision-signature,
 *
 *     <key id> ":" <signature in base64url without padding>
 *
 * where the key id is the first 8 bytes of the public key's SHA-256 in 16 lower-case hex digits.
 * Signed are the bytes
 *
 *     "neon-provisioner command v1" 0 <the record's key: the application's id> 0 <the record's
 * value>
 *
 * so that a signature is good for one application and for nothing but a command. What it can't
 * prevent is that the very same record is sent again: that is a repeat by its command id, and where
 * the ledger has forgotten it, requested_at tells its age (Command.signed_ms).
 */
#ifndef CONTRACT_SIGNATURE_H
#define CONTRACT_SIGNATURE_H

#include <stdbool.h>

#include "base/signers.h"
#include "contract/command.h"

#define SIGNATURE_HEADER "provision-signature"

enum { SIGNATURE_TEXT_BYTES = 16 + 1 + 86 + 1 }; // key id, ":", signature, NUL

// The header's value.
void signature_make(const CryptoSigner *signer, Bytes application_id, Bytes value,
                    char ret_text[SIGNATURE_TEXT_BYTES]);

// Whether the record was signed by a key that is listed for the application of its key. Codes:
// SIGNATURE_MISSING, SIGNATURE_INVALID (several headers, not of the form above, or not of this
// record), SIGNATURE_KEY_UNKNOWN.
bool signature_check(const Record *record, const Signers *signers, Error *err);

#endif
