// Commands that make a branch, or bring one to another state.
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "contract/command_parts.h"

enum {
    EXPIRES_MAX_SECONDS = 30 * 24 * 3600, // https://neon.com/docs/guides/branch-expiration
    REFERENCE_MAX_BYTES = 255,
    PATH_BYTES = 64,
};

static bool refuse_value(const char *field, const char *problem, Error *err)
{
    return error_set_field(err, ERROR_INVALID, "INVALID_VALUE", field, "%s %s", field, problem);
}

static bool check_branch_reference(const Provisioning__V1__BranchReference *source,
                                   const char *path, Error *err)
{
    char account[PATH_BYTES];
    char project_id[PATH_BYTES];
    char branch[PATH_BYTES];
    (void)snprintf(account, sizeof account, "%s.account", path);
    (void)snprintf(project_id, sizeof project_id, "%s.project_id", path);
    (void)snprintf(branch, sizeof branch, "%s.branch", path);
    return command_check_account(source->account, account, err) &&
           command_check_required(source->project_id, project_id, err) &&
           name_check_neon_id(source->project_id, project_id, err) &&
           command_check_required(source->branch, branch, err) &&
           name_check_neon(source->branch, branch, err);
}

static bool check_source(const Provisioning__V1__BranchEnvironment *action, Error *err)
{
    switch ((int)action->source_case) {
    case PROVISIONING__V1__BRANCH_ENVIRONMENT__SOURCE_SOURCE_BRANCH:
        return check_branch_reference(action->source_branch, "branch_environment.source_branch",
                                      err);
    case PROVISIONING__V1__BRANCH_ENVIRONMENT__SOURCE_SOURCE_ENVIRONMENT:
        break;
    case PROVISIONING__V1__BRANCH_ENVIRONMENT__SOURCE__NOT_SET:
    default:
        return error_set_field(
            err, ERROR_INVALID, "FIELD_REQUIRED", "branch_environment.source",
            "branch_environment.source is missing: set source_environment or source_branch");
    }
    const char *field = "branch_environment.source_environment";
    if (!command_check_environment(action->source_environment, field, err)) {
        return false;
    }
    return strcmp(action->source_environment, action->environment) != 0 ||
           refuse_value(field, "must be another environment than the new one", err);
}

// Two halves of a position in the WAL, in hex: 0/1A2B3C4D.
static bool is_lsn(const char *text)
{
    static const char DIGITS[] = "0123456789abcdefABCDEF";
    enum { HALF_MAX = 8 };
    size_t high = strspn(text, DIGITS);
    size_t low = text[high] == '/' ? strspn(text + high + 1, DIGITS) : 0;
    return high > 0 && high <= HALF_MAX && low > 0 && low <= HALF_MAX &&
           text[high + 1 + low] == '\0';
}

static bool check_point(const Provisioning__V1__BranchEnvironment *action, Error *err)
{
    if (action->point_case == PROVISIONING__V1__BRANCH_ENVIRONMENT__POINT_LSN &&
        !is_lsn(action->lsn)) {
        return refuse_value("branch_environment.lsn",
                            "must be a position in the WAL such as 0/1A2B3C4D", err);
    }
    return action->point_case != PROVISIONING__V1__BRANCH_ENVIRONMENT__POINT_POINT_IN_TIME ||
           command_check_timestamp(action->point_in_time, "branch_environment.point_in_time", err);
}

bool command_check_branch(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__BranchEnvironment *action = message->branch_environment;
    return command_check_environment(action->environment, "branch_environment.environment", err) &&
           check_source(action, err) &&
           command_check_neon_name(action->branch_name, "branch_environment.branch_name", err) &&
           check_point(action, err) &&
           command_check_timestamp(action->expires_at, "branch_environment.expires_at", err) &&
           command_check_endpoint(action->endpoint, "branch_environment.endpoint", err) &&
           command_check_services(action->services, action->n_services, (CommandNames){NULL, 0},
                                  "branch_environment.services", err);
}

bool command_check_import(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__ImportEnvironment *action = message->import_environment;
    if (!command_check_environment(action->environment, "import_environment.environment", err)) {
        return false;
    }
    if (action->branch == NULL) {
        return error_set_field(err, ERROR_INVALID, "FIELD_REQUIRED", "import_environment.branch",
                               "import_environment.branch is missing");
    }
    return check_branch_reference(action->branch, "import_environment.branch", err);
}

static bool check_pull_request(int32_t number, const char *field, Error *err)
{
    return number > 0 || refuse_value(field, "must be the number of a pull request, from 1", err);
}

// What is kept as an annotation.
static bool check_reference(const char *text, const char *field, Error *err)
{
    return strlen(text) <= REFERENCE_MAX_BYTES ||
           refuse_value(field, "must have at most 255 bytes", err);
}

static bool check_span(const Google__Protobuf__Duration *span, const char *field, Error *err)
{
    return span == NULL ||
           (span->seconds > 0 && span->nanos >= 0 &&
            (span->seconds < EXPIRES_MAX_SECONDS ||
             (span->seconds == EXPIRES_MAX_SECONDS && span->nanos == 0))) ||
           refuse_value(field, "must be from 1 second to 30 days", err);
}

bool command_check_open_preview(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__OpenPreview *action = message->open_preview;
    return check_pull_request(action->pull_request, "open_preview.pull_request", err) &&
           check_reference(action->repository, "open_preview.repository", err) &&
           check_reference(action->git_ref, "open_preview.git_ref", err) &&
           check_reference(action->git_sha, "open_preview.git_sha", err) &&
           check_span(action->expires_in, "open_preview.expires_in", err) &&
           command_check_services(action->services, action->n_services, (CommandNames){NULL, 0},
                                  "open_preview.services", err);
}

bool command_check_close_preview(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__ClosePreview *action = message->close_preview;
    return check_pull_request(action->pull_request, "close_preview.pull_request", err) &&
           check_reference(action->repository, "close_preview.repository", err);
}

bool command_check_reset(const Provisioning__V1__Command *message, Error *err)
{
    const Provisioning__V1__ResetEnvironment *action = message->reset_environment;
    return command_check_any_environment(action->environment, "reset_environment.environment",
                                         err) &&
           command_check_neon_name(action->preserve_under_name,
                                   "reset_environment.preserve_under_name", err);
}
