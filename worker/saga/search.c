#include "saga/search.h"

#include <assert.h>
#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/lesson.h"

#define NOTE_CURSOR "search_cursor"
#define NOTE_LISTED "search_listed"
#define NOTE_CANDIDATES                                                                            \
    "search_candidates" // projects of that name: their root branch is still to be read
#define NOTE_MATCHES "search_matches"
#define NOTE_HOLDER "search_holder"
#define NOTE_HOLDER_OURS "search_holder_ours"
#define NOTE_READINGS "search_readings"

// Each takes a request of its own.
enum { CANDIDATES_MAX = 500 };

void search_mark(const Saga *saga, NeonMark *ret_mark)
{
    *ret_mark = (NeonMark){.installation = ""};
    bool fits =
        text_copy(ret_mark->installation, sizeof ret_mark->installation, saga->rules->installation);
    fits = text_copy(ret_mark->application, sizeof ret_mark->application,
                     saga->command->application_id) &&
           fits;
    fits = text_copy(ret_mark->environment, sizeof ret_mark->environment,
                     saga->command->writes.name) &&
           fits;
    fits =
        text_copy(ret_mark->command, sizeof ret_mark->command, saga->command->command_id) && fits;
    assert(fits);
    (void)fits;
}

static bool is_match(const Saga *saga, SearchScope scope, const NeonMark *mark)
{
    NeonMark ours;
    search_mark(saga, &ours);
    return scope == SEARCH_COMMAND ? neon_mark_equal(&ours, mark)
                                   : neon_mark_same_environment(&ours, mark);
}

static json_t *note_list(Saga *saga, const char *key)
{
    if (journal_note(&saga->journal, key) == NULL) {
        journal_set_note(&saga->journal, key, json_array());
    }
    return journal_note(&saga->journal, key);
}

void search_restart(Saga *saga)
{
    int64_t readings = journal_note_number(&saga->journal, NOTE_READINGS);
    journal_forget_notes(&saga->journal);
    journal_set_note_number(&saga->journal, NOTE_READINGS, readings);
}

int64_t search_count_reading(Saga *saga)
{
    int64_t readings = journal_note_number(&saga->journal, NOTE_READINGS) + 1;
    journal_forget_notes(&saga->journal);
    journal_set_note_number(&saga->journal, NOTE_READINGS, readings);
    return readings;
}

int64_t search_readings_needed(const Saga *saga)
{
    return journal_number(&saga->journal, FACT_DOUBTS) > 0 ? 2 : 1;
}

bool search_is_complete(const Saga *saga)
{
    return journal_note_number(&saga->journal, NOTE_LISTED) == 1 &&
           json_array_size(journal_note(&saga->journal, NOTE_CANDIDATES)) == 0;
}

const char *search_holder(const Saga *saga)
{
    return journal_note_text(&saga->journal, NOTE_HOLDER);
}

bool search_holder_is_ours(const Saga *saga)
{
    return journal_note_number(&saga->journal, NOTE_HOLDER_OURS) == 1;
}

static const char *match_text(const json_t *match, const char *key)
{
    return json_string_value(json_object_get(match, key));
}

bool search_match(const Saga *saga, const char *except_id, SearchMatch *ret_match)
{
    const json_t *oldest = NULL;
    size_t i;
    json_t *match;
    json_array_foreach(journal_note(&saga->journal, NOTE_MATCHES), i, match)
    {
        if (strcmp(match_text(match, "id"), except_id) != 0 &&
            (oldest == NULL || json_integer_value(json_object_get(match, "created_at")) <
                                   json_integer_value(json_object_get(oldest, "created_at")))) {
            oldest = match;
        }
    }
    *ret_match = (SearchMatch){.id = ""};
    if (oldest == NULL) {
        return false;
    }
    bool fits = text_copy(ret_match->id, sizeof ret_match->id, match_text(oldest, "id"));
    fits = text_copy(ret_match->branch_id, sizeof ret_match->branch_id,
                     match_text(oldest, "branch_id")) &&
           fits;
    fits =
        text_copy(ret_match->command, sizeof ret_match->command, match_text(oldest, "command")) &&
        fits;
    assert(fits);
    (void)fits;
    return true;
}

void search_drop_match(Saga *saga, const char *id)
{
    json_t *matches = journal_note(&saga->journal, NOTE_MATCHES);
    for (size_t i = json_array_size(matches); i-- > 0;) {
        if (strcmp(match_text(json_array_get(matches, i), "id"), id) == 0) {
            json_array_remove(matches, i);
        }
    }
}

// `id`: the branch's, or its project's.
static void add_match(Saga *saga, const char *id, const NeonBranch *branch, int64_t created_at_ms)
{
    json_array_append_new(note_list(saga, NOTE_MATCHES),
                          json_pack("{s:s, s:s, s:s, s:I}", "id", id, "branch_id", branch->id,
                                    "command", branch->mark.command, "created_at",
                                    (json_int_t)created_at_ms));
}

// Takes the page's cursor, or notes that the listing has ended.
static void turn_page(Saga *saga, const NeonPage *page)
{
    if (page->cursor[0] != '\0') {
        journal_set_note_text(&saga->journal, NOTE_CURSOR, page->cursor);
    } else {
        journal_set_note_number(&saga->journal, NOTE_LISTED, 1);
    }
}

