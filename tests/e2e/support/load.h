/*
 * Many commands whose ends are all awaited: nothing is lost, nothing is done or told twice.
 */
#ifndef E2E_LOAD_H
#define E2E_LOAD_H

#include "base/table.h"
#include "support/world.h"

enum { LOAD_MAX = 4000 };

typedef struct LoadItem {
    const char *id;
    const char *application;
    const char *environment; // of a CreateEnvironment; NULL: nothing is made
    const char *ends_as;     // type of the outcome that it has to have
    const char *type;        // of its outcome; NULL: none was read yet
    size_t outcomes;
} LoadItem;

typedef struct Load {
    LoadItem items[LOAD_MAX];
    size_t count;
    size_t ended;
    size_t looked_at; // records of the reader
    Table *by_id;
} Load;

void load_init(Load *load);
void load_clear(Load *load);
// Sends CreateEnvironment for a new environment of the application, whose account is "main".
void load_create(World *world, Load *load, const char *application);
// Sends DeleteEnvironment without deleteData: it is refused without a call.
void load_delete(World *world, Load *load, const char *application, const char *environment);
// Sends CreateEnvironment for an account that isn't there: refused without a call, and in nobody's
// way.
void load_refused(World *world, Load *load, const char *application);
// Sends CreateEnvironment for a region that Neon doesn't have: it fails after one call, and is in
// nobody's way.
void load_create_nowhere(World *world, Load *load, const char *application);
// Sends ConnectAccount for the application's account "main": three calls.
void load_connect(World *world, Load *load, const char *application);
// As load_refused, in a record with so many bytes of headers.
void load_refused_large(World *world, Load *load, const char *application, size_t header_bytes);
// How many have ended by what was read so far.
size_t load_ended(World *world, Load *load);
// Each ends within `seconds` of all: with one outcome, the one it has to have, and one project.
void load_expect_ends(World *world, Load *load, int seconds);

#endif
