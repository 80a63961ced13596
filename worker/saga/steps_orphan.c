#include <assert.h>
#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/leftover.h"
#include "saga/lesson.h"
#include "saga/others.h"
#include "saga/record.h"
#include "saga/steps.h"
#include "saga/verdict.h"

/*
 * Deletes one branch, or one project, that no environment owns. Who sent the command is not
 * believed: ledger, mark and branch list are read again, and the ledger once more after it says
 * that the thing is condemned: who branches off it or imports it meanwhile sees that, or is seen.
 */

#define NOTE_MISSING "orphan_missing"
#define NOTE_CURSOR "orphan_cursor"
#define NOTE_OTHERS "orphan_others"
#define NOTE_LISTED "orphan_listed" // it stands in the branch list
#define NOTE_FREE "orphan_free"     // nothing stands in the way of the next deletion

static const Provisioning__V1__DeleteOrphan *orphan_of(const Saga *saga)
{
    return saga->command->message->delete_orphan;
}

static bool is_whole(const Saga *saga)
{
    return journal_has(&saga->journal, FACT_ORPHAN_WHOLE);
}

// Whose key sees it: the sweep has told. Else who made it isn't known; the environment's row may
// say, where it is of this account.
static Leftover thing_of(const Saga *saga)
{
    const Provisioning__V1__DeleteOrphan *orphan = orphan_of(saga);
    const LedgerEnvironment *row = &saga->ledger->environment;
    bool is_of_account = strcmp(row->account, saga->ledger->account.account) == 0;
    Reach told = {orphan->neon_account_id, orphan->org_id};
    return (Leftover){orphan->project_id, is_whole(saga) ? "" : orphan->branch_id,
                      told.neon_account_id[0] != '\0'
                          ? told
                          : reach_of_details(is_of_account ? row->details : NULL)};
}

static bool is_blind(const Saga *saga)
{
    Leftover orphan = thing_of(saga);
    return leftover_is_blind(saga, &orphan);
}

// Once the deletion may be under way, nothing is asked again: it stays condemned.
static bool is_past(const Saga *saga, const char *fact)
{
    return saga->had_intent || journal_has(&saga->journal, fact);
}

bool orphan_check(Saga *saga, Error *err)
{
    return record_check_account(saga, err) &&
           record_check_scope(saga, orphan_of(saga)->project_id, "delete_orphan.project_id", err);
}

bool orphan_is_final(const Saga *saga)
{
    return saga->had_intent;
}

static void mark_of(const Saga *saga, char command_id[UUID_TEXT_BYTES])
{
    uuid_normalise(orphan_of(saga)->command_id, command_id);
}

static Ask ask_judge(const Saga *saga, Effect *effect)
{
    char command_id[UUID_TEXT_BYTES];
    mark_of(saga, command_id);
    effect->kind = EFFECT_JUDGE;
    effect->names = json_pack("[{s:s, s:s, s:s, s:s}]", "environment", orphan_of(saga)->environment,
                              "command", command_id, "project", orphan_of(saga)->project_id,
                              "branch", orphan_of(saga)->branch_id);
    return ASK_EFFECT;
}

static bool refuse(const Saga *saga, Verdict verdict, const json_t *judged, Error *err)
{
    const Provisioning__V1__DeleteOrphan *orphan = orphan_of(saga);
    const char *owner = journal_text_in(judged, "owner");
    switch (verdict) {
    case VERDICT_UNKNOWN_COMMAND:
        return error_set_field(err, ERROR_CONFLICT, "COMMAND_UNKNOWN", "delete_orphan.command_id",
                               "the ledger doesn't know command %s: whether its branch is of use, "
                               "only a person can tell",
                               orphan->command_id);
    case VERDICT_IN_FLIGHT:
        return error_set_field(err, ERROR_CONFLICT, "ORPHAN_IN_FLIGHT", "delete_orphan.command_id",
                               "command %s, or a later one of the environment, may still be at "
                               "work on it; send the command again later",
                               orphan->command_id);
    case VERDICT_FAILED_ENVIRONMENT:
        return error_set_field(err, ERROR_CONFLICT, "ORPHAN_IN_USE", "delete_orphan.environment",
                               "environment %s has failed, and this may be what it left: delete "
                               "or create the environment",
                               orphan->environment);
    case VERDICT_OWNED:
    case VERDICT_EXPIRED:
        return error_set_field(err, ERROR_CONFLICT, "ORPHAN_IN_USE", "delete_orphan.branch_id",
                               "environment %s is on it",
                               owner[0] != '\0' ? owner : journal_text_in(judged, "inhabitant"));
    case VERDICT_DOUBTFUL:
        return error_set_field(err, ERROR_CONFLICT, "ORPHAN_DOUBTFUL", "delete_orphan.branch_id",
                               "command %s made another branch, or none, or this one was deleted "
                               "before: it may be a person's copy, or was recovered at Neon, and "
                               "only a person should delete it",
                               orphan->command_id);
    case VERDICT_ORPHAN:
    case VERDICT_COUNT_OF:
        break;
    }
    return true;
}

