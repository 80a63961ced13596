/*
 * What a command changes or relies on, as events name it: applications/A/environments/E,
 * applications/A/accounts/N, applications/A.
 */
#ifndef CONTRACT_SUBJECT_H
#define CONTRACT_SUBJECT_H

#include <stdbool.h>

#include "base/name.h"

typedef enum SubjectKind {
    SUBJECT_NONE,
    SUBJECT_APPLICATION,
    SUBJECT_ENVIRONMENT,
    SUBJECT_ACCOUNT,
} SubjectKind;

enum { SUBJECT_TEXT_BYTES = 160 };

typedef struct Subject {
    SubjectKind kind;
    char name[NAME_ENVIRONMENT_BYTES]; // environment or account; empty for the application itself
} Subject;

// The name must be a checked one.
Subject subject_environment(const char *environment);
Subject subject_account(const char *account);
bool subject_equal(const Subject *a, const Subject *b);
void subject_format(const char *application_id, const Subject *subject,
                    char ret_text[SUBJECT_TEXT_BYTES]);

#endif
