/*
 * A record of the command topic → a Command that has been checked whole, or a Rejection that says
 * why not.
 *
 * Before unpacking, wire_scan walks the bytes by the descriptor (protobuf-c 1.4 silently cuts or
 * drops embedded NULs, invalid UTF-8, repeated oneof members and unknown fields). Decoding needs no
 * I/O: API keys given by reference are resolved later, by the one who runs the command.
 */
#ifndef CONTRACT_COMMAND_H
#define CONTRACT_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/name.h"
#include "base/secret.h"
#include "base/signers.h"
#include "base/uuid.h"
#include "contract/subject.h"
#include "provisioning/v1/command.pb-c.h"

typedef struct RecordHeader {
    const char *name;
    Bytes value;
} RecordHeader;

// A Kafka record as it was consumed; owns nothing.
typedef struct Record {
    const char *topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; // 0 = none
    Bytes key;
    Bytes value;
    const RecordHeader *headers;
    size_t header_count;
} Record;

// More headers than any sender has need of. Whatever is looked for stands among them: a record with
// more is refused.
enum { COMMAND_FLEET_KEYS_MAX = 4, COMMAND_HEADERS_MAX = 64 };

typedef struct CommandRules {
    size_t max_bytes;
    int32_t partitions;       // of the command topic; 0: unknown, not checked
    bool check_partition;     // commands.partitioner = murmur2
    bool allow_plaintext_key; // secrets.allow_plaintext
    const CryptoKeyPair *fleet_keys;
    size_t fleet_key_count;
    const Signers *signers; // commands have to be signed by one of them; NULL: nobody looks
} CommandRules;

typedef Provisioning__V1__Command__ActionCase Action;

typedef struct Command {
    char application_id[NAME_APPLICATION_BYTES];
    char command_id[UUID_TEXT_BYTES];
    Action action;
    const char *action_name; // "CreateEnvironment"; static
    uint8_t digest[CRYPTO_SHA256_BYTES];
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; // of the record
    int64_t deadline_ms;  // 0: none
    int64_t signed_ms;    // when its signer asked for it; 0: signatures aren't required
    char traceparent[56]; // of the record's header when valid, else empty
    Secret api_key;       // ConnectAccount, sealed or plaintext; empty for a reference
    Subject writes;       // the subject this command changes; SUBJECT_NONE: none
    bool only_reads;      // what it "writes" is what it is about: it changes nothing there (Reveal,
                          // SetupRoles with mode plan)
    Subject reads[4];     // subjects it relies on
    size_t read_count;
    Subject
        joins; // others that join it run at the same time, who reads it doesn't; or SUBJECT_NONE
    Subject excludes; // nothing that reads it runs at the same time; SUBJECT_NONE: nothing
    char stops[UUID_TEXT_BYTES];        // the command that it stops; empty: none
    Provisioning__V1__Command *message; // owned; the key's plaintext removed
} Command;

typedef struct Rejection {
    // The record's key where it is a valid name, else empty: whatever the message says, nobody gets
    // an event under the name of an application whose key the record doesn't have.
    char application_id[NAME_APPLICATION_BYTES];
    char command_id[UUID_TEXT_BYTES]; // empty: could not be read
    const char *action_name;          // "" when unknown; static
    Error error;                      // code, field, text
} Rejection;

// The command, owned by the caller; or NULL, and *ret_rejection says why. Codes: RECORD_TOO_LARGE,
// RECORD_EMPTY, RECORD_UNREADABLE, FRAMING_UNREADABLE, FIELD_NOT_SUPPORTED, FIELD_REQUIRED,
// INVALID_NAME, INVALID_VALUE, KEY_MISMATCH, WRONG_PARTITION, SEALED_FOR_OTHER,
// SECRET_NOT_OPENABLE, PLAINTEXT_REFUSED, REFERENCE_INVALID, and those of contract/signature.h.
Command *command_decode(const Record *record, const CommandRules *rules, Rejection *ret_rejection);
void command_free(Command *command);
void command_free_at(Command **command);

// What its events are about: the subject it changes, or else the application.
Subject command_subject(const Command *command);

// The account that it names, or "": then it uses that of its environment, if any.
const char *command_account(const Command *command);
// The environment of the same application that it relies on, or "".
const char *command_source_environment(const Command *command);
// It relies on the one that the application's previews branch off.
bool command_source_is_base(const Command *command);
// Origin ("created", "branched") of the environment that its claim makes a row for; "": it makes
// none.
const char *command_reserves(const Command *command);

// Which earlier commands about what it writes a command stops, before it takes its own turn.
typedef enum CommandStops {
    COMMAND_STOPS_NONE,
    COMMAND_STOPS_WAITING, // of the same action, that nobody has begun
    COMMAND_STOPS_ALL,     // that change it
} CommandStops;
CommandStops command_stops(const Command *command);
// That a preview is to be opened or closed for; "": it doesn't say.
const char *command_repository(const Command *command);

// Commands that free or stop something never expire unless they carry a deadline (Cancel, Close,
// Delete, Disconnect).
bool command_never_expires(Action action);

// How a signed command's own time stands to a ledger that remembers finished ones for `memory_ms`.
typedef enum CommandAge {
    COMMAND_AGE_FINE,      // or nobody signed it
    COMMAND_AGE_FUTURE,    // further ahead than clocks are apart
    COMMAND_AGE_FORGOTTEN, // it may have been executed before, without a trace
} CommandAge;
CommandAge command_age(const Command *command, int64_t now_ms, int64_t memory_ms);

// Whether a record's value holds an API key in clear (ConnectAccount.plaintext), whatever else is
// wrong with it. A value that can't be read holds one when anything in it looks like that field.
bool command_holds_plaintext(Bytes value);

// What every API key must be, wherever it comes from: 1 to 512 printable ASCII characters without
// spaces, so that it can stand in a header of HTTP (RFC 9110 section 5.5). Code: INVALID_VALUE.
bool command_check_key(const Secret *key, Error *err);

// The digest that guards an id: SHA-256 of application id, a zero byte and the action packed again;
// a ConnectAccount's key stands in it as the SHA-256 of the opened key, or as the reference's text.
// `api_key` may be empty.
void command_digest(const char *application_id, const Provisioning__V1__Command *message,
                    const Secret *api_key, uint8_t ret_digest[CRYPTO_SHA256_BYTES]);

// What ENVIRONMENT_EXISTS compares: SHA-256 of the action alone, without the command around it.
void command_spec_digest(const Provisioning__V1__Command *message,
                         uint8_t ret_digest[CRYPTO_SHA256_BYTES]);

#endif
