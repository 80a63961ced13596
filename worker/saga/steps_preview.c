#include <assert.h>
#include <string.h>

#include "saga/branching.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/steps.h"

#define NOTE_MISSING "preview_missing" // its branch was looked for in vain, once

static const Provisioning__V1__OpenPreview *action_of(const Saga *saga)
{
    return saga->command->message->open_preview;
}

// Its row came with the claim, as that of an environment that is branched from.
bool preview_check_base(Saga *saga, Error *err)
{
    const LedgerEnvironment *base = &saga->ledger->source;
    const char *field = "set_preview_base.environment";
    const char *name = saga->command->message->set_preview_base->environment;
    if (base->state != LEDGER_STATE_READY || base->branch_id[0] == '\0') {
        return error_set_field(err, ERROR_CONFLICT, "SOURCE_NOT_ON_NEON", field,
                               "the application has no environment %s on Neon; see `provisionctl "
                               "environments`",
                               name);
    }
    return json_object_get(base->details, FACT_EXPIRES_AT) == NULL ||
           error_set_field(err, ERROR_CONFLICT, "BASE_EXPIRES", field,
                           "environment %s expires, and previews would lose their base: choose one "
                           "that stays",
                           name);
}

static const char *opened_for(const LedgerEnvironment *row)
{
    const char *repository = json_string_value(json_object_get(row->details, FACT_REPOSITORY));
    return repository != NULL ? repository : "";
}

// Two repositories count their pull requests alike.
static bool check_repository(const LedgerEnvironment *row, const char *repository,
                             const char *field, Error *err)
{
    const char *known = opened_for(row);
    return known[0] == '\0' || repository[0] == '\0' || strcmp(known, repository) == 0 ||
           error_set_field(err, ERROR_CONFLICT, "PREVIEW_OF_OTHER_REPOSITORY", field,
                           "preview %s was opened for %s: previews of two repositories need two "
                           "applications",
                           row->environment, known);
}

static bool take_base(Saga *saga, Error *err)
{
    const char *field = "open_preview.pull_request";
    if (saga->ledger->preview_base[0] == '\0') {
        return error_set_field(err, ERROR_CONFLICT, "PREVIEW_BASE_UNSET", field,
                               "the application has no environment that previews branch off; send "
                               "SetPreviewBase first");
    }
    const LedgerEnvironment *base = &saga->ledger->source;
    if (base->state == LEDGER_STATE_NONE || base->state == LEDGER_STATE_GONE) {
        return error_set_field(err, ERROR_CONFLICT, "PREVIEW_BASE_GONE", field,
                               "environment %s, which previews branch off, is gone; send "
                               "SetPreviewBase with another one",
                               saga->ledger->preview_base);
    }
    return branching_take_source(saga, err);
}

static bool set_expiry(Saga *saga, Error *err)
{
    const Google__Protobuf__Duration *span = action_of(saga)->expires_in;
    return span == NULL || branching_set_expiry(saga, saga->ledger->now_ms + span->seconds * 1000,
                                                "open_preview.expires_in", err);
}

static bool check_standing(Saga *saga, Error *err)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    Journal *journal = &saga->journal;
    if (!record_check_account(saga, err) ||
        !record_check_scope(saga, row->project_id, "open_preview.pull_request", err) ||
        !check_repository(row, action_of(saga)->repository, "open_preview.repository", err)) {
        return false;
    }
    if (!journal_has(journal, FACT_STANDS)) {
        journal_set_flag(journal, FACT_STANDS);
        journal_set_text(journal, FACT_PROJECT_ID, row->project_id);
        journal_set_text(journal, FACT_BRANCH_ID, row->branch_id);
        journal_set_text(journal, FACT_ENDPOINT_ID, row->endpoint_id);
    }
    return set_expiry(saga, err);
}

bool preview_check_open(Saga *saga, Error *err)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    bool is_there = row->state == LEDGER_STATE_READY;
    if (is_there && !journal_has(&saga->journal, FACT_REOPENED)) {
        return check_standing(saga, err);
    }
    if (!is_there && !record_check_reserved(saga, err)) {
        return false;
    }
    if (!journal_has(&saga->journal, FACT_PARENT_ID) && !take_base(saga, err)) {
        return false;
    }
    if (!journal_has(&saga->journal, FACT_REPOSITORY)) {
        journal_set_text(&saga->journal, FACT_REPOSITORY, action_of(saga)->repository);
    }
    return set_expiry(saga, err) && record_check_account(saga, err) &&
           record_check_scope(saga, journal_text(&saga->journal, FACT_PROJECT_ID),
                              "open_preview.pull_request", err);
}

bool preview_check_close(Saga *saga, Error *err)
{
    const LedgerEnvironment *row = &saga->ledger->environment;
    if (row->state == LEDGER_STATE_NONE || row->state == LEDGER_STATE_GONE) {
        journal_set_flag(&saga->journal, FACT_UNCHANGED);
        return true;
    }
    const Provisioning__V1__ClosePreview *close = saga->command->message->close_preview;
    return check_repository(row, close->repository, "close_preview.repository", err) &&
           (!close->if_expired || record_check_expired(saga, "close_preview.if_expired", err)) &&
           record_check_account(saga, err) &&
           record_check_deletion(saga, false, row->project_id, "close_preview.pull_request", err);
}

