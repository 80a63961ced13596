#include "drive/kafka_group.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "drive/kafka_assignment.h"
#include "drive/kafka_task.h"

enum { READ_RETRY_MS = 200 };

typedef enum GroupState {
    GROUP_IDLE,     // nothing is ours
    GROUP_READING,  // the group gave us partitions, their offsets are being read
    GROUP_ASSIGNED, // announced
    GROUP_REVOKING, // the owner lets go
} GroupState;

typedef struct GroupSlot {
    KafkaAssignment *assignment; // NULL = not ours
    rd_kafka_queue_t *queue;     // of its records
    bool paused;
    int64_t start; // as last asked for; -1: never
    int64_t end;   // the same
} GroupSlot;

struct KafkaGroup {
    Loop *loop;
    rd_kafka_t *client;
    const char *topic;
    const KafkaGroupHandler *handler;
    void *context;
    GroupState state;
    bool leaving;
    uint64_t rebalance; // counts what the group gave us
    uint64_t last_id;
    rd_kafka_topic_partition_list_t *given; // in GROUP_READING
    rd_kafka_consumer_group_metadata_t *metadata;
    LoopTimer *retry;
    unsigned reads; // on threads; each is of the rebalance it began in
    KafkaAssignment **assignments;
    size_t count;
    GroupSlot *slots; // by partition
    int32_t slot_count;
    size_t turn; // index of the assignment that was polled last
    int event_fd;
};

typedef struct GroupRead {
    KafkaGroup *group;
    uint64_t rebalance;
} GroupRead;

static void unassign(KafkaGroup *group)
{
    // Only a fatal error makes it fail, and then nothing is assigned any more.
    (void)rd_kafka_assign(group->client, NULL);
    group->state = GROUP_IDLE;
}

static void forget_given(KafkaGroup *group)
{
    loop_timer_stop(group->retry);
    if (group->given != NULL) {
        rd_kafka_topic_partition_list_destroy(group->given);
        group->given = NULL;
    }
    if (group->metadata != NULL) {
        rd_kafka_consumer_group_metadata_destroy(group->metadata);
        group->metadata = NULL;
    }
}

static GroupSlot *slot_at(const KafkaGroup *group, size_t index)
{
    return &group->slots[group->assignments[index]->partition];
}

// librdkafka keeps the queue, and may still put into it.
static void close_queue(rd_kafka_queue_t *queue)
{
    rd_kafka_queue_io_event_enable(queue, -1, NULL, 0);
    rd_kafka_queue_destroy(queue);
}

static void forget_assignments(KafkaGroup *group)
{
    for (size_t i = 0; i < group->count; i++) {
        close_queue(slot_at(group, i)->queue);
    }
    for (size_t i = 0; i < group->count; i++) {
        kafka_assignment_unref(group->assignments[i]);
    }
    free(group->assignments);
    free(group->slots);
    group->assignments = NULL;
    group->slots = NULL;
    group->count = 0;
    group->slot_count = 0;
}

// Before the partition is assigned, or its first records would still go to the common queue (see
// rd_kafka_toppar_op_fetch_start in librdkafka 2.0.2).
static rd_kafka_queue_t *open_queue(const KafkaGroup *group, int32_t partition)
{
    static const uint64_t ONE = 1; // what an eventfd takes
    rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(group->client, group->topic, partition);
    assert(queue != NULL);
    rd_kafka_queue_forward(queue, NULL);
    rd_kafka_queue_io_event_enable(queue, group->event_fd, &ONE, sizeof(ONE));
    return queue;
}

