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
