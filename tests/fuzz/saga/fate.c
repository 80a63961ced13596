#include "fate.h"

Fate fate_next(World *world)
{
    uint8_t byte = world_byte(world);
    return byte < 128 ? FATE_GOOD : (Fate)(byte % FATE_COUNT_OF);
}

static void say(NeonReply *reply, int status, const char *body)
{
    NeonRawReply raw = {.status = status,
                        .content_type = "application/json",
                        .request_id = "",
                        .retry_after = "",
                        .transport_error = "reset",
                        .body = bytes_of(body)};
    neon_reply_clear(reply);
    neon_reply_read(&raw, reply);
}

static void read_good(Play *play, const NeonRequest *request, NeonReply *reply)
{
    NeonRawReply raw = world_reply(&play->world, request);
    neon_reply_clear(reply);
    neon_reply_read(&raw, reply);
}

void fate_meet(Fate fate, Play *play, const NeonRequest *request, bool mutating, NeonReply *reply)
{
    World *world = &play->world;
    bool later = fate == FATE_LOST_LATER || fate == FATE_TAKEN_LATER;
    bool done = fate == FATE_GOOD || fate == FATE_LOST_DONE || fate == FATE_UNREADABLE ||
                fate == FATE_TAKEN_DONE || fate == FATE_CRASH;
    if (mutating && later) {
        world_land(world, request, world->now_ms + world_byte(world) * INT64_C(235));
    } else if (mutating && done) {
        world_land(world, request, world->now_ms);
    }
    switch (fate) {
    case FATE_GOOD:
    case FATE_TAKEN_DONE:
    case FATE_CRASH:
        read_good(play, request, reply);
        break;
    case FATE_UNREADABLE:
        say(reply, 200, "{\"other\":1}");
        break;
    case FATE_BROKEN:
        say(reply, 500, "{\"message\":\"broken\"}");
        break;
    case FATE_LOCKED:
        say(reply, 423, "{\"message\":\"locked\"}");
        break;
    case FATE_DENIED:
        say(reply, 401, "{\"message\":\"denied\"}");
        break;
    case FATE_LAGS:
        say(reply, 404, "{\"message\":\"not found\"}");
        break;
    case FATE_PARTIAL:
        say(reply, 200, "{\"projects\":[],\"unavailable_project_ids\":[\"p-9\"]}");
        break;
    case FATE_LOST_DONE:
    case FATE_LOST_NEVER:
    case FATE_LOST_LATER:
    case FATE_TAKEN_LATER:
    case FATE_UNSENT:
    case FATE_COUNT_OF:
        say(reply, 0, "");
        break;
    }
}

Fate fate_possible(Fate fate, const Play *play, const Decision *decision)
{
    const NeonRequest *request = &decision->effect.request;
    bool lists = request->route == NEON_ROUTE_LIST_PROJECTS;
    if ((fate == FATE_LAGS && !world_is_young(&play->world, request)) ||
        (fate == FATE_PARTIAL && !lists) || (fate == FATE_UNSENT && !decision->mutating)) {
        return FATE_GOOD;
    }
    return fate;
}
