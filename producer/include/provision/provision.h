/*
 * libprovision: send provisioning commands to the workers through Kafka, and see what becomes of
 * them.
 *
 * A command is built by one of the provision_… constructors below, sent with provision_client_send,
 * and ends in exactly one outcome event (ProvisionOutcome). Commands carry an id (a UUID) that
 * makes them idempotent: sending the same command again, for example after an error of
 * provision_client_send, never executes it twice.
 *
 *     ProvisionError error;
 *     ProvisionClient *client = provision_client_new(options, &error);
 *     ProvisionCommand *command = provision_create_environment("shop", &spec, &error);
 *     ProvisionEvent *event;
 *     if (provision_client_run(client, command, 300000, &event, &error)) { … event->json … }
 *
 * Conventions: what a ..._new or a constructor returns belongs to the caller and is freed by the
 * matching ..._free (which accepts NULL). Texts are UTF-8 and NUL-terminated; texts that are passed
 * in are copied; an optional text may be NULL. Times are milliseconds since 1970-01-01T00:00:00Z. A
 * function that fails returns false or NULL and fills *err; `err` may be NULL. The library writes
 * no log and prints nothing. Out of memory ends the process (abort).
 *
 * Threads: a client may be used by several threads at once; a watch, a command or options by one at
 * a time.
 */
#ifndef PROVISION_PROVISION_H
#define PROVISION_PROVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provision/command.h"
#include "provision/error.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- options of a client

typedef struct ProvisionOptions ProvisionOptions;

ProvisionOptions *provision_options_new(void);
void provision_options_free(ProvisionOptions *options);

// topics.commands, topics.events, topics.state, topics.dead_letters (defaults:
// provisioning.commands, …), or any
// property of librdkafka (bootstrap.servers is the one that is needed; message.timeout.ms, default
// 30,000, bounds provision_client_send):
// https://github.com/confluentinc/librdkafka/blob/v2.0.2/CONFIGURATION.md
// Properties that the guarantees rest on (acks, partitioner, isolation.level, …) are refused.
// Error: OPTION_INVALID.
bool provision_options_set(ProvisionOptions *options, const char *name, const char *value,
                           ProvisionError *err);

// Signs every command that the client sends: `private_key` is an Ed25519 key (provisionctl keygen
// --signing), the 32 bytes that RFC 8032 calls the seed. The workers know its public key as one of
// the applications whose commands it may sign (commands.signers). Without it commands go unsigned,
// and workers with commands.require_signature refuse them. Copied; zeroed with the options and the
// client.
void provision_options_set_signing_key(ProvisionOptions *options,
                                       const uint8_t private_key[PROVISION_KEY_BYTES]);

// ---- client: sending

typedef struct ProvisionClient ProvisionClient;

// Connects when it is first used. `options` are copied. Error: OPTION_INVALID.
ProvisionClient *provision_client_new(const ProvisionOptions *options, ProvisionError *err);
void provision_client_free(ProvisionClient *client);

// Where the record of a command is.
typedef struct ProvisionReceipt {
    char topic[250];
    int32_t partition;
    int64_t offset;
} ProvisionReceipt;

// Sends the command and waits until all in-sync replicas have it: at most message.timeout.ms, and
// 10 s for the client's first contact with the cluster. After KAFKA_UNAVAILABLE it is unknown
// whether the command arrived: send it again, with the same id. `ret_receipt` may be NULL. Errors:
// KAFKA_UNAVAILABLE, TOPIC_MISSING, COMMAND_TOO_LARGE, CLIENT_BROKEN (make a new client), and those
// of the constructors.
bool provision_client_send(ProvisionClient *client, const ProvisionCommand *command,
                           ProvisionReceipt *ret_receipt, ProvisionError *err);

// What became of a posted command: where it is, or, with `receipt` NULL, why not. Called by
// whatever thread is in provision_client_post, _send or _flush of this client.
typedef void ProvisionPosted(void *context, const ProvisionReceipt *receipt,
                             const ProvisionError *err);

// Hands the command over without waiting, for sending many: they arrive in the order of the calls.
// Waits only while librdkafka's queue is full. When it returns true, `posted` is called exactly
// once. Errors: as provision_client_send.
bool provision_client_post(ProvisionClient *client, const ProvisionCommand *command,
                           ProvisionPosted *posted, void *context, ProvisionError *err);
