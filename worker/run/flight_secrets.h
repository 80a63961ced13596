/*
 * Passwords of roles made by SQL: made here, at random, and sealed before the ledger sees them;
 * opened for who sets them on the branch, and for who reveals one. Between those, they live
 * nowhere.
 */
#ifndef RUN_FLIGHT_SECRETS_H
#define RUN_FLIGHT_SECRETS_H

#include "run/flight.h"

typedef struct RolePassword {
    char role[64];
    Secret present; // empty: none was set yet
    Secret next;    // one that is to be set, and perhaps is already; empty: none
} RolePassword;

typedef struct RolePasswords {
    RolePassword *list;
    size_t count;
} RolePasswords;

void role_passwords_clear(RolePasswords *passwords);
// What the role is to log in with: the next one, else the present one.
const Secret *role_password_wanted(const RolePassword *password);

// All passwords of the flight's environment, opened; `then` owns them. `err` (code
// SECRET_NOT_OPENABLE): NULL when each could be opened. Not called where the flight was dropped
// meanwhile.
void flight_load_passwords(Flight *flight, void (*then)(Flight *flight, RolePasswords *passwords,
                                                        const Error *err));

// EFFECT_SECRETS, EFFECT_KEEP_SECRETS, EFFECT_PASSWORD; each ends with flight_learn.
void flight_make_secrets(Flight *flight);
void flight_keep_secrets(Flight *flight);
void flight_find_password(Flight *flight);

#endif
