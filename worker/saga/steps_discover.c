#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/inventory.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/steps.h"

/*
 * What pickers show. All of it is read, and kept in memory until the listing is complete: who takes
 * the command over reads again.
 */

#define NOTE_CURSOR "discover_cursor"
#define NOTE_LISTED "discover_listed"
#define NOTE_INDEX "discover_index" // of the project whose branches are listed next
#define NOTE_BYTES "discover_bytes"
#define NOTE_PARTIALS "discover_partials"

enum {
    REGIONS_MAX = 64,
    PARTIALS_MAX = 5, // listings without some projects, one after another
    THING_BYTES = 64, // of one of them, besides its texts
};

static const Provisioning__V1__DiscoverAccount *discover_of(const Saga *saga)
{
    return saga->command->message->discover_account;
}

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

// A page more: a long listing goes on.
static Lesson learnt(Saga *saga)
{
    journal_set_number(&saga->journal, FACT_PAGES_READ,
                       journal_number(&saga->journal, FACT_PAGES_READ) + 1);
    return LESSON_LEARNT;
}

bool discover_check(Saga *saga, Error *err)
{
    return record_check_account(saga, err);
}

Ask discover_ask_regions(Saga *saga, Effect *effect)
{
    if (journal_note(&saga->journal, NOTE_REGIONS) != NULL) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_regions(&effect->request, account_of(saga)->org_id);
    return ASK_EFFECT;
}