// Waits until everything posted was reported. Error: WAIT_TIMEOUT (what is left is reported later).
bool provision_client_flush(ProvisionClient *client, int timeout_ms, ProvisionError *err);

// ---- events

typedef enum ProvisionOutcome {
    PROVISION_OUTCOME_NONE, // tells of progress, not of an end: CommandAccepted, StepFinished,
                            // DriftReported
    PROVISION_OUTCOME_SUCCEEDED,
    PROVISION_OUTCOME_REJECTED, // nothing was done
    PROVISION_OUTCOME_FAILED,   // the event says what was undone and what was left
    PROVISION_OUTCOME_CANCELLED,
    PROVISION_OUTCOME_SUPERSEDED,
} ProvisionOutcome;

// "succeeded", "rejected", …; "none".
const char *provision_outcome_name(ProvisionOutcome outcome);

// No text is NULL.
typedef struct ProvisionEvent {
    const char *event_id; // the same for every publication of the same event
    const char *command_id;
    const char *application_id;
    const char *subject; // applications/A/environments/E or applications/A/accounts/N
    const char *type;    // "EnvironmentCreated", "CommandRejected", …
    const char *code;    // of a rejection, failure or drift, else empty
    const char *message; // the sentence to it, else empty
    const char *json;    // the whole event in JSON form, on one line
    int64_t sequence;    // grows by one per subject; 0 where the event changes nothing
    int64_t occurred_at_ms;
    ProvisionOutcome outcome;
    bool replayed; // published again because the command was sent again
    int32_t partition;
    int64_t offset;
} ProvisionEvent;

void provision_event_free(ProvisionEvent *event);

// No text is NULL.
typedef struct ProvisionCredential {
    const char *role;
    const char *database;
    const char *pooled_uri; // postgresql://…, with the password
    const char *direct_uri;
} ProvisionCredential;

typedef struct ProvisionCredentials {
    const ProvisionCredential *list;
    size_t count;
} ProvisionCredentials;

// Opens what a CredentialsIssued event brings. Errors: EVENT_UNEXPECTED (it is another event),
// SECRET_NOT_OPENABLE (sealed for another key), CREDENTIALS_UNREADABLE.
ProvisionCredentials *provision_credentials_open(const ProvisionEvent *event,
                                                 const uint8_t private_key[PROVISION_KEY_BYTES],
                                                 ProvisionError *err);
// Zeroes the passwords.
void provision_credentials_free(ProvisionCredentials *credentials);

typedef struct ProvisionWatch ProvisionWatch;

typedef enum ProvisionStart {
    PROVISION_START_NOW,       // what is published after provision_watch_begin
    PROVISION_START_BEGINNING, // everything the topic still has
    PROVISION_START_SINCE,     // what was published at since_ms or later
} ProvisionStart;

typedef struct ProvisionWatchOptions {
    const char *application_id; // NULL: of all applications
    ProvisionStart start;
    int64_t since_ms; // with PROVISION_START_SINCE
} ProvisionWatchOptions;

// When it returns, the start is fixed: to see the outcome of a command, begin the watch, then send.
// Only committed events are read; an application's watch reads only the application's partition.
// The client must outlive the watch. Errors: KAFKA_UNAVAILABLE, TOPIC_MISSING, INVALID_NAME.
ProvisionWatch *provision_watch_begin(ProvisionClient *client, const ProvisionWatchOptions *options,
                                      int timeout_ms, ProvisionError *err);
void provision_watch_end(ProvisionWatch *watch);

// The next event, owned by the caller; *ret_event is NULL (and the result true) when none came in
// time. A record that is no event is an error (EVENT_UNREADABLE); the next call goes on behind it.
bool provision_watch_next(ProvisionWatch *watch, int timeout_ms, ProvisionEvent **ret_event,
                          ProvisionError *err);

// The same for one command: its next event, progress or outcome.
bool provision_watch_next_of(ProvisionWatch *watch, const char *command_id, int timeout_ms,
                             ProvisionEvent **ret_event, ProvisionError *err);

// The outcome event of a command; events of others are passed over. Errors: WAIT_TIMEOUT,
// KAFKA_UNAVAILABLE.
bool provision_watch_wait(ProvisionWatch *watch, const char *command_id, int timeout_ms,
                          ProvisionEvent **ret_event, ProvisionError *err);

