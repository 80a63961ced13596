#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/steps.h"
#include "saga/sweep.h"

/*
 * Lists all that the account's key sees, and judges by the ledger, read after the listing, what has
 * a mark of ours. A listing in doubt is no error: nothing is deleted by it.
 */

#define NOTE_LIST "sweep_list" // ids of projects, in the order of the listing
#define NOTE_LISTED "sweep_listed"
#define NOTE_CURSOR "sweep_cursor"
#define NOTE_INDEX "sweep_index" // of the project whose branches are listed next
#define NOTE_SEEN "sweep_seen"   // ids of what the present listing has shown: an object

enum {
    PROJECTS_MAX = 20000,
    DOUBTS_MAX = 20,
};

static const LedgerAccount *account_of(const Saga *saga)
{
    return &saga->ledger->account;
}

// A key of one project lists none.
static bool is_kept(const Saga *saga)
{
    return strcmp(account_of(saga)->key_kind, "project") == 0 &&
           account_of(saga)->project_id[0] != '\0';
}

bool sweep_check(Saga *saga, Error *err)
{
    return record_check_account(saga, err);
}

// `id`: of the project that it is about; "": of none.
static void doubt(Saga *saga, const char *what, const char *id)
{
    json_t *doubts = sweep_array(saga, NOTE_SWEEP_DOUBTS);
    if (json_array_size(doubts) < DOUBTS_MAX) {
        json_array_append_new(doubts, json_sprintf("%s%s%s", what, id[0] != '\0' ? ": " : "", id));
    }
}

// Whether the listing shows a thing for the first time.
static bool see(Saga *saga, const char *id)
{
    if (journal_note(&saga->journal, NOTE_SEEN) == NULL) {
        journal_set_note(&saga->journal, NOTE_SEEN, json_object());
    }
    json_t *seen = journal_note(&saga->journal, NOTE_SEEN);
    bool is_new = json_object_get(seen, id) == NULL;
    json_object_set_new(seen, id, json_true());
    return is_new;
}

// The listing has ended; the next one begins at its first page.
static void end_listing(Saga *saga)
{
    journal_set_note_text(&saga->journal, NOTE_CURSOR, "");
    journal_set_note(&saga->journal, NOTE_SEEN, json_object());
}

// ---- projects

Ask sweep_ask_projects(Saga *saga, Effect *effect)
{
    if (journal_note_number(&saga->journal, NOTE_LISTED) == 1) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    if (is_kept(saga)) {
        neon_request_project(&effect->request, account_of(saga)->project_id);
    } else {
        neon_request_projects(&effect->request, "", account_of(saga)->org_id,
                              journal_note_text(&saga->journal, NOTE_CURSOR));
    }
    return ASK_EFFECT;
}

static void add_project(Saga *saga, const NeonProject *project)
{
    json_array_append_new(sweep_array(saga, NOTE_LIST), json_string(project->id));
    sweep_count(saga, NOTE_SWEEP_PROJECTS);
}

static Lesson end_projects(Saga *saga)
{
    end_listing(saga);
    journal_set_note_number(&saga->journal, NOTE_LISTED, 1);
    return sweep_learnt(saga);
}

static Lesson learn_own_project(Saga *saga, const NeonReply *reply)
{
    Error err = ERROR_INIT;
    NeonProject project;
    if (!neon_decode_project(reply->body, &project, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    add_project(saga, &project);
    return end_projects(saga);
}

// Reads the whole page first: one that can't be read is asked for again.
static bool check_projects(const NeonPage *page, Error *err)
{
    NeonProject project;
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page->items), i, item)
    {
        if (!neon_decode_project_item(item, &project, err)) {
            return false;
        }
    }
    return true;
}

static Lesson learn_project_page(Saga *saga, const NeonPage *page)
{
    bool repeats = false;
    Error err = ERROR_INIT;
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page->items), i, item)
    {
        NeonProject project;
        (void)neon_decode_project_item(item, &project, &err); // it was read before
        if (see(saga, project.id)) {
            add_project(saga, &project);
        } else {
            repeats = true;
        }
    }
    if (page->partial) {
        doubt(saga, "Neon could not read all projects (unavailable_project_ids)", "");
    }
    bool is_long = json_array_size(sweep_array(saga, NOTE_LIST)) > PROJECTS_MAX;
    if (repeats || is_long) {
        doubt(saga,
              repeats ? "the list of projects repeats itself"
                      : "there are more projects than are looked at",
              "");
    }
    if (page->cursor[0] == '\0' || repeats || is_long) {
        return end_projects(saga);
    }
    journal_set_note_text(&saga->journal, NOTE_CURSOR, page->cursor);
    return sweep_learnt(saga);
}

