#include "saga/branching.h"

#include <assert.h>
#include <string.h>

#include "saga/facts.h"

#define ACTION(name) PROVISIONING__V1__COMMAND__ACTION_##name

static const int64_t EXPIRES_MAX_MS = INT64_C(30) * 24 * 3600 * 1000;

bool branching_is(const Saga *saga)
{
    return saga->command->action == ACTION(BRANCH_ENVIRONMENT) ||
           saga->command->action == ACTION(OPEN_PREVIEW) ||
           saga->command->action == ACTION(RESET_ENVIRONMENT);
}

static Branching of_branch(const Saga *saga)
{
    const Provisioning__V1__BranchEnvironment *action = saga->command->message->branch_environment;
    bool has_source =
        action->source_case == PROVISIONING__V1__BRANCH_ENVIRONMENT__SOURCE_SOURCE_ENVIRONMENT;
    Branching branching = {.action = "branch_environment",
                           .source_field = "branch_environment.source_environment",
                           .source = has_source ? action->source_environment : "",
                           .reference = has_source ? NULL : action->source_branch,
                           .branch_name = action->branch_name,
                           .name_field = "branch_environment.branch_name",
                           .endpoint = action->endpoint,
                           .services = action->services,
                           .service_count = action->n_services,
                           .lsn = "",
                           .schema_only = action->schema_only,
                           .roles_of = &saga->ledger->source};
    if (action->point_case == PROVISIONING__V1__BRANCH_ENVIRONMENT__POINT_LSN) {
        branching.lsn = action->lsn;
    } else if (action->point_case == PROVISIONING__V1__BRANCH_ENVIRONMENT__POINT_POINT_IN_TIME) {
        branching.point_ms =
            action->point_in_time->seconds * 1000 + action->point_in_time->nanos / 1000000;
    }
    return branching;
}

static Branching of_preview(const Saga *saga)
{
    const Provisioning__V1__OpenPreview *action = saga->command->message->open_preview;
    return (Branching){.action = "open_preview",
                       .source_field = "open_preview.pull_request",
                       .source = saga->ledger->preview_base,
                       .branch_name = "",
                       .name_field = "open_preview.pull_request",
                       .services = action->services,
                       .service_count = action->n_services,
                       .lsn = "",
                       .roles_of = &saga->ledger->source};
}

Branching branching_of(const Saga *saga)
{
    assert(branching_is(saga));
    if (saga->command->action == ACTION(BRANCH_ENVIRONMENT)) {
        return of_branch(saga);
    }
    if (saga->command->action == ACTION(OPEN_PREVIEW)) {
        return of_preview(saga);
    }
    return (Branching){.action = "reset_environment",
                       .source_field = "reset_environment.environment",
                       .source = "",
                       .branch_name = "",
                       .name_field = "reset_environment.preserve_under_name",
                       .lsn = "",
                       .roles_of = &saga->ledger->environment};
}

size_t branching_annotations(const Saga *saga,
                             NeonAnnotation ret_annotations[BRANCHING_ANNOTATIONS_MAX])
{
    if (saga->command->action != ACTION(OPEN_PREVIEW)) {
        return 0;
    }
    const Provisioning__V1__OpenPreview *action = saga->command->message->open_preview;
    ret_annotations[0] = (NeonAnnotation){"provisioner.repository", action->repository};
    ret_annotations[1] = (NeonAnnotation){"provisioner.git_ref", action->git_ref};
    ret_annotations[2] = (NeonAnnotation){"provisioner.git_sha", action->git_sha};
    return BRANCHING_ANNOTATIONS_MAX;
}

bool branching_take_source(Saga *saga, Error *err)
{
    const LedgerEnvironment *source = &saga->ledger->source;
    const Branching branching = branching_of(saga);
    if (source->state == LEDGER_STATE_DELETING) {
        return error_set_field(err, ERROR_CONFLICT, "SOURCE_DELETING", branching.source_field,
                               "environment %s is being deleted", branching.source);
    }
    if (source->state != LEDGER_STATE_READY || source->branch_id[0] == '\0') {
        return error_set_field(
            err, ERROR_CONFLICT, "SOURCE_NOT_ON_NEON", branching.source_field,
            "the application has no environment %s on Neon; see `provisionctl environments`",
            branching.source);
    }
    // https://neon.com/docs/guides/branch-expiration; without data it is nobody's child
    if (json_object_get(source->details, FACT_EXPIRES_AT) != NULL && !branching.schema_only) {
        return error_set_field(err, ERROR_CONFLICT, "SOURCE_EXPIRES", branching.source_field,
                               "environment %s expires, and Neon lets no branch have an expiring "
                               "parent: branch off one that stays",
                               branching.source);
    }
    journal_set_text(&saga->journal, FACT_PROJECT_ID, source->project_id);
    journal_set_text(&saga->journal, FACT_PARENT_ID, source->branch_id);
    return true;
}

bool branching_set_expiry(Saga *saga, int64_t expires_ms, const char *field, Error *err)
{
    if (expires_ms == 0 || journal_has(&saga->journal, FACT_EXPIRES_AT)) {
        return true;
    }
    int64_t now_ms = saga->ledger->now_ms;
    if (expires_ms <= now_ms || expires_ms - now_ms > EXPIRES_MAX_MS) {
        return error_set_field(err, ERROR_INVALID, "INVALID_VALUE", field,
                               "%s must lie ahead, at most 30 days", field);
    }
    journal_set_number(&saga->journal, FACT_EXPIRES_AT, expires_ms / 1000 * 1000);
    return true;
}

bool branching_stands(const Saga *saga)
{
    return journal_has(&saga->journal, FACT_STANDS);
}
