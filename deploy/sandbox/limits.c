#include "limits.h"

#include <assert.h>
#include <string.h>

#include "text.h"

enum { LIMITS_CALL = 1000000 };

static LimitsAccount *account_of(Limits *limits, int64_t full, const char *account_id,
                                 int64_t now_us)
{
    for (int i = 0; i < limits->count; i++) {
        if (strcmp(limits->accounts[i].account_id, account_id) == 0) {
            return &limits->accounts[i];
        }
    }
    assert(limits->count < KEYS_MAX); /* a key has one account */
    LimitsAccount *account = &limits->accounts[limits->count++];
    text_copy(account->account_id, sizeof(account->account_id), account_id);
    account->left = full;
    account->at_us = now_us;
    return account;
}

bool limits_take(Limits *limits, int64_t calls_per_second, const char *account_id, int64_t now_us)
{
    if (calls_per_second == 0) {
        return true;
    }
    int64_t full = calls_per_second * LIMITS_CALL;
    LimitsAccount *account = account_of(limits, full, account_id, now_us);
    int64_t left = account->left + (now_us - account->at_us) * calls_per_second;
    account->left = left < full ? left : full;
    account->at_us = now_us;
    if (account->left < LIMITS_CALL) {
        return false;
    }
    account->left -= LIMITS_CALL;
    return true;
}
