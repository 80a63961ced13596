// Tens of thousands of records that are no commands, on the partition of valid ones and on others:
// each becomes a dead letter, no valid command is lost or kept waiting behind more of them than
// stand before it, and the worker takes no more memory than it said.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/load.h"
#include "support/memory.h"
#include "support/wait.h"
#include "support/world.h"

#define APPLICATION "shop"

enum {
    BETWEEN = 20, // valid commands among the junk
    JUNK = 1000,  // records before each of them
    SECONDS = 240,
    JUNK_BYTES = 900,
};

static Load load;

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", NULL};
    static const char *const SETTINGS[] = {"environments.check_login=off", "log.level=info", NULL};
    memory_use_release();
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    (void)worker_start(*state, "one", SETTINGS);
    command_connect_main(*state, APPLICATION);
    return 0;
}

static size_t delivered;

// Its producer tells of deliveries by events.
static void take_reports(World *world, int wait_ms)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(world->producer);
    rd_kafka_event_t *event = NULL;
    while ((event = rd_kafka_queue_poll(queue, wait_ms)) != NULL) {
        const rd_kafka_message_t *message = NULL;
        while ((message = rd_kafka_event_message_next(event)) != NULL) {
            assert_int_equal(message->err, RD_KAFKA_RESP_ERR_NO_ERROR);
            delivered++;
        }
        rd_kafka_event_destroy(event);
        wait_ms = 0;
    }
    rd_kafka_queue_destroy(queue);
}

static bool is_delivered(void *context)
{
    take_reports(context, 100);
    return delivered == (size_t)BETWEEN * JUNK;
}

// On the application's own partition every other time, else on any.
static void send_junk(World *world, int number)
{
    char value[JUNK_BYTES];
    static const char *const KEYS[] = {APPLICATION, "", "another", NULL};
    size_t size = (size_t)number * 7919 % sizeof(value);
    for (size_t i = 0; i < size; i++) {
        value[i] = (char)((size_t)number * 31 + i * 17);
    }
    const char *key = number % 2 == 0 ? APPLICATION : KEYS[number / 2 % 4];
    size_t key_bytes = key == NULL ? 0 : strlen(key);
    while (rd_kafka_producev(world->producer, RD_KAFKA_V_TOPIC(world->topics[0]),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_KEY(key, key_bytes), RD_KAFKA_V_VALUE(value, size),
                             RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        take_reports(world, 100);
    }
    take_reports(world, 0);
}

static size_t count_letters(World *world)
{
    size_t count = 0;
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        count += reader_at(world->reader, i)->topic == SEEN_DEAD_LETTERS;
    }
    return count;
}

typedef struct Letters {
    World *world;
    size_t wanted;
} Letters;

static bool has_letters(void *context)
{
    const Letters *letters = context;
    reader_poll(letters->world->reader, 100);
    return count_letters(letters->world) >= letters->wanted;
}

static void junk_stops_no_valid_command(void **state)
{
    World *world = *state;
    int64_t began_ms = wait_now_ms();
    load_init(&load);
    for (int i = 0; i < BETWEEN; i++) {
        for (int n = 0; n < JUNK; n++) {
            send_junk(world, i * JUNK + n);
        }
        load_create(world, &load, APPLICATION);
    }
    wait_until(is_delivered, world, SECONDS, "the junk to be on the topic");
    int64_t sent_ms = wait_now_ms();
    load_expect_ends(world, &load, SECONDS);
    int64_t ended_ms = wait_now_ms();
    Letters letters = {world, (size_t)BETWEEN * JUNK};
    wait_until(has_letters, &letters, SECONDS, "a dead letter of each record");
    reader_read_to_end(world->reader);
    assert_int_equal(count_letters(world), letters.wanted);
    print_message("%d records of junk sent in %" PRId64 " ms; the last of %d commands behind them "
                  "ended %" PRId64 " ms later, the last dead letter %" PRId64 " ms later\n",
                  BETWEEN * JUNK, sent_ms - began_ms, BETWEEN, ended_ms - sent_ms,
                  wait_now_ms() - sent_ms);
    memory_expect_bounded(&world->workers[0]);
    load_clear(&load);
}

static void every_sequence_is_whole(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
}

int main(void)
{
    world_require();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(junk_stops_no_valid_command),
        cmocka_unit_test(every_sequence_is_whole),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
