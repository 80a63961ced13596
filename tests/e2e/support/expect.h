/*
 * What every event, state and ledger row has to be, whatever it tells.
 */
#ifndef E2E_EXPECT_H
#define E2E_EXPECT_H

#include "support/login.h"
#include "support/world.h"

// CloudEvents headers, key and envelope of an outcome event fit each other; its sequence is this
// one (0: none). `subject_name` is empty for the application itself.
void expect_event(const Seen *seen, const char *application, const char *subject_name,
                  int64_t sequence);
// The state topic's last record of an environment tells what the event told, and the ledger's row
// is ready with the same ids.
void expect_ready(World *world, const char *application, const Environment *environment,
                  int64_t sequence);
// A tombstone is the last record, the ledger's row is gone, and its sequence is this one.
void expect_gone(World *world, const char *application, const char *environment, int64_t sequence);
// Whether the list at a path of the JSON form holds this text.
bool expect_holds(const Seen *seen, const char *path, const char *text);

#endif
