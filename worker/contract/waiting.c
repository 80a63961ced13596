#include "contract/waiting.h"

#include <string.h>

static const struct {
    const char *name;
    const char *text;
} WORDS[] = {
    [WAITING_NOTHING] = {"", "nothing"},
    [WAITING_OPERATION] = {"operation", "an operation that runs at Neon"},
    [WAITING_READY] = {"ready", "the branch and its endpoint to become ready"},
    [WAITING_LOCKED] = {"locked", "Neon to unlock the project (423: another operation runs there)"},
    [WAITING_RATE_LIMIT] = {"rate_limit", "the rate limit of the Neon account (429)"},
    [WAITING_AWAY] = {"away", "Neon to answer again (no reply, or 5xx)"},
    [WAITING_REPLY] = {"reply", "Neon's reply to a call"},
    [WAITING_LISTING] = {"listing", "Neon to show what should be there by now"},
    [WAITING_LOGIN] = {"login", "a login to the branch to work"},
    [WAITING_ROLES] = {"roles", "the branch's databases, where its roles are changed by SQL"},
    [WAITING_PROJECT] = {"project", "another command that changes the same Neon project"},
    [WAITING_SETTLING] = {"settling", "the time after which a call of unknown result has either "
                                      "taken effect or never will"},
    [WAITING_RETRY] = {"retry", "its next attempt, after a call that could not be sent or read"},
    [WAITING_KEY] = {"key", "a key-encryption key that opens the account's API key"},
};

const char *waiting_name(Waiting waiting)
{
    return WORDS[waiting].name;
}

const char *waiting_text(const char *name)
{
    for (int i = 0; i < WAITING_COUNT_OF; i++) {
        if (strcmp(name, WORDS[i].name) == 0) {
            return WORDS[i].text;
        }
    }
    return name;
}
