/*
 * A token bucket per Neon account: its rate limit is shared by all of the account's keys, and by
 * all workers, who know of each other only through Neon's 429s. So the rate adapts: a 429 cuts it
 * to 0.7 of what it was and stops the account's calls until Retry-After; then it grows by a fixed
 * amount each second in which calls had to wait for it (AIMD, which converges to fair shares:
 * https://doi.org/10.1016/0169-7552(89)90019-6). Waiting calls are served in the order in which
 * they asked, each when its moment has come, never by an earlier promise.
 *
 * Times are CLOCK_BOOTTIME in ms.
 */
#ifndef RUN_BUCKETS_H
#define RUN_BUCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

typedef struct Buckets Buckets;

enum {
    BUCKETS_FLOOR_MRPS = 100,        // a rate never falls below, in calls per 1,000 s
    BUCKETS_IDLE_MS = 10 * 60 * 1000 // unused for so long, an account starts afresh
};

// One call's wait for its moment; its owner embeds it.
typedef struct BucketEntry {
    struct Bucket *bucket; // NULL: it doesn't wait
    ListLink link;
    void (*granted)(struct BucketEntry *entry);
} BucketEntry;

// `requests_per_second` is the ceiling of every account; 0 switches the buckets off. `burst` calls
// may go at once while the rate is at its ceiling, fewer below.
Buckets *buckets_new(int64_t requests_per_second, int64_t burst);
void buckets_free(Buckets *buckets); // nothing may wait
// True: call now. False: it waits, keeping the place it had, and buckets_serve calls
// `entry->granted` when its moment has come.
bool buckets_take(Buckets *buckets, const char *account, BucketEntry *entry, int64_t now_boot_ms);
// Stops waiting; fine when it doesn't.
void buckets_leave(Buckets *buckets, BucketEntry *entry);
// Grants what is due. Returns in how many ms there is more to do; -1: nothing waits.
int64_t buckets_serve(Buckets *buckets, int64_t now_boot_ms);
// A call that went out at `sent_boot_ms` was answered 429: nothing of this account for `wait_ms`.
// The rate is cut once for all the calls that were under way at its last cut.
void buckets_limited(Buckets *buckets, const char *account, int64_t sent_boot_ms,
                     int64_t now_boot_ms, int64_t wait_ms);
// The account's rate now, in calls per 1,000 s; 0: no limit.
int64_t buckets_rate_mrps(const Buckets *buckets, const char *account);
// Accounts whose calls wait; accounts that are remembered.
size_t buckets_throttled(const Buckets *buckets);
size_t buckets_known(const Buckets *buckets);

#endif
