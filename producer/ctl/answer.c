#include "ctl/answer.h"

#include "ctl/event_report.h"
#include "lib/deadline.h"
#include "lib/fault.h"

// An answer may have several pages.
static bool is_part(const ProvisionEvent *event)
{
    return event->outcome != PROVISION_OUTCOME_NONE || event_report_goes_on(event);
}

bool answer_await(ProvisionWatch *watch, const char *command_id, int64_t timeout_ms,
                  AnswerShow *show, void *context, ProvisionError *err)
{
    Deadline deadline = deadline_in((int)timeout_ms);
    for (bool ended = false; !ended;) {
        ProvisionEvent *event = NULL;
        if (!provision_watch_next_of(watch, command_id, deadline_left_ms(deadline), &event, err)) {
            return false;
        }
        if (event == NULL) {
            return fault_set(err, PROVISION_ERROR_TIMEOUT, "WAIT_TIMEOUT",
                             "no outcome of command %s within %lld ms; the command goes on: wait "
                             "again, or look whether a provision-worker runs",
                             command_id, (long long)timeout_ms);
        }
        ended = event->outcome != PROVISION_OUTCOME_NONE && !event_report_goes_on(event);
        if (is_part(event)) {
            show(context, event);
        }
        provision_event_free(event);
    }
    return true;
}
