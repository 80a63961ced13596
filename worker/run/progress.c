#include "run/progress.h"

#include <assert.h>

#include "base/unconst.h"
#include "run/ending.h"
#include "run/outbox.h"
#include "sys/log.h"

enum { TRANSITION_BYTES = 64 };

static void tell(Flight *flight, Provisioning__V1__Event *event, const char *transition)
{
    Worker *worker = flight->worker;
    const Command *command = flight->command;
    OutcomeContext context =
        ending_context(worker, command->application_id, command->command_id, command->traceparent,
                       (int32_t)(flight->work->claimed.takeovers + 1));
    CLEANUP(outcome_free_at) Outcome *outcome = outcome_new(&context);
    const Subject subject = command_subject(command);
    Error err = ERROR_INIT;
    bool added = outcome_add_event(outcome, event, &subject, 0, transition, NULL, &err);
    assert(added); // names are bounded
    (void)added;
    CLEANUP(buffer_clear) Buffer bytes = {.data = NULL};
    outcome_pack(outcome, &bytes);
    CLEANUP(outcome_message_free_at) OutcomeMessage *message = outcome_unpack(buffer_view(&bytes));
    assert(message != NULL);
    if (!outbox_tell(worker, flight->partition, message)) {
        LogFields fields = flight_log(flight);
        log_write(LOG_LEVEL_DEBUG, &fields, "%s is left out: too many wait for Kafka", transition);
    }
}

void progress_accepted(Flight *flight)
{
    bool wanted = settings_flag(flight->worker->settings, SETTING_PUBLISH_ACCEPTED);
    if (!wanted || flight->is_accepted || flight->partition == NULL) {
        return;
    }
    flight->is_accepted = true;
    Provisioning__V1__CommandAccepted accepted;
    provisioning__v1__command_accepted__init(&accepted);
    accepted.action = unconst(flight->command->action_name);
    Provisioning__V1__Event event;
    provisioning__v1__event__init(&event);
    event.body_case = PROVISIONING__V1__EVENT__BODY_COMMAND_ACCEPTED;
    event.command_accepted = &accepted;
    tell(flight, &event, "accepted");
}

void progress_learnt(Flight *flight, const Step *step, Lesson lesson)
{
    if (lesson == LESSON_LEARNT) {
        flight->performed = step;
    } else if (lesson == LESSON_FAILED) {
        flight->performed = NULL;
    }
}

// A bit for each step of the command's table and of the undo tables behind it; 0 where they are
// more than there are bits.
static uint64_t bit_of(const SagaDefinition *definition, const Step *wanted)
{
    unsigned index = 0;
    for (const Step *step = definition->steps; step->name != NULL && index < 64; step++, index++) {
        if (step == wanted) {
            return UINT64_C(1) << index;
        }
        for (const Step *undo = step->undo; undo != NULL && undo->name != NULL; undo++) {
            index++;
            if (undo == wanted && index < 64) {
                return UINT64_C(1) << index;
            }
        }
    }
    return 0;
}

static void tell_step(Flight *flight, const Step *step)
{
    uint64_t bit = bit_of(flight->work->saga.definition, step);
    bool wanted = settings_flag(flight->worker->settings, SETTING_PUBLISH_STEPS);
    // one that is done again, as after a doubt, is told of once; one without an assignment goes on
    // untold
    if (!wanted || flight->partition == NULL || (flight->told_steps & bit) != 0) {
        return;
    }
    flight->told_steps |= bit;
    Provisioning__V1__StepFinished finished;
    provisioning__v1__step_finished__init(&finished);
    finished.step = unconst(step->name);
    Provisioning__V1__Event event;
    provisioning__v1__event__init(&event);
    event.body_case = PROVISIONING__V1__EVENT__BODY_STEP_FINISHED;
    event.step_finished = &finished;
    CLEANUP(text_clear) Text transition = TEXT_INIT(TRANSITION_BYTES);
    text_printf(&transition, "step/%s", step->name);
    tell(flight, &event, text_get(&transition));
}

void progress_decided(Flight *flight)
{
    const Decision *decision = &flight->work->decision;
    const Step *step = flight->performed;
    bool stays = decision->kind == DECISION_WAIT ||
                 (decision->kind == DECISION_EFFECT && decision->step == step);
    if (step != NULL && !stays) {
        flight->performed = NULL;
        tell_step(flight, step);
    }
}
