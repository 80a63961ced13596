/*
 * What a key sees of what was made with another one. Keys of one organization see the same of it,
 * whoever's they are: https://neon.com/docs/manage/api-keys
 */
#ifndef SAGA_REACH_H
#define SAGA_REACH_H

#include "saga/saga.h"

typedef struct Reach {
    const char *neon_account_id; // of the key; "": unknown
    const char *org_id; // that the key is used for, or that the project is in; "": unknown, or none
} Reach;

// Of an account's key, borrowed from it.
Reach reach_of_account(const LedgerAccount *account);
// What `details` say of a thing's maker, borrowed from them; NULL: nothing.
Reach reach_of_details(const json_t *details);
// Says it in details that don't tell a maker yet.
void reach_tell(const Reach *reach, json_t *details);
// By the organization where both have one, else by the Neon account.
bool reach_is_same(const Reach *one, const Reach *other);

#endif
