#include "saga/conclude_parts.h"

#include <string.h>

#include "base/unconst.h"
#include "saga/branching.h"
#include "saga/facts.h"
#include "saga/guard.h"
#include "saga/record.h"

enum { UNDONE_MAX = 32 };

typedef struct Undone {
    char *undone[UNDONE_MAX];
    char *left[UNDONE_MAX];
    size_t undone_count;
    size_t left_count;
} Undone;

static void emit_stopped(Ending *ending, Undone *undone)
{
    Provisioning__V1__CommandCancelled cancelled;
    Provisioning__V1__CommandSuperseded superseded;
    const Saga *saga = ending->saga;
    if (strcmp(saga->failure.error.code, "SUPERSEDED") == 0) {
        provisioning__v1__command_superseded__init(&superseded);
        superseded.superseded_by = conclude_text(saga->stopped_by);
        superseded.undone = undone->undone;
        superseded.n_undone = undone->undone_count;
        superseded.left = undone->left;
        superseded.n_left = undone->left_count;
        ending->event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_SUPERSEDED;
        ending->event.command_superseded = &superseded;
        conclude_add_event(ending, "CommandSuperseded");
        return;
    }
    provisioning__v1__command_cancelled__init(&cancelled);
    cancelled.cancelled_by = conclude_text(saga->stopped_by);
    cancelled.undone = undone->undone;
    cancelled.n_undone = undone->undone_count;
    cancelled.left = undone->left;
    cancelled.n_left = undone->left_count;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_CANCELLED;
    ending->event.command_cancelled = &cancelled;
    conclude_add_event(ending, "CommandCancelled");
}

static void emit_failed(Ending *ending, Undone *undone)
{
    const SagaFailure *failure = &ending->saga->failure;
    Provisioning__V1__CommandFailed failed;
    provisioning__v1__command_failed__init(&failed);
    failed.code = conclude_text(failure->error.code);
    failed.message = conclude_text(failure->error.text);
    failed.field = conclude_text(failure->error.field);
    failed.action = conclude_text(ending->saga->command->action_name);
    failed.step = conclude_text(failure->step);
    failed.neon_status = failure->neon_status;
    failed.neon_request_id = conclude_text(failure->neon_request_id);
    failed.undone = undone->undone;
    failed.n_undone = undone->undone_count;
    failed.left = undone->left;
    failed.n_left = undone->left_count;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_FAILED;
    ending->event.command_failed = &failed;
    conclude_add_event(ending, "CommandFailed");
}

static bool was_stopped(const Saga *saga)
{
    return strcmp(saga->failure.error.code, "SUPERSEDED") == 0 ||
           strcmp(saga->failure.error.code, "CANCELLED") == 0;
}

// The row goes back to what it was before the command: the claim has reserved it, or a Delete has
// marked it (perhaps under an earlier claim).
static void restore_row(Ending *ending)
{
    const Saga *saga = ending->saga;
    const LedgerEnvironment *row = &saga->ledger->environment;
    bool is_maker =
        guard_holds_row(saga) || (row->state == LEDGER_STATE_CREATING &&
                                  strcmp(row->command_id, saga->command->command_id) == 0);
    bool is_marked = guard_is_deletion(saga) && (row->state == LEDGER_STATE_DELETING ||
                                                 journal_has(&saga->journal, FACT_MARKED));
    if (!is_maker && !is_marked) {
        return;
    }
    LedgerState before = is_maker ? LEDGER_STATE_GONE : LEDGER_STATE_READY;
    bool had_failed = json_object_get(row->details, FACT_LEFT) != NULL;
    EnvironmentView view = conclude_view_of_row(row);
    conclude_set_row(ending, had_failed ? LEDGER_STATE_FAILED : before, &view,
                     json_deep_copy(row->details));
}

