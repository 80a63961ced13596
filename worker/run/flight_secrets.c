#include "run/flight_secrets.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/unconst.h"
#include "sys/random.h"

// 32 of 62 characters are 190 bits; Neon wants 60 at least.
enum { PASSWORD_CHARACTERS = 32 };

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

static RoleName role_name(const Flight *flight, const char *role)
{
    return (RoleName){flight->command->application_id, flight->command->writes.name, role};
}

// Each character as likely as any other: bytes beyond the last whole multiple don't count.
static void make_password(Secret *ret_password)
{
    enum { CHARACTERS = sizeof ALPHABET - 1, USABLE = 256 / CHARACTERS * CHARACTERS };
    char text[PASSWORD_CHARACTERS];
    size_t length = 0;
    while (length < sizeof text) {
        uint8_t byte;
        random_bytes(&byte, sizeof byte);
        if (byte < USABLE) {
            text[length++] = ALPHABET[byte % CHARACTERS];
        }
    }
    secret_set(ret_password, (Bytes){(const uint8_t *)text, sizeof text});
    secret_zero(text, sizeof text);
}

static bool holds(const json_t *names, const char *wanted)
{
    size_t i;
    json_t *name;
    json_array_foreach(unconst(names), i, name)
    {
        if (strcmp(json_string_value(name), wanted) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *new_secret(const Flight *flight, const char *role, bool renew)
{
    CLEANUP(secret_clear) Secret password = SECRET_INIT;
    CLEANUP(buffer_clear) Buffer sealed = {.data = NULL};
    CLEANUP(text_clear) Text hex = TEXT_INIT(1024);
    RoleName name = role_name(flight, role);
    make_password(&password);
    keys_seal_password(&flight->worker->keys, &name, &password, &sealed);
    crypto_hex_append(&hex, buffer_view(&sealed));
    return json_pack("{s:s, s:s, s:b}", "role", role, "sealed", text_get(&hex), "renew", renew);
}

static void on_fenced(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    LedgerFence fence = op->answer.fence;
    if (!flight_landed(flight)) {
        return;
    }
    if (!fence.written) {
        flight_stale(flight);
        return;
    }
    flight_learn(flight, &(Answer){.fence = fence.fence});
}

void flight_make_secrets(Flight *flight)
{
    const Effect *effect = &flight->work->decision.effect;
    json_t *secrets = json_array();
    size_t i;
    json_t *name;
    json_array_foreach(unconst(effect->names), i, name)
    {
        const char *role = json_string_value(name);
        json_array_append_new(secrets, new_secret(flight, role, holds(effect->renew, role)));
    }
    flight->texts[0] = json_dumps(secrets, JSON_COMPACT);
    json_decref(secrets);
    flight->op.ask.secrets = (LedgerSecrets){.key = flight_key(flight),
                                             .environment = flight->command->writes.name,
                                             .fence_at_least = effect->fence,
                                             .secrets = flight->texts[0]};
    flight_put(flight, LEDGER_OP_SECRETS, on_fenced);
}

static void on_kept(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    bool written = op->answer.written;
    if (!flight_landed(flight)) {
        return;
    }
    if (!written) {
        flight_stale(flight);
        return;
    }
    flight_learn(flight, &(Answer){.reply = NULL});
}

void flight_keep_secrets(Flight *flight)
{
    flight->texts[0] = json_dumps(flight->work->decision.effect.names, JSON_COMPACT);
    flight->op.ask.keep = (LedgerKeep){.key = flight_key(flight),
                                       .environment = flight->command->writes.name,
                                       .roles = flight->texts[0]};
    flight_put(flight, LEDGER_OP_KEEP, on_kept);
}

void role_passwords_clear(RolePasswords *passwords)
{
    for (size_t i = 0; i < passwords->count; i++) {
        secret_clear(&passwords->list[i].present);
        secret_clear(&passwords->list[i].next);
    }
    free(passwords->list);
    *passwords = (RolePasswords){.list = NULL};
}

const Secret *role_password_wanted(const RolePassword *password)
{
    return secret_is_empty(&password->next) ? &password->present : &password->next;
}

static bool open_one(const Flight *flight, const char *role, const Buffer *sealed,
                     Secret *ret_password, Error *err)
{
    RoleName name = role_name(flight, role);
    return sealed->size == 0 ||
           keys_open_password(&flight->worker->keys, &name, buffer_view(sealed), ret_password, err);
}

static bool open_all(const Flight *flight, const LedgerPasswordList *sealed,
                     RolePasswords *ret_passwords, Error *err)
{
    ret_passwords->list = alloc_zeroed(sealed->count + 1, sizeof(*ret_passwords->list));
    for (size_t i = 0; i < sealed->count; i++) {
        const LedgerPassword *from = &sealed->list[i];
        RolePassword *to = &ret_passwords->list[ret_passwords->count++];
        memcpy(to->role, from->role, sizeof to->role);
        if (!open_one(flight, from->role, &from->sealed, &to->present, err) ||
            !open_one(flight, from->role, &from->next, &to->next, err)) {
            return false;
        }
    }
    return true;
}

static void on_loaded(LedgerOp *op)
{
    Flight *flight = LIST_ENTRY(op, Flight, op);
    CLEANUP(ledger_passwords_clear) LedgerPasswordList sealed = op->answer.passwords;
    op->answer.passwords = (LedgerPasswordList){.list = NULL};
    if (!flight_landed(flight)) {
        return;
    }
    RolePasswords passwords = {.list = NULL};
    Error err = ERROR_INIT;
    bool is_open = open_all(flight, &sealed, &passwords, &err);
    flight->on_passwords(flight, &passwords, is_open ? NULL : &err);
}

static void load(Flight *flight, const char *role,
                 void (*then)(Flight *flight, RolePasswords *passwords, const Error *err))
{
    flight->on_passwords = then;
    flight->op.ask.passwords =
        (LedgerPasswords){flight->command->application_id, flight->command->writes.name, role};
    flight_put(flight, LEDGER_OP_PASSWORDS, on_loaded);
}

void flight_load_passwords(Flight *flight,
                           void (*then)(Flight *flight, RolePasswords *passwords, const Error *err))
{
    load(flight, "", then);
}

static void on_found(Flight *flight, RolePasswords *passwords, const Error *err)
{
    Secret none = SECRET_INIT;
    Secret none_next = SECRET_INIT;
    RolePassword *first = passwords->count > 0 ? &passwords->list[0] : NULL;
    Error fine = ERROR_INIT;
    Answer answer = {.error = err != NULL ? err : &fine,
                     .password = first != NULL ? &first->present : &none,
                     .next_password = first != NULL ? &first->next : &none_next};
    flight_learn(flight, &answer);
    role_passwords_clear(passwords);
}

void flight_find_password(Flight *flight)
{
    load(flight, flight->work->decision.effect.role, on_found);
}
