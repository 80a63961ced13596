#include "support/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/wait.h"

enum { SECONDS = 60 };

#define VERDICT_PREFIX "SWEEP_VERDICT_"

static json_t *kept; // what tests have a look at until they end

// Lines that are JSON, and the others.
static void take_line(Sweep *sweep, const char *line, size_t length)
{
    json_t *json = json_loadb(line, length, 0, NULL);
    if (json != NULL) {
        json_array_append_new(sweep->events, json);
    } else {
        sweep->complaint = box_text("%s%.*s\n", sweep->complaint, (int)length, line);
    }
}

Sweep sweep_run(World *world, const char *const *arguments)
{
    const char *argv[PROCESS_ARGUMENTS_MAX] = {
        worker_program(), "--config", box_text("%s/worker.ini", world->dir), "sweep", "--json"};
    for (size_t count = 5; arguments != NULL && *arguments != NULL; arguments++) {
        argv[count++] = *arguments;
    }
    const char *log = box_text("%s/%s.log", world->dir, world_fresh("sweep"));
    Sweep sweep = {.events = json_array(), .complaint = ""};
    kept = kept == NULL ? json_array() : kept;
    json_array_append_new(kept, sweep.events);
    sweep.code = process_run(argv, log, 2 * SECONDS);
    char *text = process_read_log(log);
    for (const char *line = text; *line != '\0'; line += line[0] == '\n') {
        size_t length = strcspn(line, "\n");
        take_line(&sweep, line, length);
        line += length;
    }
    free(text);
    return sweep;
}

Sweep sweep_look(World *world)
{
    return sweep_run(world, NULL);
}

Sweep sweep_delete(World *world)
{
    return sweep_run(world, (const char *const[]){"--delete", NULL});
}

const json_t *sweep_of(const Sweep *sweep, const char *application)
{
    const json_t *found = NULL;
    size_t i = 0;
    const json_t *event = NULL;
    json_array_foreach(sweep->events, i, event)
    {
        const json_t *swept = json_object_get(event, "accountSwept");
        if (swept != NULL && strcmp(box_string(event, "applicationId"), application) == 0) {
            assert_null(found);
            found = swept;
        }
    }
    if (found == NULL) {
        fail_msg("%s was not swept: %s", application, sweep->complaint);
    }
    return found;
}

const json_t *sweep_finding(const Sweep *sweep, const char *application, const char *branch_id)
{
    size_t i = 0;
    const json_t *finding = NULL;
    json_array_foreach(json_object_get(sweep_of(sweep, application), "findings"), i, finding)
    {
        const char *id = json_string_value(json_object_get(finding, "branchId"));
        if (id != NULL && strcmp(id, branch_id) == 0) {
            return finding;
        }
    }
    return NULL;
}

const char *sweep_verdict(const Sweep *sweep, const char *application, const char *branch_id)
{
    const json_t *finding = sweep_finding(sweep, application, branch_id);
    return finding == NULL ? "" : box_string(finding, "verdict") + strlen(VERDICT_PREFIX);
}

size_t sweep_count_findings(const Sweep *sweep, const char *application)
{
    return json_array_size(json_object_get(sweep_of(sweep, application), "findings"));
}

typedef struct Awaited {
    World *world;
    const char *application;
    const char *branch_id;
    const char *verdict;
    Sweep sweep;
} Awaited;

static bool is_judged_so(void *context)
{
    Awaited *awaited = context;
    awaited->sweep = sweep_look(awaited->world);
    return strcmp(sweep_verdict(&awaited->sweep, awaited->application, awaited->branch_id),
                  awaited->verdict) == 0;
}

Sweep sweep_await(World *world, const char *application, const char *branch_id, const char *verdict)
{
    Awaited awaited = {world, application, branch_id, verdict, {.code = 0}};
    wait_until(is_judged_so, &awaited, SECONDS, "%s about %s", verdict, branch_id);
    return awaited.sweep;
}

int64_t sweep_mutations(World *world)
{
    REPLY reply = sandbox_state(world);
    int64_t count = 0;
    const char *route = NULL;
    json_t *calls = NULL;
    json_t *mutations = json_object_get(reply.json, "mutations");
    json_object_foreach(mutations, route, calls)
    {
        count += json_integer_value(calls);
    }
    return count;
}

static const char *find_in(const json_t *project, const char *name)
{
    size_t i = 0;
    const json_t *branch = NULL;
    json_array_foreach(json_object_get(project, "branches"), i, branch)
    {
        bool is_wanted = name == NULL ? json_object_get(branch, "parent_id") == NULL
                                      : strcmp(box_string(branch, "name"), name) == 0;
        if (is_wanted) {
            return box_text("%s", box_string(branch, "id"));
        }
    }
    return "";
}

const char *sweep_find_branch(World *world, const char *project_id, const char *name)
{
    REPLY reply = sandbox_state(world);
    size_t i = 0;
    const json_t *project = NULL;
    json_array_foreach(box_find(reply.json, "projects"), i, project)
    {
        if (strcmp(box_string(project, "id"), project_id) == 0) {
            return find_in(project, name);
        }
    }
    return "";
}

const char *sweep_find_root(World *world, const char *name, const char *but)
{
    REPLY reply = sandbox_state(world);
    size_t i = 0;
    const json_t *project = NULL;
    json_array_foreach(box_find(reply.json, "projects"), i, project)
    {
        if (strcmp(box_string(project, "name"), name) == 0 &&
            strcmp(box_string(project, "id"), but) != 0) {
            return find_in(project, NULL);
        }
    }
    return "";
}

bool sweep_branch_exists(World *world, const char *branch_id)
{
    REPLY reply = sandbox_state(world);
    return strstr(reply.text, box_text("\"%s\"", branch_id)) != NULL;
}