static void emit_rejected(Ending *ending)
{
    const SagaFailure *failure = &ending->saga->failure;
    Provisioning__V1__CommandRejected rejected;
    provisioning__v1__command_rejected__init(&rejected);
    rejected.code = conclude_text(failure->error.code);
    rejected.message = conclude_text(failure->error.text);
    rejected.field = conclude_text(failure->error.field);
    rejected.action = conclude_text(ending->saga->command->action_name);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED;
    ending->event.command_rejected = &rejected;
    conclude_add_event(ending, "CommandRejected");
}

void conclude_rejected(Ending *ending)
{
    if (was_stopped(ending->saga)) {
        Undone nothing = {.undone_count = 0};
        emit_stopped(ending, &nothing);
    } else {
        emit_rejected(ending);
    }
    restore_row(ending);
}

static bool works_in_place(const Saga *saga)
{
    return saga->definition->works_in_place || branching_stands(saga);
}

// What an earlier command left, and is still there, is named by its ids.
static void name_leftovers(Undone *undone, const json_t *left, Text texts[UNDONE_MAX])
{
    for (size_t i = 0; i < json_array_size(left) && undone->left_count < UNDONE_MAX; i++) {
        const json_t *one = json_array_get(left, i);
        const char *project_id = json_string_value(json_object_get(one, FACT_PROJECT_ID));
        const char *branch_id = json_string_value(json_object_get(one, FACT_BRANCH_ID));
        Text *text = &texts[undone->left_count];
        text_printf(text, "project %s%s%s", project_id != NULL ? project_id : "",
                    branch_id != NULL ? ", branch " : "", branch_id != NULL ? branch_id : "");
        undone->left[undone->left_count++] = conclude_text(text_get(text));
    }
}

static void add_left(Undone *undone, Text texts[UNDONE_MAX], const char *role, const char *what)
{
    if (undone->left_count < UNDONE_MAX - 1) {
        Text *text = &texts[undone->left_count];
        text_printf(text, "role %s %s", role, what);
        undone->left[undone->left_count++] = conclude_text(text_get(text));
    }
}

// What became of passwords that are set by SQL, where that is known.
static void name_targets(const Saga *saga, Undone *undone, Text texts[UNDONE_MAX])
{
    const json_t *targets = journal_value(&saga->journal, FACT_TARGETS);
    size_t i;
    json_t *name;
    json_array_foreach(unconst(targets), i, name)
    {
        const char *role = json_string_value(name);
        bool is_set = record_holds(saga, FACT_ROLES_SET, role);
        add_left(undone, texts, role, is_set ? "has its new password" : "has no new password");
    }
}

// What an edit had come to. Only a change whose reply nobody has read may hold or not.
static void name_edited(const Saga *saga, Undone *undone)
{
    const Journal *journal = &saga->journal;
    bool is_doubtful =
        journal_number(journal, FACT_PRESENT_DOUBTS) != journal_number(journal, FACT_DOUBTS);
    const char *text = is_doubtful
                           ? "the settings: the old or the new ones hold; send the edit again"
                           : "the settings: the old ones hold";
    undone->left[undone->left_count++] = conclude_text(
        journal_has(journal, FACT_PATCHED) ? "the settings: Neon has taken the new ones" : text);
}

static void name_reset(const Saga *saga, Undone *undone)
{
    if (!journal_has(&saga->journal, FACT_LAST_RESET)) {
        return; // not looked at yet
    }
    undone->left[undone->left_count++] = conclude_text(
        journal_has(&saga->journal, FACT_RESET_DONE)
            ? "the branch: it was reset; send the reset again, so that passwords are replaced"
            : "the branch: perhaps it was reset; send the reset again");
}

// What a command that works in place had come to.
static void name_done(const Saga *saga, Undone *undone, Text texts[UNDONE_MAX])
{
    if (journal_has(&saga->journal, FACT_BEFORE)) {
        name_edited(saga, undone);
        return;
    }
    if (branching_is(saga)) {
        name_reset(saga, undone);
    }
    bool is_setup = saga->command->action == PROVISIONING__V1__COMMAND__ACTION_SETUP_ROLES;
    bool is_kept = journal_has(&saga->journal, FACT_SECRETS_KEPT);
    char *rotated[UNDONE_MAX];
    size_t count = conclude_texts(saga, FACT_ROTATED, rotated, UNDONE_MAX - 1);
    for (size_t i = 0; i < count; i++) {
        add_left(undone, texts, rotated[i], "has its new password");
    }
    if (is_kept) {
        name_targets(saga, undone, texts);
    } else if (journal_has(&saga->journal, FACT_FENCE) || is_setup) {
        undone->left[undone->left_count++] = conclude_text(
            is_setup ? "roles: what was changed until then stays; SetupRoles goes on from there"
                     : "passwords of roles made by SQL: the old or the new ones work; "
                       "RevealCredentials finds out");
    }
}

