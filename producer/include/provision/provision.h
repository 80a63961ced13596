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

#ifdef __cplusplus
extern "C" {
#endif

// ---- errors

typedef enum ProvisionErrorKind {
    PROVISION_ERROR_NONE,
    PROVISION_ERROR_INVALID,     // the input can't be right: correct it
    PROVISION_ERROR_UNAVAILABLE, // Kafka doesn't answer, refuses, or lacks the topic: later the
                                 // same again
    PROVISION_ERROR_TIMEOUT,     // nothing arrived in the time allowed; the command itself goes on
} ProvisionErrorKind;

typedef struct ProvisionError {
    ProvisionErrorKind kind;
    char code[48];  // stable, UPPER_CASE
    char field[96]; // the field it is about, or empty
    char text[512]; // says what to do; never holds a secret
} ProvisionError;

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

// ---- commands

typedef struct ProvisionCommand ProvisionCommand;

enum { PROVISION_KEY_BYTES = 32 };

// 64 hex digits, as `provisionctl keygen` writes them; surrounding white space is allowed. Error:
// KEY_INVALID.
bool provision_public_key_parse(const char *hex, uint8_t ret_key[PROVISION_KEY_BYTES],
                                ProvisionError *err);

// Stores a Neon API key under a name of the application; again with another key replaces it. Give
// api_key and fleet_public_key (the key travels in a sealed box that only workers can open), or
// reference.
typedef struct ProvisionConnectAccount {
    const char *account;
    const char *api_key;             // or NULL
    const uint8_t *fleet_public_key; // PROVISION_KEY_BYTES bytes, with api_key
    const char *reference;           // or NULL; "file:NAME" or "env:NAME", resolved by the worker
    const char *org_id; // optional: needed where a personal key reaches several organizations
} ProvisionConnectAccount;

// Compute of an endpoint; all zero: Neon's defaults.
typedef struct ProvisionEndpoint {
    double min_cu;                   // compute units: 0.25, 0.5 or whole; 0 = Neon's default
    double max_cu;                   // 0 = Neon's default
    int64_t suspend_timeout_seconds; // 0 = Neon's default, -1 = never, else 60 to 604,800
} ProvisionEndpoint;

typedef enum ProvisionAccess {
    PROVISION_ACCESS_WRITE,
    PROVISION_ACCESS_READ,
    PROVISION_ACCESS_ADMIN, // the service runs its own migrations
} ProvisionAccess;

typedef struct ProvisionDatabaseAccess {
    const char *database;
    ProvisionAccess access;
} ProvisionDatabaseAccess;

// A backend service, which logs in as svc_<name>, and the databases it uses, each once.
typedef struct ProvisionService {
    const char *name;
    const ProvisionDatabaseAccess *databases;
    size_t database_count;
} ProvisionService;

// A new Neon project with its root branch and endpoint.
typedef struct ProvisionCreateEnvironment {
    const char *environment;
    const char *account;
    const char *region_id;        // for example aws-eu-central-1
    const char *project_name;     // optional: <application>-<environment>
    const char *branch_name;      // optional: main
    const char *const *databases; // optional: one, neondb
    size_t database_count;
    int32_t pg_version;                // major version; 0 = Neon's default
    bool has_history_retention;        // false: Neon's default
    int64_t history_retention_seconds; // 0 to 2,592,000, capped by the plan
    ProvisionEndpoint endpoint;
    const ProvisionService *services; // optional; each once
    size_t service_count;
} ProvisionCreateEnvironment;

// A new branch with its endpoint; every inherited password is replaced. The source is
// source_environment, or the three other source_… fields together.
typedef struct ProvisionBranchEnvironment {
    const char *environment;
    const char *source_environment; // of the same application
    const char *source_account;
    const char *source_project_id;
    const char *source_branch; // exact name or id
    const char *branch_name;   // optional: <application>-<environment>
    ProvisionEndpoint endpoint;
    const ProvisionService *services; // none: those of the source environment
    size_t service_count;
} ProvisionBranchEnvironment;

typedef struct ProvisionDeleteEnvironment {
    const char *environment;
    bool
        delete_data; // needed for an environment whose project we created: the project goes with it
} ProvisionDeleteEnvironment;

// Another command of the application is stopped: it is undone and ends as CommandCancelled. Its
// record need not have been sent yet.
typedef struct ProvisionCancelCommand {
    const char *command_id; // of the command to stop
} ProvisionCancelCommand;

typedef enum ProvisionRolesMode {
    PROVISION_ROLES_APPLY,
    PROVISION_ROLES_PLAN, // says what would be changed, and changes nothing
} ProvisionRolesMode;

typedef enum ProvisionRolesPolicy {
    PROVISION_ROLES_POLICY_KEEP, // as the environment has it
    PROVISION_ROLES_POLICY_AUTHORITATIVE,
    PROVISION_ROLES_POLICY_ADDITIVE, // never revokes
} ProvisionRolesPolicy;

// Brings the roles of an environment to what is wanted: platform, reader, writer and admin over
// all; reader, writer and admin of each database; svc_<name> of each service.
typedef struct ProvisionSetupRoles {
    const char *environment;
    const char *const *databases; // made where they are missing; none: those the environment has
    size_t database_count;
    const ProvisionService *services; // all of them: one that isn't named loses its access
    size_t service_count;
    ProvisionRolesMode mode;
    ProvisionRolesPolicy policy;
    bool adopt; // change an imported environment and take over the owners of its databases
} ProvisionSetupRoles;

// New passwords for one of the three.
typedef struct ProvisionRotateCredentials {
    const char *environment;
    const char *role;
    const char *service; // stands for the role svc_<service>
    bool all;
} ProvisionRotateCredentials;

// The URIs of a role on every database that it may use, with the role's password, are sent to who
// has the private key of reply_public_key (provision_credentials_open). Workers list that key for
// the application (reveal.recipients).
typedef struct ProvisionRevealCredentials {
    const char *environment;
    const char *role;    // or a service; neither: the role that the environment was made with
    const char *service; // stands for the role svc_<service>
    const uint8_t *reply_public_key; // PROVISION_KEY_BYTES bytes
} ProvisionRevealCredentials;

// Each gives the command a new id (UUID version 4). Errors: INVALID_NAME, INVALID_VALUE,
// FIELD_REQUIRED, with the field named. The worker checks everything again; what only it can know
// ends in CommandRejected.
ProvisionCommand *provision_connect_account(const char *application_id,
                                            const ProvisionConnectAccount *spec,
                                            ProvisionError *err);
ProvisionCommand *provision_create_environment(const char *application_id,
                                               const ProvisionCreateEnvironment *spec,
                                               ProvisionError *err);
ProvisionCommand *provision_branch_environment(const char *application_id,
                                               const ProvisionBranchEnvironment *spec,
                                               ProvisionError *err);
ProvisionCommand *provision_delete_environment(const char *application_id,
                                               const ProvisionDeleteEnvironment *spec,
                                               ProvisionError *err);

ProvisionCommand *provision_cancel_command(const char *application_id,
                                           const ProvisionCancelCommand *spec, ProvisionError *err);

ProvisionCommand *provision_setup_roles(const char *application_id, const ProvisionSetupRoles *spec,
                                        ProvisionError *err);
ProvisionCommand *provision_rotate_credentials(const char *application_id,
                                               const ProvisionRotateCredentials *spec,
                                               ProvisionError *err);
ProvisionCommand *provision_reveal_credentials(const char *application_id,
                                               const ProvisionRevealCredentials *spec,
                                               ProvisionError *err);

// A command in JSON form. command_id and requested_at are added where they are missing; an API key
// in clear text is refused (see provision_command_set_api_key). Errors: JSON_INVALID, INVALID_NAME,
// INVALID_VALUE, FIELD_REQUIRED, PLAINTEXT_REFUSED.
ProvisionCommand *provision_command_from_json(const char *json, ProvisionError *err);
void provision_command_free(ProvisionCommand *command);

// Errors of the setters: INVALID_VALUE.
// Any UUID but the nil one; the same id with other content is rejected by the worker.
bool provision_command_set_id(ProvisionCommand *command, const char *uuid, ProvisionError *err);
// No step starts after it, and what was made is undone.
bool provision_command_set_deadline(ProvisionCommand *command, int64_t deadline_ms,
                                    ProvisionError *err);
// Free text for the audit.
bool provision_command_set_requested_by(ProvisionCommand *command, const char *text,
                                        ProvisionError *err);
bool provision_command_add_label(ProvisionCommand *command, const char *key, const char *value,
                                 ProvisionError *err);
// W3C trace context of the caller, sent as the record's header:
// https://www.w3.org/TR/trace-context/
bool provision_command_set_traceparent(ProvisionCommand *command, const char *traceparent,
                                       ProvisionError *err);
// Seals the key into a ConnectAccount command, in place of what it had. Also FIELD_REQUIRED.
bool provision_command_set_api_key(ProvisionCommand *command, const char *api_key,
                                   const uint8_t fleet_public_key[PROVISION_KEY_BYTES],
                                   ProvisionError *err);

// Valid until the command is changed or freed.
const char *provision_command_id(const ProvisionCommand *command);
const char *provision_command_application(const ProvisionCommand *command);
// JSON form, indented, the sealed key shown as "***". Freed by the caller with free().
char *provision_command_json(const ProvisionCommand *command);

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
    const char *json; // the whole state in JSON form, on one line
    ProvisionSubjectKind kind;
    int64_t sequence;
    int64_t changed_at_ms;
} ProvisionState;

// Valid only during the call. false stops.
typedef bool ProvisionStateVisitor(void *context, const ProvisionState *state);

// Reads the compacted state topic to its end as of now and calls `visit` for every subject that
// exists, in the order of the subjects. `application_id` NULL: of all applications. Errors:
// KAFKA_UNAVAILABLE, TOPIC_MISSING, STATE_UNREADABLE.
bool provision_client_read_states(ProvisionClient *client, const char *application_id,
                                  int timeout_ms, ProvisionStateVisitor *visit, void *context,
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
