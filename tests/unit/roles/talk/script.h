/*
 * The other side of a conversation: answers each statement with what the test has put there, and
 * writes down what was sent.
 */
#ifndef ROLES_TEST_SCRIPT_H
#define ROLES_TEST_SCRIPT_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#include "roles/plan.h"
#include "roles/talks.h"

#define SCRIPT_PAD "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
enum { SCRIPT_SECRETS = 3, SCRIPT_QUERIES = ROLES_QUERY_OWNERS + 1, SCRIPT_SENT_BYTES = 65536 };

typedef struct Script {
    RolesTask task;
    json_t *spec;
    Secret passwords[SCRIPT_SECRETS]; // of svc_a, svc_b, encore_platform
    RolesSecret secrets[SCRIPT_SECRETS];
    RolesTalk *talk;
    // Rows of a query: one a line, columns separated by '|', of which "-" is NULL. NULL: none.
    const char *rows[SCRIPT_QUERIES];
    const char *holder; // of the lock; NULL: a run of ours
    const char *pad;    // of the session
    int fails_at;       // with a Sync each: index of the statement that fails; -1: none
    const char *wrong;  // when tried by itself, a statement that has this in it fails
    char sent[SCRIPT_SENT_BYTES];
    char *parameter; // of the last plan query
    RolesReport report;
} Script;

// Mode APPLY, a spec of databases main and other, and of services a and b; no password is known.
int script_set_up(void **state);
int script_tear_down(void **state);
void script_know(Script *script, size_t count); // passwords of the first so many
void script_begin(Script *script, const char *database);

RolesTalkAction script_action(Script *script);
// What the batch is, which isn't answered yet: its statements separated by "; ", with names in
// place of the long ones.
const char *script_sent(Script *script);
// Answers it, and says what it was.
const char *script_answer(Script *script);
void script_refuse(Script *script, const char *sqlstate); // the whole batch
void script_lose(Script *script);
// All checks have this result.
void script_verify(Script *script, RolesVerified result);
// Takes the report.
const RolesReport *script_report(Script *script);
// "database|object|change|reason" of one change, with "!" before it where it is blocked.
void script_assert_change(Script *script, size_t index, const char *expected);

#define SCRIPT_TEST(test) cmocka_unit_test_setup_teardown(test, script_set_up, script_tear_down)
#define script_assert_sent(script, expected) assert_string_equal(script_sent(script), expected)
#define script_assert_answer(script, expected) assert_string_equal(script_answer(script), expected)

#endif
