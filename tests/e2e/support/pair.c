#include "support/pair.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/murmur2.h"
#include "base/text.h"
#include "support/cmocka.h"
#include "support/commands.h"
#include "support/wait.h"

enum { SETTINGS_MAX = 20 };

static const char *const *settings_of_program;
static Process *the_other;

// ---- workers

static const char *hold_file(World *world, const char *name)
{
    return box_text("%s/%s.hold", world->dir, name);
}

Process *pair_start(World *world, const char *name, const char *point, const char *setting)
{
    const char *settings[SETTINGS_MAX] = {box_text("kafka.consumer.client.id=%s", name)};
    size_t count = 1;
    for (const char *const *one = settings_of_program; one != NULL && *one != NULL; one++) {
        assert_true(count < SETTINGS_MAX - 2);
        settings[count++] = *one;
    }
    settings[count] = setting;
    if (point != NULL) {
        assert_int_equal(setenv("CRASH_POINT_AT", point, 1), 0);
    }
    if (point != NULL && strstr(point, "=hold") != NULL) {
        assert_int_equal(mkfifo(hold_file(world, name), 0600), 0);
        assert_int_equal(setenv("CRASH_POINT_HOLD", hold_file(world, name), 1), 0);
    }
    Process *worker = worker_start(world, name, settings);
    (void)unsetenv("CRASH_POINT_AT");
    (void)unsetenv("CRASH_POINT_HOLD");
    return worker;
}

void pair_open(void **state, const char *const *settings)
{
    static const char *const SANDBOX[] = {"--no-compute", "--operation-ms", "20", NULL};
    world_begin(state, &(WorldOptions){.sandbox = SANDBOX});
    settings_of_program = settings;
    the_other = pair_start(*state, "other", NULL, NULL);
}

void pair_open_with_computes(void **state, const char *const *settings)
{
    world_begin(state, NULL);
    settings_of_program = settings;
    the_other = pair_start(*state, "other", NULL, NULL);
}

Pair pair_begin(World *world, const char *point, const char *setting)
{
    Pair pair = {.world = world, .other = the_other, .first_name = world_fresh("first")};
    pair.first = pair_start(world, pair.first_name, point, setting);
    worker_await_members(world, 2, PAIR_SECONDS);
    pair.application = pair_application_of(world, pair.first_name);
    return pair;
}

// Of a test that failed: it may be stopped or held still.
static void let_go(World *world, const Process *worker)
{
    const char *name = strrchr(worker->log, '/') + 1;
    const char *file = hold_file(world, box_text("%.*s", (int)strcspn(name, "."), name));
    int fd = open(file, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        (void)close(fd);
    }
    (void)unlink(file);
    (void)kill(worker->pid, SIGCONT);
}

int pair_end(void **state)
{
    World *world = *state;
    sandbox_clear_faults(world);
    for (size_t i = 0; i < world->worker_count; i++) {
        Process *worker = &world->workers[i];
        if (worker != the_other && !process_has_ended(worker)) {
            let_go(world, worker);
            worker_stop(worker);
        }
    }
    return 0;
}

// ---- who gets whose commands

// A member's assignment in the consumer protocol, all numbers big-endian: version (2 bytes), count
// of topics (4), of each its name (2 + n), count (4) and numbers (4 each) of partitions.
// https://kafka.apache.org/protocol, ConsumerProtocolAssignment
typedef struct Assignment {
    const uint8_t *bytes;
    size_t left;
} Assignment;

static uint32_t take_number(Assignment *assignment, size_t size)
{
    uint32_t number = 0;
    assert_true(assignment->left >= size);
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | assignment->bytes[i];
    }
    assignment->bytes += size;
    assignment->left -= size;
    return number;
}

static bool has_partition(const struct rd_kafka_group_member_info *member, int32_t partition)
{
    Assignment assignment = {member->member_assignment, (size_t)member->member_assignment_size};
    if (assignment.left == 0) {
        return false;
    }
    (void)take_number(&assignment, 2);
    assert_int_equal(take_number(&assignment, 4), 1);
    uint32_t name_bytes = take_number(&assignment, 2);
    assert_true(assignment.left >= name_bytes);
    assignment.bytes += name_bytes;
    assignment.left -= name_bytes;
    for (uint32_t left = take_number(&assignment, 4); left > 0; left--) {
        if (take_number(&assignment, 4) == (uint32_t)partition) {
            return true;
        }
    }
    return false;
}

