#include "saga/conclude.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "saga/environment.h"
#include "saga/facts.h"

static const char TRANSITION[] = "outcome";

typedef struct Ending {
    const Saga *saga;
    const ConcludeContext *context;
    Conclusion *conclusion;
    Provisioning__V1__Event event;
    int64_t sequence; // of the subject after this; 0: unchanged
} Ending;

static char *loose(const char *text)
{
    return (char *)(uintptr_t)
        text; // protobuf-c's structs want non-const texts; packing doesn't change them
}

static void keep_details(Ending *ending, json_t *details)
{
    ending->conclusion->details = json_dumps(details, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(details);
    assert(ending->conclusion->details != NULL);
    ending->conclusion->row.details = ending->conclusion->details;
}

// Whatever does not fit into a record becomes an event that does.
static void add_event(Ending *ending, const char *type)
{
    Error err = ERROR_INIT;
    const Subject *subject = &ending->saga->command->writes;
    ending->conclusion->type = type;
    if (outcome_add_event(ending->conclusion->outcome, &ending->event, subject, ending->sequence,
                          TRANSITION, NULL, &err)) {
        return;
    }
    Provisioning__V1__CommandFailed failed;
    provisioning__v1__command_failed__init(&failed);
    failed.code = err.code;
    failed.message = err.text;
    failed.action = loose(ending->saga->command->action_name);
    provisioning__v1__event__init(&ending->event);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_FAILED;
    ending->event.command_failed = &failed;
    ending->conclusion->type = "CommandFailed";
    bool added = outcome_add_event(ending->conclusion->outcome, &ending->event, subject,
                                   ending->sequence, TRANSITION, NULL, &err);
    assert(added); // codes and texts are bounded
    (void)added;
}

static void add_state(Ending *ending, Provisioning__V1__State *state)
{
    Error err = ERROR_INIT;
    bool added = outcome_add_state(ending->conclusion->outcome, state,
                                   &ending->saga->command->writes, ending->sequence, &err);
    assert(added); // every field of a state is bounded far below a record's limit
    (void)added;
}

static size_t fact_texts(const Saga *saga, const char *key, char **texts, size_t max)
{
    size_t count = 0;
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(saga->journal.facts, key), i, item)
    {
        if (count < max) {
            texts[count++] = loose(json_string_value(item));
        }
    }
    return count;
}

static void add_drift(Ending *ending)
{
    char *resources[32];
    size_t count =
        fact_texts(ending->saga, FACT_DRIFT, resources, sizeof resources / sizeof resources[0]);
    if (count == 0) {
        return;
    }
    Provisioning__V1__DriftReported drift;
    provisioning__v1__drift_reported__init(&drift);
    drift.environment = loose(ending->saga->command->writes.name);
    drift.code = loose("DUPLICATE_REMOVED");
    drift.message =
        loose("a request outlived Neon's assumed bounds and made a second project; it was deleted");
    drift.resources = resources;
    drift.n_resources = count;
    provisioning__v1__event__init(&ending->event);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_DRIFT_REPORTED;
    ending->event.drift_reported = &drift;
    Error err = ERROR_INIT;
    bool added = outcome_add_event(ending->conclusion->outcome, &ending->event,
                                   &ending->saga->command->writes, 0, "drift", NULL, &err);
    assert(added);
    (void)added;
}

static void set_row(Ending *ending, LedgerState state, const EnvironmentView *view)
{
    LedgerConclude *row = &ending->conclusion->row;
    row->sequence = ending->sequence;
    row->environment = view->environment;
    row->state = state;
    row->account = view->account;
    row->project_id = view->project_id;
    row->branch_id = view->branch_id;
    row->endpoint_id = view->endpoint_id;
}

static EnvironmentView view_of_row(const LedgerEnvironment *row)
{
    return (EnvironmentView){.environment = row->environment,
                             .origin = row->origin,
                             .account = row->account,
                             .project_id = row->project_id,
                             .branch_id = row->branch_id,
                             .endpoint_id = row->endpoint_id,
                             .details = row->details};
}

