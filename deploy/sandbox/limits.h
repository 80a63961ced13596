/* Neon's rate limit: so many calls a second for each account, whoever makes them; a second's worth
 * may come at once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "keys.h"

/* What is left to one account, in millionths of a call. */
typedef struct LimitsAccount {
    char account_id[IDS_BYTES];
    int64_t left;
    int64_t at_us;
} LimitsAccount;

typedef struct Limits {
    LimitsAccount accounts[KEYS_MAX];
    int count;
} Limits;

/* Counts one call of the account; false: it is one too many. With `calls_per_second` 0 all pass. */
bool limits_take(Limits *limits, int64_t calls_per_second, const char *account_id, int64_t now_us);
