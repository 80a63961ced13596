#include "crash/story.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "crash/end_state.h"
#include "crash/logins.h"
#include "support/cmocka.h"
#include "support/setup.h"
#include "support/wait.h"

enum {
    APPLICATIONS_MAX = 200,
    RECIPIENTS_BYTES = 100 * APPLICATIONS_MAX,
    START_SECONDS = 60,
    POINT_SECONDS =
        180,           // on the way there a branch may be copied, with its cluster, on a busy disk
    END_SECONDS = 120, // a takeover, the wait for an open intent, a transaction that times out
    ABORTED = 128 + SIGABRT,
    FATAL = 75, // sysexits.h: what a worker ends with when it can't publish any more
};

// What a worker logs when it has its partition.
#define ASSIGNED "assigned: 1 partitions"

static Process *start(World *world, const char *name, const char *client_id)
{
    const char *const settings[] = {CRASH_BY_SQL ? "environments.check_login=on"
                                                 : "environments.check_login=off",
                                    "neon.send_window=1s",
                                    "neon.request_timeout=3s",
                                    "neon.listing_lag=1s",
                                    "kafka.producer.transaction.timeout.ms=5000",
                                    box_text("kafka.consumer.client.id=%s", client_id),
                                    box_text("reveal.recipients_file=%s/recipients", world->dir),
                                    NULL};
    return worker_start(world, name, settings);
}

static const char *application(int number)
{
    return box_text("shop-%d", number);
}

static rd_kafka_t *open_group(const World *world)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", world->bootstrap, reason, sizeof(reason));
    (void)rd_kafka_conf_set(conf, "group.id", world->name, reason, sizeof(reason));
    rd_kafka_t *group = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof(reason));
    assert_non_null(group);
    return group;
}

static void write_recipients(const World *world)
{
    CLEANUP(text_clear) Text list = TEXT_INIT(RECIPIENTS_BYTES);
    for (int i = 0; i < APPLICATIONS_MAX; i++) {
        text_printf(&list, "%s=" SCENARIOS_RECIPIENT_HEX "\n", application(i));
    }
    assert_true(text_ok(&list));
    setup_write(world, "recipients", text_get(&list));
}

void story_open(Teller *teller, World *world)
{
    *teller = (Teller){.world = world, .group = open_group(world)};
    write_recipients(world);
    (void)start(world, "standby", "z");
}

void story_close(Teller *teller)
{
    rd_kafka_destroy(teller->group);
}

static int count_commands(World *world, const char *application_id)
{
    const char *count =
        ledger_value(world, "SELECT count(*) FROM provision.command WHERE application_id = '%s'",
                     application_id);
    return (int)strtol(count, NULL, 10);
}

// The file that a victim waits for where it is held.
static void make_hold(Story *story, const char *victim)
{
    story->hold = box_text("%s/%s.hold", story->teller->world->dir, victim);
    assert_int_equal(mkfifo(story->hold, 0600), 0);
    assert_int_equal(setenv("CRASH_POINT_HOLD", story->hold, 1), 0);
}

void story_begin(Teller *teller, Story *story, const Scenario *scenario, const char *variable,
                 const char *value)
{
    World *world = teller->world;
    world->worker_count = 1; // the standby: the victims before have ended
    assert_true(teller->applications < APPLICATIONS_MAX);
    *story = (Story){
        .scenario = scenario, .teller = teller, .application = application(teller->applications++)};
    if (scenario->prepare != NULL) {
        scenario->prepare(world, story->application);
    }
    const char *name = world_fresh("victim");
    assert_int_equal(setenv(variable, value, 1), 0);
    make_hold(story, name);
    story->victim = start(world, name, "a");
    assert_int_equal(unsetenv(variable), 0);
    assert_int_equal(unsetenv("CRASH_POINT_HOLD"), 0);
    process_await_log(story->victim, ASSIGNED, START_SECONDS);
    for (size_t i = 0; i < SCENARIO_FAULTS && scenario->faults[i] != NULL; i++) {
        (void)sandbox_fault(world, scenario->faults[i]);
    }
    story->since_call = end_state_last_call(world);
    story->commands = count_commands(world, story->application) + 1 + scenario->follow_ups;
    story->command_id = scenario->send(world, story->application);
}

