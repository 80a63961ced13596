/*
 * A branch becomes what its parent is now. What it was is lost, unless it is kept under another
 * name; children need that, and move there.
 */
#include <assert.h>
#include <string.h>

#include "base/unconst.h"
#include "saga/branching.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/others.h"
#include "saga/record.h"
#include "saga/sql.h"
#include "saga/steps.h"

#define NOTE_CURSOR "reset_cursor"
#define NOTE_CHILDREN "reset_children"

static bool is_reset(const Saga *saga)
{
    return saga->command->action == PROVISIONING__V1__COMMAND__ACTION_RESET_ENVIRONMENT;
}

static const char *preserved_name(const Saga *saga)
{
    return is_reset(saga) ? saga->command->message->reset_environment->preserve_under_name : "";
}

// ResetEnvironment, or OpenPreview of one that is open and is to be reset.
static bool is_due(const Saga *saga)
{
    return is_reset(saga) ||
           (branching_stands(saga) && saga->command->message->open_preview->reset);
}

bool reset_check(Saga *saga, Error *err)
{
    const char *field = "reset_environment.environment";
    const LedgerEnvironment *row = &saga->ledger->environment;
    if (!sql_check_environment(saga, field, err) || !record_check_not_imported(saga, field, err)) {
        return false;
    }
    return strcmp(row->origin, "branched") == 0 ||
           error_set_field(err, ERROR_CONFLICT, "NOT_BRANCHED", field,
                           "environment %s was created by itself: there is nothing that it could "
                           "be reset to",
                           row->environment);
}

// What it was is lost with the first call.
bool reset_is_final(const Saga *saga)
{
    return saga->had_intent;
}

Ask reset_ask_children(Saga *saga, Effect *effect)
{
    if (!is_due(saga) || journal_has(&saga->journal, FACT_CHILDREN_KNOWN)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branches(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID), "",
                          journal_note_text(&saga->journal, NOTE_CURSOR), false);
    return ASK_EFFECT;
}

static Lesson children_known(Saga *saga)
{
    const json_t *children = journal_note(&saga->journal, NOTE_CHILDREN);
    if (others_count(children) > 0 && preserved_name(saga)[0] == '\0') {
        return lesson_fail(saga, ERROR_CONFLICT, "HAS_DEPENDENTS",
                           "the branch has children: %s; %s", others_names(children),
                           is_reset(saga) ? "delete them first, or set preserve_under_name, under "
                                            "which what the branch was is kept with them"
                                          : "delete them first");
    }
    journal_forget_notes(&saga->journal);
    journal_set_flag(&saga->journal, FACT_CHILDREN_KNOWN);
    return LESSON_LEARNT;
}

Lesson reset_learn_children(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Error err = ERROR_INIT;
    NeonPage page;
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the project's branches");
    }
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
        if (strcmp(branch.parent_id, journal_text(&saga->journal, FACT_BRANCH_ID)) == 0) {
            others_add(others_note(saga, NOTE_CHILDREN), others_label(&branch));
        }
    }
    if (page.cursor[0] == '\0') {
        return children_known(saga);
    }
    journal_set_note_text(&saga->journal, NOTE_CURSOR, page.cursor);
    return LESSON_LEARNT;
}

Ask reset_ask_look(Saga *saga, Effect *effect)
{
    const Journal *journal = &saga->journal;
    bool was_looked_at =
        journal_has(journal, FACT_RESET_DOUBTS) &&
        journal_number(journal, FACT_RESET_DOUBTS) == journal_number(journal, FACT_DOUBTS);
    if (!is_due(saga) || was_looked_at || journal_has(journal, FACT_RESET_DONE)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branch(&effect->request, journal_text(journal, FACT_PROJECT_ID),
                        journal_text(journal, FACT_BRANCH_ID));
    return ASK_EFFECT;
}

// Names and contents are the parent's from here on.
static void note_reset(Saga *saga)
{
    journal_set_flag(&saga->journal, FACT_RESET_DONE);
    journal_forget(&saga->journal, FACT_LOOKED_DOUBTS); // its expiry began anew
    record_adopted(saga);
}

Lesson reset_learn_look(Saga *saga, const Answer *answer)
{
    Journal *journal = &saga->journal;
    Error err = ERROR_INIT;
    NeonBranch branch;
    if (answer->reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, answer->reply, PROTECTED_READ, "look at the branch");
    }
    if (!neon_decode_branch(answer->reply->body, &branch, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    if (branch.parent_id[0] == '\0') {
        return lesson_fail(saga, ERROR_CONFLICT, "NO_PARENT",
                           "the branch has no parent (it was made without data, or became a root "
                           "since), so there is nothing that it could be reset to");
    }
    bool is_first = !journal_has(journal, FACT_LAST_RESET);
    if (!is_first && branch.last_reset_ms != journal_number(journal, FACT_LAST_RESET)) {
        note_reset(saga); // the call whose reply was lost did it
        return LESSON_LEARNT;
    }
    if (is_first) {
        journal_set_number(journal, FACT_LAST_RESET, branch.last_reset_ms);
    }
    journal_set_text(journal, FACT_PARENT_ID, branch.parent_id);
    journal_set_again(journal, FACT_RESET_DOUBTS,
                      json_integer(journal_number(journal, FACT_DOUBTS)));
    return LESSON_LEARNT;
}

Ask reset_ask_restore(Saga *saga, Effect *effect)
{
    if (!is_due(saga) || journal_has(&saga->journal, FACT_RESET_DONE)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    bool fits = text_copy(effect->project_id, sizeof effect->project_id,
                          journal_text(&saga->journal, FACT_PROJECT_ID));
    assert(fits);
    (void)fits;
    neon_request_restore_branch(&effect->request, effect->project_id,
                                journal_text(&saga->journal, FACT_BRANCH_ID),
                                journal_text(&saga->journal, FACT_PARENT_ID), preserved_name(saga));
    return ASK_EFFECT;
}

Lesson reset_learn_restore(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning == NEON_EXISTS) {
        Error err = ERROR_INIT;
        error_set_field(
            &err, ERROR_CONFLICT, "BRANCH_NAME_TAKEN", "reset_environment.preserve_under_name",
            "the project has a branch %s already; choose another name", preserved_name(saga));
        return lesson_fail_with(saga, &err);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_NOTHING, "reset the branch");
    }
    note_reset(saga);
    record_operations(saga, reply->body);
    return LESSON_LEARNT;
}
