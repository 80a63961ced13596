#include "run/buckets.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/table.h"

enum {
    BUCKETS_MANY = 4096, // above this idle accounts are forgotten
    CUT_PER_CENT = 70,
    STEPS = 32, // of the additive increase, from nothing to the ceiling
    STEP_US = 1000 * 1000,
    US_PER_MS = 1000,
};
static const int64_t MRPS_US = 1000LL * 1000 * 1000; // interval in us = this / rate in mrps

typedef struct Bucket {
    int64_t rate_mrps;
    int64_t next_us;    // theoretical arrival of the next call
    int64_t blocked_us; // nothing before
    int64_t changed_us; // when the rate was last raised or cut
    int64_t cut_us;     // when it was last cut
    int64_t used_us;
    List waiting;  // BucketEntry, in the order in which they asked
    ListLink link; // among those with waiting calls
} Bucket;

struct Buckets {
    Table *buckets;
    List busy;
    int64_t ceiling_mrps; // 0: off
    int64_t burst;
};

Buckets *buckets_new(int64_t requests_per_second, int64_t burst)
{
    Buckets *buckets = alloc_zeroed(1, sizeof(*buckets));
    buckets->buckets = table_new();
    list_init(&buckets->busy);
    buckets->ceiling_mrps = requests_per_second * 1000;
    buckets->burst = burst;
    return buckets;
}

static void free_bucket(void *context, const char *key, void *value)
{
    (void)context;
    (void)key;
    free(value);
}

void buckets_free(Buckets *buckets)
{
    if (buckets == NULL) {
        return;
    }
    assert(list_is_empty(&buckets->busy));
    table_each(buckets->buckets, free_bucket, NULL);
    table_free(buckets->buckets);
    free(buckets);
}

typedef struct Sweep {
    Buckets *buckets;
    int64_t now_us;
} Sweep;

static void forget_idle(void *context, const char *key, void *value)
{
    Sweep *sweep = context;
    Bucket *bucket = value;
    bool is_quiet = bucket->next_us <= sweep->now_us && bucket->blocked_us <= sweep->now_us;
    if (list_is_empty(&bucket->waiting) && is_quiet) {
        table_remove(sweep->buckets->buckets, key);
        free(bucket);
    }
}

static Bucket *bucket_new(Buckets *buckets, const char *account, int64_t now_us)
{
    if (table_count(buckets->buckets) >= BUCKETS_MANY) {
        table_each(buckets->buckets, forget_idle, &(Sweep){buckets, now_us});
    }
    Bucket *bucket = alloc_zeroed(1, sizeof(*bucket));
    list_init(&bucket->waiting);
    list_link_init(&bucket->link);
    table_put(buckets->buckets, account, bucket);
    bucket->rate_mrps = buckets->ceiling_mrps;
    return bucket;
}

static Bucket *bucket_of(Buckets *buckets, const char *account, int64_t now_us)
{
    Bucket *bucket = table_get(buckets->buckets, account);
    if (bucket == NULL) {
        bucket = bucket_new(buckets, account, now_us);
    } else if (list_is_empty(&bucket->waiting) && bucket->blocked_us <= now_us &&
               now_us - bucket->used_us > (int64_t)BUCKETS_IDLE_MS * US_PER_MS) {
        bucket->rate_mrps = buckets->ceiling_mrps;
    }
    return bucket;
}

static int64_t interval_us(const Bucket *bucket)
{
    return MRPS_US / bucket->rate_mrps;
}

// What may go ahead of the rate. Below the ceiling others use the limit, too: the burst is theirs
// in proportion.
static int64_t ahead_us(const Buckets *buckets, const Bucket *bucket)
{
    int64_t burst = buckets->burst * bucket->rate_mrps / buckets->ceiling_mrps;
    return burst > 1 ? (burst - 1) * interval_us(bucket) : 0;
}

static int64_t due_us(const Buckets *buckets, const Bucket *bucket)
{
    int64_t due_us = bucket->next_us - ahead_us(buckets, bucket);
    return due_us > bucket->blocked_us ? due_us : bucket->blocked_us;
}

static void use(Bucket *bucket, int64_t now_us)
{
    int64_t start_us = bucket->next_us > now_us ? bucket->next_us : now_us;
    bucket->next_us = start_us + interval_us(bucket);
    bucket->used_us = now_us;
}

// A call had to wait for the rate, and no 429 came for a while: a little more.
static void grow(const Buckets *buckets, Bucket *bucket, int64_t now_us)
{
    if (now_us - bucket->changed_us < STEP_US || bucket->rate_mrps == buckets->ceiling_mrps) {
        return;
    }
    int64_t rate_mrps = bucket->rate_mrps + buckets->ceiling_mrps / STEPS;
    bucket->rate_mrps = rate_mrps < buckets->ceiling_mrps ? rate_mrps : buckets->ceiling_mrps;
    bucket->changed_us = now_us;
}

