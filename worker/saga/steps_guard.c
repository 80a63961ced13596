#include "saga/guard.h"

#include <assert.h>
#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/leftover.h"
#include "saga/lesson.h"
#include "saga/others.h"
#include "saga/search.h"
#include "saga/steps.h"

// One note of its own: those of a search, which may name the project, stay.
#define NOTE_GUARD "guard"

enum { OTHERS_BYTES = 300 };

static const LedgerEnvironment *row_of(const Saga *saga)
{
    return &saga->ledger->environment;
}

bool guard_is_deletion(const Saga *saga)
{
    return saga->command->action == PROVISIONING__V1__COMMAND__ACTION_DELETE_ENVIRONMENT ||
           saga->command->action == PROVISIONING__V1__COMMAND__ACTION_CLOSE_PREVIEW;
}

bool guard_owns_project(const Saga *saga)
{
    return strcmp(row_of(saga)->origin, "created") == 0;
}

// The project that is to go next, or false.
static bool find_target(const Saga *saga, char ret_id[NAME_NEON_ID_BYTES])
{
    SearchMatch match;
    const char *id = "";
    if (saga->undoing) {
        id = project_undo_target(saga);
    } else {
        Leftover left = leftover_next(saga);
        bool is_listed = guard_is_deletion(saga) && guard_owns_project(saga) &&
                         search_is_complete(saga) && search_match(saga, "", &match);
        if (left.project_id[0] != '\0') {
            id = left.branch_id[0] == '\0' ? left.project_id : "";
        } else if (is_listed) {
            id = match.id;
        }
    }
    bool fits = text_copy(ret_id, NAME_NEON_ID_BYTES, id);
    assert(fits);
    (void)fits;
    return ret_id[0] != '\0';
}

static bool says(const Saga *saga, const char *fact, const char *project_id)
{
    return strcmp(journal_text(&saga->journal, fact), project_id) == 0;
}

bool guard_holds_row(const Saga *saga)
{
    return row_of(saga)->state == LEDGER_STATE_DELETING &&
           strcmp(row_of(saga)->command_id, saga->command->command_id) == 0;
}

const char *guard_own_project(const Saga *saga)
{
    return journal_has(&saga->journal, FACT_MARKED) ? journal_text(&saga->journal, FACT_PROJECT_ID)
                                                    : row_of(saga)->project_id;
}

void guard_name_dependents(const Answer *answer, Text *ret_names)
{
    for (size_t i = 0; i < answer->dependent_count && i < SAGA_DEPENDENTS_MAX; i++) {
        text_printf(ret_names, "%s%s/%s", i > 0 ? ", " : "", answer->dependents[i].application_id,
                    answer->dependents[i].environment);
    }
}

// Whether the target still lacks this fact. No guard counts as progress: its project may appear
// again and again.
static bool lacks(const Saga *saga, const char *fact, char ret_id[NAME_NEON_ID_BYTES])
{
    return find_target(saga, ret_id) && !says(saga, fact, ret_id);
}

static Ask ask_ledger(Effect *effect, EffectKind kind, const char *project_id)
{
    effect->kind = kind;
    bool fits = text_copy(effect->project_id, sizeof effect->project_id, project_id);
    assert(fits);
    (void)fits;
    return ASK_EFFECT;
}

// What is known of this project's branches; of one at a time.
static json_t *note_of(Saga *saga, const char *id)
{
    const char *noted = json_string_value(
        json_object_get(journal_note(&saga->journal, NOTE_GUARD), FACT_PROJECT_ID));
    if (noted == NULL || strcmp(noted, id) != 0) {
        journal_set_note(&saga->journal, NOTE_GUARD, json_pack("{s:s}", FACT_PROJECT_ID, id));
    }
    return journal_note(&saga->journal, NOTE_GUARD);
}

static void forget_note(Saga *saga)
{
    journal_set_note(&saga->journal, NOTE_GUARD, json_null());
}

static void forget_guard(Saga *saga)
{
    forget_note(saga);
    journal_forget(&saga->journal, FACT_GUARD_MARKED);
    journal_forget(&saga->journal, FACT_GUARD_ALONE);
}

static bool is_free(Saga *saga, const char *id)
{
    return json_object_get(note_of(saga, id), "free") != NULL;
}

void guard_use_up(Saga *saga, const char *project_id)
{
    assert(is_free(saga, project_id));
    (void)project_id;
    forget_note(saga);
}

Ask guard_ask_mark(Saga *saga, Effect *effect)
{
    char id[NAME_NEON_ID_BYTES];
    if (!lacks(saga, FACT_GUARD_MARKED, id)) {
        return ASK_NOTHING;
    }
    effect->state = LEDGER_STATE_DELETING;
    return ask_ledger(effect, EFFECT_MARK, id);
}

