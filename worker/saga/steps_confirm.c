#include <assert.h>
#include <string.h>

#include "base/unconst.h"
#include "saga/facts.h"
#include "saga/guard.h"
#include "saga/leftover.h"
#include "saga/lesson.h"
#include "saga/names.h"
#include "saga/record.h"
#include "saga/search.h"
#include "saga/steps.h"

/*
 * What else may carry the mark of an environment that is deleted: it is looked for, judged, and
 * deleted. A ledger out of a backup may not know that the environment was made anew since: what a
 * command made that it doesn't know as finished is told, and left alone.
 */

#define NOTE_JUDGED "confirm_judged" // the match that may go

static const LedgerEnvironment *row_of(const Saga *saga)
{
    return &saga->ledger->environment;
}

static const char *detail(const Saga *saga, const char *key)
{
    return journal_text_in(row_of(saga)->details, key);
}

// A listing proves nothing either, unless the key has just deleted something there.
static bool sees_nothing(const Saga *saga)
{
    bool has_seen =
        journal_has(&saga->journal, FACT_GONE) && !journal_has(&saga->journal, FACT_MISSING);
    Leftover own = leftover_own(saga);
    return !has_seen && leftover_is_blind(saga, &own);
}

// Something of an earlier command may still appear, or what is to be deleted was never journaled
// or not found: our mark is listed.
static bool must_confirm(const Saga *saga)
{
    const LedgerEnvironment *row = row_of(saga);
    bool can_list = guard_owns_project(saga) ||
                    (strcmp(row->origin, "branched") == 0 && guard_own_project(saga)[0] != '\0');
    bool is_doubtful = row->unsettled_in_ms > 0 || row->state == LEDGER_STATE_FAILED ||
                       guard_own_project(saga)[0] == '\0' ||
                       json_object_get(row->details, FACT_LEFT) != NULL ||
                       journal_has(&saga->journal, FACT_MISSING);
    return can_list && is_doubtful;
}

static const char *wanted_name(const Saga *saga, char buffer[NAMES_SUGGESTION_BYTES])
{
    const char *known =
        detail(saga, guard_owns_project(saga) ? FACT_PROJECT_NAME : FACT_BRANCH_NAME);
    return known[0] != '\0' ? known : names_suggested(saga, buffer);
}

Ask confirm_ask_gone(Saga *saga, Effect *effect)
{
    SearchMatch match;
    if (journal_has(&saga->journal, FACT_CONFIRMED_GONE) || !must_confirm(saga) ||
        (search_is_complete(saga) && search_match(saga, "", &match))) {
        return ASK_NOTHING;
    }
    int64_t left_ms = saga->unsettled_boot_ms - saga->now.boot_ms;
    if (left_ms > 0) {
        effect->wait_ms = (uint32_t)left_ms;
        return ASK_WAIT;
    }
    char buffer[NAMES_SUGGESTION_BYTES];
    const char *name = wanted_name(saga, buffer);
    if (guard_owns_project(saga)) {
        search_ask_projects(saga, name, effect);
    } else {
        search_ask_branches(saga, guard_own_project(saga), name, false, effect);
    }
    return ASK_EFFECT;
}

static void drop_strangers(Saga *saga)
{
    const json_t *strangers = journal_value(&saga->journal, FACT_STRANGERS);
    for (size_t i = 0; i < json_array_size(strangers); i++) {
        search_drop_match(saga, json_string_value(json_array_get(strangers, i)));
    }
}

Lesson confirm_learn_gone(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    bool owns = guard_owns_project(saga);
    if (sees_nothing(saga)) {
        return leftover_fail_blind(saga, "look for what an earlier command left");
    }
    if (!owns && reply->meaning == NEON_NOT_FOUND) {
        // the project is gone, and its branches with it
        journal_set_flag(&saga->journal, FACT_CONFIRMED_GONE);
        return LESSON_LEARNT;
    }
    if (!owns && reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the branches");
    }
    char buffer[NAMES_SUGGESTION_BYTES];
    const char *name = wanted_name(saga, buffer);
    Lesson lesson = owns ? search_learn_projects(saga, name, SEARCH_ENVIRONMENT, answer)
                         : search_learn_branches(saga, name, SEARCH_ENVIRONMENT, answer);
    SearchMatch match;
    if (lesson != LESSON_LEARNT || !search_is_complete(saga)) {
        return lesson;
    }
    drop_strangers(saga);
    if (search_match(saga, "", &match)) {
        return lesson;
    }
    if (search_count_reading(saga) >= 2) {
        journal_set_flag(&saga->journal, FACT_CONFIRMED_GONE);
        journal_forget_notes(&saga->journal);
    }
    return LESSON_LEARNT;
}

