#include <assert.h>
#include <string.h>

#include "base/name.h"
#include "base/unconst.h"
#include "base/uuid.h"
#include "saga/facts.h"
#include "saga/lesson.h"
#include "saga/steps.h"
#include "saga/sweep.h"

// What the ledger says of what steps_sweep.c has listed.

#define NOTE_CHECKED "sweep_checked"
#define NOTE_EXPIRED "sweep_expired" // what has expired was asked for

enum {
    FINDINGS_MAX = 500, // in one event, with the names of all of them
    IDLE_MAX = 250,     // of them those that nothing follows from
};

json_t *sweep_array(Saga *saga, const char *note)
{
    if (journal_note(&saga->journal, note) == NULL) {
        journal_set_note(&saga->journal, note, json_array());
    }
    return journal_note(&saga->journal, note);
}

void sweep_count(Saga *saga, const char *note)
{
    journal_set_note_number(&saga->journal, note, journal_note_number(&saga->journal, note) + 1);
}

Lesson sweep_learnt(Saga *saga)
{
    journal_set_number(&saga->journal, FACT_PAGES_READ,
                       journal_number(&saga->journal, FACT_PAGES_READ) + 1);
    return LESSON_LEARNT;
}

static void ask_expired(const Saga *saga, Effect *effect)
{
    bool fits = text_copy(effect->account, sizeof effect->account, saga->ledger->account.account);
    assert(fits);
    (void)fits;
}

// ---- the ledger first: where it isn't the right one, nothing else is of use

Ask sweep_ask_ledger(Saga *saga, Effect *effect)
{
    if (journal_note(&saga->journal, NOTE_CHECKED) != NULL) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_JUDGE;
    effect->names = json_array();
    ask_expired(saga, effect);
    return ASK_EFFECT;
}

static void note_due(Saga *saga, const json_t *expired)
{
    json_t *due = json_object();
    size_t i;
    json_t *one;
    json_array_foreach(unconst(expired), i, one)
    {
        json_object_set_new(due, journal_text_in(one, "branch_id"), json_true());
    }
    journal_set_note(&saga->journal, NOTE_SWEEP_DUE, due);
}

Lesson sweep_learn_ledger(Saga *saga, const Answer *answer)
{
    Error err = ERROR_INIT;
    if (!verdict_check_ledger(answer->judged, &err)) {
        return lesson_fail_with(saga, &err);
    }
    note_due(saga, json_object_get(answer->judged, "expired"));
    journal_set_note_number(&saga->journal, NOTE_CHECKED, 1);
    return sweep_learnt(saga);
}

// ---- the ledger's judgement

Ask sweep_ask_judge(Saga *saga, Effect *effect)
{
    const json_t *pending = journal_note(&saga->journal, NOTE_SWEEP_PENDING);
    if (journal_note_number(&saga->journal, NOTE_EXPIRED) == 1) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_JUDGE;
    effect->names = json_array();
    for (size_t i = 0; i < json_array_size(pending) && i < SWEEP_JUDGED_MAX; i++) {
        json_array_append(effect->names, json_array_get(pending, i));
    }
    if (json_array_size(pending) == 0) { // all were judged
        ask_expired(saga, effect);
    }
    return ASK_EFFECT;
}

static void add_finding(Saga *saga, Verdict verdict, json_t *finding)
{
    json_t *findings = sweep_array(saga, NOTE_SWEEP_FINDINGS);
    bool is_idle = verdict != VERDICT_ORPHAN && verdict != VERDICT_EXPIRED;
    if (json_array_size(findings) >= (is_idle ? IDLE_MAX : FINDINGS_MAX)) {
        sweep_count(saga, NOTE_SWEEP_OMITTED);
        return;
    }
    json_object_set_new(finding, "verdict", json_integer(verdict));
    json_array_append(findings, finding);
}

static int64_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

// No command of ours made what is marked otherwise, and none could be sent about it.
static bool is_well_marked(const json_t *branch)
{
    Error err = ERROR_INIT;
    return name_check_environment(journal_text_in(branch, "environment"), "environment", &err) &&
           uuid_is_valid(journal_text_in(branch, "command"));
}

static void judge(Saga *saga, const json_t *answer, json_t *branch, const json_t *judged)
{
    bool is_root = json_is_true(json_object_get(branch, "is_root"));
    Verdict verdict = verdict_of(judged, journal_text_in(branch, "command"), is_root);
    int64_t age_ms = number_of(answer, "now_ms") - number_of(branch, "created_at_ms");
    if (verdict == VERDICT_ORPHAN && age_ms < saga->rules->sweep_min_age_ms) {
        verdict = VERDICT_IN_FLIGHT;
    }
    if (verdict != VERDICT_OWNED && !is_well_marked(branch)) {
        verdict = VERDICT_DOUBTFUL;
    }
    json_object_set_new(branch, "is_project", json_boolean(verdict_is_project(judged, is_root)));
    if (verdict != VERDICT_OWNED) {
        add_finding(saga, verdict, branch);
    }
}

static void add_expired(Saga *saga, const json_t *expired)
{
    const json_t *due = journal_note(&saga->journal, NOTE_SWEEP_DUE);
    size_t i;
    json_t *one;
    json_array_foreach(unconst(expired), i, one)
    {
        if (json_is_false(json_object_get(due, journal_text_in(one, "branch_id")))) {
            continue;
        }
        json_t *finding = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "environment",
                                    journal_text_in(one, "environment"), "command", "", "project",
                                    journal_text_in(one, "project_id"), "branch",
                                    journal_text_in(one, "branch_id"), "name", "", "expires_at_ms",
                                    (json_int_t)number_of(one, "expires_at_ms"));
        add_finding(saga, VERDICT_EXPIRED, finding);
        json_decref(finding);
    }
    journal_set_note_number(&saga->journal, NOTE_EXPIRED, 1);
}

Lesson sweep_learn_judge(Saga *saga, const Answer *answer)
{
    Error err = ERROR_INIT;
    if (!verdict_check_ledger(answer->judged, &err)) {
        return lesson_fail_with(saga, &err);
    }
    json_t *pending = sweep_array(saga, NOTE_SWEEP_PENDING);
    if (json_array_size(pending) == 0) {
        add_expired(saga, json_object_get(answer->judged, "expired"));
        return sweep_learnt(saga);
    }
    const json_t *marks = json_object_get(answer->judged, "marks");
    for (size_t i = 0; i < SWEEP_JUDGED_MAX && json_array_size(pending) > 0; i++) {
        judge(saga, answer->judged, json_array_get(pending, 0), json_array_get(marks, i));
        json_array_remove(pending, 0);
    }
    return sweep_learnt(saga);
}

bool sweep_deletes(const Saga *saga)
{
    return saga->command->message->sweep_account->delete_orphans &&
           journal_note(&saga->journal, NOTE_SWEEP_DOUBTS) == NULL;
}

bool sweep_deletes_finding(const Saga *saga, const json_t *finding)
{
    int64_t verdict = number_of(finding, "verdict");
    bool is_project = json_is_true(json_object_get(finding, "is_project"));
    // no key that is kept to one project deletes one, not even its own
    bool can = !is_project || strcmp(saga->ledger->account.key_kind, "project") != 0;
    return sweep_deletes(saga) && can && (verdict == VERDICT_ORPHAN || verdict == VERDICT_EXPIRED);
}
