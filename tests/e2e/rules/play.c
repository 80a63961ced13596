#include "rules/play.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "rules/parcel.h"
#include "rules/step.h"
#include "support/cmocka.h"
#include "support/wait.h"

enum { AT_ONCE = 48, POLL_MS = 20, FIXTURES_MAX = 600, SHARED_BY = 12 };

struct Play {
    World *world;
    Recipient recipient;
    Trial *trials;
    size_t trial_count;
    Fixture *fixtures;
    size_t fixture_count;
    size_t opened;
    size_t read;       // records of the reader
    int64_t last_call; // of the sandbox's list
    Table *accounts;   // of Neon: whose calls they are
    Table *waiting;    // command id, or the sender of the record: fixture
};

// ---- who shares an application

// A record whose id can't be read is told from others by its application alone.
static bool is_harmless(const Rule *rule)
{
    return rule->calls == 0 && strcmp(rule->event, "CommandRejected") == 0 &&
           !parcel_is_bent(rule->command);
}

static Fixture *add_fixture(Play *play, const char *state)
{
    assert_true(play->fixture_count < FIXTURES_MAX);
    const char *application = box_text("%s-%zu", state, play->fixture_count);
    Fixture *fixture = &play->fixtures[play->fixture_count++];
    fixture_init(fixture, play->world, application, state_find(state));
    fixture->recipient = &play->recipient;
    fixture->trials = alloc_zeroed(play->trial_count, sizeof(Trial *));
    for (size_t i = 0; i < FIXTURE_ACCOUNTS; i++) {
        (void)table_put(play->accounts, fixture_account(fixture, i), fixture);
    }
    return fixture;
}

static Fixture *fixture_for(Play *play, Table *shared, const Rule *rule)
{
    Fixture *fixture = is_harmless(rule) ? table_get(shared, rule->state) : NULL;
    if (fixture == NULL || fixture->trial_count == SHARED_BY) {
        fixture = add_fixture(play, rule->state);
    }
    if (is_harmless(rule)) {
        (void)table_put(shared, rule->state, fixture);
    }
    return fixture;
}

Play *play_new(World *world, const Rule *const *rules, size_t count)
{
    Table *shared CLEANUP(table_free_at) = table_new();
    Play *play = alloc_zeroed(1, sizeof(*play));
    *play = (Play){.world = world,
                   .recipient = credentials_recipient(),
                   .trials = alloc_zeroed(count, sizeof(Trial)),
                   .trial_count = count,
                   .fixtures = alloc_zeroed(FIXTURES_MAX, sizeof(Fixture)),
                   .accounts = table_new(),
                   .waiting = table_new()};
    world_add_secret(world, play->recipient.private_hex);
    for (size_t i = 0; i < count; i++) {
        Fixture *fixture = fixture_for(play, shared, rules[i]);
        play->trials[i] = (Trial){.rule = rules[i], .fixture = fixture};
        fixture->trials[fixture->trial_count++] = &play->trials[i];
    }
    return play;
}

void play_free(Play *play)
{
    for (size_t i = 0; i < play->fixture_count; i++) {
        fixture_clear(&play->fixtures[i]);
    }
    table_free(play->accounts);
    table_free(play->waiting);
    free(play->fixtures);
    free(play->trials);
    free(play);
}

const char *play_recipients(const Play *play)
{
    const char *list = "";
    for (size_t i = 0; i < play->trial_count; i++) {
        const Trial *trial = &play->trials[i];
        bool reveals = strstr(trial->rule->command, "<recipient>") != NULL;
        if (reveals && strstr(list, box_text(" %s=", trial->fixture->application)) == NULL) {
            list =
                box_text("%s %s=%s", list, trial->fixture->application, play->recipient.public_hex);
        }
    }
    return list;
}

const Trial *play_trial(const Play *play, size_t index)
{
    assert_true(index < play->trial_count);
    return &play->trials[index];
}

// ---- what the sandbox has seen

static void count_call(Play *play, const json_t *call)
{
    Fixture *fixture = table_get(play->accounts, box_string(call, "account"));
    bool mutates = strncmp(box_string(call, "route"), "GET ", 4) != 0;
    if (fixture != NULL && mutates && box_integer(call, "status") != 423) {
        fixture->calls++;
    }
}

static void count_calls(Play *play)
{
    REPLY reply = box_call(&play->world->box, "GET",
                           box_text("/sandbox/calls?since=%" PRId64, play->last_call), NULL);
    size_t i = 0;
    const json_t *call = NULL;
    json_array_foreach(box_find(reply.json, "calls"), i, call)
    {
        count_call(play, call);
    }
    play->last_call = box_integer(reply.json, "last");
}

