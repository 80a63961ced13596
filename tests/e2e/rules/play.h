/*
 * Tries all rules: many applications at once, in each one command after another.
 */
#ifndef E2E_RULES_PLAY_H
#define E2E_RULES_PLAY_H

#include "rules/fixture.h"

typedef struct Play Play;

// Puts each rule on an application: those that change nothing share one a state.
Play *play_new(World *world, const Rule *const *rules, size_t count);
void play_free(Play *play);
// Applications on which credentials are revealed, as the setting reveal.recipients takes them.
const char *play_recipients(const Play *play);
// Returns when every command has ended, and all of the topics is read; or after `seconds`: then
// fixtures whose commands have no outcome have a problem.
void play_run(Play *play, int seconds);
// As many as there are rules, in their order.
const Trial *play_trial(const Play *play, size_t index);

#endif
