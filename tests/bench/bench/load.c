#include "bench/load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/cmocka.h"
#include "support/commands.h"

enum { SENDERS = 32 };
static const char PREFIX[] = "bench-";

const char *load_api_key(size_t account)
{
    return box_text("napi_bench_%03zu", account);
}

void load_add_accounts(World *world, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        REPLY reply =
            box_call(&world->box, "POST", "/sandbox/keys",
                     box_text("{\"key\": \"%s\", \"kind\": \"organization\", \"account_id\": "
                              "\"org-bench-%zu\", \"organizations\": [\"org-bench-%zu\"]}",
                              load_api_key(i), i, i));
        assert_int_equal(reply.status, 201);
    }
}

const char *load_application(size_t number)
{
    return box_text("%s%zu", PREFIX, number);
}

size_t load_application_number(const char *name)
{
    size_t length = sizeof(PREFIX) - 1;
    return strncmp(name, PREFIX, length) == 0 ? (size_t)strtoul(name + length, NULL, 10) : SIZE_MAX;
}

static Load load_new(size_t count)
{
    return (Load){.commands = alloc_zeroed(count, sizeof(ProvisionCommand *)), .count = count};
}

Load load_connects(const World *world, size_t count, size_t applications, size_t accounts)
{
    Load load = load_new(count);
    const char *keys[LOAD_ACCOUNTS_MAX];
    if (applications == 0 || accounts == 0 || accounts > LOAD_ACCOUNTS_MAX) {
        fail_msg("%zu applications over %zu accounts", applications, accounts);
        return load;
    }
    for (size_t i = 0; i < accounts; i++) {
        keys[i] = load_api_key(i);
    }
    for (size_t i = 0; i < count; i++) {
        char application[64];
        ProvisionError err;
        size_t number = i % applications;
        (void)snprintf(application, sizeof application, "%s%zu", PREFIX, number);
        char account[32];
        (void)snprintf(account, sizeof account, "account-%zu", i / applications);
        ProvisionConnectAccount spec = {.account = account,
                                        .api_key = keys[number % accounts],
                                        .fleet_public_key = world->fleet_public_key};
        load.commands[i] = provision_connect_account(application, &spec, &err);
        if (load.commands[i] == NULL) {
            fail_msg("%s", err.text);
        }
    }
    return load;
}

Load load_from(size_t count, const char *(*make)(void *context, size_t number), void *context)
{
    Load load = load_new(count);
    for (size_t i = 0; i < count; i++) {
        ProvisionError err;
        load.commands[i] = provision_command_from_json(command_quote(make(context, i)), &err);
        if (load.commands[i] == NULL) {
            fail_msg("%s", err.text);
        }
    }
    return load;
}

void load_free(Load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        provision_command_free(load->commands[i]);
    }
    free(load->commands);
    *load = (Load){.count = 0};
}

void load_send_one(const World *world, const ProvisionCommand *command)
{
    ProvisionError err;
    if (!provision_client_send(world->client, command, NULL, &err)) {
        fail_msg("%s", err.text);
    }
}

typedef struct Sending {
    const World *world;
    const Load *load;
    atomic_size_t next;
} Sending;

static void *send_some(void *context)
{
    Sending *sending = context;
    size_t i = 0;
    while ((i = atomic_fetch_add(&sending->next, 1)) < sending->load->count) {
        load_send_one(sending->world, sending->load->commands[i]);
    }
    return NULL;
}

void load_send(const World *world, const Load *load)
{
    pthread_t threads[SENDERS];
    Sending sending = {.world = world, .load = load};
    for (size_t i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, send_some, &sending), 0);
    }
    for (size_t i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}
