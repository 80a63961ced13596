/*
 * What a command waits for: the words that the ledger keeps (provision.command.waiting_for) and
 * what they mean to people. Words are never taken back; who reads one that is newer than the
 * program shows it as it is.
 */
#ifndef CONTRACT_WAITING_H
#define CONTRACT_WAITING_H

typedef enum Waiting {
    WAITING_NOTHING, // it works
    WAITING_OPERATION,
    WAITING_READY,
    WAITING_LOCKED,
    WAITING_RATE_LIMIT,
    WAITING_AWAY,
    WAITING_REPLY,
    WAITING_LISTING,
    WAITING_LOGIN,
    WAITING_ROLES,
    WAITING_PROJECT,
    WAITING_SETTLING,
    WAITING_RETRY,
    WAITING_KEY,
    WAITING_COUNT_OF
} Waiting;

// "operation", "rate_limit", …; static. Of WAITING_NOTHING: "".
const char *waiting_name(Waiting waiting);
// What stands behind "waits for" in a sentence; static. Of a word that isn't known: the word.
const char *waiting_text(const char *name);

#endif
