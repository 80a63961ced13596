#include "endpoint.h"

#include "change.h"

static bool is_there_at(const World *world, int64_t at_ms)
{
    return world->endpoint_made_ms <= at_ms && at_ms < world->endpoint_deleted_ms;
}

bool endpoint_is_there(const World *world)
{
    return is_there_at(world, world->now_ms);
}

void endpoint_land(World *world, const NeonRequest *request, int64_t at_ms)
{
    if (request->route == NEON_ROUTE_CREATE_ENDPOINT && at_ms < world->endpoint_made_ms) {
        world->endpoint_made_ms = at_ms;
    }
    if (request->route == NEON_ROUTE_DELETE_ENDPOINT && is_there_at(world, at_ms)) {
        world->endpoint_deleted_ms = at_ms;
    }
}

static void append(const World *world, const char *before, const char *after, Text *text)
{
    text_printf(text,
                "%s{\"id\":\"ep-1\",\"branch_id\":\"b\",\"host\":\"h.x\",\"type\":"
                "\"read_write\",\"current_state\":\"idle\"",
                before);
    change_append_endpoint(world, text);
    text_printf(text, "}%s", after);
}

static int missing(Text *text)
{
    text_append(text, "{\"message\":\"not found\"}");
    return 404;
}

int endpoint_write(const World *world, const NeonRequest *request, Text *text)
{
    bool is_there = endpoint_is_there(world);
    if (request->route == NEON_ROUTE_LIST_ENDPOINTS) {
        if (is_there) {
            append(world, "{\"endpoints\":[", "]}", text);
        } else {
            text_append(text, "{\"endpoints\":[]}");
        }
        return 200;
    }
    if (request->route == NEON_ROUTE_CREATE_ENDPOINT && world->endpoint_made_ms != world->now_ms) {
        text_append(text, "{\"message\":\"read-write endpoint already exists\"}");
        return 409;
    }
    bool is_deleted =
        request->route == NEON_ROUTE_DELETE_ENDPOINT && world->endpoint_deleted_ms == world->now_ms;
    if (!is_there && !is_deleted) {
        return missing(text);
    }
    append(world, "{\"endpoint\":", ",\"operations\":[{\"id\":\"op-1\"}]}", text);
    return request->route == NEON_ROUTE_CREATE_ENDPOINT ? 201 : 200;
}
