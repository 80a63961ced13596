#include "support/traffic.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/cmocka.h"
#include "support/commands.h"

enum { POLL_MS = 10 };

static int64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void traffic_begin(Traffic *traffic, World *world, int period_ms)
{
    *traffic = (Traffic){.world = world, .period_ms = period_ms, .by_id = table_new()};
    const char *ids[TRAFFIC_APPLICATIONS];
    for (int i = 0; i < TRAFFIC_APPLICATIONS; i++) {
        ids[i] = command_connect(world, box_text("traffic-%d", i), "main", world->api_key);
    }
    for (int i = 0; i < TRAFFIC_APPLICATIONS; i++) {
        (void)command_await(world, ids[i], "AccountConnected");
    }
    traffic->seen = reader_count(world->reader);
}

void traffic_end(Traffic *traffic)
{
    table_free(traffic->by_id);
    traffic->by_id = NULL;
}

static void send_one(Traffic *traffic)
{
    assert_true(traffic->count < TRAFFIC_MAX);
    TrafficItem *item = &traffic->items[traffic->count];
    *item = (TrafficItem){.environment = world_fresh("env"), .sent_ms = wall_ms(), .took_ms = -1};
    (void)snprintf(item->application, sizeof(item->application), "traffic-%d",
                   (int)(traffic->count % TRAFFIC_APPLICATIONS));
    item->id = command_send(traffic->world, item->application,
                            "'createEnvironment': {'environment': '%s', 'account': 'main', "
                            "'regionId': '" WORLD_REGION "'}",
                            item->environment);
    (void)table_put(traffic->by_id, item->id, item);
    traffic->count++;
}

static void look(Traffic *traffic)
{
    const Reader *reader = traffic->world->reader;
    for (; traffic->seen < reader_count(reader); traffic->seen++) {
        const Seen *seen = reader_at(reader, traffic->seen);
        if (seen->topic != SEEN_EVENTS || !seen_is_outcome(seen) || seen_is_replayed(seen)) {
            continue;
        }
        TrafficItem *item = table_get(traffic->by_id, seen_text(seen, "commandId"));
        if (item == NULL) {
            continue;
        }
        assert_string_equal(seen_type(seen), "EnvironmentCreated");
        assert_int_equal(item->took_ms, -1); // seen once
        item->took_ms = seen->timestamp_ms - item->sent_ms;
        traffic->ended++;
    }
}

static void step(Traffic *traffic)
{
    reader_poll(traffic->world->reader, POLL_MS);
    look(traffic);
}

static void send_due(Traffic *traffic)
{
    int64_t now_ms = wait_now_ms();
    if (traffic->due_ms == 0 || now_ms - traffic->due_ms > 1000) {
        traffic->due_ms = now_ms; // a pause is not made up for
    }
    while (traffic->due_ms <= now_ms) {
        send_one(traffic);
        traffic->due_ms += traffic->period_ms;
    }
}

void traffic_until(Traffic *traffic, bool (*condition)(void *context), void *context, int seconds,
                   const char *what)
{
    int64_t limit_ms = wait_now_ms() + (int64_t)seconds * 1000;
    while (!condition(context)) {
        if (wait_now_ms() > limit_ms) {
            fail_msg("not within %d s: %s", seconds, what);
        }
        send_due(traffic);
        step(traffic);
    }
}

void traffic_send(Traffic *traffic, size_t count)
{
    size_t goal = traffic->count + count;
    while (traffic->count < goal) {
        send_due(traffic);
        step(traffic);
    }
}

// The sandbox has one project for each, and no other.
static void expect_projects(const Traffic *traffic)
{
    REPLY reply = sandbox_state(traffic->world);
    Table *by_name = table_new();
    size_t i = 0;
    const json_t *project = NULL;
    json_array_foreach(box_find(reply.json, "projects"), i, project)
    {
        assert_null(table_put(by_name, box_string(project, "name"), by_name));
    }
    assert_int_equal(table_count(by_name), traffic->count);
    for (i = 0; i < traffic->count; i++) {
        const TrafficItem *item = &traffic->items[i];
        assert_non_null(
            table_get(by_name, box_text("%s-%s", item->application, item->environment)));
    }
    table_free(by_name);
}

void traffic_settle(Traffic *traffic, int seconds)
{
    World *world = traffic->world;
    int64_t limit_ms = wait_now_ms() + (int64_t)seconds * 1000;
    while (traffic->ended < traffic->count) {
        if (wait_now_ms() > limit_ms) {
            fail_msg("%zu of %zu commands have no outcome", traffic->count - traffic->ended,
                     traffic->count);
        }
        step(traffic);
    }
    traffic->due_ms = 0;
    reader_read_to_end(world->reader);
    look(traffic);
    reader_assert_sequences(world->reader);
    expect_projects(traffic);
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

TrafficTimes traffic_times(const Traffic *traffic, size_t first, size_t end, const char *what)
{
    static int64_t times_ms[TRAFFIC_MAX];
    TrafficTimes times = {.count = end - first};
    assert_true(first < end && end <= traffic->count);
    for (size_t i = first; i < end; i++) {
        times_ms[i - first] = traffic->items[i].took_ms;
    }
    qsort(times_ms, times.count, sizeof times_ms[0], compare);
    times.p50_ms = times_ms[times.count / 2];
    times.p99_ms = times_ms[(times.count * 99) / 100];
    times.max_ms = times_ms[times.count - 1];
    print_message("%s: %zu commands, told after p50 %lld, p99 %lld, at most %lld ms\n", what,
                  times.count, (long long)times.p50_ms, (long long)times.p99_ms,
                  (long long)times.max_ms);
    return times;
}
