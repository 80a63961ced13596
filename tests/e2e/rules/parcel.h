/*
 * A command as a record: signed for its application and on the partition of its key, unless the
 * rule has words before the members that say what is wrong with it. Each begins with @:
 *
 *   misplaced               on another partition than its key's
 *   empty unreadable framed no message at all, bytes that are none, another message's frame
 *   cut nul not-utf8 twice  a message whose end is missing; with a byte 0, or one that isn't UTF-8,
 *                           in place of its first ~; with a second action
 *   new-field large         with a field that nobody knows; with more bytes than commands may have
 *   untimed                 without requested_at
 *   nameless                nothing else than the members say: its id can't be read
 *   unsigned stranger other signed by nobody, by a key that isn't listed, by one that is listed for
 *                           another application
 *   for-other of-another    the signature is for another application, of another record,
 *   short mangled doubled   without its end, with a character that isn't base64, there twice
 */
#ifndef E2E_RULES_PARCEL_H
#define E2E_RULES_PARCEL_H

#include "support/world.h"

// More of a record than its commands may have, and less than the topic takes.
enum { PARCEL_LARGE_BYTES = 1200000 };

// Makes the keys; where the workers find theirs, as their settings. The texts are kept until the
// program ends.
typedef struct ParcelKeys {
    const char *signers;
    const char *signing_key_file;
} ParcelKeys;
ParcelKeys parcel_begin(World *world);
void parcel_end(void);

// Whether the command has a word of those above.
bool parcel_is_bent(const char *command);
// Sends the command; `members` without its words, with its id and application. The record has the
// id in a header, too, which its dead letter keeps.
void parcel_send(World *world, const char *command, const char *application, const char *id,
                 const char *members);
const char *parcel_id(const Seen *seen);

#endif