bool buckets_take(Buckets *buckets, const char *account, BucketEntry *entry, int64_t now_boot_ms)
{
    int64_t now_us = now_boot_ms * US_PER_MS;
    if (buckets->ceiling_mrps == 0) {
        return true;
    }
    Bucket *bucket = bucket_of(buckets, account, now_us);
    if (entry->bucket == bucket) {
        return false;
    }
    buckets_leave(buckets, entry);
    if (list_is_empty(&bucket->waiting) && due_us(buckets, bucket) <= now_us) {
        use(bucket, now_us);
        return true;
    }
    if (list_is_empty(&bucket->waiting)) {
        list_append(&buckets->busy, &bucket->link);
    }
    entry->bucket = bucket;
    list_append(&bucket->waiting, &entry->link);
    return false;
}

void buckets_leave(Buckets *buckets, BucketEntry *entry)
{
    (void)buckets;
    Bucket *bucket = entry->bucket;
    if (bucket == NULL) {
        return;
    }
    list_remove(&entry->link);
    entry->bucket = NULL;
    if (list_is_empty(&bucket->waiting)) {
        list_remove(&bucket->link);
    }
}

static void take_due(Buckets *buckets, Bucket *bucket, int64_t now_us, List *ret_due)
{
    ListLink *link = NULL;
    while ((link = list_first(&bucket->waiting)) != NULL && due_us(buckets, bucket) <= now_us) {
        grow(buckets, bucket, now_us);
        use(bucket, now_us);
        list_remove(link);
        list_append(ret_due, link);
    }
}

// Whoever is called may let another leave that is due as well.
static void call_due(Buckets *buckets, List *due)
{
    ListLink *link = NULL;
    while ((link = list_first(due)) != NULL) {
        BucketEntry *entry = LIST_ENTRY(link, BucketEntry, link);
        buckets_leave(buckets, entry);
        entry->granted(entry);
    }
}

int64_t buckets_serve(Buckets *buckets, int64_t now_boot_ms)
{
    int64_t now_us = now_boot_ms * US_PER_MS;
    int64_t next_us = INT64_MAX;
    List due;
    list_init(&due);
    LIST_EACH(&buckets->busy, link)
    {
        Bucket *bucket = LIST_ENTRY(link, Bucket, link);
        take_due(buckets, bucket, now_us, &due);
        if (list_is_empty(&bucket->waiting)) {
            list_remove(link);
        } else if (due_us(buckets, bucket) < next_us) {
            next_us = due_us(buckets, bucket);
        }
    }
    call_due(buckets, &due);
    return next_us == INT64_MAX ? -1 : (next_us - now_us + US_PER_MS - 1) / US_PER_MS;
}

void buckets_limited(Buckets *buckets, const char *account, int64_t sent_boot_ms,
                     int64_t now_boot_ms, int64_t wait_ms)
{
    int64_t now_us = now_boot_ms * US_PER_MS;
    if (buckets->ceiling_mrps == 0) {
        return;
    }
    Bucket *bucket = bucket_of(buckets, account, now_us);
    int64_t until_us = now_us + wait_ms * US_PER_MS;
    bucket->blocked_us = until_us > bucket->blocked_us ? until_us : bucket->blocked_us;
    bucket->used_us = now_us;
    if (sent_boot_ms * US_PER_MS > bucket->cut_us) {
        int64_t rate_mrps = bucket->rate_mrps * CUT_PER_CENT / 100;
        bucket->rate_mrps = rate_mrps > BUCKETS_FLOOR_MRPS ? rate_mrps : BUCKETS_FLOOR_MRPS;
        bucket->cut_us = now_us;
        bucket->changed_us = now_us;
    }
    // after the block at the rate, without a burst
    int64_t full_us = bucket->blocked_us + ahead_us(buckets, bucket);
    bucket->next_us = bucket->next_us > full_us ? bucket->next_us : full_us;
}

int64_t buckets_rate_mrps(const Buckets *buckets, const char *account)
{
    const Bucket *bucket = table_get(buckets->buckets, account);
    return bucket != NULL ? bucket->rate_mrps : buckets->ceiling_mrps;
}

size_t buckets_throttled(const Buckets *buckets)
{
    size_t count = 0;
    LIST_EACH(&buckets->busy, link)
    {
        count++;
    }
    return count;
}

size_t buckets_known(const Buckets *buckets)
{
    return table_count(buckets->buckets);
}
