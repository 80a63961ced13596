#include <assert.h>
#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/guard.h"
#include "saga/leftover.h"
#include "saga/lesson.h"
#include "saga/others.h"
#include "saga/record.h"
#include "saga/search.h"
#include "saga/steps.h"

static const LedgerEnvironment *row_of(const Saga *saga)
{
    return &saga->ledger->environment;
}

static bool is_origin(const Saga *saga, const char *origin)
{
    return strcmp(row_of(saga)->origin, origin) == 0;
}

static void set_project(const Saga *saga, Effect *effect)
{
    bool fits = text_copy(effect->project_id, sizeof effect->project_id, guard_own_project(saga));
    assert(fits);
    (void)fits;
}

bool delete_check(Saga *saga, Error *err)
{
    const LedgerEnvironment *row = row_of(saga);
    if (row->state == LEDGER_STATE_NONE || row->state == LEDGER_STATE_GONE ||
        row->state == LEDGER_STATE_CREATING) {
        return error_set_field(
            err, ERROR_CONFLICT, "ENVIRONMENT_UNKNOWN", "delete_environment.environment",
            "the application has no environment %s; see `provisionctl environments`",
            saga->command->writes.name);
    }
    const Provisioning__V1__DeleteEnvironment *asked = saga->command->message->delete_environment;
    if ((asked->if_expired && !record_check_expired(saga, "delete_environment.if_expired", err)) ||
        (asked->delete_data &&
         !record_check_not_imported(saga, "delete_environment.delete_data", err))) {
        return false;
    }
    if (guard_owns_project(saga) && !asked->delete_data) {
        return error_set_field(
            err, ERROR_CONFLICT, "DELETE_DATA_REQUIRED", "delete_environment.delete_data",
            "the environment's project, with all its data, goes with it: set delete_data");
    }
    if (!is_origin(saga, "imported") && !saga->ledger->account.found) {
        return error_set_field(
            err, ERROR_CONFLICT, "ACCOUNT_UNKNOWN", "delete_environment.environment",
            "the environment's account %s is not connected any more; connect it again",
            row->account);
    }
    return is_origin(saga, "imported") ||
           record_check_deletion(saga, guard_owns_project(saga), guard_own_project(saga),
                                 "delete_environment.environment", err);
}

// Once the deletion may be under way there is nothing to go back to.
bool delete_is_final(const Saga *saga)
{
    return saga->had_intent;
}

Ask delete_ask_mark(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_MARKED)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_MARK;
    effect->state = LEDGER_STATE_DELETING;
    set_project(saga, effect);
    return ASK_EFFECT;
}

Lesson delete_learn_mark(Saga *saga, const Answer *answer)
{
    (void)answer;
    if (guard_own_project(saga)[0] != '\0') {
        journal_set_text(&saga->journal, FACT_PROJECT_ID, guard_own_project(saga));
    }
    journal_set_flag(&saga->journal, FACT_MARKED);
    return LESSON_LEARNT;
}

Ask delete_ask_environments(Saga *saga, Effect *effect)
{
    bool names_project = guard_own_project(saga)[0] != '\0';
    if (!guard_owns_project(saga) || !names_project ||
        journal_has(&saga->journal, FACT_NO_ENVIRONMENTS) || saga->had_intent) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_DEPENDENTS;
    set_project(saga, effect);
    return ASK_EFFECT;
}

Lesson delete_learn_environments(Saga *saga, const Answer *answer)
{
    if (answer->dependent_count == 0) {
        journal_set_flag(&saga->journal, FACT_NO_ENVIRONMENTS);
        return LESSON_LEARNT;
    }
    CLEANUP(text_clear) Text names = TEXT_INIT(300);
    guard_name_dependents(answer, &names);
    return lesson_fail(saga, ERROR_CONFLICT, "HAS_DEPENDENTS",
                       "%zu other environments live in the project: %s%s; delete them first",
                       answer->dependent_count, text_get(&names), text_ok(&names) ? "" : ", ...");
}

#define NOTE_CURSOR "delete_cursor"
#define NOTE_OTHERS "delete_others"
#define NOTE_SEEN "delete_seen"
#define NOTE_MISSING "delete_missing" // Neon said 404 of the project
#define NOTE_UNSEEN "delete_unseen"   // the branch list didn't show it
#define NOTE_FREE "delete_free"       // nothing stands in the way of the next deletion

