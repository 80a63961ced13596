#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "run/flight.h"
#include "run/flight_secrets.h"
#include "run/roles_run.h"
#include "sys/crash.h"

static bool holds(const json_t *names, const char *wanted)
{
    size_t index = 0;
    json_t *name = NULL;
    json_array_foreach(unconst(names), index, name)
    {
        if (strcmp(json_string_value(name), wanted) == 0) {
            return true;
        }
    }
    return false;
}

static void on_done(void *context, const RolesReport *report, const Error *err)
{
    Flight *flight = context;
    flight->roles = NULL;
    gate_rest(flight->worker->role_runs, &flight->role_run);
    if (flight->work->decision.mutating) {
        crash_point(CRASH_CALL_AFTER, flight->command->action_name,
                    flight->work->decision.step->name);
    }
    flight_learn(
        flight,
        &(Answer){.error = err, .roles = report, .unknown = flight->work->decision.effect.names});
}

// Whether a role has the password that the saga knows of; none of its databases is looked into.
static bool only_compares(const Effect *effect)
{
    return effect->roles_mode == ROLES_MODE_PLAN && effect->role != NULL;
}

static void start(Flight *flight, const RolesSecret *secrets, size_t count)
{
    const Settings *settings = flight->worker->settings;
    const SagaConnection *connection = &flight->work->saga.connection;
    const Effect *effect = &flight->work->decision.effect;
    bool is_owner = effect->roles_mode == ROLES_MODE_OWNER || only_compares(effect);
    RolesRunOptions options = {
        .loop = flight->worker->loop,
        .resolver = flight->worker->resolver,
        .host = connection->host,
        .port = connection->port,
        .user = is_owner ? connection->owner : connection->role,
        .password = is_owner ? &connection->owner_password : &connection->password,
        .ca_file = settings_text(settings, SETTING_POSTGRES_CA_FILE),
        .public_only = !settings_api_is_local(settings),
        .answers = &flight->worker->role_answers,
        .connect_timeout_ms = (uint32_t)settings_number(settings, SETTING_POSTGRES_TIMEOUT),
        .fallback = connection->database,
        .send_limit_boot_ms = flight->work->decision.mutating ? flight->send_limit_ms : 0,
        .task = {.mode = effect->roles_mode,
                 .spec = effect->roles_spec,
                 .databases = is_owner ? effect->names : NULL,
                 .lists_extensions = effect->lists_extensions,
                 .secrets = secrets,
                 .secret_count = count,
                 .fence = {.branch_id = effect->branch_id, .number = effect->fence}}};
    gate_work(flight->worker->gate, &flight->place);
    gate_work(flight->worker->role_runs, &flight->role_run);
    flight->roles = roles_run_start(&options, on_done, flight);
}

// Leaves those that have no password yet.
static void take_away(json_t *names, const RolesSecret *secrets, size_t count)
{
    for (size_t i = json_array_size(names); i > 0; i--) {
        const char *name = json_string_value(json_array_get(names, i - 1));
        for (size_t k = 0; k < count; k++) {
            if (strcmp(secrets[k].role, name) == 0) {
                json_array_remove(names, i - 1);
                break;
            }
        }
    }
}

static void on_passwords(Flight *flight, RolePasswords *passwords, const Error *err)
{
    const Effect *effect = &flight->work->decision.effect;
    bool is_some = effect->roles_mode == ROLES_MODE_PASSWORDS;
    RolesSecret *secrets = alloc_zeroed(passwords->count, sizeof(secrets[0]));
    size_t count = 0;
    for (size_t i = 0; i < passwords->count; i++) {
        const char *role = passwords->list[i].role;
        const Secret *wanted = role_password_wanted(&passwords->list[i]);
        if (!secret_is_empty(wanted) && (!is_some || holds(effect->names, role))) {
            secrets[count++] =
                (RolesSecret){.role = role, .password = wanted, .set = holds(effect->renew, role)};
        }
    }
    if (effect->roles_mode == ROLES_MODE_PLAN) {
        take_away(flight->work->decision.effect.names, secrets, count);
    }
    if (err != NULL) {
        flight_learn(flight, &(Answer){.error = err});
    } else {
        start(flight, secrets, count);
    }
    free(secrets);
    role_passwords_clear(passwords);
}

static void start_comparing(Flight *flight)
{
    Effect *effect = &flight->work->decision.effect;
    RolesSecret secret = {.role = effect->role,
                          .password = &flight->work->saga.connection.password};
    effect->names = json_array(); // no databases
    start(flight, &secret, 1);
}

void flight_run_roles(Flight *flight)
{
    const Effect *effect = &flight->work->decision.effect;
    if (only_compares(effect)) {
        start_comparing(flight);
    } else if (effect->roles_mode == ROLES_MODE_OWNER) {
        start(flight, NULL, 0);
    } else {
        flight_load_passwords(flight, on_passwords);
    }
}
