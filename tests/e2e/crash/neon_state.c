#include "crash/neon_state.h"

#include <string.h>

#include "base/unconst.h"
#include "crash/catalog_state.h"
#include "support/cmocka.h"

static const json_t *branch_with_id(const json_t *branches, const char *id)
{
    size_t i = 0;
    const json_t *branch = NULL;
    json_array_foreach(branches, i, branch)
    {
        if (strcmp(box_string(branch, "id"), id) == 0) {
            return branch;
        }
    }
    fail_msg("no branch %s", id);
    return NULL;
}

// {"role": whether it has the password of the parent's role}
static json_t *read_passwords(World *world, const json_t *project, const json_t *branch,
                              const json_t *parent)
{
    json_t *inherited = json_object();
    size_t i = 0;
    const json_t *role = NULL;
    json_array_foreach(box_find(branch, "roles"), i, role)
    {
        const char *project_id = box_string(project, "id");
        const char *name = json_string_value(role);
        const char *own = sandbox_password(world, project_id, box_string(branch, "id"), name);
        const char *old = sandbox_password(world, project_id, box_string(parent, "id"), name);
        json_object_set_new(inherited, name,
                            json_boolean(own != NULL && old != NULL && strcmp(own, old) == 0));
    }
    return inherited;
}

static const char *const SETTINGS[] = {"autoscaling_limit_min_cu", "autoscaling_limit_max_cu",
                                       "suspend_timeout_seconds"};

static json_t *read_settings(const json_t *endpoint)
{
    json_t *settings = json_object();
    for (size_t i = 0; i < sizeof(SETTINGS) / sizeof(SETTINGS[0]); i++) {
        json_object_set(settings, SETTINGS[i], unconst(box_find(endpoint, SETTINGS[i])));
    }
    return settings;
}

// What only the API tells: whether it was reset, and in how many hours it expires.
static void read_life(World *world, const char *path, json_t *found)
{
    REPLY reply = box_call_as(&world->box, world->api_key, NULL, "GET", path, NULL);
    assert_int_equal(reply.status, 200);
    const json_t *expires = box_find(reply.json, "branch.expires_at");
    json_object_set_new(found, "was_reset",
                        json_boolean(box_find(reply.json, "branch.last_reset_at") != NULL));
    json_object_set_new(
        found, "expires_in_hours",
        expires == NULL
            ? json_null()
            : json_string(ledger_value(
                  world, "SELECT round(extract(epoch FROM '%s'::timestamptz - now()) / 3600)",
                  json_string_value(expires))));
}

const char *neon_state_environment(World *world, const char *application, const json_t *project,
                                   const json_t *branch)
{
    return ledger_value(
        world,
        "SELECT environment FROM provision.environment WHERE application_id = '%s' AND state <> "
        "'gone' AND project_id = '%s' AND branch_id = '%s'",
        application, box_string(project, "id"), box_string(branch, "id"));
}

static json_t *read_branch(World *world, const char *application, const json_t *project,
                           const json_t *branch)
{
    const json_t *parent_id = box_find(branch, "parent_id");
    const char *known_as = neon_state_environment(world, application, project, branch);
    json_t *found = json_pack(
        "{s:s, s:s, s:O, s:O, s:O, s:O, s:o}", "environment", known_as, "name",
        box_string(branch, "name"), "default", box_find(branch, "default"), "roles",
        box_find(branch, "roles"), "databases", box_find(branch, "databases"), "annotations",
        box_find(branch, "annotations"), "endpoint", read_settings(box_find(branch, "endpoint")));
    read_life(
        world,
        box_text("/projects/%s/branches/%s", box_string(project, "id"), box_string(branch, "id")),
        found);
    if (parent_id != NULL) {
        const json_t *parent =
            branch_with_id(box_find(project, "branches"), json_string_value(parent_id));
        json_object_set_new(found, "parent", json_string(box_string(parent, "name")));
        json_object_set_new(found, "inherited", read_passwords(world, project, branch, parent));
    }
    if (CRASH_BY_SQL) {
        json_object_set_new(found, "catalogs", catalog_state_read(world, project, branch));
    }
    return found;
}

static json_t *read_project(World *world, const char *application, const json_t *project)
{
    json_t *branches = json_array();
    size_t i = 0;
    const json_t *branch = NULL;
    json_array_foreach(box_find(project, "branches"), i, branch)
    {
        json_array_append_new(branches, read_branch(world, application, project, branch));
    }
    REPLY reply = box_call_as(&world->box, world->api_key, NULL, "GET",
                              box_text("/projects/%s", box_string(project, "id")), NULL);
    assert_int_equal(reply.status, 200);
    return json_pack("{s:s, s:O, s:o}", "name", box_string(project, "name"), "retention",
                     box_find(reply.json, "project.history_retention_seconds"), "branches",
                     branches);
}

bool neon_state_is_of(const char *application, const json_t *project)
{
    const char *prefix = box_text("%s-", application);
    return strncmp(box_string(project, "name"), prefix, strlen(prefix)) == 0;
}

json_t *neon_state_read(World *world, const char *application, const json_t *state)
{
    json_t *projects = json_array();
    size_t i = 0;
    const json_t *project = NULL;
    json_array_foreach(box_find(state, "projects"), i, project)
    {
        if (neon_state_is_of(application, project)) {
            json_array_append_new(projects, read_project(world, application, project));
        }
    }
    return projects;
}
