#include "change.h"

#include <string.h>

#define EXPIRES "\"expires_at\":\""

enum { TIME_CHARS = 20 }; // "2026-11-22T12:00:00Z"

size_t change_count(const World *world, const Change *change)
{
    size_t landed = 0;
    for (size_t i = 0; i < change->count; i++) {
        landed += change->at_ms[i] <= world->now_ms ? 1 : 0;
    }
    return landed;
}

Change *change_of(World *world, const NeonRequest *request)
{
    switch ((int)request->route) {
    case NEON_ROUTE_UPDATE_PROJECT:
    case NEON_ROUTE_UPDATE_ENDPOINT:
        return &world->edits;
    case NEON_ROUTE_UPDATE_BRANCH:
        return &world->extensions;
    case NEON_ROUTE_RESTORE_BRANCH:
        return &world->restores;
    default:
        return NULL;
    }
}

void change_land(World *world, const NeonRequest *request, int64_t at_ms)
{
    Change *change = change_of(world, request);
    if (change == NULL) {
        return;
    }
    must(change->count < WORLD_THINGS_MAX, "nothing is changed for ever");
    change->at_ms[change->count++] = at_ms;
    if (request->route == NEON_ROUTE_UPDATE_BRANCH) {
        const char *expires = strstr(text_get(&request->body), EXPIRES);
        bool is_whole = expires != NULL && strlen(expires) > strlen(EXPIRES) + TIME_CHARS;
        must(is_whole, "an expiry");
        if (is_whole) {
            memcpy(world->extended_to, expires + strlen(EXPIRES), TIME_CHARS);
        }
    }
}

void change_append_project(const World *world, Text *text)
{
    text_printf(text, ",\"history_retention_seconds\":%s",
                change_count(world, &world->edits) > 0 ? CHANGE_RETENTION : "86400");
}

void change_append_branch(const World *world, Text *text)
{
    size_t restores = change_count(world, &world->restores);
    if (restores > 0) {
        text_printf(text, ",\"last_reset_at\":\"2026-11-22T10:%02zu:00Z\"", restores % 60);
    }
    if (world->expires) {
        text_printf(text, ",\"expires_at\":\"%s\"",
                    change_count(world, &world->extensions) > 0 ? world->extended_to
                                                                : "2026-11-22T12:00:00Z");
    }
}

void change_append_endpoint(const World *world, Text *text)
{
    text_printf(text,
                ",\"autoscaling_limit_min_cu\":0.25,\"autoscaling_limit_max_cu\":%s,"
                "\"suspend_timeout_seconds\":300",
                change_count(world, &world->edits) > 0 ? CHANGE_MAX_CU : "1");
}
