#include <assert.h>
#include <string.h>

#include "saga/facts.h"
#include "saga/guard.h"
#include "saga/lesson.h"
#include "saga/names.h"
#include "saga/record.h"
#include "saga/search.h"
#include "saga/steps.h"
#include "saga/undo.h"
#include "saga/wanted.h"

static const UndoKind UNDO = {"project", FACT_PROJECT_ID, FACT_PROJECT_DELETED, FACT_PROJECT_UNDONE,
                              "undo_delete_project"};

static const Provisioning__V1__CreateEnvironment *create_of(const Saga *saga)
{
    return saga->command->message->create_environment;
}

bool project_check_create(Saga *saga, Error *err)
{
    if (!guard_holds_row(saga) && !record_check_reserved(saga, err)) {
        return false;
    }
    if (journal_has(&saga->journal, FACT_UNCHANGED)) {
        return true;
    }
    if (!record_check_account(saga, err)) {
        return false;
    }
    if (strcmp(saga->ledger->account.key_kind, "project") == 0) {
        return error_set_field(
            err, ERROR_DENIED, "KEY_SCOPE", "create_environment.account",
            "the account's key is scoped to one project and can't create another; connect the "
            "account with an organization or personal key");
    }
    return wanted_set_for_create(saga, err);
}

Ask project_ask_region(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_REGION_OK)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_regions(&effect->request, saga->ledger->account.org_id);
    return ASK_EFFECT;
}

Lesson project_learn_region(Saga *saga, const Answer *answer)
{
    if (answer->reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, answer->reply, PROTECTED_READ, "list the regions");
    }
    Error err = ERROR_INIT;
    bool known = false;
    const char *region = create_of(saga)->region_id;
    if (!neon_decode_has_region(answer->reply->body, region, &known, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    if (!known) {
        error_set_field(&err, ERROR_INVALID, "REGION_UNKNOWN", "create_environment.region_id",
                        "Neon has no region %s for this account; see GET /regions", region);
        return lesson_fail_with(saga, &err);
    }
    journal_set_flag(&saga->journal, FACT_REGION_OK);
    return LESSON_LEARNT;
}

Ask project_ask_find(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_PROJECT_ID) || search_is_known_absent(saga)) {
        return ASK_NOTHING;
    }
    char buffer[NAMES_SUGGESTION_BYTES];
    search_ask_projects(saga, names_project(saga, buffer), effect);
    return ASK_EFFECT;
}

Lesson project_learn_find(Saga *saga, const Answer *answer)
{
    char buffer[NAMES_SUGGESTION_BYTES];
    Lesson lesson =
        search_learn_projects(saga, names_project(saga, buffer), SEARCH_COMMAND, answer);
    SearchMatch match;
    if (lesson != LESSON_LEARNT || !search_is_complete(saga)) {
        return lesson;
    }
    if (search_match(saga, "", &match)) {
        journal_forget_notes(&saga->journal);
        journal_set_text(&saga->journal, FACT_PROJECT_ID, match.id);
        journal_set_text(&saga->journal, FACT_BRANCH_ID, match.branch_id);
        record_adopted(saga);
    } else if (search_count_reading(saga) >= search_readings_needed(saga)) {
        search_set_absent(saga);
        journal_forget_notes(&saga->journal);
    }
    return LESSON_LEARNT;
}

Ask project_ask_create(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_PROJECT_ID)) {
        return ASK_NOTHING;
    }
    const Provisioning__V1__CreateEnvironment *create = create_of(saga);
    const Google__Protobuf__Int64Value *retention = create->history_retention_seconds;
    char project[NAMES_SUGGESTION_BYTES];
    char branch[NAMES_SUGGESTION_BYTES];
    NeonProjectSpec spec = {
        .name = names_project(saga, project),
        .region_id = create->region_id,
        .org_id = saga->ledger->account.org_id,
        .pg_version = create->pg_version,
        .has_history_retention = retention != NULL,
        .history_retention_seconds = retention != NULL ? retention->value : 0,
        .branch_name = names_branch(saga, branch),
        .database_name = names_database(saga),
    };
    record_endpoint_spec(create->endpoint, &spec.endpoint);
    search_mark(saga, &spec.mark);
    effect->kind = EFFECT_NEON;
    neon_request_create_project(&effect->request, &spec);
    return ASK_EFFECT;
}

Lesson project_learn_create(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_NOTHING, "create the project");
    }
    Error err = ERROR_INIT;
    NeonProject project;
    NeonBranch branch;
    if (!neon_decode_project(reply->body, &project, &err) ||
        !neon_decode_branch(reply->body, &branch, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_NOTHING);
    }
    journal_set_text(&saga->journal, FACT_PROJECT_ID, project.id);
    journal_set_text(&saga->journal, FACT_BRANCH_ID, branch.id);
    record_adopted(saga);
    record_project(saga, &project);
    record_operations(saga, reply->body);
    record_connection(saga, reply->body);
    return LESSON_LEARNT;
}

Ask project_ask_read(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_PROJECT_READ) ||
        !journal_has(&saga->journal, FACT_PROJECT_ID)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_project(&effect->request, journal_text(&saga->journal, FACT_PROJECT_ID));
    return ASK_EFFECT;
}