// Begins a watch, sends, waits for the outcome, ends the watch. Errors: those of the three.
bool provision_client_run(ProvisionClient *client, const ProvisionCommand *command, int timeout_ms,
                          ProvisionEvent **ret_event, ProvisionError *err);

// ---- states

typedef enum ProvisionSubjectKind {
    PROVISION_SUBJECT_ENVIRONMENT,
    PROVISION_SUBJECT_ACCOUNT,
    PROVISION_SUBJECT_APPLICATION,
} ProvisionSubjectKind;

// What is known of a subject now. No text is NULL.
typedef struct ProvisionState {
    const char *subject;
    const char *application_id;
    const char *name; // of the environment or account; empty for the application
    const char *json; // the whole state in JSON form, on one line; "{}" where it is gone
    ProvisionSubjectKind kind;
    int64_t sequence;
    int64_t changed_at_ms;
    bool gone; // it no longer exists (sequence 0); only from provision_state_watch_next
} ProvisionState;

// Valid only during the call. false stops.
typedef bool ProvisionStateVisitor(void *context, const ProvisionState *state);

// Reads the compacted state topic to its end as of now and calls `visit` for every subject that
// exists, in the order of the subjects. `application_id` NULL: of all applications. Errors:
// KAFKA_UNAVAILABLE, TOPIC_MISSING, STATE_UNREADABLE.
bool provision_client_read_states(ProvisionClient *client, const char *application_id,
                                  int timeout_ms, ProvisionStateVisitor *visit, void *context,
                                  ProvisionError *err);

typedef struct ProvisionStateWatch ProvisionStateWatch;

// The same, and stays there, so that no change is missed. The client must outlive the watch.
ProvisionStateWatch *provision_state_watch_begin(ProvisionClient *client,
                                                 const char *application_id, int timeout_ms,
                                                 ProvisionStateVisitor *visit, void *context,
                                                 ProvisionError *err);
void provision_state_watch_end(ProvisionStateWatch *watch);

// Calls `visit` once, for the next change: a new state, or a subject that is gone. *ret_changed is
// false (and the result true) when none came in time. A record that is no state is an error
// (STATE_UNREADABLE); the next call goes on behind it. Error: KAFKA_UNAVAILABLE.
bool provision_state_watch_next(ProvisionStateWatch *watch, int timeout_ms,
                                ProvisionStateVisitor *visit, void *context, bool *ret_changed,
                                ProvisionError *err);

// ---- dead letters

// A record that no worker executed, as the dead-letter topic keeps it. No text is NULL; what can't
// be read is empty.
typedef struct ProvisionDeadLetter {
    int32_t partition; // where the letter is
    int64_t offset;
    int64_t failed_at_ms;
    const char *application_id; // the record's key
    const char *reason;         // code: RECORD_UNREADABLE, KEY_MISMATCH, CRASH_LOOP, …
    const char *detail;         // the sentence to it
    const char *worker;         // who gave it up
    const char *record;         // where the record was: topic/partition@offset
    const char *action;         // "CreateEnvironment"
    const char *command_id;
    const char *json;   // the command in JSON form, on one line; a sealed key is shown as "***"
    size_t value_bytes; // of the letter; 0: left out (too large, a key in clear, or SKIPPED)
} ProvisionDeadLetter;

// Valid only during the call. false stops.
typedef bool ProvisionDeadLetterVisitor(void *context, const ProvisionDeadLetter *letter);

// Calls `visit` for every letter that the topic has now, from `options->start` on, each partition
// in its order. Errors: KAFKA_UNAVAILABLE, TOPIC_MISSING.
bool provision_client_read_dead_letters(ProvisionClient *client,
                                        const ProvisionWatchOptions *options, int timeout_ms,
                                        ProvisionDeadLetterVisitor *visit, void *context,
                                        ProvisionError *err);

// The letter's command once more: a new command, whose replay_of names the first and whose id
// derives from the letter, so that replaying a letter twice executes it once; without its deadline.
// Only during `visit`.
// Errors: LETTER_UNREADABLE, and those of the constructors.
ProvisionCommand *provision_dead_letter_replay(const ProvisionDeadLetter *letter,
                                               ProvisionError *err);

#ifdef __cplusplus
}
#endif

#endif