// It is judged as what its command makes; whether it is that, reading it tells.
static Lesson learn_judge(Saga *saga, const Answer *answer, const char *fact)
{
    Error err = ERROR_INIT;
    char command_id[UUID_TEXT_BYTES];
    mark_of(saga, command_id);
    const json_t *judged = json_array_get(json_object_get(answer->judged, "marks"), 0);
    if (!verdict_check_ledger(answer->judged, &err) ||
        !refuse(saga, verdict_of(judged, command_id, true), judged, &err)) {
        return lesson_fail_with(saga, &err);
    }
    bool whole = verdict_is_project(judged, true);
    if (!record_check_deletion(saga, whole, orphan_of(saga)->project_id, "delete_orphan.project_id",
                               &err)) {
        return lesson_fail_with(saga, &err);
    }
    if (whole) {
        journal_set_flag(&saga->journal, FACT_ORPHAN_WHOLE);
    }
    journal_set_flag(&saga->journal, fact);
    return LESSON_LEARNT;
}

Ask orphan_ask_judge(Saga *saga, Effect *effect)
{
    return is_past(saga, FACT_ORPHAN_JUDGED) ? ASK_NOTHING : ask_judge(saga, effect);
}

Lesson orphan_learn_judge(Saga *saga, const Answer *answer)
{
    return learn_judge(saga, answer, FACT_ORPHAN_JUDGED);
}

// ---- the branch

