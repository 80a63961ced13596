#include "saga/names.h"

#include <inttypes.h>
#include <stdio.h>

#include "saga/branching.h"

const char *names_suggested(const Saga *saga, char buffer[NAMES_SUGGESTION_BYTES])
{
    (void)snprintf(buffer, NAMES_SUGGESTION_BYTES, "%s-%s", saga->command->application_id,
                   saga->command->writes.name);
    return buffer;
}

static const char *or_suggestion(const Saga *saga, const char *given,
                                 char buffer[NAMES_SUGGESTION_BYTES])
{
    return given[0] != '\0' ? given : names_suggested(saga, buffer);
}

const char *names_project(const Saga *saga, char buffer[NAMES_SUGGESTION_BYTES])
{
    return or_suggestion(saga, saga->command->message->create_environment->project_name, buffer);
}

const char *names_branch(const Saga *saga, char buffer[NAMES_SUGGESTION_BYTES])
{
    const Provisioning__V1__Command *message = saga->command->message;
    if (saga->command->action == PROVISIONING__V1__COMMAND__ACTION_CREATE_ENVIRONMENT) {
        const char *given = message->create_environment->branch_name;
        return given[0] != '\0' ? given : "main";
    }
    if (saga->command->action == PROVISIONING__V1__COMMAND__ACTION_OPEN_PREVIEW) {
        (void)snprintf(buffer, NAMES_SUGGESTION_BYTES, "preview/pr-%" PRId32,
                       message->open_preview->pull_request);
        return buffer;
    }
    return or_suggestion(saga, branching_of(saga).branch_name, buffer);
}

const char *names_database(const Saga *saga)
{
    const Provisioning__V1__CreateEnvironment *create = saga->command->message->create_environment;
    return create->n_databases > 0 ? create->databases[0] : "neondb";
}
