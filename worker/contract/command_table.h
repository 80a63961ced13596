/*
 * What each action is, one row an action: which fields of it this version executes, how they are
 * checked, what it changes and relies on. A new command is one row here (and its table of steps,
 * saga/sagas.c). Not for other layers: command.h says what they need of it.
 */
#ifndef CONTRACT_COMMAND_TABLE_H
#define CONTRACT_COMMAND_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "contract/command.h"

enum { COMMAND_FIELDS_MAX = 16 };

typedef enum CommandExcludes {
    COMMAND_EXCLUDES_NOTHING,
    // Whatever uses any account: the account of an environment isn't named in commands about it, so
    // who connects one waits for all who may use it, and they for it.
    COMMAND_EXCLUDES_ACCOUNTS,
    // Whatever branches, anywhere in the application: a deletion succeeds or not by what was
    // branched off and deleted before it, and commands don't tell which environments share a
    // project.
    COMMAND_EXCLUDES_BRANCHES,
    // Whatever branches off an environment that the command doesn't name, or changes one.
    COMMAND_EXCLUDES_BASES,
} CommandExcludes;

typedef Provisioning__V1__Command CommandMessage;

typedef struct CommandRow {
    Action action;
    uint32_t fields[COMMAND_FIELDS_MAX]; // that this version executes; ends with 0
    // The fields; codes FIELD_REQUIRED, INVALID_NAME, INVALID_VALUE, REFERENCE_INVALID.
    bool (*check)(const CommandMessage *message, Error *err);
    SubjectKind writes;                         // SUBJECT_NONE: it changes nothing of that kind
    Subject (*subject)(const CommandMessage *); // that it writes; NULL: its field 1 names it
    bool (*only_reads)(const CommandMessage *message); // that subject; NULL: never
    // The account that the message names, or "". NULL: it never names one. Who names none and is
    // about an environment relies on all accounts.
    const char *(*account)(const CommandMessage *message);
    // The environment that it relies on, or "": its row comes with the claim. NULL: none.
    const char *(*source)(const CommandMessage *message);
    bool branches;        // off another environment or branch
    bool source_is_base;  // which one, the application's preview base says
    bool changes_content; // of the environment, so that no branch may be made of it meanwhile
    // Origin of the environment whose row its claim makes, and which may be the base of previews;
    // NULL: it makes none.
    const char *reserves;
    CommandExcludes excludes;
    CommandStops stops; // of earlier ones about the same subject
} CommandRow;

// NULL: this version doesn't execute the action.
const CommandRow *command_row(Action action);

#endif
