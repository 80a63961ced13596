/*
 * Everything that consumers of the product can see: all committed records of the event, state and
 * dead-letter topics, from their beginning, decoded and kept until the end.
 *
 * Reading happens inside the calls below, on the test's own thread.
 */
#ifndef E2E_READER_H
#define E2E_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

typedef struct Reader Reader;

typedef enum SeenTopic {
    SEEN_EVENTS,
    SEEN_STATES,
    SEEN_DEAD_LETTERS,
    SEEN_TOPIC_COUNT,
} SeenTopic;

typedef struct SeenHeader {
    char *name;
    Buffer value; // followed by a NUL that doesn't count
} SeenHeader;

typedef struct Seen {
    SeenTopic topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    Buffer key; // followed by a NUL that doesn't count
    Buffer value;
    bool is_tombstone; // no value at all
    SeenHeader *headers;
    size_t header_count;
    json_t *json; // of events and states in JSON form; NULL: tombstone, dead letter
} Seen;

// `topics` in the order of SeenTopic.
Reader *reader_open(const char *bootstrap, const char *const topics[SEEN_TOPIC_COUNT]);
void reader_close(Reader *reader);

// Reads what is there by now, waiting up to `wait_ms` for the first record.
void reader_poll(Reader *reader, int wait_ms);
// Reads until the end of every partition as it is now.
void reader_read_to_end(Reader *reader);

// What was read so far, in the order of reading; pointers stay valid.
size_t reader_count(const Reader *reader);
const Seen *reader_at(const Reader *reader, size_t index);

// A header's value as text, or NULL.
const char *seen_header(const Seen *seen, const char *name);
// "EnvironmentCreated", from ce_type; "" where there is none.
const char *seen_type(const Seen *seen);
bool seen_is_replayed(const Seen *seen);
// An event that ends its command: not CommandAccepted, StepFinished or DriftReported.
bool seen_is_outcome(const Seen *seen);
// Text, number or flag at a path of the JSON form ("environmentCreated.environment.host"); "", 0
// and false where the field has its default (proto3's JSON leaves it out). 64-bit integers are
// strings there; seen_number reads both.
const char *seen_text(const Seen *seen, const char *path);
int64_t seen_number(const Seen *seen, const char *path);
bool seen_flag(const Seen *seen, const char *path);

// Waits for the first outcome event of a command that isn't a replay; the first one behind the
// `index`th record that was read; the first replay behind it.
const Seen *reader_await_outcome(Reader *reader, const char *command_id, int seconds);
const Seen *reader_await_outcome_behind(Reader *reader, const char *command_id, size_t index,
                                        int seconds);
const Seen *reader_await_replay(Reader *reader, const char *command_id, size_t index, int seconds);
// Waits for the dead letter of the record at these coordinates.
const Seen *reader_await_dead_letter(Reader *reader, int32_t partition, int64_t offset,
                                     int seconds);
// Waits for a state (tombstone = false) or tombstone of the subject to be its last record.
const Seen *reader_await_state(Reader *reader, const char *subject, bool tombstone, int seconds);

// Of what was read so far: outcome events of a command without `replayed` (exactly once: 1).
size_t reader_count_outcomes(const Reader *reader, const char *command_id);
// The last state record of a subject, tombstones included; NULL: none.
const Seen *reader_last_state(const Reader *reader, const char *subject);
// Fails unless the sequences of every subject, replays left out, are 1, 2, 3, … in the order of the
// event topic, and no ce_id stands there twice without `replayed`.
void reader_assert_sequences(const Reader *reader);

#endif
