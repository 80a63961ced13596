/*
 * Words before a rule's command, "@neighbour @misplaced 'deleteEnvironment': …".
 */
#ifndef E2E_RULES_WORDS_H
#define E2E_RULES_WORDS_H

#include <stdbool.h>

bool words_has(const char *command, const char *word);
// The command without them.
const char *words_skip(const char *command);

#endif
