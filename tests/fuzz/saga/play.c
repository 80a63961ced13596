#include "play.h"

#include <string.h>

#include "change.h"
#include "endpoint.h"
#include "saga/facts.h"

#define ACTION(name) PROVISIONING__V1__COMMAND__ACTION_##name

static bool is_action(const Play *play, Action action)
{
    return play->row.command->action == action;
}

bool play_is_delete(const Play *play)
{
    return is_action(play, ACTION(DELETE_ENVIRONMENT)) || is_action(play, ACTION(CLOSE_PREVIEW));
}

bool play_is_preview(const Play *play)
{
    return is_action(play, ACTION(OPEN_PREVIEW)) || is_action(play, ACTION(CLOSE_PREVIEW));
}

bool play_is_import(const Play *play)
{
    return is_action(play, ACTION(IMPORT_ENVIRONMENT));
}

bool play_is_in_place(const Play *play)
{
    const Scene *scene = play->row.scene;
    return scene->state == LEDGER_STATE_READY && scene->things > 0 && !play_is_delete(play);
}

bool play_is_inhabited(const Play *play, const char *project_id)
{
    return play->is_inhabited && strcmp(project_id, play_is_import(play) ? "p-0" : "p-1") == 0;
}

bool play_is_outside(const Play *play)
{
    static const Action ACTIONS[] = {ACTION(DELETE_ORPHAN), ACTION(SWEEP_ACCOUNT),
                                     ACTION(DISCOVER_ACCOUNT), ACTION(DISCONNECT_ACCOUNT),
                                     ACTION(SET_PREVIEW_BASE)};
    for (size_t i = 0; i < sizeof ACTIONS / sizeof ACTIONS[0]; i++) {
        if (is_action(play, ACTIONS[i])) {
            return true;
        }
    }
    return false;
}

// Who branches a project looks whether a row says that it goes.
static void check_announced(const Play *play, const NeonRequest *request)
{
    const char *path = text_get(&request->path);
    const char *id = strstr(path, "p-");
    must(id != NULL &&
             (is_action(play, ACTION(DELETE_ORPHAN)) ||
              (strcmp(id, play->row.project_id) == 0 && play->row.state == LEDGER_STATE_DELETING)),
         "a project's deletion is announced");
    must(id == NULL || !play_is_inhabited(play, id), "nobody else lives in a project that goes");
}

static void check_deletion(const Play *play, const Decision *decision)
{
    const NeonRequest *request = &decision->effect.request;
    bool is_listed = strcmp(decision->step->name, "delete_leftover") == 0;
    const Saga *saga = &play->owner->saga;
    const World *world = &play->world;
    bool is_branch = request->route == NEON_ROUTE_DELETE_BRANCH;
    must(is_branch == world->has_branches, "a branch's project is not deleted");
    size_t number = world_thing(world, text_get(&request->path));
    must(number < WORLD_THINGS_MAX, "something that was there is deleted");
    Maker maker = world->things[number].maker;
    must(!is_action(play, ACTION(DELETE_ORPHAN)) || play->is_free,
         "an orphan is judged once more after it was condemned");
    must(maker == MAKER_COMMAND || (maker == MAKER_EARLIER && number <= play->row.scene->things),
         "what is somebody else's is left alone");
    const char *id = strrchr(text_get(&request->path), '/') + 1;
    bool is_own = strcmp(id, is_branch ? saga->ledger->environment.branch_id
                                       : saga->ledger->environment.project_id) == 0;
    must(!is_listed || play->is_known || is_own, "what the ledger doesn't know is left alone");
    bool names_it =
        strstr(text_get(&request->path), journal_text(&saga->journal, FACT_PROJECT_ID)) != NULL;
    must(play_is_delete(play) || is_branch || saga->undoing || maker == MAKER_EARLIER ||
             !journal_has(&saga->journal, FACT_PROJECT_ID) || !names_it,
         "the survivor is not deleted");
}

// An endpoint carries no mark.
static void check_endpoint(const Play *play, const NeonRequest *request)
{
    const Saga *saga = &play->owner->saga;
    bool creates = request->route == NEON_ROUTE_CREATE_ENDPOINT;
    must(play_is_import(play) && play->row.command->message->import_environment->create_endpoint,
         "an endpoint is made where that is asked for");
    must(!creates || !saga->undoing, "an undo makes nothing");
    must(creates || (saga->undoing && play->world.endpoint_made_ms > 0),
         "an endpoint that was there stays");
}

