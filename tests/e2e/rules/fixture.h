/*
 * An application, brought to a state, on which rules are tried one after another: several that
 * change nothing, or one that does. It has Neon organizations and API keys of its own, so that the
 * sandbox's list of calls tells whose each is.
 */
#ifndef E2E_RULES_FIXTURE_H
#define E2E_RULES_FIXTURE_H

#include "base/table.h"
#include "rules/rule.h"
#include "rules/state.h"
#include "support/credentials.h"
#include "support/world.h"

enum { FIXTURE_STEPS_MAX = 32 };

typedef struct Fixture Fixture;

// A rule as it was tried. Texts are kept until the program ends.
typedef struct Trial {
    const Rule *rule;
    Fixture *fixture;
    const char *application; // that has sent the command
    const char *command_id;
    const Seen *outcome; // NULL: none came, `problem` of the fixture says why
    int64_t calls;
} Trial;

struct Fixture {
    World *world;
    const Recipient *recipient;
    const char *application;
    const char *sender; // of the command that is filled in
    Step steps[FIXTURE_STEPS_MAX];
    size_t step_count;
    size_t steps_done;
    Trial **trials;
    size_t trial_count;
    size_t trials_done;
    bool is_left_alone; // a command may still run when all is over
    const char *waiting_id;
    const char *problem;
    int64_t calls;        // so far
    int64_t calls_judged; // of them: up to the last outcome, or the command behind it
    Table *facts;
};

void fixture_init(Fixture *fixture, World *world, const char *application, const State *state);
void fixture_clear(Fixture *fixture);
void fixture_set(Fixture *fixture, const char *name, const char *value);
// The text with its facts in place of <name>, and with
//   <sealed ACCOUNT KEY>  the sender's box around a key (org, again, other, personal, bad, or of
//                         STEP_KEY); <sealed ACCOUNT KEY app>: that of the application `app`
//   <recipient>           a public key in base64 that the workers list for the application
//   <in SECONDS>          that point in time from now on
//   <many N TEXT>         the text so often
// and double quotes for single ones. NULL, and the fixture has a problem: there is no such fact.
const char *fixture_fill(Fixture *fixture, const char *text);
// That point in time from now on.
const char *fixture_time(long seconds);
// Text of an API key.
const char *fixture_key(const Fixture *fixture, const char *name);
// Registers the keys with the sandbox, and these facts: <app>; <neighbour>, another application
// with the same keys; <organization>, <organization-b>; <installation>.
void fixture_open(Fixture *fixture);
// Neon accounts whose calls are the fixture's.
const char *fixture_account(const Fixture *fixture, size_t index);
enum { FIXTURE_ACCOUNTS = 3 };
// Facts of the environment that an event tells of: "<name>.project", ".branch", ".endpoint".
void fixture_learn(Fixture *fixture, const Seen *seen);

#endif