Lesson discover_learn_regions(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    NeonRegion list[REGIONS_MAX];
    size_t count = 0;
    Error err = ERROR_INIT;
    bool is_hidden = is_kept(saga) && reply->meaning == NEON_NOT_FOUND;
    if (reply->meaning != NEON_OK && !is_hidden) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the regions");
    }
    if (!is_hidden && !neon_decode_regions(reply->body, list, REGIONS_MAX, &count, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    json_t *regions = json_array();
    for (size_t i = 0; i < count && i < REGIONS_MAX; i++) {
        json_array_append_new(
            regions, json_pack("{s:s, s:s}", "region_id", list[i].id, "name", list[i].name));
    }
    journal_set_note(&saga->journal, NOTE_REGIONS, regions);
    return learnt(saga);
}

static json_t *projects_of(Saga *saga)
{
    if (journal_note(&saga->journal, NOTE_PROJECTS) == NULL) {
        journal_set_note(&saga->journal, NOTE_PROJECTS, json_array());
    }
    return journal_note(&saga->journal, NOTE_PROJECTS);
}

// Whether there is room for so many bytes more.
static bool count_bytes(Saga *saga, size_t bytes)
{
    int64_t all = journal_note_number(&saga->journal, NOTE_BYTES) + (int64_t)bytes + THING_BYTES;
    journal_set_note_number(&saga->journal, NOTE_BYTES, all);
    return all <= INVENTORY_BYTES_MAX;
}

static Lesson too_large(Saga *saga)
{
    Error err = ERROR_INIT;
    error_set_field(&err, ERROR_CONFLICT, "INVENTORY_TOO_LARGE", "discover_account.project_filter",
                    "the account has more projects and branches than are told at once: set "
                    "project_filter to part of a project's name or id");
    return lesson_fail_with(saga, &err);
}

static bool add_project(Saga *saga, const NeonProject *project)
{
    json_array_append_new(projects_of(saga),
                          json_pack("{s:s, s:s, s:s, s:i, s:[]}", "project_id", project->id, "name",
                                    project->name, "region_id", project->region_id, "pg_version",
                                    project->pg_version, "branches"));
    return count_bytes(saga,
                       strlen(project->id) + strlen(project->name) + strlen(project->region_id));
}

Ask discover_ask_projects(Saga *saga, Effect *effect)
{
    if (journal_note_number(&saga->journal, NOTE_LISTED) == 1) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    if (is_kept(saga)) {
        neon_request_project(&effect->request, account_of(saga)->project_id);
    } else {
        neon_request_projects(&effect->request, discover_of(saga)->project_filter,
                              account_of(saga)->org_id,
                              journal_note_text(&saga->journal, NOTE_CURSOR));
    }
    return ASK_EFFECT;
}

static Lesson learn_own_project(Saga *saga, const NeonReply *reply)
{
    Error err = ERROR_INIT;
    NeonProject project;
    const char *filter = discover_of(saga)->project_filter;
    if (!neon_decode_project(reply->body, &project, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    (void)projects_of(saga);
    if (strstr(project.name, filter) != NULL || strstr(project.id, filter) != NULL) {
        (void)add_project(saga, &project);
    }
    journal_set_note_number(&saga->journal, NOTE_LISTED, 1);
    return learnt(saga);
}

// Some projects could not be read by Neon: from the beginning.
static Lesson list_again(Saga *saga)
{
    Journal *journal = &saga->journal;
    int64_t partials = journal_note_number(journal, NOTE_PARTIALS) + 1;
    if (partials > PARTIALS_MAX) {
        return lesson_fail(saga, ERROR_UNAVAILABLE, "INVENTORY_PARTIAL",
                           "Neon could not read some of the account's projects "
                           "(unavailable_project_ids); send the command again later");
    }
    journal_set_note_number(journal, NOTE_PARTIALS, partials);
    journal_set_note(journal, NOTE_PROJECTS, json_array());
    journal_set_note_number(journal, NOTE_BYTES, 0);
    journal_set_note_text(journal, NOTE_CURSOR, "");
    return lesson_wait(saga);
}

Lesson discover_learn_projects(Saga *saga, const Answer *answer)
{
    Journal *journal = &saga->journal;
    Error err = ERROR_INIT;
    NeonPage page;
    if (answer->reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, answer->reply, PROTECTED_READ, "list the projects");
    }
    if (is_kept(saga)) {
        return learn_own_project(saga, answer->reply);
    }
    if (!neon_decode_projects(answer->reply->body, journal_note_text(journal, NOTE_CURSOR), &page,
                              &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    if (page.partial) {
        return list_again(saga);
    }
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page.items), i, item)
    {
        NeonProject project;
        if (!neon_decode_project_item(item, &project, &err)) {
            return lesson_unreadable(saga, &err, PROTECTED_READ);
        }
        if (!add_project(saga, &project)) {
            return too_large(saga);
        }
    }
    (void)projects_of(saga);
    journal_set_note_text(journal, NOTE_CURSOR, page.cursor);
    journal_set_note_number(journal, NOTE_LISTED, page.cursor[0] == '\0');
    return learnt(saga);
}

static json_t *next_project(const Saga *saga)
{
    int64_t index = journal_note_number(&saga->journal, NOTE_INDEX);
    return json_array_get(journal_note(&saga->journal, NOTE_PROJECTS), (size_t)index);
}

Ask discover_ask_branches(Saga *saga, Effect *effect)
{
    const json_t *project = next_project(saga);
    if (project == NULL) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branches(&effect->request,
                          json_string_value(json_object_get(project, "project_id")), "",
                          journal_note_text(&saga->journal, NOTE_CURSOR), false);
    return ASK_EFFECT;
}

static Lesson turn_to_next(Saga *saga)
{
    int64_t index = journal_note_number(&saga->journal, NOTE_INDEX) + 1;
    journal_set_note_text(&saga->journal, NOTE_CURSOR, "");
    journal_set_note_number(&saga->journal, NOTE_INDEX, index);
    return learnt(saga);
}

static bool add_branch(Saga *saga, const NeonBranch *branch)
{
    json_array_append_new(json_object_get(next_project(saga), "branches"),
                          json_pack("{s:s, s:s, s:s, s:b, s:b}", "branch_id", branch->id, "name",
                                    branch->name, "parent_id", branch->parent_id, "default",
                                    branch->is_default, "protected", branch->is_protected));
    return count_bytes(saga, strlen(branch->id) + strlen(branch->name) + strlen(branch->parent_id));
}

// Reads the whole page first: one that can't be read is asked for again.
static bool check_page(const json_t *body, const NeonPage *page, Error *err)
{
    NeonBranch branch;
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page->items), i, item)
    {
        if (!neon_decode_branch_item(body, item, &branch, err)) {
            return false;
        }
    }
    return true;
}

Lesson discover_learn_branches(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Error err = ERROR_INIT;
    NeonPage page;
    if (reply->meaning == NEON_NOT_FOUND) {
        return turn_to_next(saga); // deleted since it was listed
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list a project's branches");
    }
    if (!neon_decode_branches(reply->body, journal_note_text(&saga->journal, NOTE_CURSOR), &page,
                              &err) ||
        !check_page(reply->body, &page, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page.items), i, item)
    {
        NeonBranch branch;
        (void)neon_decode_branch_item(reply->body, item, &branch, &err);
        if (!add_branch(saga, &branch)) {
            return too_large(saga);
        }
    }
    if (page.cursor[0] == '\0') {
        return turn_to_next(saga);
    }
    journal_set_note_text(&saga->journal, NOTE_CURSOR, page.cursor);
    return learnt(saga);
}