void search_ask_projects(Saga *saga, const char *name, Effect *effect)
{
    const json_t *candidates = journal_note(&saga->journal, NOTE_CANDIDATES);
    effect->kind = EFFECT_NEON;
    if (journal_note_number(&saga->journal, NOTE_LISTED) == 1 && json_array_size(candidates) > 0) {
        // sorted by creation, so that the root branch stands on the first page
        neon_request_branches(&effect->request, match_text(json_array_get(candidates, 0), "id"), "",
                              "", false);
        return;
    }
    neon_request_projects(&effect->request, name, saga->ledger->account.org_id,
                          journal_note_text(&saga->journal, NOTE_CURSOR));
}

static Lesson learn_project_page(Saga *saga, const char *name, const NeonReply *reply)
{
    Error err = ERROR_INIT;
    NeonPage page;
    if (!neon_decode_projects(reply->body, journal_note_text(&saga->journal, NOTE_CURSOR), &page,
                              &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    if (page.partial) {
        search_restart(saga);
        return lesson_wait(saga);
    }
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page.items), i, item)
    {
        NeonProject project;
        if (!neon_decode_project_item(item, &project, &err)) {
            return lesson_unreadable(saga, &err, PROTECTED_READ);
        }
        if (strcmp(project.name, name) != 0) {
            continue;
        }
        if (json_array_size(note_list(saga, NOTE_CANDIDATES)) == CANDIDATES_MAX) {
            return lesson_fail(saga, ERROR_CONFLICT, "TOO_MANY_PROJECTS",
                               "more than %d projects are called %s; choose another project_name",
                               CANDIDATES_MAX, name);
        }
        json_array_append_new(note_list(saga, NOTE_CANDIDATES),
                              json_pack("{s:s, s:I}", "id", project.id, "created_at",
                                        (json_int_t)project.created_at_ms));
    }
    turn_page(saga, &page);
    return LESSON_LEARNT;
}

static bool match_root(Saga *saga, SearchScope scope, const NeonReply *reply,
                       const json_t *candidate, Error *err)
{
    NeonPage page;
    if (!neon_decode_branches(reply->body, "", &page, err)) {
        return false;
    }
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page.items), i, item)
    {
        NeonBranch branch;
        if (!neon_decode_branch_item(reply->body, item, &branch, err)) {
            return false;
        }
        if (branch.parent_id[0] == '\0' && is_match(saga, scope, &branch.mark)) {
            add_match(saga, match_text(candidate, "id"), &branch,
                      json_integer_value(json_object_get(candidate, "created_at")));
        }
    }
    return true;
}

static Lesson learn_candidate(Saga *saga, SearchScope scope, const NeonReply *reply)
{
    json_t *candidates = journal_note(&saga->journal, NOTE_CANDIDATES);
    if (reply->meaning == NEON_OK) {
        Error err = ERROR_INIT;
        if (!match_root(saga, scope, reply, json_array_get(candidates, 0), &err)) {
            return lesson_unreadable(saga, &err, PROTECTED_READ);
        }
    } else if (reply->meaning != NEON_NOT_FOUND) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "read the branches of a project");
    }
    json_array_remove(candidates, 0);
    saga->journal.changed = true;
    return LESSON_LEARNT;
}

Lesson search_learn_projects(Saga *saga, const char *name, SearchScope scope, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (journal_note_number(&saga->journal, NOTE_LISTED) == 1) {
        return learn_candidate(saga, scope, reply);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the projects");
    }
    return learn_project_page(saga, name, reply);
}

void search_ask_branches(Saga *saga, const char *project_id, const char *name, bool include_deleted,
                         Effect *effect)
{
    effect->kind = EFFECT_NEON;
    neon_request_branches(&effect->request, project_id, name,
                          journal_note_text(&saga->journal, NOTE_CURSOR), include_deleted);
}

static void note_holder(Saga *saga, const NeonBranch *branch)
{
    journal_set_note_text(&saga->journal, NOTE_HOLDER, branch->id);
    if (is_match(saga, SEARCH_ENVIRONMENT, &branch->mark)) {
        journal_set_note_number(&saga->journal, NOTE_HOLDER_OURS, 1);
    }
}

Lesson search_learn_branches(Saga *saga, const char *name, SearchScope scope, const Answer *answer)
{
    Error err = ERROR_INIT;
    NeonPage page;
    if (!neon_decode_branches(answer->reply->body, journal_note_text(&saga->journal, NOTE_CURSOR),
                              &page, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page.items), i, item)
    {
        NeonBranch branch;
        if (!neon_decode_branch_item(answer->reply->body, item, &branch, &err)) {
            return lesson_unreadable(saga, &err, PROTECTED_READ);
        }
        if (strcmp(branch.name, name) != 0) {
            continue;
        }
        if (is_match(saga, scope, &branch.mark) && !branch.is_deleted) {
            add_match(saga, branch.id, &branch, branch.created_at_ms);
        } else {
            note_holder(saga, &branch);
        }
    }
    turn_page(saga, &page);
    return LESSON_LEARNT;
}

void search_set_absent(Saga *saga)
{
    int64_t doubts = journal_number(&saga->journal, FACT_DOUBTS);
    if (doubts == 0) {
        journal_set_number(&saga->journal, FACT_ABSENT_AT, doubts);
    } else {
        journal_set_again(&saga->journal, FACT_ABSENT_AT, json_integer(doubts));
    }
}

bool search_is_known_absent(const Saga *saga)
{
    return journal_has(&saga->journal, FACT_ABSENT_AT) &&
           journal_number(&saga->journal, FACT_ABSENT_AT) ==
               journal_number(&saga->journal, FACT_DOUBTS);
}