static void set_failed_row(Ending *ending, json_t *left)
{
    const Saga *saga = ending->saga;
    const LedgerEnvironment *row = &saga->ledger->environment;
    json_t *details =
        guard_is_deletion(saga) ? json_deep_copy(row->details) : environment_details(saga);
    json_object_set(details, FACT_LEFT, left);
    EnvironmentView view =
        guard_is_deletion(saga) ? conclude_view_of_row(row) : conclude_view_of_journal(saga);
    EnvironmentMessage message;
    view.project_id = guard_is_deletion(saga) ? guard_own_project(saga) : view.project_id;
    view.failed = true;
    view.details = details;
    environment_message(&view, &message);
    conclude_add_environment_state(ending, &message);
    environment_message_clear(&message);
    conclude_set_row(ending, LEDGER_STATE_FAILED, &view, details);
}

// A deletion that was kept from it: nothing of the environment was, or can be, deleted.
static bool is_untouched(const Saga *saga)
{
    const Journal *journal = &saga->journal;
    bool had_failed = json_object_get(saga->ledger->environment.details, FACT_LEFT) != NULL;
    bool may_have_deleted = journal_has(journal, FACT_GONE) ||
                            journal_has(journal, FACT_MAYBE_DELETED) ||
                            journal_number(journal, FACT_LEFTOVER_GONE) > 0 ||
                            json_object_size(journal_value(journal, FACT_DELETES_UNTIL)) > 0;
    return guard_is_deletion(saga) && !had_failed && !may_have_deleted;
}

static void set_row(Ending *ending, bool is_something_left, json_t *left)
{
    if (works_in_place(ending->saga) || is_untouched(ending->saga)) {
        conclude_keep_row(ending);
    } else if (is_something_left || guard_is_deletion(ending->saga)) {
        set_failed_row(ending, left);
    } else {
        conclude_set_gone(ending);
    }
}

void conclude_failed(Ending *ending)
{
    const Saga *saga = ending->saga;
    json_t *left = environment_left(saga);
    Text texts[UNDONE_MAX];
    for (size_t i = 0; i < UNDONE_MAX; i++) {
        texts[i] = TEXT_INIT(256);
    }
    Undone undone = {.undone_count = 0};
    undone.undone_count = conclude_texts(saga, FACT_UNDONE, undone.undone, UNDONE_MAX);
    undone.left_count = conclude_texts(saga, FACT_LEFT, undone.left, UNDONE_MAX);
    if (saga->definition->leaves_row || is_untouched(saga)) {
        undone.left_count = 0;
    } else if (works_in_place(saga)) {
        name_done(saga, &undone, texts);
    } else {
        name_leftovers(&undone, left, texts);
    }
    ending->sequence = saga->definition->leaves_row ? 0 : saga->ledger->subject_sequence + 1;
    if (was_stopped(saga)) {
        emit_stopped(ending, &undone);
    } else {
        emit_failed(ending, &undone);
    }
    if (!saga->definition->leaves_row) {
        set_row(ending, undone.left_count > 0, left);
    }
    if (strcmp(saga->failure.error.code, "CRASH_LOOP") == 0) {
        outcome_add_dead_letter(ending->conclusion->outcome, ending->context->record,
                                &saga->failure.error, ending->context->worker,
                                ending->context->max_dead_value_bytes);
    }
    for (size_t i = 0; i < UNDONE_MAX; i++) {
        text_clear(&texts[i]);
    }
    json_decref(left);
}