Ask delete_ask_guard(Saga *saga, Effect *effect)
{
    const LedgerEnvironment *row = row_of(saga);
    if (journal_note(&saga->journal, NOTE_FREE) != NULL || journal_has(&saga->journal, FACT_GONE) ||
        is_origin(saga, "imported") ||
        (guard_owns_project(saga) ? guard_own_project(saga) : row->branch_id)[0] == '\0') {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branches(&effect->request, guard_own_project(saga), "",
                          journal_note_text(&saga->journal, NOTE_CURSOR), false);
    return ASK_EFFECT;
}

// What the branch list says against the deletion: a branch of ours with children, default,
// protected or, where that counts, not expired; any other branch in a project that goes whole.
static bool check_branch(Saga *saga, const NeonBranch *branch, Error *err)
{
    const LedgerEnvironment *row = row_of(saga);
    NeonMark ours;
    search_mark(saga, &ours);
    bool is_ours = row->branch_id[0] != '\0' ? strcmp(branch->id, row->branch_id) == 0
                                             : branch->parent_id[0] == '\0' &&
                                                   neon_mark_same_environment(&ours, &branch->mark);
    if (is_ours && branch->is_protected) {
        return error_set(err, ERROR_CONFLICT, "BRANCH_PROTECTED",
                         "the branch is protected; lift that in Neon first");
    }
    if (is_ours && !guard_owns_project(saga) && branch->is_default) {
        return error_set(
            err, ERROR_CONFLICT, "BRANCH_DEFAULT",
            "the branch has become the project's default; make another one the default first");
    }
    bool stands_in_the_way =
        guard_owns_project(saga) ? !is_ours : strcmp(branch->parent_id, row->branch_id) == 0;
    if (stands_in_the_way) {
        others_add(others_note(saga, NOTE_OTHERS), others_label(branch));
    }
    if (is_ours) {
        journal_set_note_number(&saga->journal, NOTE_SEEN, 1);
    }
    return !is_ours || record_check_branch_expired(saga, branch, err);
}

static Lesson guard_done(Saga *saga)
{
    const json_t *others = journal_note(&saga->journal, NOTE_OTHERS);
    if (others_count(others) > 0) {
        return lesson_fail(saga, ERROR_CONFLICT, "HAS_DEPENDENTS", "%s: %s; delete them first",
                           guard_owns_project(saga) ? "the project has other branches"
                                                    : "the branch has children",
                           others_names(others));
    }
    bool seen = journal_note_number(&saga->journal, NOTE_SEEN) == 1;
    bool was_unseen = journal_note_number(&saga->journal, NOTE_UNSEEN) == 1;
    journal_forget_notes(&saga->journal);
    if (seen || guard_owns_project(saga)) {
        journal_set_note_number(&saga->journal, NOTE_FREE, 1);
        return LESSON_LEARNT;
    }
    if (!was_unseen) { // it may be too young to be listed
        journal_set_note_number(&saga->journal, NOTE_UNSEEN, 1);
        return lesson_wait_ms(saga, saga->rules->listing_lag_ms);
    }
    journal_set_flag(&saga->journal, FACT_GONE); // somebody deleted it before us, or we did
    return LESSON_LEARNT;
}

// Once proves nothing, and nothing is deleted unseen: once more when a listing would show it. Then
// our mark is looked for.
static Lesson learn_missing(Saga *saga)
{
    Leftover own = leftover_own(saga);
    bool is_first = journal_note_number(&saga->journal, NOTE_MISSING) == 0;
    journal_forget_notes(&saga->journal); // of pages before
    if (leftover_is_blind(saga, &own)) {
        return leftover_fail_blind(saga, "list the project's branches");
    }
    if (is_first) {
        journal_set_note_number(&saga->journal, NOTE_MISSING, 1);
        return lesson_wait_ms(saga, saga->rules->listing_lag_ms);
    }
    journal_set_flag(&saga->journal, FACT_GONE);
    journal_set_flag(&saga->journal, FACT_MISSING);
    return LESSON_LEARNT;
}

Lesson delete_learn_guard(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning == NEON_NOT_FOUND) {
        return learn_missing(saga);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the project's branches");
    }
    journal_set_note_number(&saga->journal, NOTE_MISSING, 0);
    Error err = ERROR_INIT;
    NeonPage page;
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
        return guard_done(saga);
    }
    journal_set_note_text(&saga->journal, NOTE_CURSOR, page.cursor);
    return LESSON_LEARNT;
}

// What was seen counts for one call: before it is repeated, somebody may have moved in.
static void use_up(Saga *saga)
{
    assert(journal_note(&saga->journal, NOTE_FREE) != NULL);
    journal_forget_notes(&saga->journal);
}

Ask delete_ask_branch(Saga *saga, Effect *effect)
{
    const LedgerEnvironment *row = row_of(saga);
    if (!is_origin(saga, "branched") || journal_has(&saga->journal, FACT_GONE) ||
        row->branch_id[0] == '\0') {
        return ASK_NOTHING;
    }
    use_up(saga);
    effect->kind = EFFECT_NEON;
    set_project(saga, effect);
    neon_request_delete_branch(&effect->request, guard_own_project(saga), row->branch_id);
    return ASK_EFFECT;
}

static Lesson learn_delete(Saga *saga, const NeonReply *reply, const char *what)
{
    Leftover own = leftover_own(saga);
    Lesson lesson = leftover_learn_deletion(saga, &own, reply, PROTECTED_EXACT_ID, what);
    if (lesson != LESSON_LEARNT) {
        return lesson;
    }
    journal_set_flag(&saga->journal, FACT_GONE);
    if (reply->meaning == NEON_NOT_FOUND) {
        journal_set_flag(&saga->journal, FACT_MISSING);
    }
    record_operations(saga, reply->body);
    return LESSON_LEARNT;
}

Lesson delete_learn_branch(Saga *saga, const Answer *answer)
{
    return learn_delete(saga, answer->reply, "delete the branch");
}

Ask delete_ask_project(Saga *saga, Effect *effect)
{
    if (!guard_owns_project(saga) || journal_has(&saga->journal, FACT_GONE) ||
        guard_own_project(saga)[0] == '\0') {
        return ASK_NOTHING;
    }
    use_up(saga);
    effect->kind = EFFECT_NEON;
    set_project(saga, effect);
    neon_request_delete_project(&effect->request, guard_own_project(saga));
    return ASK_EFFECT;
}

Lesson delete_learn_project(Saga *saga, const Answer *answer)
{
    return learn_delete(saga, answer->reply, "delete the project");
}
