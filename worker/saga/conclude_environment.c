#include "saga/conclude_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "saga/branching.h"
#include "saga/facts.h"
#include "saga/guard.h"

void conclude_set_row(Ending *ending, LedgerState state, const EnvironmentView *view,
                      json_t *details)
{
    LedgerConclude *row = &ending->conclusion->row;
    row->sequence = ending->sequence;
    row->environment = view->environment;
    row->state = state;
    row->account = view->account;
    row->project_id = view->project_id;
    row->branch_id = view->branch_id;
    row->endpoint_id = view->endpoint_id;
    ending->conclusion->details = json_dumps(details, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(details);
    assert(ending->conclusion->details != NULL);
    row->details = ending->conclusion->details;
}

void conclude_set_gone(Ending *ending)
{
    EnvironmentView gone = {.environment = ending->saga->command->writes.name,
                            .account = "",
                            .project_id = "",
                            .branch_id = "",
                            .endpoint_id = ""};
    outcome_add_tombstone(ending->conclusion->outcome, &ending->saga->command->writes);
    conclude_set_row(ending, LEDGER_STATE_GONE, &gone, json_object());
}

EnvironmentView conclude_view_of_row(const LedgerEnvironment *row)
{
    return (EnvironmentView){.environment = row->environment,
                             .origin = row->origin,
                             .account = row->account,
                             .project_id = row->project_id,
                             .branch_id = row->branch_id,
                             .endpoint_id = row->endpoint_id,
                             .details = row->details};
}

EnvironmentView conclude_view_of_journal(const Saga *saga)
{
    const Journal *journal = &saga->journal;
    return (EnvironmentView){.environment = saga->command->writes.name,
                             .origin = saga->ledger->environment.origin,
                             .account = saga->ledger->account.account,
                             .project_id = journal_text(journal, FACT_PROJECT_ID),
                             .branch_id = journal_text(journal, FACT_BRANCH_ID),
                             .endpoint_id = journal_text(journal, FACT_ENDPOINT_ID)};
}

// The ids that the fact lists, where there are any.
static void add_drift(Ending *ending, const char *fact, const char *code, const char *message)
{
    char *resources[32];
    size_t count =
        conclude_texts(ending->saga, fact, resources, sizeof resources / sizeof resources[0]);
    if (count == 0) {
        return;
    }
    Provisioning__V1__DriftReported drift;
    provisioning__v1__drift_reported__init(&drift);
    drift.environment = conclude_text(ending->saga->command->writes.name);
    drift.code = conclude_text(code);
    drift.message = conclude_text(message);
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

// By the API or by SQL.
static size_t rotated_roles(const Saga *saga, char *ret_roles[ENVIRONMENT_NAMES_MAX])
{
    size_t count = conclude_texts(saga, FACT_ROTATED, ret_roles, ENVIRONMENT_NAMES_MAX);
    return count +
           conclude_replaced(saga, FACT_MANAGED, ret_roles + count, ENVIRONMENT_NAMES_MAX - count);
}

static void emit_environment(Ending *ending, EnvironmentMessage *message, bool created)
{
    char *rotated[ENVIRONMENT_NAMES_MAX];
    Provisioning__V1__EnvironmentCreated made;
    Provisioning__V1__EnvironmentBranched branched;
    if (ending->saga->command->action == PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT) {
        provisioning__v1__environment_created__init(&made);
        made.environment = &message->state;
        made.created = created;
        ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_CREATED;
        ending->event.environment_created = &made;
        conclude_add_event(ending, "EnvironmentCreated");
        return;
    }
    provisioning__v1__environment_branched__init(&branched);
    branched.environment = &message->state;
    branched.created = created;
    branched.rotated_roles = rotated;
    branched.n_rotated_roles = rotated_roles(ending->saga, rotated);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_BRANCHED;
    ending->event.environment_branched = &branched;
    conclude_add_event(ending, "EnvironmentBranched");
}

void conclude_add_environment_state(Ending *ending, EnvironmentMessage *message)
{
    Provisioning__V1__State state;
    provisioning__v1__state__init(&state);
    state.body_case = PROVISIONING__V1__STATE__BODY_ENVIRONMENT;
    state.environment = &message->state;
    conclude_add_state(ending, &state);
}

void conclude_environment(Ending *ending)
{
    const Saga *saga = ending->saga;
    EnvironmentMessage message;
    if (journal_has(&saga->journal, FACT_UNCHANGED)) {
        EnvironmentView view = conclude_view_of_row(&saga->ledger->environment);
        environment_message(&view, &message);
        emit_environment(ending, &message, false);
        environment_message_clear(&message);
        return;
    }
    assert(!saga->rules->check_login || journal_has(&saga->journal, FACT_LOGIN_WORKS));
    ending->sequence = saga->ledger->subject_sequence + 1;
    EnvironmentView view = conclude_view_of_journal(saga);
    json_t *details = environment_details(saga);
    view.details = details;
    environment_message(&view, &message);
    emit_environment(ending, &message, true);
    conclude_add_environment_state(ending, &message);
    environment_message_clear(&message);
    add_drift(ending, FACT_DRIFT, "DUPLICATE_REMOVED",
              "a request outlived Neon's assumed bounds and made a second project; it was deleted");
    conclude_add_blocked(ending);
    conclude_set_row(ending, LEDGER_STATE_READY, &view, details);
}

// What the row keeps of an environment that was there before.
static json_t *new_details(const Saga *saga)
{
    if (!journal_has(&saga->journal, FACT_UNCHANGED)) {
        return environment_details(saga);
    }
    json_t *details = json_deep_copy(saga->ledger->environment.details);
    environment_learn_expiry(saga, details);
    return details;
}

void conclude_preview(Ending *ending)
{
    const Saga *saga = ending->saga;
    if (!branching_stands(saga)) {
        conclude_environment(ending);
        return;
    }
    EnvironmentMessage message;
    json_t *details = new_details(saga);
    bool is_new = !json_equal(details, saga->ledger->environment.details);
    bool was_reset = journal_has(&saga->journal, FACT_RESET_DONE);
    EnvironmentView view = conclude_view_of_row(&saga->ledger->environment);
    view.details = details;
    ending->sequence = is_new || was_reset ? saga->ledger->subject_sequence + 1 : 0;
    environment_message(&view, &message);
    emit_environment(ending, &message, false);
    environment_message_clear(&message);
    if (ending->sequence > 0) {
        conclude_add_blocked(ending);
        conclude_set_details(ending, details);
    } else {
        json_decref(details);
    }
}

void conclude_reset(Ending *ending)
{
    const Saga *saga = ending->saga;
    char *rotated[ENVIRONMENT_NAMES_MAX];
    EnvironmentMessage message;
    json_t *details = environment_details(saga);
    EnvironmentView view = conclude_view_of_row(&saga->ledger->environment);
    view.details = details;
    environment_message(&view, &message);
    Provisioning__V1__EnvironmentReset reset;
    provisioning__v1__environment_reset__init(&reset);
    reset.environment = &message.state;
    reset.rotated_roles = rotated;
    reset.n_rotated_roles = rotated_roles(saga, rotated);
    ending->sequence = saga->ledger->subject_sequence + 1;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_RESET;
    ending->event.environment_reset = &reset;
    conclude_add_event(ending, "EnvironmentReset");
    environment_message_clear(&message);
    conclude_add_blocked(ending);
    conclude_set_details(ending, details);
}

// The preview was gone before: nothing of it changes.
static void conclude_nothing_deleted(Ending *ending)
{
    Provisioning__V1__EnvironmentDeleted deleted;
    provisioning__v1__environment_deleted__init(&deleted);
    deleted.environment = conclude_text(ending->saga->command->writes.name);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_DELETED;
    ending->event.environment_deleted = &deleted;
    conclude_add_event(ending, "EnvironmentDeleted");
}

void conclude_delete(Ending *ending)
{
    if (journal_has(&ending->saga->journal, FACT_UNCHANGED)) {
        conclude_nothing_deleted(ending);
        return;
    }
    const LedgerEnvironment *row = &ending->saga->ledger->environment;
    ending->sequence = ending->saga->ledger->subject_sequence + 1;
    Provisioning__V1__EnvironmentDeleted deleted;
    provisioning__v1__environment_deleted__init(&deleted);
    deleted.environment = conclude_text(row->environment);
    deleted.origin = environment_origin(row->origin);
    deleted.project_id = conclude_text(guard_own_project(ending->saga));
    deleted.branch_id = conclude_text(row->branch_id);
    deleted.forgotten_only = deleted.origin == PROVISIONING__V1__ORIGIN__ORIGIN_IMPORTED;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ENVIRONMENT_DELETED;
    ending->event.environment_deleted = &deleted;
    conclude_add_event(ending, "EnvironmentDeleted");
    add_drift(ending, FACT_STRANGERS, "LEFT_ALONE",
              "this carries the environment's mark, of a command that the ledger doesn't know as "
              "finished: where the ledger is out of a backup, that command, sent again, finds it; "
              "else a person may delete it");
    conclude_set_gone(ending);
}
