#include "saga/undo.h"

#include <string.h>

#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/record.h"
#include "saga/search.h"

const char *undo_target(const Saga *saga, const UndoKind *kind)
{
    bool is_deleted = journal_has(&saga->journal, kind->deleted_fact) ||
                      journal_has(&saga->journal, kind->undone_fact);
    return is_deleted ? "" : journal_text(&saga->journal, kind->id_fact);
}

bool undo_must_list(const Saga *saga, const UndoKind *kind)
{
    return !journal_has(&saga->journal, kind->undone_fact) && undo_target(saga, kind)[0] == '\0';
}

Lesson undo_learn_listed(Saga *saga, const UndoKind *kind)
{
    Journal *journal = &saga->journal;
    SearchMatch match;
    if (!search_match(saga, "", &match)) {
        if (search_count_reading(saga) >= search_readings_needed(saga)) {
            journal_set_flag(journal, kind->undone_fact);
            journal_forget_notes(journal);
        }
        return LESSON_LEARNT;
    }
    // a listing that lags behind shows what was deleted, too: deleting it again harms nobody, but
    // is no progress
    bool is_new = strcmp(match.id, journal_text(journal, kind->id_fact)) != 0 &&
                  !record_was_undone(saga, kind->what, match.id);
    search_restart(saga);
    journal_set_again(journal, kind->id_fact, json_string(match.id));
    journal_forget(journal, kind->deleted_fact);
    return is_new ? LESSON_LEARNT : lesson_wait(saga);
}

Lesson undo_learn_deleted(Saga *saga, const UndoKind *kind, bool was_there)
{
    if (!was_there && record_is_young(saga)) {
        return lesson_wait(saga); // absence of a young thing proves nothing
    }
    const char *id = journal_text(&saga->journal, kind->id_fact);
    bool was_ours = was_there || strcmp(journal_text(&saga->journal, FACT_MAYBE_DELETED),
                                        kind->delete_step) == 0;
    if (was_ours && !record_was_undone(saga, kind->what, id)) {
        record_undone(saga, kind->what, id);
    }
    record_gone(saga, kind->delete_step);
    search_restart(saga);
    journal_set_again(&saga->journal, kind->deleted_fact, json_true());
    return LESSON_LEARNT;
}
