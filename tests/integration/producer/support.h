/*
 * What the producer's integration tests share: topics of their own on a real broker, a worker's
 * side of the conversation (reads commands, publishes events and states in transactions), and a
 * client.
 */
#ifndef PRODUCER_SUPPORT_H
#define PRODUCER_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>

#include "base/attr.h"
#include "contract/command.h"
#include "provision/provision.h"
#include "provisioning/v1/event.pb-c.h"
#include "provisioning/v1/state.pb-c.h"

enum { SUPPORT_PARTITIONS = 6, SUPPORT_TIMEOUT_MS = 30000, SUPPORT_TEXT_BYTES = 128 };

// Exit code of a test program that has no broker to talk to.
enum { SUPPORT_SKIPPED = 77 };

typedef struct Stage {
    char commands[SUPPORT_TEXT_BYTES]; // names of topics
    char events[SUPPORT_TEXT_BYTES];
    char state[SUPPORT_TEXT_BYTES];
    rd_kafka_t *worker; // transactional producer
    rd_kafka_t *reader; // of commands
    rd_kafka_topic_t *reader_topic;
    rd_kafka_queue_t *reader_queue;
    ProvisionOptions *options;
    ProvisionClient *client;
} Stage;

// The broker, or NULL: then main ends with support_skip().
const char *support_servers(void);
// Says that the tests are skipped; fails where CI=true. The exit code.
int support_skip(void);

// Group fixtures of cmocka: makes topics and clients; *state is the Stage.
int stage_set_up(void **state);
int stage_tear_down(void **state);

// One transaction with the records given to stage_event and stage_state in between.
void stage_begin(Stage *stage);
void stage_commit(Stage *stage);
void stage_abort(Stage *stage);

// The key is the application. `body` decides the type; its members are the caller's.
void stage_event(Stage *stage, const char *application_id, const char *command_id,
                 Provisioning__V1__Event *body);
// An environment's state; `project_id` NULL: a tombstone.
void stage_state(Stage *stage, const char *application_id, const char *environment,
                 const char *project_id);
// The same with all that is known of it.
void stage_environment(Stage *stage, const char *application_id,
                       Provisioning__V1__EnvironmentState *body);
// The state of any subject, or an event, in JSON form with single quotes for double ones;
// `members`: "'account': {…}".
void stage_state_form(Stage *stage, const char *application_id, const char *subject,
                      const char *members);
void stage_event_form(Stage *stage, const char *application_id, const char *command_id,
                      const char *members);
// A subject that is gone.
void stage_gone(Stage *stage, const char *subject);
// Bytes that are no message.
void stage_garbage(Stage *stage, const char *topic, const char *key);

// Event bodies; static, changed by the next call of the same.
Provisioning__V1__Event *stage_accepted(void);
Provisioning__V1__Event *stage_deleted(const char *environment);
Provisioning__V1__Event *stage_rejected(const char *code);
Provisioning__V1__Event *stage_failed(const char *code);
Provisioning__V1__Event *stage_cancelled(void);
// A plan with a change and something blocked, or, without `drifted`, with nothing.
Provisioning__V1__Event *stage_planned(const char *environment, bool drifted);

typedef struct StageHeaders {
    char content_type[SUPPORT_TEXT_BYTES]; // empty: none
    char traceparent[SUPPORT_TEXT_BYTES];
    bool has_plaintext; // the bytes of the record hold the text that was looked for
} StageHeaders;

// The next record of the command topic, decoded as the worker would, its partition checked; freed
// by the caller. `headers` may be NULL; `fleet_key` and `sought` too.
Command *stage_next_command(Stage *stage, const CryptoKeyPair *fleet_key, const char *sought,
                            StageHeaders *ret_headers);

#endif