// Nothing is made or reset that a look would have shown as done.
static void check_not_blind(Play *play, const NeonRequest *request)
{
    World *world = &play->world;
    const Change *change = change_of(world, request);
    must(change == NULL || change_count(world, change) == 0,
         "nothing is changed twice where a look shows the first time");
    for (size_t i = 0; request->route == NEON_ROUTE_CREATE_PROJECT && i < world->count; i++) {
        must(world->things[i].maker != MAKER_COMMAND || !world_is_alive(world, i, world->now_ms) ||
                 world->now_ms - world->things[i].lands_at_ms < WORLD_LAG_MS,
             "no second project where a listing shows the first");
    }
    must(request->route != NEON_ROUTE_RESET_PASSWORD || !world->stores_passwords ||
             world->resets == 0 || world->reset_at_ms[world->resets - 1] > world->now_ms,
         "no second reset where the password shows the first");
}

void play_check_request(Play *play, const Decision *decision)
{
    const NeonRequest *request = &decision->effect.request;
    bool deletes = decision->step->protection == PROTECTED_EXACT_ID;
    must(decision->mutating == neon_route_is_mutating(request->route), "changes have an intent");
    must(!deletes || request->method[0] == 'D', "what deletes says so");
    must(decision->step->protection != PROTECTED_NOTHING ||
             play->world.now_ms >= play->unknown_until_ms,
         "a call of unknown result is settled before the next");
    must(!play->owner->saga.undoing || !decision->mutating || deletes, "an undo only removes");
    check_not_blind(play, request);
    if (request->route == NEON_ROUTE_DELETE_PROJECT &&
        strcmp(decision->step->name, "remove_duplicate") != 0) {
        check_announced(play, request);
    }
    if (request->route == NEON_ROUTE_CREATE_ENDPOINT ||
        request->route == NEON_ROUTE_DELETE_ENDPOINT) {
        check_endpoint(play, request);
    } else if (request->method[0] == 'D') {
        check_deletion(play, decision);
    }
}

static size_t alive(const Play *play, Maker maker)
{
    size_t count = 0;
    for (size_t i = 1; i < play->world.count; i++) {
        if (play->world.things[i].maker == maker &&
            world_is_alive(&play->world, i, play->world.now_ms)) {
            count++;
        }
    }
    return count;
}

static bool is_reveal(const Play *play)
{
    return is_action(play, ACTION(REVEAL_CREDENTIALS));
}

// What was asked for holds, and the thing is the one that it was.
static void judge_in_place(const Play *play)
{
    const World *world = &play->world;
    bool is_edit = is_action(play, ACTION(EDIT_PROJECT)) || is_action(play, ACTION(EDIT_ENDPOINT));
    bool is_reset = is_action(play, ACTION(RESET_ENVIRONMENT)) ||
                    (play_is_preview(play) && play->row.command->message->open_preview->reset);
    must(change_count(world, &world->edits) == (is_edit ? 1 : 0), "settings are changed once");
    must(change_count(world, &world->restores) == (is_reset ? 1 : 0), "a branch is reset once");
    must(!play_is_preview(play) || change_count(world, &world->extensions) == 1,
         "an expiry is extended once");
    must(alive(play, MAKER_EARLIER) == 1 && alive(play, MAKER_COMMAND) == 0,
         "what was there stays, and nothing is made");
}

// Nothing is changed, and the password stands in a box only.
static void judge_reveal(const Play *play, const Conclusion *conclusion)
{
    const Secret *password = &play->owner->saga.connection.password;
    Bytes outcome = conclusion->row.outcome;
    must(conclusion->row.state == LEDGER_STATE_NONE && conclusion->row.sequence == 0 &&
             play->row.intent.number == 0,
         "a reveal changes nothing");
    must(!secret_is_empty(password) &&
             memmem(outcome.data, outcome.size, password->data, password->size) == NULL &&
             strstr(conclusion->row.journal, secret_reveal(password)) == NULL,
         "a password is never in clear");
}

