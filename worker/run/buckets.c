#include "run/buckets.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/table.h"

typedef struct Bucket {
    int64_t next_us; // theoretical arrival of the next call
} Bucket;

struct Buckets {
    Table *buckets;
    int64_t interval_us;
    int64_t burst_us;
};

// Accounts that were idle for so long are forgotten when many are known.
enum { BUCKETS_MANY = 4096 };

Buckets *buckets_new(int64_t requests_per_second, int64_t burst)
{
    Buckets *buckets = alloc_zeroed(1, sizeof(*buckets));
    buckets->buckets = table_new();
    buckets->interval_us = 1000000 / requests_per_second;
    buckets->burst_us = buckets->interval_us * (burst - 1);
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
    if (bucket->next_us < sweep->now_us) {
        table_remove(sweep->buckets->buckets, key);
        free(bucket);
    }
}

static Bucket *bucket_of(Buckets *buckets, const char *account, int64_t now_us)
{
    Bucket *bucket = table_get(buckets->buckets, account);
    if (bucket != NULL) {
        return bucket;
    }
    if (table_count(buckets->buckets) >= BUCKETS_MANY) {
        table_each(buckets->buckets, forget_idle, &(Sweep){buckets, now_us});
    }
    bucket = alloc_zeroed(1, sizeof(*bucket));
    table_put(buckets->buckets, account, bucket);
    return bucket;
}

uint32_t buckets_take(Buckets *buckets, const char *account, int64_t now_boot_ms)
{
    int64_t now_us = now_boot_ms * 1000;
    Bucket *bucket = bucket_of(buckets, account, now_us);
    int64_t start_us = bucket->next_us > now_us ? bucket->next_us : now_us;
    bucket->next_us = start_us + buckets->interval_us;
    int64_t wait_us = start_us - buckets->burst_us - now_us;
    return wait_us > 0 ? (uint32_t)((wait_us + 999) / 1000) : 0;
}

void buckets_block(Buckets *buckets, const char *account, int64_t until_boot_ms)
{
    int64_t until_us = until_boot_ms * 1000 + buckets->burst_us;
    Bucket *bucket = bucket_of(buckets, account, until_boot_ms * 1000);
    if (bucket->next_us < until_us) {
        bucket->next_us = until_us;
    }
}
