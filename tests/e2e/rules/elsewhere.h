/*
 * Codes that no rule shows, and the tests that do.
 */
#ifndef E2E_RULES_ELSEWHERE_H
#define E2E_RULES_ELSEWHERE_H

#include <stdbool.h>
#include <stddef.h>

// Whether the code of this command has such a test.
bool elsewhere_has(const char *code, const char *command);
// Whether it has one for whatever command.
bool elsewhere_has_any(const char *code);
// Prints which tests aren't where they should be, or don't count calls where workers make some;
// returns how many.
size_t elsewhere_find_lost(void);

#endif
