/*
 * A token bucket per Neon account: its rate limit is shared by all of the account's keys. A call
 * reserves its moment (virtual scheduling), so that waiting callers are served in the order in
 * which they asked.
 */
#ifndef RUN_BUCKETS_H
#define RUN_BUCKETS_H

#include <stdint.h>

typedef struct Buckets Buckets;

Buckets *buckets_new(int64_t requests_per_second, int64_t burst);
void buckets_free(Buckets *buckets);
// How long this call has to wait, in ms, from now on; its place is taken. Times are CLOCK_BOOTTIME.
uint32_t buckets_take(Buckets *buckets, const char *account, int64_t now_boot_ms);
// After a 429: nothing of this account before `until_boot_ms`.
void buckets_block(Buckets *buckets, const char *account, int64_t until_boot_ms);

#endif
