#include <assert.h>
#include <string.h>

#include "saga/branching.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/named.h"
#include "saga/names.h"
#include "saga/record.h"
#include "saga/search.h"
#include "saga/steps.h"
#include "saga/undo.h"

#define NOTE_LAST_LOOK "last_look"

static const UndoKind UNDO = {"branch", FACT_BRANCH_ID, FACT_BRANCH_DELETED, FACT_BRANCH_UNDONE,
                              "undo_delete_branch"};

static void set_project(const Saga *saga, Effect *effect)
{
    bool fits = text_copy(effect->project_id, sizeof effect->project_id,
                          journal_text(&saga->journal, FACT_PROJECT_ID));
    assert(fits);
    (void)fits;
}

bool branch_check_create(Saga *saga, Error *err)
{
    const Provisioning__V1__BranchEnvironment *action = saga->command->message->branch_environment;
    const Branching branching = branching_of(saga);
    Journal *journal = &saga->journal;
    if (!record_check_reserved(saga, err)) {
        return false;
    }
    if (journal_has(journal, FACT_UNCHANGED)) {
        return true;
    }
    if (branching.reference != NULL) {
        journal_set_text(journal, FACT_PROJECT_ID, branching.reference->project_id);
    } else if (!journal_has(journal, FACT_PARENT_ID) && !branching_take_source(saga, err)) {
        return false;
    }
    int64_t expires_ms = action->expires_at != NULL ? action->expires_at->seconds * 1000 : 0;
    const char *field = branching.reference != NULL ? "branch_environment.source_branch.project_id"
                                                    : branching.source_field;
    return branching_set_expiry(saga, expires_ms, "branch_environment.expires_at", err) &&
           record_check_account(saga, err) &&
           record_check_scope(saga, journal_text(journal, FACT_PROJECT_ID), field, err);
}

static NamedBranch source_of(const Saga *saga)
{
    return (NamedBranch){branching_of(saga).reference, FACT_PARENT_ID, NULL, "SOURCE_NOT_FOUND",
                         "branch_environment.source_branch.branch"};
}

Ask branch_ask_source(Saga *saga, Effect *effect)
{
    const NamedBranch source = source_of(saga);
    return named_ask(saga, &source, effect);
}

Lesson branch_learn_source(Saga *saga, const Answer *answer)
{
    const NamedBranch source = source_of(saga);
    return named_learn(saga, &source, answer);
}

Ask branch_ask_announce(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_ANNOUNCED)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_MARK;
    set_project(saga, effect);
    bool fits = text_copy(effect->account, sizeof effect->account, saga->ledger->account.account);
    assert(fits);
    (void)fits;
    return ASK_EFFECT;
}

Lesson branch_learn_announce(Saga *saga, const Answer *answer)
{
    (void)answer;
    journal_set_flag(&saga->journal, FACT_ANNOUNCED);
    return LESSON_LEARNT;
}

// After our row is committed: whoever deletes the project either sees our row, or we see its.
Ask branch_ask_source_stays(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_NOT_DELETING)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_DEPENDENTS;
    effect->branch_id = journal_text(&saga->journal, FACT_PARENT_ID);
    set_project(saga, effect);
    return ASK_EFFECT;
}

Lesson branch_learn_source_stays(Saga *saga, const Answer *answer)
{
    size_t known = answer->dependent_count < SAGA_DEPENDENTS_MAX ? answer->dependent_count
                                                                 : SAGA_DEPENDENTS_MAX;
    for (size_t i = 0; i < known; i++) {
        const LedgerDependent *other = &answer->dependents[i];
        bool takes_project = strcmp(other->origin, "created") == 0;
        bool takes_parent =
            strcmp(other->branch_id, journal_text(&saga->journal, FACT_PARENT_ID)) == 0;
        if (other->state == LEDGER_STATE_DELETING && (takes_project || takes_parent)) {
            return lesson_fail(
                saga, ERROR_CONFLICT, "SOURCE_DELETING",
                "environment %s of application %s is being deleted, and the source with it",
                other->environment, other->application_id);
        }
    }
    journal_set_flag(&saga->journal, FACT_NOT_DELETING);
    return LESSON_LEARNT;
}