// Only the orphan goes, and no row is written.
static void judge_outside(const Play *play, const Conclusion *conclusion)
{
    bool deletes = is_action(play, ACTION(DELETE_ORPHAN));
    must(conclusion->row.environment[0] == '\0', "no environment is written");
    must(alive(play, MAKER_EARLIER) == (deletes ? 0 : play->row.scene->things), "only orphans go");
    must(deletes || play->row.intent.number == 0, "nothing is changed");
}

// Somebody's branch is recorded as it is; an endpoint at most was made.
static void judge_import(const Play *play, const Conclusion *conclusion)
{
    bool creates = play->row.command->message->import_environment->create_endpoint;
    bool is_ready = conclusion->row.state == LEDGER_STATE_READY;
    must(creates || play->row.intent.number == 0, "an import changes nothing");
    must(!is_ready || strcmp(conclusion->row.branch_id, "br-0") == 0, "the branch that was named");
    must(!is_ready || !play->is_inhabited, "no branch is of two environments");
    must(!is_ready || !creates || endpoint_is_there(&play->world), "it can be connected to");
    must(alive(play, MAKER_COMMAND) == 0, "no branch is made");
}

static void judge_success(const Play *play, const Conclusion *conclusion)
{
    if (play_is_outside(play)) {
        judge_outside(play, conclusion);
        return;
    }
    if (is_reveal(play)) {
        judge_reveal(play, conclusion);
        return;
    }
    if (play_is_import(play)) {
        judge_import(play, conclusion);
        return;
    }
    if (play_is_in_place(play)) {
        judge_in_place(play);
        return;
    }
    if (play_is_delete(play)) {
        must(play->has_strangers || alive(play, MAKER_EARLIER) == 0, "what was deleted is gone");
        must(conclusion->row.state == LEDGER_STATE_GONE, "a row that is gone");
    } else if (conclusion->row.state == LEDGER_STATE_READY) {
        const char *id =
            play->world.has_branches ? conclusion->row.branch_id : conclusion->row.project_id;
        size_t number = world_thing(&play->world, id);
        must(alive(play, MAKER_COMMAND) == 1, "exactly one was made");
        must(number < WORLD_THINGS_MAX && world_is_alive(&play->world, number, play->world.now_ms),
             "the one that is told of");
        must(alive(play, MAKER_EARLIER) == 0, "what was left is gone");
        must(play->world.has_branches || play->is_kept, "its roles are made");
    }
}

void play_judge(Play *play)
{
    const Saga *saga = &play->owner->saga;
    static const uint8_t EPHEMERAL_KEY[CRYPTO_KEY_BYTES] = {1};
    Record record = {.topic = "t", .key = bytes_of("shop")};
    ConcludeContext context = {
        .outcome = {.source = "s",
                    .application_id = "shop",
                    .command_id = WORLD_COMMAND,
                    .traceparent = "",
                    .max_record_bytes = 1000000},
        .record = &record,
        .worker = "w",
        .ephemeral_key = EPHEMERAL_KEY,
        .sealed_key = bytes_of("k"),
    };
    Conclusion conclusion;
    saga_conclude(saga, &context, &conclusion);
    world_advance(&play->world, WORLD_SETTLE_MS); // everything has landed
    if (!saga->rejected && !saga->undoing) {
        judge_success(play, &conclusion);
    } else if (conclusion.row.state == LEDGER_STATE_GONE) {
        must(alive(play, MAKER_COMMAND) == 0, "everything was undone");
        must(saga->rejected || alive(play, MAKER_EARLIER) == 0, "nothing is left unnamed");
    }
    must(!play_is_outside(play) || conclusion.row.environment[0] == '\0', "no row is written");
    must(conclusion.row.state != LEDGER_STATE_NONE || play->row.state != LEDGER_STATE_DELETING,
         "no row stays as one that goes");
    must(!play->is_told || conclusion.row.state != LEDGER_STATE_GONE ||
             !endpoint_is_there(&play->world),
         "an endpoint that was made is undone");
    must(world_is_alive(&play->world, 0, play->world.now_ms), "the foreign one is as it was");
    conclusion_clear(&conclusion);
}