Ask orphan_ask_read(Saga *saga, Effect *effect)
{
    if (is_past(saga, FACT_ORPHAN_READ)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branch(&effect->request, orphan_of(saga)->project_id, orphan_of(saga)->branch_id);
    return ASK_EFFECT;
}

// Once proves nothing, and nobody knows how young it is: once more when a listing would show it.
static Lesson learn_missing(Saga *saga)
{
    bool is_first = journal_note_number(&saga->journal, NOTE_MISSING) == 0;
    journal_forget_notes(&saga->journal); // of pages before
    if (is_first) {
        journal_set_note_number(&saga->journal, NOTE_MISSING, 1);
        return lesson_wait_ms(saga, saga->rules->listing_lag_ms);
    }
    journal_set_flag(&saga->journal, FACT_UNCHANGED); // nothing is left to do
    return LESSON_LEARNT;
}

static bool has_mark(const Saga *saga, const NeonBranch *branch)
{
    NeonMark mark = {0};
    char command_id[UUID_TEXT_BYTES];
    mark_of(saga, command_id);
    bool fits = text_copy(mark.installation, sizeof mark.installation, saga->rules->installation);
    fits =
        text_copy(mark.application, sizeof mark.application, saga->command->application_id) && fits;
    fits =
        text_copy(mark.environment, sizeof mark.environment, orphan_of(saga)->environment) && fits;
    fits = text_copy(mark.command, sizeof mark.command, command_id) && fits;
    assert(fits);
    (void)fits;
    return neon_mark_equal(&mark, &branch->mark);
}

Lesson orphan_learn_read(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Error err = ERROR_INIT;
    NeonBranch branch;
    if (reply->meaning == NEON_NOT_FOUND) {
        return is_blind(saga) ? leftover_fail_blind(saga, "read the branch") : learn_missing(saga);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "read the branch");
    }
    if (!neon_decode_branch(reply->body, &branch, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    if (!has_mark(saga, &branch)) {
        error_set_field(&err, ERROR_CONFLICT, "NOT_OURS", "delete_orphan.branch_id",
                        "branch %s doesn't carry the mark of that command of that environment",
                        branch.id);
        return lesson_fail_with(saga, &err);
    }
    if (is_whole(saga) && branch.parent_id[0] != '\0') {
        (void)refuse(saga, VERDICT_DOUBTFUL, NULL, &err);
        return lesson_fail_with(saga, &err);
    }
    journal_forget_notes(&saga->journal); // it isn't missing
    journal_set_text(&saga->journal, FACT_PROJECT_ID, orphan_of(saga)->project_id);
    journal_set_flag(&saga->journal, FACT_ORPHAN_READ);
    return LESSON_LEARNT;
}

// ---- nobody else

Ask orphan_ask_condemn(Saga *saga, Effect *effect)
{
    if (is_past(saga, FACT_ORPHAN_CONDEMNED)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_CONDEMN;
    bool fits =
        text_copy(effect->project_id, sizeof effect->project_id, orphan_of(saga)->project_id);
    assert(fits);
    (void)fits;
    effect->branch_id = is_whole(saga) ? "" : orphan_of(saga)->branch_id;
    return ASK_EFFECT;
}

Lesson orphan_learn_condemn(Saga *saga, const Answer *answer)
{
    (void)answer;
    journal_set_flag(&saga->journal, FACT_ORPHAN_CONDEMNED);
    return LESSON_LEARNT;
}

Ask orphan_ask_alone(Saga *saga, Effect *effect)
{
    return is_past(saga, FACT_ORPHAN_ALONE) ? ASK_NOTHING : ask_judge(saga, effect);
}

Lesson orphan_learn_alone(Saga *saga, const Answer *answer)
{
    return learn_judge(saga, answer, FACT_ORPHAN_ALONE);
}

Ask orphan_ask_branches(Saga *saga, Effect *effect)
{
    if (journal_note(&saga->journal, NOTE_FREE) != NULL || journal_has(&saga->journal, FACT_GONE)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branches(&effect->request, orphan_of(saga)->project_id, "",
                          journal_note_text(&saga->journal, NOTE_CURSOR), false);
    return ASK_EFFECT;
}

static bool check_branch(Saga *saga, const NeonBranch *branch, Error *err)
{
    const char *id = orphan_of(saga)->branch_id;
    bool is_it = strcmp(branch->id, id) == 0;
    if (is_it && branch->is_protected) {
        return error_set(err, ERROR_CONFLICT, "BRANCH_PROTECTED",
                         "the branch is protected; lift that in Neon first");
    }
    if (is_it && !is_whole(saga) && branch->is_default) {
        return error_set(
            err, ERROR_CONFLICT, "BRANCH_DEFAULT",
            "the branch has become the project's default; make another one the default first");
    }
    if (is_it) {
        journal_set_note_number(&saga->journal, NOTE_LISTED, 1);
    } else if (is_whole(saga) || strcmp(branch->parent_id, id) == 0) {
        others_add(others_note(saga, NOTE_OTHERS), others_label(branch));
    }
    return true;
}

static Lesson learn_all(Saga *saga)
{
    const json_t *others = journal_note(&saga->journal, NOTE_OTHERS);
    if (others_count(others) > 0) {
        return lesson_fail(saga, ERROR_CONFLICT, "HAS_DEPENDENTS", "%s: %s; delete them first",
                           is_whole(saga) ? "the project has other branches"
                                          : "the branch has children",
                           others_names(others));
    }
    bool is_listed = journal_note_number(&saga->journal, NOTE_LISTED) == 1;
    journal_forget_notes(&saga->journal);
    if (is_listed) {
        journal_set_note_number(&saga->journal, NOTE_FREE, 1);
    } else {
        journal_set_flag(&saga->journal, FACT_UNCHANGED); // it went since it was read
    }
    return LESSON_LEARNT;
}

Lesson orphan_learn_branches(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Error err = ERROR_INIT;
    NeonPage page;
    if (reply->meaning == NEON_NOT_FOUND && is_blind(saga)) {
        return leftover_fail_blind(saga, "list the project's branches");
    }
    if (reply->meaning == NEON_NOT_FOUND) {
        return learn_missing(saga); // with its project
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the project's branches");
    }
    journal_set_note_number(&saga->journal, NOTE_MISSING, 0); // it isn't
    if (!neon_decode_branches(reply->body, journal_note_text(&saga->journal, NOTE_CURSOR), &page,
                              &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page.items), i, item)
    {
        NeonBranch branch;
        if (!neon_decode_branch_item(reply->body, item, &branch, &err)) {
            return lesson_unreadable(saga, &err, PROTECTED_READ);
        }
        if (!check_branch(saga, &branch, &err)) {
            return lesson_fail_with(saga, &err);
        }
    }
    if (page.cursor[0] == '\0') {
        return learn_all(saga);
    }
    journal_set_note_text(&saga->journal, NOTE_CURSOR, page.cursor);
    return LESSON_LEARNT;
}

// ---- the deletion

// A deletion by exact id, yet with a send limit: one that failed leaves the branch to whoever
// imports it next, so nothing of it may land after that (found by tests/model/sweep.pml).
Ask orphan_ask_delete(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_GONE)) {
        return ASK_NOTHING;
    }
    // what was seen counts for one call: before it is repeated, somebody may have moved in
    assert(journal_note(&saga->journal, NOTE_FREE) != NULL);
    journal_forget_notes(&saga->journal);
    effect->kind = EFFECT_NEON;
    bool fits =
        text_copy(effect->project_id, sizeof effect->project_id, orphan_of(saga)->project_id);
    assert(fits);
    (void)fits;
    if (is_whole(saga)) {
        neon_request_delete_project(&effect->request, orphan_of(saga)->project_id);
    } else {
        neon_request_delete_branch(&effect->request, orphan_of(saga)->project_id,
                                   orphan_of(saga)->branch_id);
    }
    return ASK_EFFECT;
}

Lesson orphan_learn_delete(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Leftover orphan = thing_of(saga);
    Lesson lesson =
        leftover_learn_deletion(saga, &orphan, reply, PROTECTED_NOTHING,
                                is_whole(saga) ? "delete the project" : "delete the branch");
    if (lesson != LESSON_LEARNT) {
        return lesson;
    }
    journal_set_flag(&saga->journal, FACT_GONE);
    if (reply->meaning == NEON_OK && reply->status != 204) {
        journal_set_flag(&saga->journal, FACT_ORPHAN_DELETED);
    }
    record_operations(saga, reply->body);
    return LESSON_LEARNT;
}