static bool was_looked_at(const Saga *saga)
{
    const Journal *journal = &saga->journal;
    return journal_has(journal, FACT_LOOKED_DOUBTS) &&
           journal_number(journal, FACT_LOOKED_DOUBTS) == journal_number(journal, FACT_DOUBTS);
}

// Not looked at since it was changed, or since a call whose result is unknown. A reset lets an
// expiry begin anew, and nothing else of what is looked at.
static bool must_look(const Saga *saga)
{
    const Journal *journal = &saga->journal;
    if (!branching_stands(saga) || journal_has(journal, FACT_OPERATIONS) || was_looked_at(saga)) {
        return false;
    }
    return !journal_has(journal, FACT_RESET_DONE) || journal_has(journal, FACT_EXTENDS) ||
           (journal_has(journal, FACT_EXPIRES_AT) && !journal_has(journal, FACT_LOOKED_DOUBTS));
}

Ask preview_ask_look(Saga *saga, Effect *effect)
{
    if (!must_look(saga)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branch(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID),
                        journal_text(&saga->journal, FACT_BRANCH_ID));
    return ASK_EFFECT;
}

// It expired, or somebody deleted it: it is made again.
static Lesson reopen(Saga *saga)
{
    static const char *const FORGOTTEN[] = {FACT_STANDS, FACT_BRANCH_ID, FACT_ENDPOINT_ID,
                                            FACT_LOOKED_DOUBTS, FACT_EXPIRES_AT};
    const LedgerEnvironment *row = &saga->ledger->environment;
    Error err = ERROR_INIT;
    if (strcmp(saga->ledger->source.account, row->account) != 0 &&
        saga->ledger->source.state == LEDGER_STATE_READY) {
        return lesson_fail(saga, ERROR_CONFLICT, "PREVIEW_BASE_MOVED",
                           "the preview's branch is gone, and the base is now of account %s: close "
                           "the preview, then open it again",
                           saga->ledger->source.account);
    }
    for (size_t i = 0; i < sizeof FORGOTTEN / sizeof FORGOTTEN[0]; i++) {
        journal_forget(&saga->journal, FORGOTTEN[i]);
    }
    journal_set_flag(&saga->journal, FACT_REOPENED);
    journal_set_text(&saga->journal, FACT_REPOSITORY, opened_for(row));
    return take_base(saga, &err) && set_expiry(saga, &err) ? LESSON_LEARNT
                                                           : lesson_fail_with(saga, &err);
}

// A preview is never made to expire sooner than it was promised before.
static bool must_extend(const Saga *saga, int64_t present_ms)
{
    int64_t wanted_ms = journal_number(&saga->journal, FACT_EXPIRES_AT);
    return wanted_ms > 0 && present_ms > 0 && wanted_ms > present_ms;
}

// It may be a passing 404: once more when a listing would show the branch.
static Lesson learn_missing(Saga *saga)
{
    if (journal_note_number(&saga->journal, NOTE_MISSING) == 0) {
        journal_set_note_number(&saga->journal, NOTE_MISSING, 1);
        return lesson_wait_ms(saga, saga->rules->listing_lag_ms);
    }
    journal_set_note_number(&saga->journal, NOTE_MISSING, 0);
    return reopen(saga);
}

Lesson preview_learn_look(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Journal *journal = &saga->journal;
    Error err = ERROR_INIT;
    NeonBranch branch;
    if (reply->meaning == NEON_NOT_FOUND && !journal_has(journal, FACT_RESET_DONE)) {
        return learn_missing(saga);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "look at the preview's branch");
    }
    if (!neon_decode_branch(reply->body, &branch, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    journal_set_note_number(journal, NOTE_MISSING, 0);
    journal_set_again(journal, FACT_LOOKED_DOUBTS,
                      json_integer(journal_number(journal, FACT_DOUBTS)));
    if (must_extend(saga, branch.expires_ms)) {
        journal_set_flag(journal, FACT_EXTENDS);
        return LESSON_LEARNT;
    }
    journal_forget(journal, FACT_EXTENDS);
    if (branch.expires_ms > 0) {
        journal_set_number(journal, FACT_EXPIRES_AT, branch.expires_ms);
    } else {
        journal_forget(journal, FACT_EXPIRES_AT);
    }
    if (!action_of(saga)->reset) {
        journal_set_flag(journal, FACT_UNCHANGED); // nothing is left to do
    }
    return LESSON_LEARNT;
}

Ask preview_ask_extend(Saga *saga, Effect *effect)
{
    if (!journal_has(&saga->journal, FACT_EXTENDS)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    bool fits = text_copy(effect->project_id, sizeof effect->project_id,
                          journal_text(&saga->journal, FACT_PROJECT_ID));
    assert(fits);
    (void)fits;
    neon_request_expire_branch(&effect->request, effect->project_id,
                               journal_text(&saga->journal, FACT_BRANCH_ID),
                               journal_number(&saga->journal, FACT_EXPIRES_AT));
    return ASK_EFFECT;
}

Lesson preview_learn_extend(Saga *saga, const Answer *answer)
{
    if (answer->reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, answer->reply, PROTECTED_NOTHING,
                                 "extend the preview's expiry");
    }
    journal_forget(&saga->journal, FACT_EXTENDS);
    journal_forget(&saga->journal, FACT_LOOKED_DOUBTS); // looked at once more
    record_operations(saga, answer->reply->body);
    return LESSON_LEARNT;
}