Lesson guard_learn_mark(Saga *saga, const Answer *answer)
{
    char id[NAME_NEON_ID_BYTES];
    (void)answer;
    find_target(saga, id);
    forget_guard(saga); // the row names one project only: what was seen of others is void
    journal_set_again(&saga->journal, FACT_GUARD_MARKED, json_string(id));
    return LESSON_LEARNT;
}

Ask guard_ask_environments(Saga *saga, Effect *effect)
{
    char id[NAME_NEON_ID_BYTES];
    return lacks(saga, FACT_GUARD_ALONE, id) ? ask_ledger(effect, EFFECT_DEPENDENTS, id)
                                             : ASK_NOTHING;
}

Lesson guard_learn_environments(Saga *saga, const Answer *answer)
{
    char id[NAME_NEON_ID_BYTES];
    find_target(saga, id);
    if (answer->dependent_count == 0) {
        journal_set_again(&saga->journal, FACT_GUARD_ALONE, json_string(id));
        return LESSON_LEARNT;
    }
    CLEANUP(text_clear) Text names = TEXT_INIT(OTHERS_BYTES);
    guard_name_dependents(answer, &names);
    return lesson_fail(saga, ERROR_CONFLICT, "HAS_DEPENDENTS",
                       "%zu other environments live in project %s, which is to be deleted: %s%s; "
                       "delete them first",
                       answer->dependent_count, id, text_get(&names),
                       text_ok(&names) ? "" : ", ...");
}

Ask guard_ask_branches(Saga *saga, Effect *effect)
{
    char id[NAME_NEON_ID_BYTES];
    if (!find_target(saga, id) || is_free(saga, id)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branches(&effect->request, id, "", journal_text_in(note_of(saga, id), "cursor"),
                          false);
    return ASK_EFFECT;
}

static void add_other(json_t *note, const char *label)
{
    if (json_object_get(note, "others") == NULL) {
        json_object_set_new(note, "others", json_object());
    }
    others_add(json_object_get(note, "others"), label);
}

// Goes with its project: the root with our mark, or the only root there is.
static void note_branch(Saga *saga, json_t *note, const NeonBranch *branch)
{
    NeonMark ours;
    search_mark(saga, &ours);
    bool is_root = branch->parent_id[0] == '\0';
    if (is_root && neon_mark_same_environment(&ours, &branch->mark)) {
        json_object_set_new(note, "ours", json_true());
    } else if (is_root && json_object_get(note, "root") == NULL) {
        json_object_set_new(note, "root", json_string(others_label(branch)));
    } else {
        add_other(note, others_label(branch));
    }
}

static Lesson learn_all(Saga *saga, json_t *note, const char *id)
{
    const char *root = journal_text_in(note, "root");
    if (json_object_get(note, "ours") != NULL && root[0] != '\0') {
        add_other(note, root);
    }
    const json_t *others = json_object_get(note, "others");
    if (others_count(others) > 0) {
        return lesson_fail(saga, ERROR_CONFLICT, "HAS_DEPENDENTS",
                           "project %s, which is to be deleted, has other branches: %s; delete "
                           "them first",
                           id, others_names(others));
    }
    json_object_set_new(note, "free", json_true());
    saga->journal.changed = true;
    return LESSON_LEARNT;
}

// Nothing is deleted unseen. Whoever would have deleted it, learns what its deletion would say.
static Lesson learn_missing(Saga *saga, const Answer *answer)
{
    forget_note(saga); // and what pages before have shown
    if (saga->undoing) {
        return project_learn_undo_delete(saga, answer);
    }
    return leftover_next(saga).project_id[0] != '\0' ? leftover_learn_remove(saga, answer)
                                                     : confirm_learn_remove(saga, answer);
}

Lesson guard_learn_branches(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    char id[NAME_NEON_ID_BYTES];
    find_target(saga, id);
    if (reply->meaning == NEON_NOT_FOUND) {
        return learn_missing(saga, answer);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the project's branches");
    }
    Error err = ERROR_INIT;
    NeonPage page;
    json_t *note = note_of(saga, id);
    if (!neon_decode_branches(reply->body, journal_text_in(note, "cursor"), &page, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page.items), i, item)
    {
        NeonBranch branch;
        if (!neon_decode_branch_item(reply->body, item, &branch, &err)) {
            forget_note(saga); // nothing is counted twice
            return lesson_unreadable(saga, &err, PROTECTED_READ);
        }
        note_branch(saga, note, &branch);
    }
    if (page.cursor[0] == '\0') {
        return learn_all(saga, note, id);
    }
    json_object_set_new(note, "cursor", json_string(page.cursor));
    saga->journal.changed = true;
    return LESSON_LEARNT;
}

// The row is a reservation again.
Ask guard_ask_creating(Saga *saga, Effect *effect)
{
    if (!journal_has(&saga->journal, FACT_GUARD_MARKED)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_MARK;
    effect->state = LEDGER_STATE_CREATING;
    return ASK_EFFECT;
}

Lesson guard_learn_creating(Saga *saga, const Answer *answer)
{
    (void)answer;
    forget_guard(saga);
    return LESSON_LEARNT;
}
