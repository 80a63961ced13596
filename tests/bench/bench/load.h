/*
 * What a bench sends: commands of many applications, built beforehand and sent with libprovision.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "support/world.h"

enum { LOAD_APPLICATIONS_MAX = 100000, LOAD_ACCOUNTS_MAX = 200 };

// Gives the sandbox one organization's API key for each of `count` Neon accounts.
void load_add_accounts(World *world, size_t count);
// Of a Neon account.
const char *load_api_key(size_t account);
// "bench-NUMBER" and back; SIZE_MAX: another name.
const char *load_application(size_t number);
size_t load_application_number(const char *name);

// Waits for what is built: the caller's, freed by load_free.
typedef struct Load {
    ProvisionCommand **commands;
    size_t count;
} Load;

// ConnectAccount: command i belongs to application i % applications, whose key is that of Neon
// account (application % accounts).
Load load_connects(const World *world, size_t count, size_t applications, size_t accounts);
// One command in JSON form a line of `make`'s; single quotes stand for double ones.
Load load_from(size_t count, const char *(*make)(void *context, size_t number), void *context);
void load_free(Load *load);
// As fast as Kafka takes them, from several threads.
void load_send(const World *world, const Load *load);
// One command, now.
void load_send_one(const World *world, const ProvisionCommand *command);

#endif