static bool find_match(const Saga *saga, SearchMatch *ret_match)
{
    return !journal_has(&saga->journal, FACT_CONFIRMED_GONE) && search_is_complete(saga) &&
           search_match(saga, "", ret_match);
}

Ask confirm_ask_judge(Saga *saga, Effect *effect)
{
    SearchMatch match;
    if (!find_match(saga, &match) ||
        strcmp(journal_note_text(&saga->journal, NOTE_JUDGED), match.id) == 0) {
        return ASK_NOTHING;
    }
    bool owns = guard_owns_project(saga);
    effect->kind = EFFECT_JUDGE;
    effect->names = json_pack("[{s:s, s:s, s:s, s:s}]", "environment", saga->command->writes.name,
                              "command", match.command, "project",
                              owns ? match.id : guard_own_project(saga), "branch", match.branch_id);
    return ASK_EFFECT;
}

// Another environment is on it, by an import: its branch isn't ours any more.
static bool is_another_s(const Saga *saga, const json_t *judged)
{
    const char *owner = json_string_value(json_object_get(judged, "owner"));
    CLEANUP(text_clear) Text own = TEXT_INIT(NAME_APPLICATION_BYTES + NAME_ENVIRONMENT_BYTES);
    text_printf(&own, "%s/%s", saga->command->application_id, saga->command->writes.name);
    return owner != NULL && strcmp(owner, text_get(&own)) != 0;
}

// What the row itself names may go whoever made it: a rebuilt ledger knows no commands.
static bool is_own(const Saga *saga, const SearchMatch *match)
{
    return strcmp(match->id, guard_owns_project(saga) ? guard_own_project(saga)
                                                      : row_of(saga)->branch_id) == 0;
}

static bool is_of_known_maker(const json_t *judged, const SearchMatch *match)
{
    const char *maker = json_string_value(json_object_get(judged, "maker"));
    bool is_finished = json_is_true(json_object_get(judged, "known")) &&
                       json_is_true(json_object_get(judged, "finished"));
    return is_finished || (maker != NULL && strcmp(maker, match->command) == 0);
}

Lesson confirm_learn_judge(Saga *saga, const Answer *answer)
{
    SearchMatch match;
    bool found = find_match(saga, &match);
    assert(found);
    (void)found;
    const json_t *judged = json_array_get(json_object_get(answer->judged, "marks"), 0);
    if (!is_another_s(saga, judged) &&
        (is_own(saga, &match) || is_of_known_maker(judged, &match))) {
        journal_set_note_text(&saga->journal, NOTE_JUDGED, match.id);
        return LESSON_LEARNT;
    }
    record_once(saga, FACT_STRANGERS, match.id);
    search_restart(saga);
    return LESSON_LEARNT;
}

Ask confirm_ask_remove(Saga *saga, Effect *effect)
{
    SearchMatch match;
    if (!find_match(saga, &match)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    if (guard_owns_project(saga)) {
        guard_use_up(saga, match.id);
        neon_request_delete_project(&effect->request, match.id);
    } else {
        bool fits =
            text_copy(effect->project_id, sizeof effect->project_id, guard_own_project(saga));
        assert(fits);
        (void)fits;
        neon_request_delete_branch(&effect->request, guard_own_project(saga), match.id);
    }
    return ASK_EFFECT;
}

Lesson confirm_learn_remove(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    search_restart(saga); // what was listed counts for one call
    if (reply->meaning != NEON_OK && reply->meaning != NEON_NOT_FOUND) {
        return lesson_from_reply(saga, reply, PROTECTED_EXACT_ID,
                                 "delete what an earlier command left");
    }
    bool was_there = reply->meaning == NEON_OK && reply->status != 204;
    return was_there ? LESSON_LEARNT : lesson_wait(saga); // the listing lags behind
}