static void keep_assignments(KafkaGroup *group, const rd_kafka_topic_partition_list_t *committed)
{
    group->count = (size_t)committed->cnt;
    group->assignments = alloc_zeroed(group->count, sizeof(KafkaAssignment *));
    for (size_t i = 0; i < group->count; i++) {
        const rd_kafka_topic_partition_t *partition = &committed->elems[i];
        group->assignments[i] =
            kafka_assignment_new(++group->last_id, group->rebalance, partition, group->metadata);
        if (partition->partition >= group->slot_count) {
            group->slot_count = partition->partition + 1;
        }
    }
    group->slots = alloc_zeroed((size_t)group->slot_count, sizeof(GroupSlot));
    for (size_t i = 0; i < group->count; i++) {
        *slot_at(group, i) = (GroupSlot){
            .assignment = group->assignments[i],
            .queue = open_queue(group, group->assignments[i]->partition),
            .start = -1,
            .end = -1,
        };
    }
    group->turn = 0;
}

// Partitions without a committed offset keep RD_KAFKA_OFFSET_INVALID: auto.offset.reset applies.
static void assign(KafkaGroup *group, const rd_kafka_topic_partition_list_t *committed)
{
    keep_assignments(group, committed);
    rd_kafka_resp_err_t failed = rd_kafka_assign(group->client, committed);
    forget_given(group); // which `committed` is where nothing was given
    if (failed != RD_KAFKA_RESP_ERR_NO_ERROR) {
        forget_assignments(group);
        group->state = GROUP_IDLE; // a fatal error, which comes as an event of its own
        return;
    }
    group->state = GROUP_ASSIGNED;
    group->handler->on_assigned(group->context, group->assignments, group->count);
}

static void on_read(void *context, rd_kafka_topic_partition_list_t *list, rd_kafka_resp_err_t err)
{
    GroupRead *read = context;
    KafkaGroup *group = read->group;
    bool is_current = group->state == GROUP_READING && read->rebalance == group->rebalance;
    free(read);
    group->reads--;
    if (is_current && err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        loop_timer_start(group->retry, READ_RETRY_MS); // an error never means "no offset"
    } else if (is_current) {
        assign(group, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        group->handler->on_success(group->context);
    }
}

static void read_given(void *context)
{
    KafkaGroup *group = context;
    GroupRead *read = alloc_zeroed(1, sizeof(*read));
    *read = (GroupRead){group, group->rebalance};
    group->reads++;
    kafka_task_read_committed(group->loop, group->client,
                              rd_kafka_topic_partition_list_copy(group->given), on_read, read);
}

// The metadata of this generation: taken later it could be that of a newer one.
static void take_given(KafkaGroup *group, const rd_kafka_topic_partition_list_t *partitions)
{
    forget_given(group);
    forget_assignments(group);
    group->rebalance++;
    group->given = rd_kafka_topic_partition_list_copy(partitions);
    group->metadata = rd_kafka_consumer_group_metadata(group->client);
    group->state = GROUP_READING;
    if (group->given->cnt == 0) {
        assign(group, group->given);
    } else {
        read_given(group);
    }
}

static void take_back(KafkaGroup *group)
{
    if (group->state == GROUP_ASSIGNED) {
        group->state = GROUP_REVOKING;
        group->handler->on_revoked(group->context, group->assignments, group->count,
                                   rd_kafka_assignment_lost(group->client) != 0);
    } else if (group->state != GROUP_REVOKING) {
        forget_given(group); // was not announced
        unassign(group);
    }
}

void kafka_group_take(KafkaGroup *group, rd_kafka_event_t *event)
{
    rd_kafka_topic_partition_list_t *partitions = rd_kafka_event_topic_partition_list(event);
    bool is_given = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (is_given && !group->leaving) {
        take_given(group, partitions);
    } else if (is_given) {
        unassign(group);
    } else {
        take_back(group);
    }
}

void kafka_group_leave(KafkaGroup *group)
{
    bool is_announced = group->state == GROUP_ASSIGNED || group->state == GROUP_REVOKING;
    group->leaving = true;
    take_back(group);
    if (!is_announced) { // else kafka_group_revoke_done says so
        group->handler->on_left(group->context);
    }
}

bool kafka_group_is_reading(const KafkaGroup *group)
{
    return group->reads > 0;
}

KafkaAssignment *kafka_group_find(const KafkaGroup *group, int32_t partition)
{
    bool is_ours = group->state == GROUP_ASSIGNED && partition < group->slot_count;
    return is_ours ? group->slots[partition].assignment : NULL;
}

rd_kafka_event_t *kafka_group_poll(KafkaGroup *group)
{
    rd_kafka_event_t *event = NULL;
    size_t left = group->state == GROUP_ASSIGNED ? group->count : 0;
    for (; left > 0 && event == NULL; left--) {
        group->turn = (group->turn + 1) % group->count;
        const GroupSlot *slot = slot_at(group, group->turn);
        event = slot->paused ? NULL : rd_kafka_queue_poll(slot->queue, 0);
    }
    return event;
}

void kafka_group_set_paused(KafkaGroup *group, const KafkaAssignment *assignment, bool paused)
{
    if (kafka_group_find(group, assignment->partition) == assignment) {
        group->slots[assignment->partition].paused = paused;
    }
}

bool kafka_group_is_assigned(const KafkaGroup *group)
{
    return group->state == GROUP_ASSIGNED && group->count > 0;
}

rd_kafka_topic_partition_list_t *kafka_group_list(const KafkaGroup *group)
{
    if (!kafka_group_is_assigned(group)) {
        return NULL;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)group->count);
    for (size_t i = 0; i < group->count; i++) {
        rd_kafka_topic_partition_list_add(list, group->topic, group->assignments[i]->partition);
    }
    return list;
}