static Ask ask_listing(Saga *saga, bool include_deleted, Effect *effect)
{
    char buffer[NAMES_SUGGESTION_BYTES];
    search_ask_branches(saga, journal_text(&saga->journal, FACT_PROJECT_ID),
                        names_branch(saga, buffer), include_deleted, effect);
    return ASK_EFFECT;
}

// Neon said that the name is taken, and for as long as a listing may lag none showed by whom: the
// last look includes deleted branches.
static bool is_last_look(const Saga *saga)
{
    return journal_note_number(&saga->journal, NOTE_LAST_LOOK) == 1;
}

Ask branch_ask_find(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_BRANCH_ID) || search_is_known_absent(saga)) {
        return ASK_NOTHING;
    }
    return ask_listing(saga, is_last_look(saga), effect);
}

static Lesson name_taken(Saga *saga, const char *by)
{
    char buffer[NAMES_SUGGESTION_BYTES];
    Error err = ERROR_INIT;
    bool is_preview = saga->command->action == PROVISIONING__V1__COMMAND__ACTION_OPEN_PREVIEW;
    error_set_field(&err, ERROR_CONFLICT, "BRANCH_NAME_TAKEN", branching_of(saga).name_field,
                    "the project has a branch %s that this command did not make (%s); it was left "
                    "alone; %s",
                    names_branch(saga, buffer), by,
                    is_preview ? "rename or delete that branch" : "choose another name");
    return lesson_fail_with(saga, &err);
}

// The listing shows nothing of ours, but the name is held, or was said to be.
static Lesson learn_holder(Saga *saga, bool was_last_look)
{
    char holder[NAME_NEON_ID_BYTES];
    bool is_ours = search_holder_is_ours(saga);
    bool fits = text_copy(holder, sizeof holder, search_holder(saga));
    assert(fits); // a branch's id
    (void)fits;
    search_restart(saga);
    if (was_last_look) {
        return name_taken(saga, holder[0] != '\0' ? holder
                                                  : "not listed, perhaps deleted a short time ago");
    }
    if (holder[0] == '\0' && record_is_within_lag(saga, FACT_CONFLICT_AT)) {
        // after a 409: it may be our own, not yet listed
        return lesson_wait_ms(saga, saga->rules->poll_ms);
    }
    if (holder[0] == '\0') {
        journal_set_note_number(&saga->journal, NOTE_LAST_LOOK, 1);
        return LESSON_LEARNT;
    }
    if (is_ours && !journal_has(&saga->journal, FACT_GHOST_AT)) {
        record_time(saga, FACT_GHOST_AT);
    }
    if (is_ours && record_is_within_lag(saga, FACT_GHOST_AT)) {
        return lesson_wait_ms(saga, saga->rules->poll_ms); // perhaps deleted, and still listed
    }
    return name_taken(saga, holder);
}

Lesson branch_learn_find(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    char buffer[NAMES_SUGGESTION_BYTES];
    bool was_last_look = is_last_look(saga);
    if (reply->meaning == NEON_NOT_FOUND) {
        return lesson_fail(saga, ERROR_CONFLICT, "SOURCE_NOT_FOUND",
                           "the account's key sees no project %s",
                           journal_text(&saga->journal, FACT_PROJECT_ID));
    }
    if (reply->meaning == NEON_REFUSED && was_last_look) {
        return name_taken(saga,
                          "not listed"); // include_deleted is a preview that not every account has
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the branches");
    }
    Lesson lesson = search_learn_branches(saga, names_branch(saga, buffer), SEARCH_COMMAND, answer);
    SearchMatch match;
    if (lesson != LESSON_LEARNT || !search_is_complete(saga)) {
        return lesson;
    }
    if (search_match(saga, "", &match)) {
        journal_forget_notes(&saga->journal);
        journal_set_text(&saga->journal, FACT_BRANCH_ID, match.id);
        record_adopted(saga);
        return LESSON_LEARNT;
    }
    if (search_holder(saga)[0] != '\0' || journal_has(&saga->journal, FACT_CONFLICT_AT)) {
        return learn_holder(saga, was_last_look);
    }
    if (search_count_reading(saga) >= search_readings_needed(saga)) {
        search_set_absent(saga);
        journal_forget_notes(&saga->journal);
    }
    return LESSON_LEARNT;
}

