/*
 * Names that a command gives or that are suggested.
 */
#ifndef SAGA_NAMES_H
#define SAGA_NAMES_H

#include "saga/saga.h"

// Text of 128 bytes: <application>-<environment>, a suggestion for projects and branches.
enum { NAMES_SUGGESTION_BYTES = 130 };

// <application>-<environment>.
const char *names_suggested(const Saga *saga, char buffer[NAMES_SUGGESTION_BYTES]);
// Name of the project that CreateEnvironment makes. `buffer` holds a suggestion.
const char *names_project(const Saga *saga, char buffer[NAMES_SUGGESTION_BYTES]);
// Name of the branch that the command makes: given, main, preview/pr-<n>, or a suggestion.
const char *names_branch(const Saga *saga, char buffer[NAMES_SUGGESTION_BYTES]);
// Database that CreateEnvironment makes.
const char *names_database(const Saga *saga);

#endif