// Where an answer's offset is to be put; NULL: it is none.
static GroupSlot *slot_of_answer(KafkaGroup *group, const rd_kafka_topic_partition_t *answer)
{
    bool is_answered = answer->err == RD_KAFKA_RESP_ERR_NO_ERROR && answer->offset >= 0;
    return is_answered && kafka_group_find(group, answer->partition) != NULL
               ? &group->slots[answer->partition]
               : NULL;
}

void kafka_group_set_ends(KafkaGroup *group, const rd_kafka_topic_partition_list_t *starts,
                          const rd_kafka_topic_partition_list_t *ends)
{
    for (int i = 0; i < starts->cnt; i++) {
        GroupSlot *slot = slot_of_answer(group, &starts->elems[i]);
        if (slot != NULL) {
            slot->start = starts->elems[i].offset;
        }
    }
    for (int i = 0; i < ends->cnt; i++) {
        GroupSlot *slot = slot_of_answer(group, &ends->elems[i]);
        if (slot != NULL) {
            slot->end = ends->elems[i].offset;
        }
    }
}

int64_t kafka_group_first(const KafkaGroup *group, int32_t partition)
{
    return kafka_group_find(group, partition) != NULL ? group->slots[partition].start : -1;
}

// The consumer's own knowledge comes with what it fetches; a paused partition isn't fetched.
int64_t kafka_group_end(const KafkaGroup *group, int32_t partition)
{
    int64_t low = -1;
    int64_t high = -1;
    if (kafka_group_find(group, partition) == NULL) {
        return -1;
    }
    (void)rd_kafka_get_watermark_offsets(group->client, group->topic, partition, &low, &high);
    int64_t asked = group->slots[partition].end;
    int64_t end = high > asked ? high : asked;
    return end < 0 ? -1 : end;
}

void kafka_group_revoke_done(KafkaGroup *group)
{
    assert(group->state == GROUP_REVOKING);
    forget_assignments(group);
    unassign(group);
    if (group->leaving) {
        group->handler->on_left(group->context);
    }
}

KafkaGroup *kafka_group_new(Loop *loop, const KafkaGroupClient *client,
                            const KafkaGroupHandler *handler, void *context)
{
    KafkaGroup *group = alloc_zeroed(1, sizeof(*group));
    group->loop = loop;
    group->client = client->client;
    group->topic = client->topic;
    group->event_fd = client->event_fd;
    group->handler = handler;
    group->context = context;
    group->retry = loop_timer_new(loop, read_given, group);
    return group;
}

void kafka_group_free(KafkaGroup *group)
{
    if (group != NULL) {
        assert(group->reads == 0);
        forget_given(group);
        forget_assignments(group);
        loop_timer_free(group->retry);
        free(group);
    }
}
