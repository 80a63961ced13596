#include "saga/conclude_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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

static void add_drift(Ending *ending)
{
    char *resources[32];
    size_t count =
        conclude_texts(ending->saga, FACT_DRIFT, resources, sizeof resources / sizeof resources[0]);
    if (count == 0) {
        return;
    }
    Provisioning__V1__DriftReported drift;
    provisioning__v1__drift_reported__init(&drift);
    drift.environment = conclude_text(ending->saga->command->writes.name);
    drift.code = conclude_text("DUPLICATE_REMOVED");
    drift.message = conclude_text(
        "a request outlived Neon's assumed bounds and made a second project; it was deleted");
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
    size_t count = conclude_texts(ending->saga, FACT_ROTATED, rotated, ENVIRONMENT_NAMES_MAX);
    count += conclude_replaced(ending->saga, FACT_MANAGED, rotated + count,
                               ENVIRONMENT_NAMES_MAX - count);
    branched.n_rotated_roles = count;
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
    add_drift(ending);
    conclude_add_blocked(ending);
    conclude_set_row(ending, LEDGER_STATE_READY, &view, details);
}

void conclude_delete(Ending *ending)
{
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
    conclude_set_gone(ending);
}
