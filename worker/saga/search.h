/*
 * Looks for what carries our mark, page by page: projects by exact name and the mark of their root
 * branch, branches of a project by exact name and mark. Notes of the search live in the journal's
 * scratch part. Nothing is ever adopted by name alone, and an incomplete listing proves nothing.
 */
#ifndef SAGA_SEARCH_H
#define SAGA_SEARCH_H

#include "saga/saga.h"

typedef enum SearchScope {
    SEARCH_COMMAND,     // made by this very command: all four of the mark
    SEARCH_ENVIRONMENT, // made for this environment, by whatever command
} SearchScope;

typedef struct SearchMatch {
    char id[NAME_NEON_ID_BYTES];        // project or branch
    char branch_id[NAME_NEON_ID_BYTES]; // of a project: its root branch
    char command[UUID_TEXT_BYTES];      // that made it, by its mark
} SearchMatch;

// The mark of what this command makes.
void search_mark(const Saga *saga, NeonMark *ret_mark);

// Projects. `ask` fills the next request of the search; `learn` takes its reply: LESSON_LEARNT
// while it goes on or has ended (search_is_complete).
void search_ask_projects(Saga *saga, const char *name, Effect *effect);
Lesson search_learn_projects(Saga *saga, const char *name, SearchScope scope, const Answer *answer);

// Branches of a project.
void search_ask_branches(Saga *saga, const char *project_id, const char *name, bool include_deleted,
                         Effect *effect);
Lesson search_learn_branches(Saga *saga, const char *name, SearchScope scope, const Answer *answer);

// All pages and candidates were read.
bool search_is_complete(const Saga *saga);
// The oldest match but for `except_id` ("" = any); false when there is none.
bool search_match(const Saga *saga, const char *except_id, SearchMatch *ret_match);
// It is no match any more, until it is found again.
void search_drop_match(Saga *saga, const char *id);
// A branch of that exact name which is not a match: who holds it, for messages. "" = nobody.
const char *search_holder(const Saga *saga);
// ... and whether it carries the mark of an earlier command of this environment: perhaps deleted,
// and still listed.
bool search_holder_is_ours(const Saga *saga);
// Starts anew.
void search_restart(Saga *saga);
// How many complete readings found nothing so far; restarts the search and counts this one.
int64_t search_count_reading(Saga *saga);

// The complete readings that prove absence: two after a call of unknown result (a paged listing is
// not one snapshot), else one.
int64_t search_readings_needed(const Saga *saga);

// What was looked for is proven absent: progress only for the first time, because after every call
// of unknown result it has to be looked for again.
void search_set_absent(Saga *saga);
// What was looked for is proven absent, and no call of unknown result came since.
bool search_is_known_absent(const Saga *saga);

#endif
