/*
 * What is there before a rule's command comes, by name: steps that lead there from nothing.
 */
#ifndef E2E_RULES_STATE_H
#define E2E_RULES_STATE_H

enum { STATE_STEPS_MAX = 8 };

typedef enum StepKind {
    STEP_END,
    STEP_RUN,   // a command, whose outcome has to be of the type `more`
    STEP_START, // a command that is left to itself
    STEP_API,   // a call of Neon's API by somebody else: "POST /projects", with the body `more`
    STEP_KEY,   // another key, `as` by name, of the project `text` only
    STEP_FAULT, // of the sandbox
    STEP_SQL,   // what only a restored ledger holds
    STEP_UNTIL, // the ledger answers this query with t
} StepKind;

typedef struct Step {
    StepKind kind;
    const char *text;
    const char *more;
    const char *as; // facts that come of it: "<as>.command", or "<as>.project", "<as>.branch"
} Step;

typedef struct State {
    const char *name; // part of applications' names
    const char *from; // the state that it begins with; NULL: from nothing
    Step steps[STATE_STEPS_MAX];
} State;

// Fails the program when there is none of that name.
const State *state_find(const char *name);

#endif
