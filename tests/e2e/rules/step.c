#include "rules/step.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/uuid.h"
#include "rules/parcel.h"
#include "rules/words.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/wait.h"

enum { REST_SECONDS = 30 };

static bool is_delivered(void *context)
{
    const World *world = context;
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(world->producer);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 0);
    while (event != NULL) {
        rd_kafka_event_destroy(event);
        event = rd_kafka_queue_poll(queue, 0);
    }
    rd_kafka_queue_destroy(queue);
    return rd_kafka_outq_len(world->producer) == 0;
}

void step_flush(World *world)
{
    wait_until(is_delivered, world, REST_SECONDS, "all commands to be delivered");
}

// Whose the command is.
static const char *sender_of(const Fixture *fixture, const char *command)
{
    return words_has(command, "neighbour") ? table_get(fixture->facts, "neighbour")
                                           : fixture->application;
}

// Members that the command doesn't name itself.
static const char *complete(const char *command, const char *application, const char *id,
                            const char *members)
{
    bool is_untimed = words_has(command, "untimed") || strstr(members, "\"requestedAt\"") != NULL;
    bool is_named = strstr(members, "\"applicationId\"") != NULL;
    bool has_id = strncmp(members, "\"commandId\"", strlen("\"commandId\"")) == 0;
    return box_text("%s%s%s%s", has_id ? "" : box_text("\"commandId\": \"%s\", ", id),
                    is_named ? "" : box_text("\"applicationId\": \"%s\", ", application),
                    is_untimed ? "" : box_text("\"requestedAt\": \"%s\", ", fixture_time(0)),
                    members);
}

// One of its own, by which its dead letter is found, where the command's is none.
static const char *id_of(const char *members)
{
    static const char ID[] = "\"commandId\": \"";
    const char *given = strncmp(members, ID, sizeof(ID) - 1) == 0 ? members + sizeof(ID) - 1 : "";
    bool has_id = strcspn(given, "\"") == UUID_TEXT_BYTES - 1;
    return has_id ? box_text("%.*s", UUID_TEXT_BYTES - 1, given) : command_new_id();
}

const char *step_send(Fixture *fixture, const char *command)
{
    fixture->sender = sender_of(fixture, command);
    const char *members = fixture_fill(fixture, words_skip(command));
    if (members == NULL) {
        return NULL;
    }
    const char *id = id_of(members);
    parcel_send(fixture->world, command, fixture->sender, id,
                complete(command, fixture->sender, id, members));
    (void)is_delivered(fixture->world); // reports would fill the queue
    return id;
}

static void run_command(Fixture *fixture, const Step *step)
{
    const char *id = step_send(fixture, step->text);
    if (id != NULL && step->as != NULL) {
        fixture_set(fixture, box_text("%s.command", step->as), id);
    }
    if (step->kind == STEP_RUN) {
        fixture->waiting_id = id;
    }
}

static void learn_made(Fixture *fixture, const char *as, const json_t *reply)
{
    static const char *const MADE[] = {"project", "branch"};
    for (size_t i = 0; i < sizeof(MADE) / sizeof(MADE[0]); i++) {
        const json_t *id = box_find(reply, box_text("%s.id", MADE[i]));
        if (json_is_string(id)) {
            fixture_set(fixture, box_text("%s.%s", as, MADE[i]), json_string_value(id));
        }
    }
}

static Reply call_as_maker(const Fixture *fixture, const char *method, const char *path,
                           const char *body)
{
    return box_call_as(&fixture->world->box, fixture_key(fixture, "maker"), NULL, method, path,
                       body);
}

typedef struct Busy {
    const Fixture *fixture;
    const char *project;
} Busy;

static bool is_at_rest(void *context)
{
    const Busy *busy = context;
    REPLY reply = call_as_maker(busy->fixture, "GET",
                                box_text("/projects/%s/operations", busy->project), NULL);
    size_t i = 0;
    const json_t *operation = NULL;
    json_array_foreach(box_find(reply.json, "operations"), i, operation)
    {
        if (strcmp(box_string(operation, "status"), "finished") != 0) {
            return false;
        }
    }
    return true; // a project that is gone, too
}

static void await_operations(const Fixture *fixture, const char *path, const json_t *reply)
{
    static const char PROJECTS[] = "/projects/";
    const json_t *made = box_find(reply, "project.id");
    const char *rest = path + sizeof(PROJECTS) - 1;
    Busy busy = {fixture, json_is_string(made) ? json_string_value(made)
                                               : box_text("%.*s", (int)strcspn(rest, "/"), rest)};
    wait_until(is_at_rest, &busy, REST_SECONDS, "the operations of %s", busy.project);
}

static void call_api(Fixture *fixture, const Step *step)
{
    const char *call = fixture_fill(fixture, step->text);
    const char *body = step->more == NULL ? NULL : fixture_fill(fixture, step->more);
    if (fixture->problem != NULL) {
        return;
    }
    size_t method = strcspn(call, " ");
    REPLY reply =
        call_as_maker(fixture, box_text("%.*s", (int)method, call), call + method + 1, body);
    if (reply.status >= 300) {
        fixture->problem = box_text("%s: %ld %.200s", call, reply.status, reply.text);
        return;
    }
    if (step->as != NULL) {
        learn_made(fixture, step->as, reply.json);
    }
    await_operations(fixture, call + method + 1, reply.json);
}

static void add_project_key(Fixture *fixture, const Step *step)
{
    const char *project = fixture_fill(fixture, step->text);
    REPLY reply = box_call(&fixture->world->box, "POST", "/sandbox/keys",
                           box_text("{\"key\": \"%s\", \"kind\": \"project\", \"account_id\": "
                                    "\"%s\", \"organizations\": [\"%s\"], \"project_id\": \"%s\"}",
                                    fixture_key(fixture, step->as), fixture_account(fixture, 0),
                                    fixture_account(fixture, 0), project));
    assert_int_equal(reply.status, 201);
}

static void set_fault(Fixture *fixture, const Step *step)
{
    const char *fault = fixture_fill(fixture, step->text);
    if (fault != NULL) {
        (void)sandbox_fault(fixture->world, fault);
    }
}

// Quotes of SQL are single ones.
static const char *ask_ledger(Fixture *fixture, const char *sql)
{
    const char *filled = fixture_fill(fixture, sql);
    if (filled == NULL) {
        return "";
    }
    char *text = alloc_text(filled);
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '"') {
            *c = '\'';
        }
    }
    const char *value = ledger_value(fixture->world, "%s", text);
    free(text);
    return value;
}

static void run_sql(Fixture *fixture, const Step *step)
{
    if (strcmp(ask_ledger(fixture, box_text("%s RETURNING 1", step->text)), "1") != 0) {
        fixture->problem = box_text("no row: %s", step->text);
    }
}

bool step_take(Fixture *fixture, const Step *step)
{
    switch (step->kind) {
    case STEP_RUN:
    case STEP_START:
        run_command(fixture, step);
        return true;
    case STEP_API:
        call_api(fixture, step);
        return true;
    case STEP_KEY:
        add_project_key(fixture, step);
        return true;
    case STEP_FAULT:
        set_fault(fixture, step);
        return true;
    case STEP_SQL:
        run_sql(fixture, step);
        return true;
    case STEP_UNTIL:
        return strcmp(ask_ledger(fixture, step->text), "t") == 0;
    case STEP_END:
        break;
    }
    return true;
}
