#include "saga/named.h"

#include <string.h>

#include "base/unconst.h"
#include "saga/lesson.h"

#define NOTE_CURSOR "named_cursor"

Ask named_ask(const Saga *saga, const NamedBranch *named, Effect *effect)
{
    if (journal_has(&saga->journal, named->fact)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_branches(&effect->request, named->reference->project_id, named->reference->branch,
                          journal_note_text(&saga->journal, NOTE_CURSOR), false);
    return ASK_EFFECT;
}

static Lesson not_found(Saga *saga, const NamedBranch *named)
{
    Error err = ERROR_INIT;
    error_set_field(&err, ERROR_CONFLICT, named->code, named->field,
                    "project %s has no branch whose id or exact name is %s, as far as the "
                    "account's key can see",
                    named->reference->project_id, named->reference->branch);
    return lesson_fail_with(saga, &err);
}

static void learn_maker(Saga *saga, const NamedBranch *named, const NeonBranch *branch)
{
    const NeonMark *mark = &branch->mark;
    if (named->maker != NULL && strcmp(mark->installation, saga->rules->installation) == 0) {
        journal_set_value(&saga->journal, named->maker,
                          json_pack("{s:s, s:s, s:s, s:s, s:s}", "application", mark->application,
                                    "environment", mark->environment, "command", mark->command,
                                    "project", named->reference->project_id, "branch", branch->id));
    }
}

static Lesson learn_page(Saga *saga, const NamedBranch *named, const json_t *body,
                         const NeonPage *page)
{
    const char *wanted = named->reference->branch;
    size_t i;
    json_t *item;
    json_array_foreach(unconst(page->items), i, item)
    {
        Error err = ERROR_INIT;
        NeonBranch branch;
        if (!neon_decode_branch_item(body, item, &branch, &err)) {
            return lesson_unreadable(saga, &err, PROTECTED_READ);
        }
        if (strcmp(branch.id, wanted) == 0 || strcmp(branch.name, wanted) == 0) {
            journal_forget_notes(&saga->journal);
            journal_set_text(&saga->journal, named->fact, branch.id);
            learn_maker(saga, named, &branch);
            return LESSON_LEARNT;
        }
    }
    if (page->cursor[0] == '\0') {
        return not_found(saga, named);
    }
    journal_set_note_text(&saga->journal, NOTE_CURSOR, page->cursor);
    return LESSON_LEARNT;
}

Lesson named_learn(Saga *saga, const NamedBranch *named, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    Error err = ERROR_INIT;
    NeonPage page;
    if (reply->meaning == NEON_NOT_FOUND) {
        return not_found(saga, named);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "list the project's branches");
    }
    if (!neon_decode_branches(reply->body, journal_note_text(&saga->journal, NOTE_CURSOR), &page,
                              &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    return learn_page(saga, named, reply->body, &page);
}