static EnvironmentView view_of_journal(const Saga *saga, const json_t *details)
{
    const Journal *journal = &saga->journal;
    return (EnvironmentView){.environment = saga->command->writes.name,
                             .origin = saga->ledger->environment.origin,
                             .account = saga->ledger->account.account,
                             .project_id = journal_text(journal, FACT_PROJECT_ID),
                             .branch_id = journal_text(journal, FACT_BRANCH_ID),
                             .endpoint_id = journal_text(journal, FACT_ENDPOINT_ID),
                             .details = details};
}

static void emit_environment(Ending *ending, EnvironmentMessage *message, bool created)
{
    char *rotated[64];
    Provisioning__V1__EnvironmentCreated made;
    Provisioning__V1__EnvironmentBranched branched;
    if (ending->saga->command->action == PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT) {
        provisioning__v1__environment_created__init(&made);
        made.environment = &message->state;
        made.created = created;
        ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_CREATED;
        ending->event.environment_created = &made;
        add_event(ending, "EnvironmentCreated");
        return;
    }
    provisioning__v1__environment_branched__init(&branched);
    branched.environment = &message->state;
    branched.created = created;
    branched.rotated_roles = rotated;
    branched.n_rotated_roles =
        fact_texts(ending->saga, FACT_ROTATED, rotated, sizeof rotated / sizeof rotated[0]);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_BRANCHED;
    ending->event.environment_branched = &branched;
    add_event(ending, "EnvironmentBranched");
}

static void emit_environment_state(Ending *ending, EnvironmentMessage *message)
{
    Provisioning__V1__State state;
    provisioning__v1__state__init(&state);
    state.body_case = PROVISIONING__V1__STATE__BODY_ENVIRONMENT;
    state.environment = &message->state;
    add_state(ending, &state);
}

static void end_environment(Ending *ending)
{
    const Saga *saga = ending->saga;
    EnvironmentMessage message;
    if (journal_has(&saga->journal, FACT_UNCHANGED)) {
        EnvironmentView view = view_of_row(&saga->ledger->environment);
        environment_message(&view, &message);
        emit_environment(ending, &message, false);
        return;
    }
    ending->sequence = saga->ledger->subject_sequence + 1;
    json_t *details = environment_details(saga, false);
    EnvironmentView view = view_of_journal(saga, details);
    environment_message(&view, &message);
    emit_environment(ending, &message, true);
    emit_environment_state(ending, &message);
    add_drift(ending);
    set_row(ending, LEDGER_STATE_READY, &view);
    keep_details(ending, details);
}

static void end_delete(Ending *ending)
{
    const LedgerEnvironment *row = &ending->saga->ledger->environment;
    ending->sequence = ending->saga->ledger->subject_sequence + 1;
    Provisioning__V1__EnvironmentDeleted deleted;
    provisioning__v1__environment_deleted__init(&deleted);
    deleted.environment = loose(row->environment);
    deleted.origin = environment_origin(row->origin);
    deleted.project_id = loose(row->project_id);
    deleted.branch_id = loose(row->branch_id);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_DELETED;
    ending->event.environment_deleted = &deleted;
    add_event(ending, "EnvironmentDeleted");
    outcome_add_tombstone(ending->conclusion->outcome, &ending->saga->command->writes);
    EnvironmentView gone = {.environment = row->environment,
                            .account = "",
                            .project_id = "",
                            .branch_id = "",
                            .endpoint_id = ""};
    set_row(ending, LEDGER_STATE_GONE, &gone);
    keep_details(ending, json_object());
}

static Provisioning__V1__KeyKind key_kind(const char *kind)
{
    if (strcmp(kind, "personal") == 0) {
        return PROVISIONING__V1__KEY_KIND__KEY_KIND_PERSONAL;
    }
    return strcmp(kind, "project") == 0 ? PROVISIONING__V1__KEY_KIND__KEY_KIND_PROJECT
                                        : PROVISIONING__V1__KEY_KIND__KEY_KIND_ORGANIZATION;
}

