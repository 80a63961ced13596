#include "saga/conclude.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/unconst.h"
#include "saga/conclude_parts.h"
#include "saga/facts.h"

static const char TRANSITION[] = "outcome";

char *conclude_text(const char *text)
{
    return unconst(text);
}

size_t conclude_texts(const Saga *saga, const char *key, char **ret_texts, size_t max)
{
    size_t count = 0;
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(saga->journal.facts, key), i, item)
    {
        if (count < max && json_is_string(item)) {
            ret_texts[count++] = conclude_text(json_string_value(item));
        }
    }
    return count;
}

void conclude_add_event(Ending *ending, const char *type)
{
    Error err = ERROR_INIT;
    const Subject about = command_subject(ending->saga->command);
    const Subject *subject = &about;
    ending->conclusion->type = type;
    if (outcome_add_event(ending->conclusion->outcome, &ending->event, subject, ending->sequence,
                          TRANSITION, NULL, &err)) {
        return;
    }
    Provisioning__V1__CommandFailed failed;
    provisioning__v1__command_failed__init(&failed);
    failed.code = err.code;
    failed.message = err.text;
    failed.action = conclude_text(ending->saga->command->action_name);
    provisioning__v1__event__init(&ending->event);
    ending->event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_FAILED;
    ending->event.command_failed = &failed;
    ending->conclusion->type = "CommandFailed";
    bool added = outcome_add_event(ending->conclusion->outcome, &ending->event, subject,
                                   ending->sequence, TRANSITION, NULL, &err);
    assert(added); // codes and texts are bounded
    (void)added;
}

void conclude_add_state(Ending *ending, Provisioning__V1__State *state)
{
    Error err = ERROR_INIT;
    bool added = outcome_add_state(ending->conclusion->outcome, state,
                                   &ending->saga->command->writes, ending->sequence, &err);
    assert(added); // every field of a state is bounded far below a record's limit
    (void)added;
}

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
        .preview_base = "",
        .heeds_stop = !saga->rejected && !saga->undoing && !saga_is_final(saga),
    };
    Ending ending = {.saga = saga, .context = context, .conclusion = ret_conclusion};
    provisioning__v1__event__init(&ending.event);
    if (saga->rejected) {
        conclude_rejected(&ending);
    } else if (saga->undoing) {
        conclude_failed(&ending);
    } else {
        saga->definition->conclude(&ending);
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