// What came after the last outcome counts as that rule's, too.
static void charge_late_calls(Fixture *fixture)
{
    if (fixture->trials_done > 0 && !fixture->is_left_alone) {
        fixture->trials[fixture->trials_done - 1]->calls += fixture->calls - fixture->calls_judged;
    }
    fixture->calls_judged = fixture->calls;
}

// ---- steps, and rules behind them

static void try_rule(Play *play, Fixture *fixture, Trial *trial)
{
    count_calls(play);
    charge_late_calls(fixture);
    trial->command_id = step_send(fixture, trial->rule->command);
    trial->application = fixture->sender;
    fixture->waiting_id = trial->command_id;
}

static bool is_over(const Fixture *fixture)
{
    return fixture->problem != NULL ||
           (fixture->waiting_id == NULL && fixture->steps_done == fixture->step_count &&
            fixture->trials_done == fixture->trial_count);
}

static void advance(Play *play, Fixture *fixture)
{
    while (!is_over(fixture) && fixture->waiting_id == NULL) {
        if (fixture->steps_done < fixture->step_count) {
            if (!step_take(fixture, &fixture->steps[fixture->steps_done])) {
                return;
            }
            fixture->steps_done += fixture->waiting_id == NULL;
        } else {
            try_rule(play, fixture, fixture->trials[fixture->trials_done]);
        }
    }
    if (fixture->problem == NULL && fixture->waiting_id != NULL) {
        (void)table_put(play->waiting, fixture->waiting_id, fixture);
        (void)table_put(play->waiting, fixture->sender, fixture);
    }
}

// ---- outcomes

static void end_step(Fixture *fixture, const Seen *seen)
{
    const Step *step = &fixture->steps[fixture->steps_done++];
    if (strcmp(seen_type(seen), step->more) != 0) {
        char *text = json_dumps(seen->json, JSON_COMPACT);
        fixture->problem = box_text("on the way to the state: %.200s: %.2000s", step->text, text);
        free(text);
    }
}

static void take_outcome(Play *play, Fixture *fixture, const Seen *seen)
{
    (void)table_remove(play->waiting, fixture->waiting_id);
    (void)table_remove(play->waiting, fixture->sender);
    fixture->waiting_id = NULL;
    fixture_learn(fixture, seen);
    if (fixture->steps_done < fixture->step_count) {
        end_step(fixture, seen);
        return;
    }
    Trial *trial = fixture->trials[fixture->trials_done++];
    count_calls(play);
    trial->calls = fixture->calls - fixture->calls_judged;
    fixture->calls_judged = fixture->calls;
    trial->outcome = seen;
}

// Whose outcome it is: by the command's id, or by the application where no id could be read.
static Fixture *waiting_for(const Play *play, const Seen *seen)
{
    const char *id = seen_text(seen, "commandId");
    return seen_is_outcome(seen)
               ? table_get(play->waiting, id[0] != '\0' ? id : seen_text(seen, "applicationId"))
               : NULL;
}

static void take_records(Play *play)
{
    Reader *reader = play->world->reader;
    reader_poll(reader, POLL_MS);
    for (; play->read < reader_count(reader); play->read++) {
        const Seen *seen = reader_at(reader, play->read);
        Fixture *fixture = waiting_for(play, seen);
        if (fixture != NULL) {
            take_outcome(play, fixture, seen);
        }
    }
}

static size_t turn(Play *play)
{
    size_t active = 0;
    for (size_t i = 0; i < play->opened; i++) {
        advance(play, &play->fixtures[i]);
        active += !is_over(&play->fixtures[i]);
    }
    for (; active < AT_ONCE && play->opened < play->fixture_count; play->opened++, active++) {
        fixture_open(&play->fixtures[play->opened]);
    }
    return active;
}

static void note_unfinished(Play *play)
{
    for (size_t i = 0; i < play->fixture_count; i++) {
        Fixture *fixture = &play->fixtures[i];
        if (!is_over(fixture)) {
            fixture->problem =
                box_text("nothing more came in time, at step %zu of %zu, rule %zu, command %s",
                         fixture->steps_done, fixture->step_count, fixture->trials_done,
                         fixture->waiting_id == NULL ? "none" : fixture->waiting_id);
        }
    }
}

void play_run(Play *play, int seconds)
{
    int64_t deadline_ms = wait_now_ms() + seconds * 1000LL;
    while (turn(play) > 0 && wait_now_ms() < deadline_ms) {
        take_records(play);
    }
    note_unfinished(play);
    step_flush(play->world);
    reader_read_to_end(play->world->reader);
    count_calls(play);
    for (size_t i = 0; i < play->fixture_count; i++) {
        charge_late_calls(&play->fixtures[i]);
    }
}
