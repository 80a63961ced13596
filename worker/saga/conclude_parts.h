/*
 * What the files of saga/conclude.h share: conclude.c (which ending it is), conclude_account.c,
 * conclude_environment.c, conclude_edit.c, conclude_roles.c and conclude_reveal.c (success),
 * conclude_failure.c.
 */
#ifndef SAGA_CONCLUDE_PARTS_H
#define SAGA_CONCLUDE_PARTS_H

#include "saga/conclude.h"
#include "saga/environment.h"

typedef struct Ending {
    const Saga *saga;
    const ConcludeContext *context;
    Conclusion *conclusion;
    Provisioning__V1__Event event;
    int64_t sequence; // of the subject after this; 0: unchanged
} Ending;

// protobuf-c's structs want non-const texts; packing doesn't change them.
char *conclude_text(const char *text);
// The texts of a fact that is a list; at most `max`, returns how many.
size_t conclude_texts(const Saga *saga, const char *key, char **ret_texts, size_t max);
// Those of a fact's roles whose new password was set.
size_t conclude_replaced(const Saga *saga, const char *key, char **ret_roles, size_t max);

// Adds ending->event, whose body is set. Whatever does not fit into a record becomes an event that
// does.
void conclude_add_event(Ending *ending, const char *type);
void conclude_add_state(Ending *ending, Provisioning__V1__State *state);
void conclude_add_environment_state(Ending *ending, EnvironmentMessage *message);

// What the environment's row becomes. Takes over `details`.
void conclude_set_row(Ending *ending, LedgerState state, const EnvironmentView *view,
                      json_t *details);
// ... where nothing of it is left.
void conclude_set_gone(Ending *ending);
EnvironmentView conclude_view_of_row(const LedgerEnvironment *row);
EnvironmentView conclude_view_of_journal(const Saga *saga);

// ... and its state, where it stays ready: with these details, taken over.
void conclude_set_details(Ending *ending, json_t *details);
// ... where all stays as it is.
void conclude_keep_row(Ending *ending);
// Tells of what stands in the way of its roles, if anything does.
void conclude_add_blocked(Ending *ending);
// What was, or would be, changed of roles (FACT_CHANGES), as messages; the caller frees both.
typedef struct ConcludeChanges {
    Provisioning__V1__RoleChange *storage;
    Provisioning__V1__RoleChange **list;
    size_t count;
} ConcludeChanges;
ConcludeChanges conclude_changes(const Saga *saga);
void conclude_changes_clear(ConcludeChanges *changes);

// Success, one for each row of sagas.c.
void conclude_account(Ending *ending);
void conclude_disconnect(Ending *ending);
void conclude_preview_base(Ending *ending);
void conclude_cancel(Ending *ending);
void conclude_environment(Ending *ending); // Create, Branch
void conclude_preview(Ending *ending);     // OpenPreview
void conclude_reset(Ending *ending);
void conclude_discover(Ending *ending);
void conclude_import(Ending *ending);
void conclude_sweep(Ending *ending);
void conclude_orphan(Ending *ending);
void conclude_edit_project(Ending *ending);
void conclude_edit_endpoint(Ending *ending);
void conclude_setup(Ending *ending);
void conclude_rotate(Ending *ending);
void conclude_delete(Ending *ending);
void conclude_reveal(Ending *ending);
void conclude_rejected(Ending *ending); // nothing was done
void conclude_failed(Ending *ending);   // what was done was undone, or left

#endif
