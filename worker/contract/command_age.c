#include "contract/command.h"

// How far a signer's clock may be ahead: by so much the ledger may have forgotten it too early.
enum { CLOCKS_APART_MS = 10 * 60 * 1000 };

CommandAge command_age(const Command *command, int64_t now_ms, int64_t memory_ms)
{
    if (command->signed_ms == 0) {
        return COMMAND_AGE_FINE;
    }
    int64_t age_ms = now_ms - command->signed_ms;
    if (age_ms < -CLOCKS_APART_MS) {
        return COMMAND_AGE_FUTURE;
    }
    return age_ms > memory_ms - CLOCKS_APART_MS ? COMMAND_AGE_FORGOTTEN : COMMAND_AGE_FINE;
}