static void end_connect(Ending *ending)
{
    const Saga *saga = ending->saga;
    const Journal *journal = &saga->journal;
    ending->sequence = saga->ledger->subject_sequence + 1;
    Provisioning__V1__AccountState account;
    provisioning__v1__account_state__init(&account);
    account.account = loose(saga->command->writes.name);
    account.key_kind = key_kind(journal_text(journal, FACT_KEY_KIND));
    account.neon_account_id = loose(journal_text(journal, FACT_NEON_ACCOUNT));
    account.org_id = loose(journal_text(journal, FACT_ORG_ID));
    account.project_id = loose(journal_text(journal, FACT_KEY_PROJECT));
    Provisioning__V1__AccountConnected connected;
    provisioning__v1__account_connected__init(&connected);
    connected.account = &account;
    connected.replaced = saga->ledger->account.found;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ACCOUNT_CONNECTED;
    ending->event.account_connected = &connected;
    add_event(ending, "AccountConnected");
    Provisioning__V1__State state;
    provisioning__v1__state__init(&state);
    state.body_case = PROVISIONING__V1__STATE__BODY_ACCOUNT;
    state.account = &account;
    add_state(ending, &state);
    LedgerConclude *row = &ending->conclusion->row;
    row->sequence = ending->sequence;
    row->writes_account = true;
    row->account = saga->command->writes.name;
    row->sealed_key = ending->context->sealed_key;
    row->key_kind = journal_text(journal, FACT_KEY_KIND);
    row->neon_account_id = journal_text(journal, FACT_NEON_ACCOUNT);
    row->org_id = journal_text(journal, FACT_ORG_ID);
    row->account_project_id = journal_text(journal, FACT_KEY_PROJECT);
}

static bool had_left_before(const Saga *saga)
{
    return json_array_size(json_object_get(saga->ledger->environment.details, FACT_LEFT)) > 0;
}

// The row goes back to what it was before the command.
static void restore_row(Ending *ending)
{
    const Saga *saga = ending->saga;
    const LedgerEnvironment *row = &saga->ledger->environment;
    bool is_maker = row->state == LEDGER_STATE_CREATING &&
                    strcmp(row->command_id, saga->command->command_id) == 0;
    bool is_marked =
        row->state == LEDGER_STATE_DELETING || journal_has(&saga->journal, FACT_MARKED);
    if (!is_maker && !is_marked) {
        return;
    }
    LedgerState before = is_maker ? LEDGER_STATE_GONE : LEDGER_STATE_READY;
    EnvironmentView view = view_of_row(row);
    set_row(ending, had_left_before(saga) ? LEDGER_STATE_FAILED : before, &view);
    keep_details(ending, json_deep_copy(row->details));
}

static void end_rejected(Ending *ending)
{
    const SagaFailure *failure = &ending->saga->failure;
    Provisioning__V1__CommandRejected rejected;
    provisioning__v1__command_rejected__init(&rejected);
    rejected.code = loose(failure->error.code);
    rejected.message = loose(failure->error.text);
    rejected.field = loose(failure->error.field);
    rejected.action = loose(ending->saga->command->action_name);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_REJECTED;
    ending->event.command_rejected = &rejected;
    add_event(ending, "CommandRejected");
    restore_row(ending);
}

typedef struct Undone {
    char *undone[32];
    char *left[32];
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
        superseded.superseded_by = loose(saga->stopped_by);
        superseded.undone = undone->undone;
        superseded.n_undone = undone->undone_count;
        superseded.left = undone->left;
        superseded.n_left = undone->left_count;
        ending->event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_SUPERSEDED;
        ending->event.command_superseded = &superseded;
        add_event(ending, "CommandSuperseded");
        return;
    }
    provisioning__v1__command_cancelled__init(&cancelled);
    cancelled.cancelled_by = loose(saga->stopped_by);
    cancelled.undone = undone->undone;
    cancelled.n_undone = undone->undone_count;
    cancelled.left = undone->left;
    cancelled.n_left = undone->left_count;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_CANCELLED;
    ending->event.command_cancelled = &cancelled;
    add_event(ending, "CommandCancelled");
}

static void emit_failed(Ending *ending, Undone *undone)
{
    const SagaFailure *failure = &ending->saga->failure;
    Provisioning__V1__CommandFailed failed;
    provisioning__v1__command_failed__init(&failed);
    failed.code = loose(failure->error.code);
    failed.message = loose(failure->error.text);
    failed.field = loose(failure->error.field);
    failed.action = loose(ending->saga->command->action_name);
    failed.step = loose(failure->step);
    failed.neon_status = failure->neon_status;
    failed.neon_request_id = loose(failure->neon_request_id);
    failed.undone = undone->undone;
    failed.n_undone = undone->undone_count;
    failed.left = undone->left;
    failed.n_left = undone->left_count;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_FAILED;
    ending->event.command_failed = &failed;
    add_event(ending, "CommandFailed");
}

