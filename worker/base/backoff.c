#include "base/backoff.h"

uint32_t backoff_delay_ms(Backoff backoff, uint32_t attempt, uint32_t random)
{
    // 2^32 times any first delay that isn't 0 is above every limit.
    uint64_t whole = (uint64_t)backoff.first_ms << (attempt < 32 ? attempt : 32);
    whole = whole < backoff.max_ms ? whole : backoff.max_ms;
    uint64_t half = whole / 2;
    return (uint32_t)(half + random % (whole - half + 1));
}
