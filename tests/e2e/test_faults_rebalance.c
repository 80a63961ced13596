// Partitions that are taken away and given back while commands are under way.
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/commands.h"
#include "support/wait.h"
#include "support/world.h"

enum { APPLICATIONS = 8, IN_FLIGHT = 8, CALL_SECONDS = 30, SLOW_MS = 8000 };

// A mutation of unknown result would be waited for longer than a command may take here.
static const char *const SETTINGS[] = {"environments.check_login=off", "neon.send_window=1s",
                                       "neon.request_timeout=30s",     "neon.listing_lag=60s",
                                       "commands.in_flight=8",         NULL};

static Process *worker;

static const char *application(int number)
{
    return box_text("app-%d", number);
}

static int begin(void **state)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    worker = worker_start(*state, "one", SETTINGS);
    for (int i = 0; i < APPLICATIONS; i++) {
        command_connect_main(*state, application(i));
    }
    return 0;
}

static int clear(void **state)
{
    sandbox_clear_faults(*state);
    return 0;
}

typedef struct Creations {
    World *world;
    const char *name;
    const char *ids[APPLICATIONS];
} Creations;

static bool are_under_way(void *context)
{
    const Creations *creations = context;
    return strcmp(ledger_value(creations->world,
                               "SELECT count(*) FROM provision.command WHERE status = 'running' "
                               "AND intent_status = 'open'"),
                  box_text("%d", IN_FLIGHT)) == 0;
}

// As many as the worker may hold, every one waiting for Neon's answer.
static void start_creations(World *world, Creations *creations)
{
    *creations = (Creations){.world = world, .name = world_fresh("live")};
    (void)sandbox_fault(
        world, box_text("{'kind': 'slow', 'route': 'POST /projects', 'count': %d, 'ms': %d}",
                        APPLICATIONS, SLOW_MS));
    for (int i = 0; i < APPLICATIONS; i++) {
        creations->ids[i] =
            command_send(world, application(i),
                         "'createEnvironment': {'environment': '%s', 'account': 'main', "
                         "'regionId': '" WORLD_REGION "'}",
                         creations->name);
    }
    wait_until(are_under_way, creations, CALL_SECONDS, "%d open intents", IN_FLIGHT);
}

static void expect_creations(const Creations *creations)
{
    World *world = creations->world;
    for (int i = 0; i < APPLICATIONS; i++) {
        (void)command_await(world, creations->ids[i], "EnvironmentCreated");
        assert_int_equal(
            sandbox_count_projects(world, box_text("%s-%s", application(i), creations->name)), 1);
    }
}

// A member of the group that wants none of the commands: everything is given back.
static rd_kafka_t *join(World *world)
{
    static const char *const PROPERTIES[][2] = {{"partition.assignment.strategy", "range"},
                                                {"session.timeout.ms", "6000"},
                                                {"heartbeat.interval.ms", "500"}};
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", world->bootstrap, reason, sizeof(reason));
    (void)rd_kafka_conf_set(conf, "group.id", world->name, reason, sizeof(reason));
    for (size_t i = 0; i < sizeof(PROPERTIES) / sizeof(PROPERTIES[0]); i++) {
        assert_int_equal(
            rd_kafka_conf_set(conf, PROPERTIES[i][0], PROPERTIES[i][1], reason, sizeof(reason)),
            RD_KAFKA_CONF_OK);
    }
    rd_kafka_t *member = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    assert_non_null(member);
    (void)rd_kafka_poll_set_consumer(member);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, world->topics[3], RD_KAFKA_PARTITION_UA);
    assert_int_equal(rd_kafka_subscribe(member, topics), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(topics);
    return member;
}

static bool has_partitions(void *context)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    rd_kafka_message_t *message = rd_kafka_consumer_poll(context, 50);
    if (message != NULL) {
        rd_kafka_message_destroy(message);
    }
    assert_int_equal(rd_kafka_assignment(context, &list), RD_KAFKA_RESP_ERR_NO_ERROR);
    bool has = list->cnt > 0;
    rd_kafka_topic_partition_list_destroy(list);
    return has;
}

static void a_full_worker_goes_on_with_what_it_is_given_back(void **state)
{
    World *world = *state;
    Creations creations;
    start_creations(world, &creations);
    rd_kafka_t *member = join(world);
    wait_until(has_partitions, member, CALL_SECONDS, "the group to settle");
    process_await_log(worker, "revoked: 4 partitions", CALL_SECONDS);
    expect_creations(&creations);
    (void)rd_kafka_consumer_close(member);
    rd_kafka_destroy(member);
    // they were parked and went on: nobody claimed them a second time
    assert_string_equal(ledger_value(world, "SELECT sum(takeovers) FROM provision.command"), "0");
}

static void who_loses_a_command_in_mid_call_tells_its_next_owner(void **state)
{
    World *world = *state;
    Creations creations;
    start_creations(world, &creations);
    int64_t began_ms = wait_now_ms();
    (void)worker_start(world, "two", SETTINGS);
    expect_creations(&creations);
    // nobody waited until the calls were settled
    assert_true(wait_now_ms() - began_ms < INT64_C(60000));
    assert_string_not_equal(ledger_value(world, "SELECT sum(takeovers) FROM provision.command"),
                            "0");
    assert_string_equal(ledger_value(world, "SELECT sum(abandoned) FROM provision.command"), "0");
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
        cmocka_unit_test_teardown(a_full_worker_goes_on_with_what_it_is_given_back, clear),
        cmocka_unit_test_teardown(who_loses_a_command_in_mid_call_tells_its_next_owner, clear),
        cmocka_unit_test(every_sequence_is_whole),
    };
    return world_conclude(cmocka_run_group_tests(tests, begin, world_end));
}