Lesson sweep_learn_projects(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Error err = ERROR_INIT;
    NeonPage page;
    if (is_kept(saga) && reply->meaning == NEON_NOT_FOUND) {
        return end_projects(saga); // it is gone
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the projects");
    }
    if (is_kept(saga)) {
        return learn_own_project(saga, reply);
    }
    if (!neon_decode_projects(reply->body, journal_note_text(&saga->journal, NOTE_CURSOR), &page,
                              &err) ||
        !check_projects(&page, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    return learn_project_page(saga, &page);
}

// ---- branches

static const char *next_project(const Saga *saga)
{
    int64_t index = journal_note_number(&saga->journal, NOTE_INDEX);
    return json_string_value(
        json_array_get(journal_note(&saga->journal, NOTE_LIST), (size_t)index));
}

static bool has_many_pending(const Saga *saga)
{
    return json_array_size(journal_note(&saga->journal, NOTE_SWEEP_PENDING)) >= SWEEP_JUDGED_MAX;
}

Ask sweep_ask_branches(Saga *saga, Effect *effect)
{
    if (next_project(saga) == NULL || has_many_pending(saga)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branches(&effect->request, next_project(saga), "",
                          journal_note_text(&saga->journal, NOTE_CURSOR), false);
    return ASK_EFFECT;
}

static Lesson turn_to_next(Saga *saga)
{
    end_listing(saga);
    sweep_count(saga, NOTE_INDEX);
    return sweep_learnt(saga);
}

// What expires later at Neon, or not at all any more, somebody wants to keep.
static void look_at_expiry(Saga *saga, const NeonBranch *branch)
{
    json_t *due = journal_note(&saga->journal, NOTE_SWEEP_DUE);
    bool has_expired = branch->expires_ms > 0 && branch->expires_ms <= saga->ledger->now_ms;
    if (json_object_get(due, branch->id) != NULL && !has_expired) {
        json_object_set_new(due, branch->id, json_false());
    }
}

// Marks of others are never looked at, only counted.
static void look_at(Saga *saga, const NeonBranch *branch)
{
    const NeonMark *mark = &branch->mark;
    sweep_count(saga, NOTE_SWEEP_BRANCHES);
    if (neon_mark_is_empty(mark)) {
        return;
    }
    if (strcmp(mark->installation, saga->rules->installation) != 0) {
        sweep_count(saga, NOTE_SWEEP_FOREIGN);
        return;
    }
    if (strcmp(mark->application, saga->command->application_id) != 0) {
        sweep_count(saga, NOTE_SWEEP_OTHERS);
        return;
    }
    sweep_count(saga, NOTE_SWEEP_MARKED);
    json_array_append_new(sweep_array(saga, NOTE_SWEEP_PENDING),
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:b}", "environment",
                                    mark->environment, "command", mark->command, "project",
                                    next_project(saga), "branch", branch->id, "name", branch->name,
                                    "created_at_ms", (json_int_t)branch->created_at_ms, "is_root",
                                    branch->parent_id[0] == '\0'));
}

static bool check_branches(const NeonReply *reply, const NeonPage *page, Error *err)
{
    NeonBranch branch;
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page->items), i, item)
    {
        if (!neon_decode_branch_item(reply->body, item, &branch, err)) {
            return false;
        }
    }
    return true;
}

static Lesson learn_branch_page(Saga *saga, const NeonReply *reply, const NeonPage *page)
{
    bool repeats = false;
    Error err = ERROR_INIT;
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page->items), i, item)
    {
        NeonBranch branch;
        (void)neon_decode_branch_item(reply->body, item, &branch, &err); // it was read before
        if (see(saga, branch.id)) {
            look_at_expiry(saga, &branch);
            look_at(saga, &branch);
        } else {
            repeats = true;
        }
    }
    if (repeats) {
        doubt(saga, "a project's list of branches repeats itself", next_project(saga));
    }
    if (page->cursor[0] == '\0' || repeats) {
        return turn_to_next(saga);
    }
    journal_set_note_text(&saga->journal, NOTE_CURSOR, page->cursor);
    return sweep_learnt(saga);
}

Lesson sweep_learn_branches(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Error err = ERROR_INIT;
    NeonPage page;
    if (reply->meaning == NEON_NOT_FOUND || reply->meaning == NEON_DENIED ||
        reply->meaning == NEON_REFUSED) {
        doubt(saga, "the branches of a project that was listed can't be listed",
              next_project(saga));
        return turn_to_next(saga);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list a project's branches");
    }
    if (!neon_decode_branches(reply->body, journal_note_text(&saga->journal, NOTE_CURSOR), &page,
                              &err) ||
        !check_branches(reply, &page, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    return learn_branch_page(saga, reply, &page);
}
