/*
 * One command from its claim to its conclusion, in a world that loses replies, lags and hands the
 * command to another worker; bytes decide where. What must hold is what architecture.md promises
 * under "Exactly once".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "contract/json.h"
#include "fate.h"
#include "play.h"
#include "roles/spec.h"
#include "scenes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DECISIONS_MAX = 20000, EFFECT_MS = 100 };

static Command *decode(const char *action)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(4096);
    text_printf(&text, "{\"commandId\":\"" WORLD_COMMAND "\",\"applicationId\":\"shop\",%s",
                action + 1);
    json_t *json = json_loads(text_get(&text), 0, NULL);
    CLEANUP(buffer_clear) Buffer packed = {NULL, 0};
    Error err = ERROR_INIT;
    must(json_to_message(json, &provisioning__v1__command__descriptor, &packed, &err), err.text);
    json_decref(json);
    Record record = {.topic = "t", .key = bytes_of("shop"), .value = buffer_view(&packed)};
    CommandRules rules = {.max_bytes = 4096};
    Rejection rejection;
    Command *command = command_decode(&record, &rules, &rejection);
    must(command != NULL, "a command");
    return command;
}

// ---- hand-overs

static void take_over(Play *play, bool former_lives, const Step *step, NeonReply *reply)
{
    Owner *former = play->owner;
    owner_free(play->former);
    play->former = NULL;
    if (former_lives) {
        former->step = step;
        former->reply = *reply;
        former->number = play->row.intent.number;
        play->former = former;
        *reply = (NeonReply){.meaning = NEON_UNKNOWN};
    } else {
        owner_free(former);
    }
    play->owner = row_claim(&play->row, &play->rules, play->world.now_ms);
}

// The former owner gets its reply, and closes its intent.
static void former_closes(Play *play)
{
    Owner *former = play->former;
    play->former = NULL;
    Answer answer = {.reply = &former->reply};
    Lesson lesson = saga_learn(&former->saga, former->step, &answer, owner_now(play->world.now_ms));
    if (lesson != LESSON_UNKNOWN && row_close(&play->row, former, former->number, false)) {
        play->unknown_until_ms = 0;
        SagaIntent *intent = &play->owner->saga.intent;
        if (intent->open && intent->foreign) {
            saga_intent_closed(&play->owner->saga, play->row.intent.result);
        }
    }
    owner_free(former);
}

// ---- effects

static void learn(Play *play, const Decision *decision, const Answer *answer)
{
    bool is_protected = decision->step->protection != PROTECTED_NOTHING;
    Owner *owner = play->owner;
    Lesson lesson = saga_learn(&owner->saga, decision->step, answer, owner_now(play->world.now_ms));
    if (!decision->mutating) {
        return;
    }
    if (lesson != LESSON_UNKNOWN) {
        must(row_close(&play->row, owner, play->row.intent.number, true), "one's own intent");
    } else if (!is_protected) {
        play->unknown_until_ms = play->row.settled_at_ms;
    }
}

static void call_neon(Play *play, const Decision *decision)
{
    play_check_request(play, decision);
    if (decision->mutating) {
        row_open(&play->row, play->owner, decision, play->world.now_ms);
    }
    Fate fate = fate_possible(fate_next(&play->world), play, decision);
    if (fate == FATE_UNSENT) {
        saga_not_sent(&play->owner->saga, owner_now(play->world.now_ms));
        must(row_close(&play->row, play->owner, play->row.intent.number, true), "one's own intent");
        return;
    }
    CLEANUP(neon_reply_clear) NeonReply reply = {.meaning = NEON_UNKNOWN};
    fate_meet(fate, play, &decision->effect.request, decision->mutating, &reply);
    if (fate == FATE_TAKEN_DONE || fate == FATE_TAKEN_LATER || fate == FATE_CRASH) {
        if (decision->mutating && decision->step->protection == PROTECTED_NOTHING) {
            play->unknown_until_ms = play->row.settled_at_ms;
        }
        take_over(play, decision->mutating && fate == FATE_TAKEN_DONE, decision->step, &reply);
        return;
    }
    play->is_told =
        play->is_told || (decision->effect.request.route == NEON_ROUTE_CREATE_ENDPOINT &&
                          reply.meaning == NEON_OK && fate == FATE_GOOD);
    Answer answer = {.reply = &reply};
    learn(play, decision, &answer);
}

// SQL that only reads.
static void plan_roles(Play *play, const Decision *decision)
{
    Error error = ERROR_INIT;
    CLEANUP(roles_report_clear) RolesReport report = ROLES_REPORT_INIT;
    must(!decision->mutating, "a plan has no intent");
    if (fate_next(&play->world) != FATE_GOOD) {
        error_set(&error, ERROR_UNAVAILABLE, "CONNECTION_LOST", "away");
    }
    learn(play, decision, &(Answer){.error = &error, .roles = &report});
}

// SQL under the branch's lock: done or not, told or not; now and then a newer fence was there.
static void run_roles(Play *play, const Decision *decision)
{
    Error error = ERROR_INIT;
    CLEANUP(roles_report_clear) RolesReport report = ROLES_REPORT_INIT;
    if (decision->effect.roles_mode == ROLES_MODE_PLAN) {
        plan_roles(play, decision);
        return;
    }
    must(decision->mutating, "changes have an intent");
    must(decision->effect.fence == play->fence, "what is changed is changed behind the last fence");
    row_open(&play->row, play->owner, decision, play->world.now_ms);
    Fate fate = fate_next(&play->world);
    bool is_done = fate == FATE_GOOD || fate == FATE_LOST_DONE || fate == FATE_TAKEN_DONE ||
                   fate == FATE_CRASH;
    play->is_applied = play->is_applied || is_done;
    if (fate == FATE_TAKEN_DONE || fate == FATE_TAKEN_LATER || fate == FATE_CRASH) {
        NeonReply none = {.meaning = NEON_UNKNOWN};
        take_over(play, false, NULL, &none);
        return;
    }
    if (fate == FATE_LAGS) {
        error_set(&error, ERROR_CONFLICT, "ROLES_FENCED", "later");
        report.fence_seen = play->fence + 7;
    } else if (fate == FATE_DENIED) {
        error_set(&error, ERROR_CONFLICT, "ROLES_FAILED", "no");
    } else if (fate != FATE_GOOD) {
        error_set(&error, ERROR_UNAVAILABLE, "CONNECTION_LOST", "away");
    } else {
        report.passwords_set = roles_spec_logins(decision->effect.roles_spec);
    }
    learn(play, decision, &(Answer){.error = &error, .roles = &report});
}

// Now and then the ledger is another one, or knows better than the command that was sent.
static void judge(Play *play, const Decision *decision)
{
    static const char *const SAYS[] = {"{}", "{\"known\":true}",
                                       "{\"owner\":\"blog/pr\",\"state\":\"ready\"}"};
    uint8_t byte = world_byte(&play->world) % 16;
    bool is_orphan = byte < 12 && !play->is_inhabited;
    const char *action = play->world.has_branches ? "BranchEnvironment" : "CreateEnvironment";
    json_t *answer =
        json_pack("{s:s, s:s, s:I, s:[], s:[]}", "recorded", "1", "present", byte == 12 ? "2" : "1",
                  "now_ms", (json_int_t)INT64_C(1895334820000), "marks", "expired");
    for (size_t i = 0; i < json_array_size(decision->effect.names); i++) {
        json_t *mark = byte < 12 ? json_pack("{s:b, s:b, s:b, s:s, s:s*}", "known", 1, "finished",
                                             1, "settled", 1, "action", action, "inhabitant",
                                             play->is_inhabited ? "blog/pr" : NULL)
                                 : json_loads(SAYS[byte % 3], 0, NULL);
        json_array_append_new(json_object_get(answer, "marks"), mark);
    }
    play->is_free = play->is_condemned && is_orphan;
    play->is_known = byte < 12;
    play->has_strangers = play->has_strangers || byte >= 12;
    learn(play, decision, &(Answer){.judged = answer});
    json_decref(answer);
}

static void perform(Play *play, const Decision *decision)
{
    world_advance(&play->world, EFFECT_MS);
    Error error = ERROR_INIT;
    Answer answer = {.error = &error};
    static const LedgerDependent dependents[SAGA_DEPENDENTS_MAX] = {
        {.application_id = "blog", .environment = "pr", .branch_id = "br-0"}};
    switch (decision->effect.kind) {
    case EFFECT_NEON:
        call_neon(play, decision);
        break;
    case EFFECT_LOGIN:
        if (fate_next(&play->world) != FATE_GOOD) {
            error_set(&error, ERROR_UNAVAILABLE, "PG", "not yet");
        }
        learn(play, decision, &answer);
        break;
    case EFFECT_MARK:
        row_mark(&play->row, &decision->effect);
        learn(play, decision, &answer);
        break;
    case EFFECT_STOP: // of CancelCommand, which isn't played here
        must(false, "no stop");
        break;
    case EFFECT_ROLES:
        run_roles(play, decision);
        break;
    case EFFECT_SECRETS:
        play->fence =
            play->fence + 1 > decision->effect.fence ? play->fence + 1 : decision->effect.fence;
        answer.fence = play->fence;
        learn(play, decision, &answer);
        break;
    case EFFECT_KEEP_SECRETS:
        must(play->is_applied, "no password is kept as set that isn't");
        play->is_kept = true;
        learn(play, decision, &answer);
        break;
    case EFFECT_JUDGE:
        judge(play, decision);
        break;
    case EFFECT_CONDEMN:
        play->is_condemned = true;
        play->is_free = false;
        learn(play, decision, &answer);
        break;
    case EFFECT_PASSWORD: // of a role made by SQL, which isn't played here
        must(false, "no such role");
        break;
    case EFFECT_DEPENDENTS:
        answer.dependents = dependents;
        answer.dependent_count = play_is_inhabited(play, decision->effect.project_id) ? 1 : 0;
        learn(play, decision, &answer);
        break;
    }
}

// ---- the play

static void wait_for(Play *play, const Decision *decision)
{
    must(decision->wait_ms > 0, "a wait that takes time");
    world_advance(&play->world, decision->wait_ms);
    uint8_t byte = world_byte(&play->world);
    if (play->former != NULL && byte % 4 == 1) {
        former_closes(play);
    } else if (byte % 16 == 2) {
        NeonReply none = {.meaning = NEON_UNKNOWN};
        take_over(play, false, NULL, &none);
    } else if (byte % 16 == 3) {
        must(text_copy(play->row.stop, sizeof play->row.stop, "cancelled"), "a stop");
        saga_stop(&play->owner->saga, "cancelled", WORLD_EARLIER);
    }
}

static bool play_on(Play *play)
{
    Decision decision;
    saga_next(&play->owner->saga, owner_now(play->world.now_ms), &decision);
    bool goes_on = true;
    switch (decision.kind) {
    case DECISION_EFFECT:
        perform(play, &decision);
        break;
    case DECISION_WAIT:
        wait_for(play, &decision);
        break;
    case DECISION_SAVE:
        row_save(&play->row, play->owner);
        break;
    case DECISION_CONCLUDE:
        play_judge(play);
        goes_on = false;
        break;
    }
    decision_clear(&decision);
    return goes_on;
}

static void set_scene(Play *play, const Scene *scene)
{
    World *world = &play->world;
    bool is_preview = play_is_preview(play);
    world->has_branches = scene->has_branches;
    world->environment = is_preview ? "pr:7" : "production";
    world->name = is_preview ? "preview/pr-7" : "shop-production";
    world->expires = is_preview && play_is_in_place(play);
    uint8_t byte = world_byte(world);
    world->stores_passwords = byte % 2 == 0;
    world_add(world, MAKER_FOREIGN, 0); // a project of the same name, or the parent
    for (size_t i = 0; i < scene->things; i++) {
        world_add(world, MAKER_EARLIER, 0);
    }
    if (byte % 4 >= 2) {
        play->row.unsettled_earlier_at_ms = world->now_ms + 50000;
    }
    if (byte % 8 >= 4 && scene->has_branches && !play_is_delete(play)) {
        world_add(world, MAKER_FOREIGN, 0); // holds the name
    }
    play->is_inhabited =
        byte % 16 >= 8 && (play_is_import(play) || (!scene->has_branches && scene->things > 0));
    world->endpoint_made_ms = play_is_import(play) && byte % 64 < 48 ? INT64_MAX : 0;
    world->endpoint_deleted_ms = INT64_MAX;
    world_advance(world, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Play play = {.world = {.bytes = data, .size = size, .now_ms = 1000000}};
    const Scene *scene = scenes_choose(world_byte(&play.world));
    Command *command = decode(scene->action);
    play.rules = (SagaRules){.installation = WORLD_INSTALLATION,
                             .poll_ms = 1000,
                             .listing_lag_ms = WORLD_LAG_MS,
                             .operation_timeout_ms = 300000,
                             .max_wait_ms = 900000,
                             .max_age_ms = 86400000,
                             .memory_ms = 172800000,
                             .login_attempts = 3,
                             .crash_limit = 5,
                             .check_login = true,
                             .reveal_recipients = SCENES_RECIPIENTS,
                             .roles_prefix = "encore"};
    row_begin(&play.row, scene, command);
    set_scene(&play, scene);
    play.owner = row_claim(&play.row, &play.rules, play.world.now_ms);
    size_t decisions = 0;
    while (play_on(&play)) {
        decisions++;
        must(decisions < DECISIONS_MAX, "an end");
    }
    owner_free(play.owner);
    owner_free(play.former);
    row_end(&play.row);
    command_free(command);
    return 0;
}
