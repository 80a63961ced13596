/*
 * What state and event topic say of each subject. For run/rebuild.c.
 */
#ifndef RUN_REBUILD_SUBJECTS_H
#define RUN_REBUILD_SUBJECTS_H

#include "base/error.h"
#include "base/name.h"
#include "base/settings.h"
#include "base/table.h"
#include "base/uuid.h"
#include "contract/subject.h"
#include "provisioning/v1/state.pb-c.h"

typedef struct RebuildSubject {
    char application_id[NAME_APPLICATION_BYTES];
    Subject subject;
    Provisioning__V1__State *state; // NULL: it is gone
    int64_t sequence;               // the highest that was told
} RebuildSubject;

typedef struct RebuildSubjects {
    Table *by_name;                        // "applications/A/environments/E" → RebuildSubject
    char installation_id[UUID_TEXT_BYTES]; // of who published them; empty: it isn't told
    Error error;                           // the first record that can't be read
} RebuildSubjects;

// Reads both topics. Codes: those of drive/kafka_reader.h, STATE_UNREADABLE.
bool rebuild_subjects_read(const Settings *settings, RebuildSubjects *ret_subjects, Error *err);
void rebuild_subjects_clear(RebuildSubjects *subjects);

// "applications/A", "applications/A/environments/E", "applications/A/accounts/N".
bool rebuild_parse_subject(const char *text, char ret_application_id[NAME_APPLICATION_BYTES],
                           Subject *ret_subject);

#endif
