#include "drive/kafka_task.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

enum { ENDS_TIMEOUT_MS = 1000 }; // asked again soon, and only for figures

typedef struct KafkaTask {
    uv_work_t work;
    rd_kafka_t *client;
    void *context;
    rd_kafka_resp_err_t err;
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_topic_partition_list_t *starts;
    KafkaCommittedCallback *on_committed;
    rd_kafka_topic_t *topic;
    int32_t partitions;
    KafkaPartitionsCallback *on_partitions;
    KafkaEndsCallback *on_ends;
    KafkaDestroyedCallback *on_destroyed;
} KafkaTask;

static KafkaTask *task_new(rd_kafka_t *client, void *context)
{
    KafkaTask *task = alloc_zeroed(1, sizeof(*task));
    task->work.data = task;
    task->client = client;
    task->context = context;
    return task;
}

static void queue(Loop *loop, KafkaTask *task, uv_work_cb work, uv_after_work_cb done)
{
    int failed = uv_queue_work(loop_uv(loop), &task->work, work, done);
    assert(failed == 0);
    (void)failed;
}

static void read_committed(uv_work_t *work)
{
    KafkaTask *task = work->data;
    task->err = rd_kafka_committed(task->client, task->list, KAFKA_TASK_TIMEOUT_MS);
    for (int i = 0; i < task->list->cnt && task->err == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        task->err = task->list->elems[i].err;
    }
}

static void on_committed(uv_work_t *work, int status)
{
    (void)status;
    KafkaTask *task = work->data;
    task->on_committed(task->context, task->list, task->err);
    free(task);
}

void kafka_task_read_committed(Loop *loop, rd_kafka_t *client,
                               rd_kafka_topic_partition_list_t *list,
                               KafkaCommittedCallback *callback, void *context)
{
    KafkaTask *task = task_new(client, context);
    task->list = list;
    task->on_committed = callback;
    queue(loop, task, read_committed, on_committed);
}

static void count_partitions(uv_work_t *work)
{
    KafkaTask *task = work->data;
    const struct rd_kafka_metadata *metadata = NULL;
    task->err = rd_kafka_metadata(task->client, 0, task->topic, &metadata, KAFKA_TASK_TIMEOUT_MS);
    if (task->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    if (metadata->topic_cnt == 1) {
        task->err = metadata->topics[0].err;
        task->partitions = metadata->topics[0].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
}

static void on_partitions(uv_work_t *work, int status)
{
    (void)status;
    KafkaTask *task = work->data;
    task->on_partitions(task->context, task->partitions, task->err);
    free(task);
}

void kafka_task_count_partitions(Loop *loop, rd_kafka_t *client, rd_kafka_topic_t *topic,
                                 KafkaPartitionsCallback *callback, void *context)
{
    KafkaTask *task = task_new(client, context);
    task->topic = topic;
    task->on_partitions = callback;
    queue(loop, task, count_partitions, on_partitions);
}

// `time`: RD_KAFKA_OFFSET_BEGINNING or _END, which stand for the earliest and latest time, too.
static rd_kafka_resp_err_t read_offsets(rd_kafka_t *client, rd_kafka_topic_partition_list_t *list,
                                        int64_t time)
{
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].offset = time;
    }
    return rd_kafka_offsets_for_times(client, list, ENDS_TIMEOUT_MS);
}

static void read_ends(uv_work_t *work)
{
    KafkaTask *task = work->data;
    task->err = read_offsets(task->client, task->starts, RD_KAFKA_OFFSET_BEGINNING);
    if (task->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        task->err = read_offsets(task->client, task->list, RD_KAFKA_OFFSET_END);
    }
}

static void on_ends(uv_work_t *work, int status)
{
    (void)status;
    KafkaTask *task = work->data;
    task->on_ends(task->context, task->starts, task->list, task->err);
    free(task);
}

void kafka_task_read_ends(Loop *loop, rd_kafka_t *client, rd_kafka_topic_partition_list_t *list,
                          KafkaEndsCallback *callback, void *context)
{
    KafkaTask *task = task_new(client, context);
    task->list = list;
    task->starts = rd_kafka_topic_partition_list_copy(list);
    task->on_ends = callback;
    queue(loop, task, read_ends, on_ends);
}

static void destroy(uv_work_t *work)
{
    KafkaTask *task = work->data;
    rd_kafka_destroy_flags(task->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void on_destroyed(uv_work_t *work, int status)
{
    (void)status;
    KafkaTask *task = work->data;
    task->on_destroyed(task->context);
    free(task);
}

void kafka_task_destroy(Loop *loop, rd_kafka_t *client, KafkaDestroyedCallback *callback,
                        void *context)
{
    KafkaTask *task = task_new(client, context);
    task->on_destroyed = callback;
    queue(loop, task, destroy, on_destroyed);
}