void story_await_crash(Story *story, const char *point, bool aborts)
{
    process_await_log(story->victim, box_text("crash point %s\n", point), POINT_SECONDS);
    if (aborts) {
        assert_int_equal(process_wait(story->victim, START_SECONDS), ABORTED);
    }
}

void story_await_outcome(Story *story)
{
    (void)reader_await_outcome(story->teller->world->reader, story->command_id, END_SECONDS);
}

static bool is_back(void *context)
{
    Process *victim = context;
    if (process_has_ended(victim)) {
        return true;
    }
    char *log = process_read_log(victim->log);
    const char *first = strstr(log, ASSIGNED);
    bool again = first != NULL && strstr(first + 1, ASSIGNED) != NULL;
    free(log);
    return again;
}

// Another one has finished and it was thrown out of the group; now it goes on where it was. One
// whose transaction the broker has aborted meanwhile may end by itself.
void story_thaw(Story *story, const char *point)
{
    Process *victim = story->victim;
    worker_await_members(story->teller->world, 1, END_SECONDS);
    process_signal(victim, SIGCONT);
    wait_until(is_back, victim, END_SECONDS, "the return of the worker, see %s", victim->log);
    if (!process_has_ended(victim)) {
        worker_stop(victim);
    } else if (victim->status != FATAL ||
               strncmp(point, "transaction.", strlen("transaction.")) != 0) {
        fail_msg("it ended with %d, see %s", victim->status, victim->log);
    }
}

static bool is_rebalancing(void *context)
{
    return worker_count_members(context) == -1;
}

void story_hand_over(Story *story)
{
    World *world = story->teller->world;
    process_await_log(story->victim, "crash point " STORY_CLAIMED "/", START_SECONDS);
    Process *taker = start(world, world_fresh("taker"), "0");
    wait_until(is_rebalancing, world, START_SECONDS, "the group to share out anew");
    int fd = open(story->hold, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    worker_await_members(world, 3, END_SECONDS);
    story_await_outcome(story);
    worker_stop(taker);
    process_await_log(story->victim, "revoked: 1 partitions", START_SECONDS);
    worker_await_members(world, 2, END_SECONDS);
}

int story_takeovers(const Story *story)
{
    const char *takeovers = ledger_value(
        story->teller->world, "SELECT takeovers FROM provision.command WHERE command_id = '%s'",
        story->command_id);
    return (int)strtol(takeovers, NULL, 10);
}

static int64_t committed_offset(const Teller *teller)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, teller->world->topics[0], 0);
    assert_int_equal(rd_kafka_committed(teller->group, list, START_SECONDS * 1000),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    int64_t offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return offset;
}

// Where a worker was stopped between the two, only the group's offset tells.
static bool is_published(void *context)
{
    const Story *story = context;
    const Teller *teller = story->teller;
    return strcmp(ledger_value(teller->world,
                               "SELECT count(*) FILTER (WHERE published_at IS NOT NULL OR "
                               "record_offset < %lld) >= %d FROM provision.command WHERE "
                               "application_id = '%s'",
                               (long long)committed_offset(teller), story->commands,
                               story->application),
                  "t") == 0;
}

static void await_publication(Story *story)
{
    wait_until(is_published, story, END_SECONDS, "the publication of all of %s",
               story->application);
}

void story_stop_victim(Story *story)
{
    await_publication(story);
    worker_stop(story->victim);
}

json_t *story_end(Story *story)
{
    World *world = story->teller->world;
    worker_await_members(world, 1, END_SECONDS);
    await_publication(story);
    sandbox_clear_faults(world);
    json_t *state = end_state_read(world, story->application, story->since_call);
    if (CRASH_BY_SQL) {
        logins_check(world, story->application);
    }
    return state;
}
