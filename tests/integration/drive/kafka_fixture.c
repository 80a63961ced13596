#include "kafka_fixture.h"

#include <stdlib.h>

#include "base/alloc.h"

int kafka_set_up(void **state)
{
    const char *bootstrap = getenv("PROVISION_TEST_KAFKA");
    KafkaFixture *f = alloc_zeroed(1, sizeof(*f));
    f->loop = loop_new();
    f->seen = alloc_zeroed(KAFKA_SEEN, sizeof(KafkaSeen));
    kafka_make_topics(bootstrap, KAFKA_PARTITIONS, NULL, &f->names);
    *state = f;
    return 0;
}

static void count_open(uv_handle_t *handle, void *argument)
{
    int *count = argument;
    *count += uv_is_closing(handle) == 0;
}

// A test that failed leaves its members on the loop, which can't be freed with them.
static bool is_empty(Loop *loop)
{
    int count = 0;
    uv_walk(loop_uv(loop), count_open, &count);
    return count == 2; // the loop's own
}

int kafka_tear_down(void **state)
{
    KafkaFixture *f = *state;
    bool was_quick = test_loop_was_quick(f->loop);
    if (!is_empty(f->loop)) {
        return 1;
    }
    loop_free(f->loop);
    free(f->seen);
    free(f);
    return was_quick ? 0 : 1;
}

Member *kafka_open_member(const KafkaFixture *f)
{
    return member_open(f->loop, kafka_settings(&f->names));
}

Member *kafka_open_member_with(const KafkaFixture *f, const char *name, const char *value)
{
    Error err = ERROR_INIT;
    Settings *settings = kafka_settings(&f->names);
    assert_true(settings_set(settings, name, value, "test", &err));
    return member_open(f->loop, settings);
}

// Every "P-i" once, in order within its partition.
void kafka_assert_seen_once(const KafkaFixture *f, size_t count, int per_partition)
{
    int next[KAFKA_PARTITIONS] = {0};
    for (size_t i = 0; i < count; i++) {
        char *end = NULL;
        long partition = strtol(f->seen[i].value, &end, 10);
        assert_in_range(partition, 0, KAFKA_PARTITIONS - 1);
        assert_int_equal(*end, '-');
        assert_int_equal(strtol(end + 1, NULL, 10), next[partition]);
        next[partition]++;
    }
    for (int i = 0; i < KAFKA_PARTITIONS; i++) {
        assert_int_equal(next[i], per_partition);
    }
}
