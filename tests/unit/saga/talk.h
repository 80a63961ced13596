/*
 * Conversations in an array: what the saga asks for, line by line, and what it is told. A Talk is
 * one cmocka test; its name is a sentence. The harness plays the ledger (journal, intent,
 * direction) and the clock: time goes by only while the saga waits, and 10 ms with each effect.
 * Random numbers are 0, so that delays are 500, 1000, 2000, 4000, 5000 ms.
 */
#ifndef SAGA_TALK_H
#define SAGA_TALK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/attr.h"
#include "saga/conclude.h"
#include "saga/saga.h"

#define TALK_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TALK_ID "919108f7-52d1-4320-9bac-f847db4148a8"
#define TALK_OTHER_ID "11111111-52d1-4320-9bac-f847db4148a8"
// The public key of the private key 00 01 02 … 1f, in hex and in base64.
#define TALK_RECIPIENT "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"
#define TALK_REPLY_KEY "j0DFrbaPJWJK5bIU6nZ6bslNgp09e14a0bpvPiE4KF8="
#define TALK_INSTALLATION "7f000001-0000-4000-8000-000000000001"

enum {
    TALK_SETTLE_MS = 105000, // from an intent to its settled time
    TALK_LAG_MS = 30000,
    TALK_PATIENCE_MS = 900000,
    TALK_EFFECT_MS = 10,
    TALK_LINES_MAX = 90,
};

/*
 * step: the name of the step whose effect is asked for; or what happens:
 *   "!stop" reply = "cancelled" or "superseded"; "!takeover" another worker claims; "!closed" reply
 * = JSON of the closer's facts or NULL; "!fail" reply = code; "!save" the direction is to be saved;
 *   "!later" reply = ms that pass; "!skew" reply = ms by which our wall clock jumps; "!again" reply
 * = "N": the last line N times more;
 *   "!end" reply = the outcome event's type, `has` = pieces of what the ending looks like.
 * reply: "200 {…}" with ' for "; "lost"; "unsent"; "ok"; "error CODE: text"; "0 dependents" or "1
 * {…}…"; "running {…}", "finished {…}" (EFFECT_STOP); "7" (EFFECT_SECRETS: the fence); a report
 * as JSON, behind "busy CODE", "unavailable CODE" or "conflict CODE" where there is an error
 * (EFFECT_ROLES); "present next", each may be "-" (EFFECT_PASSWORD); "confirmed {…}", "{…}" or
 * "none" (EFFECT_JUDGE). has: pieces, separated by '|',
 * that stand in "METHOD path body" (or in the ending). after_ms: how long the saga waited before;
 * -1: not looked at.
 */
typedef struct TalkLine {
    const char *step;
    const char *reply;
    const char *has;
    int64_t after_ms;
} TalkLine;

typedef struct Stage Stage;

typedef struct Talk {
    const char *name;
    const char *action;          // of the command, as JSON with ' for "; NULL: as before
    const char *row;             // JSON of the environment's row; NULL: reserved by this command
    void (*setup)(Stage *stage); // NULL: none
    TalkLine lines[TALK_LINES_MAX];
} Talk;

struct Stage {
    const Talk *talk;
    Command *command;
    SagaRules rules;
    LedgerClaimed claimed;
    Saga saga;
    bool begun;
    SagaNow now;
    int64_t waited_ms;
    // the ledger's row
    json_t *journal;
    json_t *first_error;
    bool undoing;
    LedgerIntent intent;
    int64_t settled_at_ms;   // of the intent
    int64_t unsettled_at_ms; // of those passed over; 0: none
    int64_t epoch;
    const char *stop; // "" = none
    size_t max_record_bytes;
};

// Runs all as one cmocka group.
int talk_run(const char *group, const Talk *talks, size_t count);

// JSON with ' for "; the test fails where it is none.
json_t *talk_json(const char *text);
void talk_free_json(json_t **json);
// A member's text, or another where it has none.
void talk_set(char *field, size_t bytes, const json_t *object, const char *key,
              const char *otherwise);
#define TALK_SET(field, object, key, otherwise)                                                    \
    talk_set((field), sizeof(field), (object), (key), (otherwise))
LedgerState talk_state(const char *name);
void talk_unquote(Text *text); // ' for "
// For tests that do without lines: an open stage, closed with stage_close.
void stage_open(Stage *stage, const Talk *talk);
void stage_close(Stage *stage);
void stage_begin(Stage *stage); // claims: saga_begin
// The ledger's part.
void stage_open_intent(Stage *stage, const Decision *decision);
void stage_close_intent(Stage *stage);
void stage_save(Stage *stage);
// Plays lines until one without a step.
void stage_play(Stage *stage, const TalkLine *lines);
// Tells the saga what a line's reply says of an effect; time goes by.
Lesson talk_answer(Stage *stage, const Decision *decision, const char *reply);
// An outcome of one event with this ce_type.
void stage_pack_outcome(const char *type, Buffer *ret_outcome);
// What a conclusion looks like, as one text; the caller clears it.
void stage_conclude(Stage *stage, Text *ret_text);

#endif
