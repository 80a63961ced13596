/*
 * What was tried, as lines of a file that several processes append to, and as a list for people.
 */
#ifndef E2E_CRASH_COVERED_H
#define E2E_CRASH_COVERED_H

#include <stdbool.h>

#include "crash/points.h"

// The ways in which a command loses its worker.
#define COVERED_ABORT "abort"
#define COVERED_STOP "stop"
#define COVERED_HAND_OVER "hand over"
#define COVERED_BEFORE "done before the hand over"

// Whether a text holds this line.
bool covered_has_line(const char *text, const char *line);
// Appends "WHAT=WAY" to the file.
void covered_note(const char *file, const char *what, const char *way);
// Every pair of a command, or one of its steps, and a point that was covered: a line for each
// command and step.
void covered_print(const char *file, const Points *points);
// Those of the names that were covered in this way.
void covered_print_names(const char *file, const char *const *names, size_t count, const char *way);

#endif
