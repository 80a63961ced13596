#include "saga/verdict.h"

#include <string.h>

static bool is(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static bool says(const json_t *object, const char *key, const char *text)
{
    return strcmp(journal_text_in(object, key), text) == 0;
}

bool verdict_is_project(const json_t *judged, bool is_root)
{
    return is_root && says(judged, "action", "CreateEnvironment");
}

static bool makes_branches(const json_t *judged)
{
    return says(judged, "action", "BranchEnvironment") || says(judged, "action", "OpenPreview");
}

// What a command has made and known, and nobody owns any more, was deleted. For some days a person
// can take that back: https://neon.com/docs/reference/api/branches/delete-project-branch
static bool is_recovered(const json_t *judged)
{
    return is(judged, "delivered");
}

// A second project of one command is a duplicate, because Neon takes a project's name twice. A
// branch's it doesn't: a second branch with the mark was made by somebody else.
static bool is_copy(const json_t *judged, const char *command_id, bool is_root)
{
    if (verdict_is_project(judged, is_root)) {
        return false;
    }
    return !makes_branches(judged) ||
           (says(judged, "state", "ready") && says(judged, "maker", command_id));
}

static Verdict of_finished(const json_t *judged, const char *command_id, bool is_root)
{
    bool is_about = is(judged, "about"); // no command marks what it makes for another environment
    if (is_about && says(judged, "state", "failed")) {
        return VERDICT_FAILED_ENVIRONMENT;
    }
    if (verdict_is_project(judged, is_root) && journal_text_in(judged, "inhabitant")[0] != '\0') {
        return VERDICT_OWNED;
    }
    bool is_doubtful = !is_about || is_recovered(judged) || is_copy(judged, command_id, is_root);
    return is_doubtful ? VERDICT_DOUBTFUL : VERDICT_ORPHAN;
}

Verdict verdict_of(const json_t *judged, const char *command_id, bool is_root)
{
    if (journal_text_in(judged, "owner")[0] != '\0') {
        return says(judged, "state", "failed") ? VERDICT_FAILED_ENVIRONMENT : VERDICT_OWNED;
    }
    if (!is(judged, "known")) {
        return VERDICT_UNKNOWN_COMMAND;
    }
    bool is_changing = says(judged, "state", "creating") || says(judged, "state", "deleting");
    if (!is(judged, "finished") || !is(judged, "settled") || is_changing) {
        return VERDICT_IN_FLIGHT;
    }
    return of_finished(judged, command_id, is_root);
}

bool verdict_check_ledger(const json_t *answer, Error *err)
{
    const char *recorded = journal_text_in(answer, "recorded");
    const char *present = journal_text_in(answer, "present");
    if (present[0] != '\0' && recorded[0] == '\0') {
        return error_set(err, ERROR_CONFLICT, "LEDGER_CHANGED",
                         "this copy of the ledger (%s) was never confirmed: it may be out of a "
                         "backup, and know too little to judge. Once it is certain that no other "
                         "copy is at work: `provision-worker sweep --confirm-ledger`",
                         present);
    }
    return (present[0] != '\0' && strcmp(recorded, present) == 0) ||
           error_set(err, ERROR_CONFLICT, "LEDGER_CHANGED",
                     "this copy of the ledger (%s) is not the one that was confirmed (%s): it may "
                     "know too little to judge. Once it is certain that no other copy is at work: "
                     "`provision-worker sweep --confirm-ledger`",
                     present[0] != '\0' ? present : "unknown",
                     recorded[0] != '\0' ? recorded : "none");
}
