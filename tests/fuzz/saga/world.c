#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "endpoint.h"

void must(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

uint8_t world_byte(World *world)
{
    if (world->size == 0) {
        return 0;
    }
    world->size--;
    return *world->bytes++;
}

size_t world_add(World *world, Maker maker, int64_t lands_at_ms)
{
    must(world->count < WORLD_THINGS_MAX, "few things are made");
    world->things[world->count] = (Thing){.maker = maker,
                                          .lands_at_ms = lands_at_ms,
                                          .deleted_at_ms = INT64_MAX,
                                          .is_under_way = true};
    return world->count++;
}

size_t world_thing(const World *world, const char *path)
{
    const char *id = strstr(path, world->has_branches ? "br-" : "p-");
    if (id == NULL) {
        return WORLD_THINGS_MAX;
    }
    size_t number = strtoul(strchr(id, '-') + 1, NULL, 10);
    return number < world->count ? number : WORLD_THINGS_MAX;
}

bool world_is_alive(const World *world, size_t number, int64_t at_ms)
{
    const Thing *thing = &world->things[number];
    return !thing->is_under_way && thing->lands_at_ms <= at_ms && at_ms < thing->deleted_at_ms;
}

static bool name_is_taken(const World *world, int64_t at_ms)
{
    for (size_t i = 1; world->has_branches && i < world->count; i++) {
        if (world_is_alive(world, i, at_ms)) {
            return true;
        }
    }
    return false;
}

static Thing *next_to_land(World *world)
{
    Thing *next = NULL;
    for (size_t i = 0; i < world->count; i++) {
        Thing *thing = &world->things[i];
        if (thing->is_under_way && thing->lands_at_ms <= world->now_ms &&
            (next == NULL || thing->lands_at_ms < next->lands_at_ms)) {
            next = thing;
        }
    }
    return next;
}

void world_advance(World *world, int64_t by_ms)
{
    world->now_ms += by_ms;
    for (Thing *thing = next_to_land(world); thing != NULL; thing = next_to_land(world)) {
        bool is_refused = name_is_taken(world, thing->lands_at_ms);
        thing->is_under_way = false;
        thing->lands_at_ms = is_refused ? INT64_MAX : thing->lands_at_ms;
    }
}

void world_land(World *world, const NeonRequest *request, int64_t at_ms)
{
    size_t number = world_thing(world, text_get(&request->path));
    bool creates =
        request->route == NEON_ROUTE_CREATE_PROJECT || request->route == NEON_ROUTE_CREATE_BRANCH;
    bool deletes =
        request->route == NEON_ROUTE_DELETE_PROJECT || request->route == NEON_ROUTE_DELETE_BRANCH;
    if (creates) {
        world_add(world, MAKER_COMMAND, at_ms);
        world_advance(world, 0);
    }
    if (deletes && number < WORLD_THINGS_MAX && world->things[number].deleted_at_ms > at_ms) {
        world->things[number].deleted_at_ms = at_ms;
    }
    change_land(world, request, at_ms);
    endpoint_land(world, request, at_ms);
    if (request->route == NEON_ROUTE_RESET_PASSWORD) {
        must(world->resets < WORLD_THINGS_MAX, "passwords are not reset for ever");
        world->reset_at_ms[world->resets++] = at_ms;
    }
}

// What a listing shows at this moment: for a while after a change it may be either.
static bool is_listed(World *world, size_t number)
{
    const Thing *thing = &world->things[number];
    bool alive = world_is_alive(world, number, world->now_ms);
    int64_t changed_ms = alive ? thing->lands_at_ms : thing->deleted_at_ms;
    bool lags = !thing->is_under_way && thing->lands_at_ms <= world->now_ms &&
                world->now_ms - changed_ms < WORLD_LAG_MS;
    return lags && world_byte(world) % 2 == 1 ? !alive : alive;
}

static const char *command_of(Maker maker)
{
    return maker == MAKER_COMMAND ? WORLD_COMMAND : WORLD_EARLIER;
}

static void append_branch(const World *world, size_t number, const char *name, Text *text)
{
    text_printf(text,
                "{\"id\":\"br-%zu\",\"project_id\":\"p-0\",\"name\":\"%s\",\"current_state\":"
                "\"ready\"%s,\"created_at\":\"2026-11-22T09:%02zu:00Z\"",
                number, name, world->has_branches && number > 0 ? ",\"parent_id\":\"br-0\"" : "",
                number % 60);
    if (number > 0) {
        change_append_branch(world, text);
    }
    text_append(text, "}");
}

static void append_mark_as(const World *world, size_t number, const char *key, Text *text)
{
    Maker maker = world->things[number].maker;
    if (maker == MAKER_FOREIGN) {
        text_append(text, "\"x\":{}");
        return;
    }
    text_printf(text,
                "\"%s\":{\"value\":{\"provisioner.installation\":\"" WORLD_INSTALLATION
                "\",\"provisioner.application\":\"shop\",\"provisioner.environment\":\"%s\""
                ",\"provisioner.command\":\"%s\"}}",
                key, world->environment, command_of(maker));
}

static void append_mark(const World *world, size_t number, Text *text)
{
    char key[32];
    (void)snprintf(key, sizeof key, "br-%zu", number);
    append_mark_as(world, number, key, text);
}

static void append_project(const World *world, size_t number, Text *text)
{
    text_printf(text,
                "{\"id\":\"p-%zu\",\"name\":\"shop-production\",\"region_id\":\"r\",\"pg_version\":"
                "17,\"created_at\":\"2026-11-22T09:%02zu:00Z\"",
                number, number % 60);
    change_append_project(world, text);
    text_append(text, "}");
}

static void list_projects(World *world, Text *text)
{
    bool first = true;
    text_append(text, "{\"projects\":[");
    for (size_t i = 0; i < world->count; i++) {
        if (is_listed(world, i)) {
            text_append(text, first ? "" : ",");
            append_project(world, i, text);
            first = false;
        }
    }
    text_append(text, "]}");
}

// Branches of p-0 with the parent, or the root branch of a project.
static int list_branches(World *world, const NeonRequest *request, Text *text)
{
    size_t number = world_thing(world, text_get(&request->path));
    size_t first = world->has_branches ? 1 : number;
    size_t end = world->has_branches ? world->count : number + 1;
    if (!world->has_branches &&
        (number == WORLD_THINGS_MAX || !world_is_alive(world, number, world->now_ms))) {
        text_append(text, "{\"message\":\"not found\"}");
        return 404;
    }
    bool listed[WORLD_THINGS_MAX] = {false};
    text_append(text, "{\"branches\":[");
    append_branch(world, world->has_branches ? 0 : number, "main", text);
    for (size_t i = first; world->has_branches && i < end; i++) {
        listed[i] = is_listed(world, i);
        if (listed[i]) {
            text_append(text, ",");
            append_branch(world, i, world->name, text);
        }
    }
    text_append(text, "],\"annotations\":{\"y\":{}");
    for (size_t i = first; i < end; i++) {
        if (!world->has_branches || listed[i]) {
            text_append(text, ",");
            append_mark(world, i, text);
        }
    }
    text_append(text, "}}");
    return 200;
}

static int created(const World *world, Text *text)
{
    size_t number = world->count - 1;
    const Thing *thing = &world->things[number];
    if (thing->maker != MAKER_COMMAND || thing->lands_at_ms != world->now_ms) {
        text_append(text, "{\"code\":\"BRANCH_ALREADY_EXISTS\",\"message\":\"exists\"}");
        return 409;
    }
    text_append(text, "{\"project\":");
    append_project(world, number, text);
    text_append(text, ",\"branch\":");
    append_branch(world, number, world->name, text);
    text_append(text, ",\"operations\":[{\"id\":\"op-1\"}]}");
    return 201;
}

static int deleted(const World *world, const NeonRequest *request, Text *text)
{
    size_t number = world_thing(world, text_get(&request->path));
    bool by_this =
        number < WORLD_THINGS_MAX && world->things[number].deleted_at_ms == world->now_ms;
    if (by_this) {
        text_append(text, "{\"deleted\":true}");
        return 200;
    }
    if (request->route == NEON_ROUTE_DELETE_BRANCH) {
        return 204;
    }
    text_append(text, "{\"message\":\"not found\"}");
    return 404;
}

static int reveal(const World *world, Text *text)
{
    if (!world->stores_passwords) {
        text_append(text, "{\"message\":\"passwords are not stored\"}");
        return 412;
    }
    size_t landed = 0;
    for (size_t i = 0; i < world->resets; i++) {
        landed += world->reset_at_ms[i] <= world->now_ms ? 1 : 0;
    }
    text_printf(text, "{\"password\":\"pw-%zu\"}", landed);
    return 200;
}

static int found(const World *world, const NeonRequest *request, Text *text)
{
    size_t number = world_thing(world, text_get(&request->path));
    bool is_branch =
        request->route != NEON_ROUTE_GET_PROJECT && request->route != NEON_ROUTE_UPDATE_PROJECT;
    bool is_thing = world->has_branches == is_branch;
    bool is_known = number < WORLD_THINGS_MAX;
    if (is_thing && (!is_known || !world_is_alive(world, number, world->now_ms))) {
        text_append(text, "{\"message\":\"not found\"}");
        return 404;
    }
    text_append(text, is_branch ? "{\"branch\":" : "{\"project\":");
    if (is_branch) {
        append_branch(world, number, world->name, text);
        text_append(text, ",");
        append_mark_as(world, is_known ? number : 0, "annotation", text);
    } else {
        append_project(world, 0, text);
    }
    text_append(text, "}");
    return 200;
}

static const char OPERATION[] =
    "{\"operation\":{\"id\":\"op-1\",\"action\":\"a\",\"status\":\"finished\"}}";

static const char *constant_reply(NeonRoute route)
{
    static const char *const REPLIES[NEON_ROUTE_COUNT_OF] = {
        [NEON_ROUTE_GET_AUTH] = "{\"account_id\":\"a\",\"auth_method\":\"api_key_org\"}",
        [NEON_ROUTE_LIST_ORGANIZATIONS] = "{\"organizations\":[]}",
        [NEON_ROUTE_LIST_REGIONS] = "{\"regions\":[{\"region_id\":\"r\"}]}",
        [NEON_ROUTE_LIST_DATABASES] = "{\"databases\":[{\"name\":\"d\",\"owner_name\":\"o\"}]}",
        [NEON_ROUTE_LIST_ROLES] = "{\"roles\":[{\"name\":\"o\"}]}",
        [NEON_ROUTE_RESET_PASSWORD] = "{\"role\":{\"name\":\"o\"}}",
        [NEON_ROUTE_GET_CONNECTION_URI] = "{\"uri\":\"postgresql://o:p@h.x/d\"}",
        [NEON_ROUTE_GET_OPERATION] = OPERATION,
    };
    must(REPLIES[route] != NULL, "a request that this world knows");
    return REPLIES[route];
}

static int write_reply(World *world, const NeonRequest *request, Text *text)
{
    switch ((int)request->route) {
    case NEON_ROUTE_LIST_PROJECTS:
        list_projects(world, text);
        return 200;
    case NEON_ROUTE_LIST_BRANCHES:
        return list_branches(world, request, text);
    case NEON_ROUTE_CREATE_PROJECT:
    case NEON_ROUTE_CREATE_BRANCH:
        return created(world, text);
    case NEON_ROUTE_DELETE_PROJECT:
    case NEON_ROUTE_DELETE_BRANCH:
        return deleted(world, request, text);
    case NEON_ROUTE_REVEAL_PASSWORD:
        return reveal(world, text);
    case NEON_ROUTE_GET_PROJECT:
    case NEON_ROUTE_UPDATE_PROJECT:
    case NEON_ROUTE_GET_BRANCH:
    case NEON_ROUTE_UPDATE_BRANCH:
    case NEON_ROUTE_RESTORE_BRANCH:
        return found(world, request, text);
    case NEON_ROUTE_LIST_ENDPOINTS:
    case NEON_ROUTE_CREATE_ENDPOINT:
    case NEON_ROUTE_GET_ENDPOINT:
    case NEON_ROUTE_UPDATE_ENDPOINT:
    case NEON_ROUTE_DELETE_ENDPOINT:
        return endpoint_write(world, request, text);
    default:
        text_append(text, constant_reply(request->route));
        return 200;
    }
}

NeonRawReply world_reply(World *world, const NeonRequest *request)
{
    CLEANUP(text_clear) Text text = TEXT_INIT(sizeof world->reply - 1);
    int status = write_reply(world, request, &text);
    must(text_ok(&text), "a reply that fits");
    memcpy(world->reply, text_get(&text), text.length + 1);
    return (NeonRawReply){.status = status,
                          .content_type = "application/json",
                          .request_id = "",
                          .retry_after = "",
                          .now_ms = world->now_ms,
                          .transport_error = "",
                          .body = bytes_of(world->reply)};
}

bool world_is_young(const World *world, const NeonRequest *request)
{
    size_t number = world_thing(world, text_get(&request->path));
    return request->route != NEON_ROUTE_LIST_BRANCHES &&
           request->route != NEON_ROUTE_LIST_PROJECTS && number < WORLD_THINGS_MAX &&
           world_is_alive(world, number, world->now_ms) &&
           world->now_ms - world->things[number].lands_at_ms < WORLD_LAG_MS;
}
