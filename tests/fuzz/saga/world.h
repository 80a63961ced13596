/*
 * A Neon that keeps the bounds which the design assumes of it, and nothing more: what was sent
 * takes effect within WORLD_DELIVERY_MS or never, listings show it (or that it was deleted)
 * WORLD_LAG_MS later and until then now and then, replies get lost. Bytes of the fuzzer's input
 * decide; when they have run out everything goes well.
 */
#ifndef FUZZ_SAGA_WORLD_H
#define FUZZ_SAGA_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "saga/saga.h"

#define WORLD_COMMAND "919108f7-52d1-4320-9bac-f847db4148a8"
#define WORLD_EARLIER "11111111-52d1-4320-9bac-f847db4148a8"
#define WORLD_INSTALLATION "7f000001-0000-4000-8000-000000000001"

enum {
    WORLD_WINDOW_MS = 15000,   // within which a request is sent
    WORLD_DELIVERY_MS = 60000, // within which it takes effect
    WORLD_LAG_MS = 30000,
    WORLD_SETTLE_MS = WORLD_WINDOW_MS + WORLD_DELIVERY_MS + WORLD_LAG_MS,
    WORLD_THINGS_MAX = 64,
};

// Aborts with `what` unless it holds.
void must(bool holds, const char *what);

typedef enum Maker { MAKER_COMMAND, MAKER_EARLIER, MAKER_FOREIGN } Maker;

// A project with its root branch, or a branch of p-0.
typedef struct Thing {
    Maker maker;
    int64_t lands_at_ms;
    int64_t deleted_at_ms; // INT64_MAX: not
    bool is_under_way;     // lands when its time comes, if its name is free then
} Thing;

// When its calls land.
typedef struct Change {
    int64_t at_ms[WORLD_THINGS_MAX];
    size_t count;
} Change;

typedef struct World {
    const uint8_t *bytes;
    size_t size;
    bool has_branches; // the things are branches
    int64_t now_ms;
    Thing things[WORLD_THINGS_MAX]; // number n is p-n with br-n, or br-n of p-0
    size_t count;
    bool stores_passwords;
    int64_t reset_at_ms[WORLD_THINGS_MAX];
    size_t resets;
    const char *environment, *name;     // of what is played
    bool expires;                       // its branch does
    Change edits, extensions, restores; // change.h
    char extended_to[24];
    int64_t endpoint_made_ms, endpoint_deleted_ms; // endpoint.h
    char reply[20000];
} World;

void world_advance(World *world, int64_t by_ms);
uint8_t world_byte(World *world); // 0 when they have run out
size_t world_add(World *world, Maker maker, int64_t lands_at_ms);
// Number of the thing that a path names, or WORLD_THINGS_MAX.
size_t world_thing(const World *world, const char *path);
bool world_is_alive(const World *world, size_t number, int64_t at_ms);
// Makes happen what the request asks for, at a moment; WORLD's now or later.
void world_land(World *world, const NeonRequest *request, int64_t at_ms);
// The reply of a request that goes well; for one that changes something it must have landed. Valid
// until the next call.
NeonRawReply world_reply(World *world, const NeonRequest *request);
// Whether a GET of what was made a short time ago may say 404.
bool world_is_young(const World *world, const NeonRequest *request);

#endif