static bool receives(World *world, const char *worker_name, const char *application)
{
    const struct rd_kafka_group_list *list = NULL;
    bool found = false;
    int32_t partition = murmur2_partition(bytes_of(application), WORLD_PARTITIONS);
    assert_int_equal(rd_kafka_list_groups(world->producer, world->name, &list, 5000),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    assert_int_equal(list->group_cnt, 1);
    for (int i = 0; i < list->groups[0].member_cnt; i++) {
        const struct rd_kafka_group_member_info *member = &list->groups[0].members[i];
        found = found ||
                (strcmp(member->client_id, worker_name) == 0 && has_partition(member, partition));
    }
    rd_kafka_group_list_destroy(list);
    return found;
}

typedef struct Search {
    World *world;
    const char *worker_name;
    const char *application;
} Search;

static bool is_found(void *context)
{
    Search *search = context;
    search->application = world_fresh("app");
    return receives(search->world, search->worker_name, search->application);
}

const char *pair_application_of(World *world, const char *worker_name)
{
    Search search = {.world = world, .worker_name = worker_name};
    wait_until(is_found, &search, PAIR_SECONDS, "partitions of %s", worker_name);
    command_connect_main(world, search.application);
    return search.application;
}

// ---- at the point

void pair_await_kill(Pair *pair)
{
    assert_int_equal(process_wait(pair->first, PAIR_SECONDS), 128 + SIGKILL);
}

void pair_kill(Pair *pair)
{
    process_kill(pair->first);
    (void)unlink(hold_file(pair->world, pair->first_name));
}

void pair_await_point(Pair *pair, const char *point)
{
    process_await_log(pair->first, box_text("crash point %s", point), PAIR_SECONDS);
}

void pair_await_exclusion(Pair *pair)
{
    worker_await_members(pair->world, 1, PAIR_SECONDS);
}

void pair_thaw(Pair *pair)
{
    process_signal(pair->first, SIGCONT);
    worker_await_members(pair->world, 2, PAIR_SECONDS);
}

static bool is_released(void *context)
{
    int fd = open(context, O_WRONLY | O_NONBLOCK | O_CLOEXEC); // fails while nobody reads
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

void pair_release(World *world, const char *worker_name)
{
    const char *file = hold_file(world, worker_name);
    char path[PROCESS_PATH_BYTES];
    assert_true(text_copy(path, sizeof(path), file));
    wait_until(is_released, path, PAIR_SECONDS, "a reader of %s", file);
    assert_int_equal(unlink(path), 0);
}

// ---- afterwards

const char *pair_row(World *world, const char *id, const char *column)
{
    return ledger_value(world, "SELECT %s FROM provision.command WHERE command_id = '%s'", column,
                        id);
}

int64_t pair_row_number(World *world, const char *id, const char *column)
{
    return strtoll(pair_row(world, id, column), NULL, 10);
}

typedef struct Row {
    World *world;
    const char *id;
    const char *condition;
} Row;

static bool has_come_true(void *context)
{
    const Row *row = context;
    return strcmp(pair_row(row->world, row->id, row->condition), "t") == 0;
}

void pair_await_row(World *world, const char *id, const char *condition)
{
    Row row = {world, id, condition};
    wait_until(has_come_true, &row, PAIR_SECONDS, "%s of %s", condition, id);
}

void pair_await_takeover(World *world, const char *id, int64_t takeovers)
{
    pair_await_row(world, id, box_text("takeovers >= %" PRId64, takeovers));
}

const Seen *pair_await_once(World *world, const char *id, const char *type)
{
    const Seen *seen = command_await(world, id, type);
    pair_await_row(world, id, "published_at IS NOT NULL");
    reader_read_to_end(world->reader);
    assert_int_equal(reader_count_outcomes(world->reader, id), 1);
    return seen;
}

int64_t pair_made(World *world, const char *what)
{
    REPLY reply = sandbox_state(world);
    return box_integer(reply.json, what);
}

size_t pair_count_listed(World *world, const char *project_name)
{
    REPLY reply = box_call_as(
        &world->box, world->api_key, NULL, "GET",
        box_text("/projects?limit=400&org_id=%s&search=%s", WORLD_ORG, project_name), NULL);
    assert_int_equal(reply.status, 200);
    return json_array_size(box_find(reply.json, "projects"));
}

typedef struct Met {
    World *world;
    int64_t fault;
    int64_t calls;
} Met;

static bool is_met(void *context)
{
    const Met *met = context;
    REPLY reply = box_call(&met->world->box, "GET", "/sandbox/faults", NULL);
    size_t i = 0;
    const json_t *fault = NULL;
    json_array_foreach(box_find(reply.json, "faults"), i, fault)
    {
        if (box_integer(fault, "id") == met->fault) {
            return box_integer(fault, "used") >= met->calls;
        }
    }
    return false;
}

void pair_await_fault(World *world, int64_t fault, int64_t calls)
{
    Met met = {world, fault, calls};
    wait_until(is_met, &met, PAIR_SECONDS, "fault %" PRId64 " to meet %" PRId64 " calls", fault,
               calls);
}

void pair_sequences_are_whole(void **state)
{
    World *world = *state;
    reader_read_to_end(world->reader);
    reader_assert_sequences(world->reader);
    for (size_t i = 0; i < reader_count(world->reader); i++) {
        assert_int_not_equal(reader_at(world->reader, i)->topic, SEEN_DEAD_LETTERS);
    }
    assert_int_equal(ledger_unfinished(world), 0);
}
