/*
 * Counts what commands do: each function is called at one place of their way.
 */
#ifndef RUN_TALLY_H
#define RUN_TALLY_H

#include "drive/http.h"
#include "neon/reply.h"
#include "run/flight.h"

// The step's effect has ended, and was learnt.
void tally_step(const Flight *flight);
// Neon has answered, or hasn't; before it is learnt.
void tally_reply(const Flight *flight, const HttpReply *reply);
// ... and makes the command wait, as learnt.
void tally_wait(Flight *flight, NeonMeaning meaning);
// Its call waits for its account's rate.
void tally_bucket_wait(Flight *flight);
// The command decided something: its wait goes on only where it still waits for Neon.
void tally_decided(Flight *flight);
// It waits for Neon no more.
void tally_went_on(Flight *flight);
// "opened", "left_unknown" or "taken_over".
void tally_intent(const Worker *worker, const char *event);
// The command ended with this event ("EnvironmentCreated"); `error`: NULL, or why it failed.
void tally_end(const Flight *flight, const char *type, const Error *error);
// ... that was an AccountSwept.
void tally_swept(const Flight *flight);
// A record that never became a command, or must not; `action` may be empty.
void tally_rejected(const Worker *worker, const char *action, const char *code);
// "command", "rejected", "finished" or "attached".
void tally_record(const Worker *worker, const char *result);
// A Kafka transaction has committed.
void tally_transaction(const Worker *worker, size_t outcomes, uint32_t took_ms);

#endif
