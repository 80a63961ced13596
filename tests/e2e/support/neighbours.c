#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/unconst.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/wait.h"
#include "support/world.h"

enum { TASK_SECONDS = 60, STOP_SECONDS = 60, SQL_BYTES = 2048, PATH_BYTES = 1024 };

const char *worker_program(void)
{
    const char *given = getenv("PROVISION_TEST_WORKER");
    return given == NULL ? PROVISION_WORKER : given;
}

static bool has_begun(void *context)
{
    Process *worker = context;
    return process_has_logged(worker, "has started") || process_has_ended(worker);
}

Process *worker_start(World *world, const char *name, const char *const *settings)
{
    const char *argv[PROCESS_ARGUMENTS_MAX] = {worker_program(), "--config",
                                               box_text("%s/worker.ini", world->dir), "--set",
                                               box_text("instance.id=%s-%s", world->name, name)};
    size_t count = 5;
    for (; settings != NULL && *settings != NULL; settings++) {
        assert_true(count < PROCESS_ARGUMENTS_MAX - 3);
        argv[count++] = "--set";
        argv[count++] = *settings;
    }
    argv[count++] = "run";
    assert_true(world->worker_count < WORLD_WORKERS_MAX);
    Process *worker = &world->workers[world->worker_count++];
    process_start(worker, argv, box_text("%s/%s.log", world->dir, name));
    wait_until(has_begun, worker, TASK_SECONDS, "the start of the worker, see %s", worker->log);
    return worker;
}

void worker_stop(Process *worker)
{
    if (!process_has_ended(worker)) {
        process_signal(worker, SIGTERM);
    }
    int status = process_wait(worker, STOP_SECONDS);
    if (status != 0) {
        fail_msg("the worker ended with %d, see %s", status, worker->log);
    }
}

int worker_task(World *world, const char *const *arguments)
{
    const char *argv[PROCESS_ARGUMENTS_MAX] = {worker_program(), "--config",
                                               box_text("%s/worker.ini", world->dir)};
    for (size_t count = 3; *arguments != NULL; arguments++) {
        assert_true(count < PROCESS_ARGUMENTS_MAX - 1);
        argv[count++] = *arguments;
    }
    return process_run(argv, box_text("%s/tasks.log", world->dir), TASK_SECONDS);
}

int worker_count_members(World *world)
{
    const struct rd_kafka_group_list *list = NULL;
    if (rd_kafka_list_groups(world->producer, world->name, &list, 5000) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return -1;
    }
    bool is_stable = list->group_cnt == 1 && strcmp(list->groups[0].state, "Stable") == 0;
    int count = is_stable ? list->groups[0].member_cnt : -1;
    rd_kafka_group_list_destroy(list);
    return count;
}

typedef struct Members {
    World *world;
    int wanted;
} Members;

static bool are_members_there(void *context)
{
    const Members *members = context;
    return worker_count_members(members->world) == members->wanted;
}

void worker_await_members(World *world, int members, int seconds)
{
    Members wanted = {world, members};
    wait_until(are_members_there, &wanted, seconds, "%d members in the group", members);
}

const char *ledger_value(World *world, const char *format, ...)
{
    char sql[SQL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(sql, sizeof(sql), format, arguments);
    va_end(arguments);
    assert_in_range(length, 1, sizeof(sql) - 1);
    PGresult *result = PQexec(world->ledger, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(world->ledger));
    }
    const char *value = box_text("%s", PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

int64_t ledger_unfinished(World *world)
{
    return strtoll(ledger_value(world, "SELECT count(*) FROM provision.command WHERE published_at "
                                       "IS NULL"),
                   NULL, 10);
}

Reply sandbox_state(World *world)
{
    Reply reply = box_call(&world->box, "GET", "/sandbox/state", NULL);
    assert_int_equal(reply.status, 200);
    assert_non_null(reply.json);
    return reply;
}

size_t sandbox_count_projects(World *world, const char *name)
{
    REPLY reply = sandbox_state(world);
    size_t count = 0;
    size_t i = 0;
    const json_t *project = NULL;
    json_array_foreach(box_find(reply.json, "projects"), i, project)
    {
        count += strcmp(box_string(project, "name"), name) == 0;
    }
    return count;
}

static size_t count_named(const json_t *branches, const char *name)
{
    size_t count = 0;
    size_t i = 0;
    const json_t *branch = NULL;
    json_array_foreach(branches, i, branch)
    {
        count += strcmp(box_string(branch, "name"), name) == 0;
    }
    return count;
}

size_t sandbox_count_branches(World *world, const char *project_id, const char *name)
{
    REPLY reply = sandbox_state(world);
    size_t i = 0;
    const json_t *project = NULL;
    json_array_foreach(box_find(reply.json, "projects"), i, project)
    {
        if (strcmp(box_string(project, "id"), project_id) == 0) {
            return count_named(box_find(project, "branches"), name);
        }
    }
    return 0;
}

int64_t sandbox_count_calls(World *world, const char *route)
{
    REPLY reply = sandbox_state(world);
    return json_integer_value(json_object_get(box_find(reply.json, "mutations"), route));
}

int64_t sandbox_count_changes(World *world)
{
    REPLY reply = sandbox_state(world);
    int64_t count = 0;
    const char *route = NULL;
    json_t *calls = NULL;
    json_object_foreach(unconst(box_find(reply.json, "mutations")), route, calls)
    {
        count += json_integer_value(calls);
    }
    return count;
}

int64_t sandbox_fault(World *world, const char *fault)
{
    return box_fault(&world->box, command_quote(fault));
}

void sandbox_clear_faults(World *world)
{
    assert_int_equal(box_status(&world->box, "DELETE", "/sandbox/faults", NULL), 204);
}

const char *sandbox_password(World *world, const char *project_id, const char *branch_id,
                             const char *role)
{
    Text path CLEANUP(text_clear) = TEXT_INIT(PATH_BYTES);
    text_printf(&path, "/projects/%s/branches/%s/roles/", project_id, branch_id);
    text_append_url(&path, role);
    text_append(&path, "/reveal_password");
    REPLY reply = box_call_as(&world->box, world->api_key, NULL, "GET", text_get(&path), NULL);
    if (reply.status == 404) {
        return NULL;
    }
    assert_int_equal(reply.status, 200);
    const char *password = box_text("%s", box_string(reply.json, "password"));
    world_add_secret(world, password);
    return password;
}
