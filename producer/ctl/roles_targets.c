#include "ctl/roles_targets.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"

enum { READ_MS = 30000 };

typedef struct Reading {
    RolesTargets *targets;
    const char *environment; // NULL: all
} Reading;

static void free_json(json_t **json)
{
    json_decref(*json);
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

void roles_targets_clear(RolesTargets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        free(targets->list[i].environment);
        wanted_clear(&targets->list[i].wanted);
    }
    for (size_t i = 0; i < targets->unready_count; i++) {
        free(targets->unready[i]);
    }
    free(targets->list);
    free(targets->unready);
    *targets = (RolesTargets){.list = NULL};
}

static RolesTarget *add(RolesTargets *targets, const char *environment)
{
    targets->list = alloc_resize(targets->list, (targets->count + 1) * sizeof(*targets->list));
    RolesTarget *target = &targets->list[targets->count++];
    *target = (RolesTarget){.environment = alloc_text(environment)};
    return target;
}

void roles_targets_add(RolesTargets *targets, const char *environment)
{
    (void)add(targets, environment);
}

static void add_unready(RolesTargets *targets, const char *environment)
{
    targets->unready =
        alloc_resize(targets->unready, (targets->unready_count + 1) * sizeof(*targets->unready));
    targets->unready[targets->unready_count++] = alloc_text(environment);
}

static ProvisionAccess access_of(const char *name)
{
    if (strcmp(name, "ACCESS_READ") == 0) {
        return PROVISION_ACCESS_READ;
    }
    return strcmp(name, "ACCESS_ADMIN") == 0 ? PROVISION_ACCESS_ADMIN : PROVISION_ACCESS_WRITE;
}

static void add_service(Wanted *wanted, const json_t *service)
{
    const char *name = text_at(service, "name");
    size_t index = 0;
    const json_t *access = NULL;
    wanted_add_service(wanted, name, NULL, PROVISION_ACCESS_WRITE);
    json_array_foreach(json_object_get(service, "databases"), index, access)
    {
        wanted_add_service(wanted, name, text_at(access, "database"),
                           access_of(text_at(access, "access")));
    }
}

// ProvisionStateVisitor
static bool visit(void *context, const ProvisionState *state)
{
    Reading *reading = context;
    if (state->kind != PROVISION_SUBJECT_ENVIRONMENT ||
        (reading->environment != NULL && strcmp(reading->environment, state->name) != 0)) {
        return true;
    }
    json_t *json CLEANUP(free_json) = json_loads(state->json, 0, NULL);
    const json_t *body = json_object_get(json, "environment");
    if (strcmp(text_at(body, "status"), "ENVIRONMENT_STATUS_READY") != 0) {
        add_unready(reading->targets, state->name);
        return true;
    }
    RolesTarget *target = add(reading->targets, state->name);
    target->imported = strcmp(text_at(body, "origin"), "ORIGIN_IMPORTED") == 0;
    size_t index = 0;
    const json_t *service = NULL;
    json_array_foreach(json_object_get(body, "services"), index, service)
    {
        add_service(&target->wanted, service);
    }
    return true;
}

bool roles_targets_read(RolesTargets *targets, ProvisionClient *client, const char *application_id,
                        const char *environment, ProvisionError *err)
{
    Reading reading = {.targets = targets, .environment = environment};
    return provision_client_read_states(client, application_id, READ_MS, visit, &reading, err);
}