Ask branch_ask_create(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_BRANCH_ID)) {
        return ASK_NOTHING;
    }
    char buffer[NAMES_SUGGESTION_BYTES];
    const Branching branching = branching_of(saga);
    NeonAnnotation annotations[BRANCHING_ANNOTATIONS_MAX];
    NeonBranchSpec spec = {.name = names_branch(saga, buffer),
                           .parent_id = journal_text(&saga->journal, FACT_PARENT_ID),
                           .parent_lsn = branching.lsn,
                           .parent_ms = branching.point_ms,
                           .schema_only = branching.schema_only,
                           .expires_ms = journal_number(&saga->journal, FACT_EXPIRES_AT),
                           .annotations = annotations,
                           .annotation_count = branching_annotations(saga, annotations)};
    record_endpoint_spec(branching.endpoint, &spec.endpoint);
    search_mark(saga, &spec.mark);
    effect->kind = EFFECT_NEON;
    set_project(saga, effect);
    neon_request_create_branch(&effect->request, effect->project_id, &spec);
    return ASK_EFFECT;
}

Lesson branch_learn_create(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Journal *journal = &saga->journal;
    if (reply->meaning == NEON_EXISTS) {
        if (!journal_has(journal, FACT_CONFLICT_AT)) {
            record_time(saga, FACT_CONFLICT_AT);
        }
        journal_forget(journal, FACT_ABSENT_AT); // listed again, by whom it is held
        return LESSON_LEARNT;
    }
    if (reply->meaning == NEON_NOT_FOUND) {
        return lesson_fail(saga, ERROR_CONFLICT, "SOURCE_NOT_FOUND",
                           "Neon has no branch %s to branch from: %s",
                           journal_text(journal, FACT_PARENT_ID), reply->message);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_UNIQUE_NAME, "create the branch");
    }
    Error err = ERROR_INIT;
    NeonBranch branch;
    if (!neon_decode_branch(reply->body, &branch, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_UNIQUE_NAME);
    }
    journal_set_text(journal, FACT_BRANCH_ID, branch.id);
    record_adopted(saga);
    record_operations(saga, reply->body);
    password_expect_roles(saga, reply->body);
    return LESSON_LEARNT;
}

Ask branch_ask_undo_find(Saga *saga, Effect *effect)
{
    bool is_due = !branching_stands(saga) && undo_must_list(saga, &UNDO);
    return is_due ? ask_listing(saga, false, effect) : ASK_NOTHING;
}

Lesson branch_learn_undo_find(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    char buffer[NAMES_SUGGESTION_BYTES];
    if (reply->meaning == NEON_NOT_FOUND) {
        // the project is gone, and the branch with it
        journal_set_flag(&saga->journal, FACT_BRANCH_UNDONE);
        return LESSON_LEARNT;
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the branches");
    }
    Lesson lesson = search_learn_branches(saga, names_branch(saga, buffer), SEARCH_COMMAND, answer);
    bool is_done = lesson == LESSON_LEARNT && search_is_complete(saga);
    return is_done ? undo_learn_listed(saga, &UNDO) : lesson;
}

Ask branch_ask_undo_delete(Saga *saga, Effect *effect)
{
    const char *id = branching_stands(saga) ? "" : undo_target(saga, &UNDO);
    if (id[0] == '\0') {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    set_project(saga, effect);
    neon_request_delete_branch(&effect->request, effect->project_id, id);
    return ASK_EFFECT;
}

Lesson branch_learn_undo_delete(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning != NEON_OK && reply->meaning != NEON_NOT_FOUND) {
        return lesson_from_reply(saga, reply, PROTECTED_EXACT_ID, "delete the branch");
    }
    bool was_there = reply->meaning == NEON_OK && reply->status != 204; // absent or deleted already
    return undo_learn_deleted(saga, &UNDO, was_there);
}
