/*
 * Endings about what isn't an environment: accounts, the application, another command.
 */
#include <string.h>

#include "saga/conclude_parts.h"
#include "saga/facts.h"

static Provisioning__V1__KeyKind key_kind(const char *kind)
{
    if (strcmp(kind, "personal") == 0) {
        return PROVISIONING__V1__KEY_KIND__KEY_KIND_PERSONAL;
    }
    return strcmp(kind, "project") == 0 ? PROVISIONING__V1__KEY_KIND__KEY_KIND_PROJECT
                                        : PROVISIONING__V1__KEY_KIND__KEY_KIND_ORGANIZATION;
}

void conclude_account(Ending *ending)
{
    const Saga *saga = ending->saga;
    const Journal *journal = &saga->journal;
    ending->sequence = saga->ledger->subject_sequence + 1;
    Provisioning__V1__AccountState account;
    provisioning__v1__account_state__init(&account);
    account.account = conclude_text(saga->command->writes.name);
    account.key_kind = key_kind(journal_text(journal, FACT_KEY_KIND));
    account.neon_account_id = conclude_text(journal_text(journal, FACT_NEON_ACCOUNT));
    account.org_id = conclude_text(journal_text(journal, FACT_ORG_ID));
    account.project_id = conclude_text(journal_text(journal, FACT_KEY_PROJECT));
    Provisioning__V1__AccountConnected connected;
    provisioning__v1__account_connected__init(&connected);
    connected.account = &account;
    connected.replaced = saga->ledger->account.found;
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ACCOUNT_CONNECTED;
    ending->event.account_connected = &connected;
    conclude_add_event(ending, "AccountConnected");
    Provisioning__V1__State state;
    provisioning__v1__state__init(&state);
    state.body_case = PROVISIONING__V1__STATE__BODY_ACCOUNT;
    state.account = &account;
    conclude_add_state(ending, &state);
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

void conclude_cancel(Ending *ending)
{
    const Saga *saga = ending->saga;
    Provisioning__V1__CancelAccepted accepted;
    provisioning__v1__cancel_accepted__init(&accepted);
    accepted.command_id = conclude_text(saga->command->stops);
    accepted.action = conclude_text(journal_text(&saga->journal, FACT_TARGET_ACTION));
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_CANCEL_ACCEPTED;
    ending->event.cancel_accepted = &accepted;
    conclude_add_event(ending, "CancelAccepted");
}

void conclude_disconnect(Ending *ending)
{
    const Saga *saga = ending->saga;
    ending->sequence = saga->ledger->subject_sequence + 1;
    Provisioning__V1__AccountDisconnected disconnected;
    provisioning__v1__account_disconnected__init(&disconnected);
    disconnected.account = conclude_text(saga->command->writes.name);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_ACCOUNT_DISCONNECTED;
    ending->event.account_disconnected = &disconnected;
    conclude_add_event(ending, "AccountDisconnected");
    outcome_add_tombstone(ending->conclusion->outcome, &saga->command->writes);
    LedgerConclude *row = &ending->conclusion->row;
    row->sequence = ending->sequence;
    row->writes_account = true; // without a key
    row->account = saga->command->writes.name;
}

void conclude_preview_base(Ending *ending)
{
    const Saga *saga = ending->saga;
    const char *base = saga->command->message->set_preview_base->environment;
    ending->sequence = saga->ledger->subject_sequence + 1;
    Provisioning__V1__PreviewBaseSet set;
    provisioning__v1__preview_base_set__init(&set);
    set.environment = conclude_text(base);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_PREVIEW_BASE_SET;
    ending->event.preview_base_set = &set;
    conclude_add_event(ending, "PreviewBaseSet");
    Provisioning__V1__ApplicationState application;
    provisioning__v1__application_state__init(&application);
    application.preview_base = conclude_text(base);
    Provisioning__V1__State state;
    provisioning__v1__state__init(&state);
    state.body_case = PROVISIONING__V1__STATE__BODY_APPLICATION;
    state.application = &application;
    conclude_add_state(ending, &state);
    LedgerConclude *row = &ending->conclusion->row;
    row->sequence = ending->sequence;
    row->writes_application = true;
    row->preview_base = base;
}