// What the environment is after the undo: gone, or failed with what was left.
static void end_row_of_failure(Ending *ending, bool has_left)
{
    const Saga *saga = ending->saga;
    bool is_delete = saga->command->action == PROVISIONING__V1__COMMAND__ACTION_DELETE_ENVIRONMENT;
    if (!has_left && !is_delete) {
        EnvironmentView gone = {.environment = saga->command->writes.name,
                                .account = "",
                                .project_id = "",
                                .branch_id = "",
                                .endpoint_id = ""};
        outcome_add_tombstone(ending->conclusion->outcome, &saga->command->writes);
        set_row(ending, LEDGER_STATE_GONE, &gone);
        keep_details(ending, json_object());
        return;
    }
    json_t *details = is_delete ? json_deep_copy(saga->ledger->environment.details)
                                : environment_details(saga, true);
    EnvironmentView view =
        is_delete ? view_of_row(&saga->ledger->environment) : view_of_journal(saga, details);
    EnvironmentMessage message;
    view.failed = true;
    view.details = details;
    environment_message(&view, &message);
    emit_environment_state(ending, &message);
    set_row(ending, LEDGER_STATE_FAILED, &view);
    keep_details(ending, details);
}

static void end_failed(Ending *ending)
{
    const Saga *saga = ending->saga;
    Undone undone;
    undone.undone_count = fact_texts(saga, FACT_UNDONE, undone.undone, 32);
    undone.left_count = fact_texts(saga, FACT_LEFT, undone.left, 32);
    ending->sequence = saga->ledger->subject_sequence + 1;
    bool was_stopped = strcmp(saga->failure.error.code, "SUPERSEDED") == 0 ||
                       strcmp(saga->failure.error.code, "CANCELLED") == 0;
    if (was_stopped) {
        emit_stopped(ending, &undone);
    } else {
        emit_failed(ending, &undone);
    }
    end_row_of_failure(ending, undone.left_count > 0);
    if (strcmp(saga->failure.error.code, "CRASH_LOOP") == 0) {
        outcome_add_dead_letter(ending->conclusion->outcome, ending->context->record,
                                &saga->failure.error, ending->context->worker,
                                ending->context->max_dead_value_bytes);
    }
}

static void end_success(Ending *ending)
{
    switch (ending->saga->command->writes.kind) {
    case SUBJECT_ACCOUNT:
        end_connect(ending);
        break;
    case SUBJECT_ENVIRONMENT:
        if (ending->saga->command->action == PROVISIONING__V1__COMMAND__ACTION_DELETE_ENVIRONMENT) {
            end_delete(ending);
        } else {
            end_environment(ending);
        }
        break;
    case SUBJECT_NONE:
    case SUBJECT_APPLICATION:
        break;
    }
}

void saga_conclude(const Saga *saga, const ConcludeContext *context, Conclusion *ret_conclusion)
{
    *ret_conclusion = (Conclusion){.outcome = outcome_new(&context->outcome)};
    LedgerConclude *row = &ret_conclusion->row;
    *row = (LedgerConclude){
        .key = {saga->command->application_id, saga->command->command_id, saga->ledger->epoch},
        .environment = "",
        .account = "",
        .project_id = "",
        .branch_id = "",
        .endpoint_id = "",
        .details = "{}",
        .key_kind = "",
        .neon_account_id = "",
        .org_id = "",
        .account_project_id = "",
    };
    Ending ending = {.saga = saga, .context = context, .conclusion = ret_conclusion};
    provisioning__v1__event__init(&ending.event);
    if (saga->rejected) {
        end_rejected(&ending);
    } else if (saga->undoing) {
        end_failed(&ending);
    } else {
        end_success(&ending);
    }
    ret_conclusion->journal = journal_pack(&saga->journal);
    row->journal = ret_conclusion->journal;
    outcome_pack(ret_conclusion->outcome, &ret_conclusion->outcome_bytes);
    row->outcome = buffer_view(&ret_conclusion->outcome_bytes);
}

void conclusion_clear(Conclusion *conclusion)
{
    outcome_free(conclusion->outcome);
    buffer_clear(&conclusion->outcome_bytes);
    free(conclusion->journal);
    free(conclusion->details);
    *conclusion = (Conclusion){.outcome = NULL};
}
