#include <assert.h>
#include <string.h>

#include "saga/engine.h"
#include "saga/facts.h"

void failure_read(Saga *saga, const json_t *error)
{
    if (error == NULL) {
        return;
    }
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *text = json_string_value(json_object_get(error, "text"));
    const char *field = json_string_value(json_object_get(error, "field"));
    const char *step = json_string_value(json_object_get(error, "step"));
    const char *request = json_string_value(json_object_get(error, "neon_request_id"));
    SagaFailure *failure = &saga->failure;
    error_set_field(&failure->error, (ErrorKind)json_integer_value(json_object_get(error, "kind")),
                    code != NULL ? code : "", field != NULL ? field : "", "%s",
                    text != NULL ? text : "");
    failure->neon_status = (int)json_integer_value(json_object_get(error, "neon_status"));
    // what was written by this program fits; a longer text of another version is left out
    bool fits = text_copy(failure->step, sizeof failure->step, step != NULL ? step : "");
    fits = text_copy(failure->neon_request_id, sizeof failure->neon_request_id,
                     request != NULL ? request : "") &&
           fits;
    (void)fits;
}

char *saga_first_error(const Saga *saga)
{
    const SagaFailure *failure = &saga->failure;
    if (failure->error.kind == ERROR_NONE) {
        return NULL;
    }
    json_t *error =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:s}", "kind", (int)failure->error.kind, "code",
                  failure->error.code, "field", failure->error.field, "text", failure->error.text,
                  "step", failure->step, "neon_status", failure->neon_status, "neon_request_id",
                  failure->neon_request_id);
    assert(error != NULL);
    char *text = json_dumps(error, JSON_COMPACT);
    json_decref(error);
    return text;
}

void saga_fail(Saga *saga, const Error *error, const char *step)
{
    if (saga->failure.error.kind != ERROR_NONE) {
        return; // the ledger keeps the first one, too
    }
    saga->failure = (SagaFailure){.error = *error};
    bool fits = text_copy(saga->failure.step, sizeof saga->failure.step, step);
    assert(fits);
    (void)fits;
}

// An undo step that can't be done: its table is given up, what it leaves is named, the others go
// on.
static void give_up_undo(Saga *saga, const Step *failed)
{
    for (const Step *step = saga->definition->steps; step->name != NULL; step++) {
        if (step->undo != NULL && engine_find_step(step->undo, failed->name) == failed) {
            journal_append_text(&saga->journal, FACT_GAVE_UP, step->name);
        }
    }
}

void failure_of_step(Saga *saga, const Step *step, const Answer *answer, const SagaFailure *before)
{
    SagaFailure *failure = &saga->failure;
    bool fits = text_copy(failure->step, sizeof failure->step, step->name);
    if (answer->reply != NULL) {
        failure->neon_status = answer->reply->status;
        fits = text_copy(failure->neon_request_id, sizeof failure->neon_request_id,
                         answer->reply->request_id) &&
               fits;
    }
    assert(fits);
    (void)fits;
    if (saga->undoing) {
        Text left = TEXT_INIT(1024);
        text_printf(&left, "%s: %s", step->name, failure->error.text);
        journal_append_text(&saga->journal, FACT_LEFT, text_get(&left));
        text_clear(&left);
        *failure = *before; // the command's error stays the one that turned it
        give_up_undo(saga, step);
    }
}