Lesson project_learn_read(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    const char *id = journal_text(&saga->journal, FACT_PROJECT_ID);
    if (reply->meaning == NEON_NOT_FOUND) {
        if (record_is_young(saga)) {
            return lesson_wait(saga);
        }
        return lesson_fail(saga, ERROR_CONFLICT, "SOURCE_NOT_FOUND",
                           "the account's key sees no project %s; check the id, or connect the "
                           "account that owns it",
                           id);
    }
    if (reply->meaning != NEON_OK) {
        return lesson_from_reply(saga, reply, PROTECTED_READ, "read the project");
    }
    Error err = ERROR_INIT;
    NeonProject project;
    if (!neon_decode_project(reply->body, &project, &err)) {
        return lesson_unreadable(saga, &err, PROTECTED_READ);
    }
    record_project(saga, &project);
    return LESSON_LEARNT;
}

Ask project_ask_duplicates(Saga *saga, Effect *effect)
{
    if (journal_has(&saga->journal, FACT_DUPLICATES_LISTED) ||
        !journal_has(&saga->journal, FACT_PROJECT_ID)) {
        return ASK_NOTHING;
    }
    SearchMatch match;
    if (search_is_complete(saga) &&
        search_match(saga, journal_text(&saga->journal, FACT_PROJECT_ID), &match)) {
        return ASK_NOTHING; // remove_duplicate's turn
    }
    char buffer[NAMES_SUGGESTION_BYTES];
    search_ask_projects(saga, names_project(saga, buffer), effect);
    return ASK_EFFECT;
}

Lesson project_learn_duplicates(Saga *saga, const Answer *answer)
{
    char buffer[NAMES_SUGGESTION_BYTES];
    Lesson lesson =
        search_learn_projects(saga, names_project(saga, buffer), SEARCH_COMMAND, answer);
    SearchMatch match;
    if (lesson != LESSON_LEARNT || !search_is_complete(saga)) {
        return lesson;
    }
    if (search_match(saga, journal_text(&saga->journal, FACT_PROJECT_ID), &match)) {
        journal_set_again(&saga->journal, FACT_DUPLICATE, json_string(match.id));
        return lesson;
    }
    // also one whose removal was never read
    const char *removed = journal_text(&saga->journal, FACT_DUPLICATE);
    if (removed[0] != '\0') {
        record_once(saga, FACT_DRIFT, removed);
    }
    journal_forget_notes(&saga->journal);
    journal_set_flag(&saga->journal, FACT_DUPLICATES_LISTED);
    return lesson;
}

// What the journal does not name is the duplicate, whichever is older: "the younger one" was shown
// to delete the survivor.
Ask project_ask_remove_duplicate(Saga *saga, Effect *effect)
{
    SearchMatch match;
    const char *ours = journal_text(&saga->journal, FACT_PROJECT_ID);
    if (ours[0] == '\0' || !search_is_complete(saga) || !search_match(saga, ours, &match)) {
        return ASK_NOTHING;
    }
    effect->kind = EFFECT_NEON;
    neon_request_delete_project(&effect->request, match.id);
    return ASK_EFFECT;
}

Lesson project_learn_remove_duplicate(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    SearchMatch match;
    if (reply->meaning != NEON_OK && reply->meaning != NEON_NOT_FOUND) {
        return lesson_from_reply(saga, reply, PROTECTED_EXACT_ID,
                                 "delete a duplicate of the project");
    }
    search_match(saga, journal_text(&saga->journal, FACT_PROJECT_ID), &match);
    search_restart(saga); // and listed again, until it shows none
    bool is_new = reply->meaning == NEON_OK && record_once(saga, FACT_DRIFT, match.id);
    return is_new ? LESSON_LEARNT : lesson_wait(saga); // the listing lags behind
}

Ask project_ask_undo_find(Saga *saga, Effect *effect)
{
    if (!undo_must_list(saga, &UNDO)) {
        return ASK_NOTHING;
    }
    char buffer[NAMES_SUGGESTION_BYTES];
    search_ask_projects(saga, names_project(saga, buffer), effect);
    return ASK_EFFECT;
}

Lesson project_learn_undo_find(Saga *saga, const Answer *answer)
{
    char buffer[NAMES_SUGGESTION_BYTES];
    Lesson lesson =
        search_learn_projects(saga, names_project(saga, buffer), SEARCH_COMMAND, answer);
    bool is_done = lesson == LESSON_LEARNT && search_is_complete(saga);
    return is_done ? undo_learn_listed(saga, &UNDO) : lesson;
}

const char *project_undo_target(const Saga *saga)
{
    return undo_target(saga, &UNDO);
}

Ask project_ask_undo_delete(Saga *saga, Effect *effect)
{
    const char *id = undo_target(saga, &UNDO);
    if (id[0] == '\0') {
        return ASK_NOTHING;
    }
    guard_use_up(saga, id);
    effect->kind = EFFECT_NEON;
    neon_request_delete_project(&effect->request, id);
    return ASK_EFFECT;
}

Lesson project_learn_undo_delete(Saga *saga, const Answer *answer)
{
    const NeonReply *reply = answer->reply;
    if (reply->meaning != NEON_OK && reply->meaning != NEON_NOT_FOUND) {
        return lesson_from_reply(saga, reply, PROTECTED_EXACT_ID, "delete the project");
    }
    return undo_learn_deleted(saga, &UNDO, reply->meaning == NEON_OK);
}
