/*
 * Whether every code that the README or a source names has a rule, or a named test elsewhere that
 * shows it.
 */
#ifndef E2E_RULES_COVERAGE_H
#define E2E_RULES_COVERAGE_H

#include "rules/rule.h"

// Fails the test, naming what is missing: codes without rule, rules whose code the README doesn't
// tell of for that command, tests that aren't where they are said to be.
void coverage_assert(void);

#endif
