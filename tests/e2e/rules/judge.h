/*
 * Whether a rule's command ended as the rule says. What didn't fails the test.
 */
#ifndef E2E_RULES_JUDGE_H
#define E2E_RULES_JUDGE_H

#include "rules/fixture.h"

void judge_trial(const Trial *trial);

#endif
