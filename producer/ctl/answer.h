/*
 * Waiting for what becomes of a command: its outcome, and the parts of its answer that come before.
 */
#ifndef CTL_ANSWER_H
#define CTL_ANSWER_H

#include "provision/provision.h"

// Called with each event that is shown; the last one is the outcome.
typedef void AnswerShow(void *context, const ProvisionEvent *event);

// false and the error when it didn't come: WAIT_TIMEOUT, KAFKA_UNAVAILABLE, EVENT_UNREADABLE.
bool answer_await(ProvisionWatch *watch, const char *command_id, int64_t timeout_ms,
                  AnswerShow *show, void *context, ProvisionError *err);

#endif
