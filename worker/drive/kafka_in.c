#include "drive/kafka_in.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "drive/kafka_conf.h"
#include "drive/kafka_consumer.h"
#include "drive/kafka_group.h"
#include "drive/kafka_task.h"
#include "sys/clock.h"

enum {
    DRAIN_SLICE = 100, // records a turn, so that the rest of the loop has its share
    POLL_MS = 1000,    // librdkafka's descriptor only fires when its queue was empty
    REFRESH_MS = 60000,
    REFRESH_SOON_MS = 1000, // while the brokers are away, or the topic is
    ENDS_MS = 5000,
    CLOSING_POLL_MS = 50,
    CLOSING_LIMIT_MS = 10000,
};

typedef enum KafkaInPhase {
    PHASE_OPEN,
    PHASE_LEAVING, // the owner lets go of what is assigned
    PHASE_CLOSING, // librdkafka leaves the group
    PHASE_DESTROYING,
} KafkaInPhase;

struct KafkaIn {
    Loop *loop;
    KafkaInHandler handler;
    void *context;
    char *topic_name;
    KafkaConsumer consumer;
    KafkaGroup *group;
    uv_poll_t *poll; // of event_fd
    int event_fd;
    LoopTimer *timer; // the next drain
    LoopTimer *refresh;
    LoopTimer *ends_timer;
    bool counting;     // a thread counts the partitions
    bool reading_ends; // ... asks where they end
    bool away;         // and told so
    int32_t partitions;
    int64_t last_poll_boot_ms;
    KafkaInPhase phase;
    int64_t closing_until_boot_ms;
    void (*on_closed)(void *context);
};

static void tell_away(KafkaIn *in, const Error *err)
{
    if (in->away) {
        return;
    }
    in->away = true;
    loop_timer_start(in->refresh, REFRESH_SOON_MS); // its success ends the absence
    in->handler.on_health(in->context, err);
}

static void on_success(void *context)
{
    KafkaIn *in = context;
    if (in->away) {
        in->away = false;
        Error none = ERROR_INIT;
        in->handler.on_health(in->context, &none);
    }
}

// A deleted topic may come back as another one of the same name, and librdkafka (2.0.2) would go on
// at its old positions: what stands below them would never be read. A new process begins where the
// group has committed, which the brokers forget together with the topic.
static bool is_deletion(const KafkaIn *in, rd_kafka_resp_err_t code)
{
    bool is_unknown =
        code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    return is_unknown && in->phase == PHASE_OPEN && kafka_group_is_assigned(in->group);
}

static void take_error(KafkaIn *in, rd_kafka_event_t *event)
{
    Error err;
    rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    char text[sizeof(err.text)] = "";
    if (is_deletion(in, code)) {
        kafka_error_set(&err, ERROR_INTERNAL, code, "the command topic was deleted");
        in->handler.on_health(in->context, &err);
    } else if (rd_kafka_event_error_is_fatal(event) != 0 || code == RD_KAFKA_RESP_ERR__FATAL) {
        code = rd_kafka_fatal_error(in->consumer.client, text, sizeof(text));
        kafka_error_set(&err, ERROR_INTERNAL, code, text);
        in->handler.on_health(in->context, &err);
    } else if (kafka_error_is_absence(code) && in->phase == PHASE_OPEN) {
        kafka_error_set(&err, ERROR_UNAVAILABLE, code, rd_kafka_event_error_string(event));
        tell_away(in, &err);
    }
}

static void take_record(KafkaIn *in, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message = rd_kafka_event_message_next(event);
    if (message == NULL || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    on_success(in);
    // Records of what is being revoked come again to its next owner.
    KafkaAssignment *assignment = kafka_group_find(in->group, message->partition);
    if (assignment != NULL) {
        in->handler.on_record(in->context, assignment, message);
    }
}

static void take_event(KafkaIn *in, rd_kafka_event_t *event)
{
    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_FETCH:
        take_record(in, event);
        break;
    case RD_KAFKA_EVENT_REBALANCE:
        kafka_group_take(in->group, event);
        break;
    case RD_KAFKA_EVENT_ERROR:
        take_error(in, event);
        break;
    default:
        break;
    }
}

static void destroy_client(KafkaIn *in);

static void end_closing(KafkaIn *in)
{
    bool is_over = rd_kafka_consumer_closed(in->consumer.client) != 0 ||
                   clock_boot_ms() >= in->closing_until_boot_ms;
    bool on_thread = in->counting || in->reading_ends;
    if (is_over && !on_thread && !kafka_group_is_reading(in->group)) {
        destroy_client(in);
    }
}

static bool drain_one(KafkaIn *in)
{
    rd_kafka_event_t *event = kafka_consumer_poll(&in->consumer);
    if (event == NULL) {
        event = kafka_group_poll(in->group);
    }
    if (event == NULL) {
        return false;
    }
    take_event(in, event);
    rd_kafka_event_destroy(event);
    return true;
}

static void drain(void *context)
{
    KafkaIn *in = context;
    uint64_t count = 0;
    ssize_t got = read(in->event_fd, &count, sizeof(count)); // only rearms it
    (void)got;
    in->last_poll_boot_ms = clock_boot_ms();
    int taken = 0;
    while (taken < DRAIN_SLICE && drain_one(in)) {
        taken++;
    }
    if (in->phase == PHASE_CLOSING) {
        loop_timer_start(in->timer, CLOSING_POLL_MS);
        end_closing(in);
    } else {
        loop_timer_start(in->timer, taken == DRAIN_SLICE ? 0 : POLL_MS);
    }
}

static void on_event_fd(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    drain(poll->data);
}

static void on_partitions(void *context, int32_t partitions, rd_kafka_resp_err_t err)
{
    KafkaIn *in = context;
    in->counting = false;
    if (in->phase != PHASE_OPEN) {
        return;
    }
    bool is_known = err == RD_KAFKA_RESP_ERR_NO_ERROR && partitions > 0;
    loop_timer_start(in->refresh, is_known ? REFRESH_MS : REFRESH_SOON_MS);
    if (is_known) {
        in->partitions = partitions;
        on_success(in);
    }
}

static void count_partitions(void *context)
{
    KafkaIn *in = context;
    if (!in->counting && in->phase == PHASE_OPEN) {
        in->counting = true;
        kafka_task_count_partitions(in->loop, in->consumer.client, in->consumer.topic,
                                    on_partitions, in);
    }
}

static void on_ends(void *context, rd_kafka_topic_partition_list_t *starts,
                    rd_kafka_topic_partition_list_t *ends, rd_kafka_resp_err_t err)
{
    KafkaIn *in = context;
    in->reading_ends = false;
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_group_set_ends(in->group, starts, ends);
    }
    rd_kafka_topic_partition_list_destroy(starts);
    rd_kafka_topic_partition_list_destroy(ends);
    if (in->phase == PHASE_OPEN) {
        loop_timer_start(in->ends_timer, ENDS_MS);
    }
}

static void read_ends(void *context)
{
    KafkaIn *in = context;
    rd_kafka_topic_partition_list_t *list = kafka_group_list(in->group);
    if (list != NULL && !in->reading_ends && in->phase == PHASE_OPEN) {
        in->reading_ends = true;
        kafka_task_read_ends(in->loop, in->consumer.client, list, on_ends, in);
    } else if (list != NULL) {
        rd_kafka_topic_partition_list_destroy(list);
    }
}

static void on_assigned(void *context, KafkaAssignment *const *assignments, size_t count)
{
    const KafkaIn *in = context;
    loop_timer_start(in->ends_timer, 0);
    in->handler.on_assigned(in->context, assignments, count);
}

static void on_revoked(void *context, KafkaAssignment *const *assignments, size_t count, bool lost)
{
    const KafkaIn *in = context;
    in->handler.on_revoked(in->context, assignments, count, lost);
}

static void on_left(void *context)
{
    KafkaIn *in = context;
    in->phase = PHASE_CLOSING;
    bool takes_time = kafka_consumer_leave(&in->consumer, in->event_fd);
    in->closing_until_boot_ms = takes_time ? clock_boot_ms() + CLOSING_LIMIT_MS : 0;
    loop_timer_start(in->timer, 0);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

static void on_destroyed(void *context)
{
    KafkaIn *in = context;
    in->consumer.client = NULL;
    in->on_closed(in->context);
}

static void stop_polling(KafkaIn *in)
{
    if (in->poll != NULL) {
        uv_close((uv_handle_t *)in->poll, on_poll_closed);
        in->poll = NULL;
        close(in->event_fd);
    }
    loop_timer_free(in->timer);
    loop_timer_free(in->refresh);
    loop_timer_free(in->ends_timer);
    in->timer = NULL;
    in->refresh = NULL;
    in->ends_timer = NULL;
}

static void destroy_client(KafkaIn *in)
{
    in->phase = PHASE_DESTROYING;
    kafka_consumer_release(&in->consumer);
    stop_polling(in);
    kafka_task_destroy(in->loop, in->consumer.client, on_destroyed, in);
}

static void start_polling(KafkaIn *in)
{
    in->poll = alloc_zeroed(1, sizeof(*in->poll));
    int failed = uv_poll_init(loop_uv(in->loop), in->poll, in->event_fd);
    assert(failed == 0);
    (void)failed;
    in->poll->data = in;
    uv_poll_start(in->poll, UV_READABLE, on_event_fd);
    kafka_consumer_signal(&in->consumer, in->event_fd);
    in->timer = loop_timer_new(in->loop, drain, in);
    in->refresh = loop_timer_new(in->loop, count_partitions, in);
    in->ends_timer = loop_timer_new(in->loop, read_ends, in);
    loop_timer_start(in->timer, 0);
    loop_timer_start(in->refresh, 0);
}

KafkaIn *kafka_in_open(Loop *loop, const Settings *settings, const KafkaInHandler *handler,
                       void *context, Error *err)
{
    static const KafkaGroupHandler GROUP_HANDLER = {on_assigned, on_revoked, on_left, on_success};
    KafkaIn *in = alloc_zeroed(1, sizeof(*in));
    if (!kafka_consumer_open(&in->consumer, settings, err)) {
        free(in);
        return NULL;
    }
    in->loop = loop;
    in->handler = *handler;
    in->context = context;
    in->topic_name = alloc_text(settings_text(settings, SETTING_TOPIC_COMMANDS));
    in->last_poll_boot_ms = clock_boot_ms();
    in->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(in->event_fd >= 0);
    KafkaGroupClient client = {in->consumer.client, in->topic_name, in->event_fd};
    in->group = kafka_group_new(loop, &client, &GROUP_HANDLER, in);
    start_polling(in);
    return in;
}

void kafka_in_revoke_done(KafkaIn *in)
{
    kafka_group_revoke_done(in->group);
}

void kafka_in_pause(KafkaIn *in, KafkaAssignment *assignment)
{
    kafka_group_set_paused(in->group, assignment, true);
}

void kafka_in_resume(KafkaIn *in, KafkaAssignment *assignment)
{
    kafka_group_set_paused(in->group, assignment, false);
    if (in->phase == PHASE_OPEN) {
        loop_timer_start(in->timer, 0); // what waits does not signal again
    }
}

int32_t kafka_in_partitions(const KafkaIn *in)
{
    return in->partitions;
}

int64_t kafka_in_end(const KafkaIn *in, int32_t partition)
{
    return kafka_group_end(in->group, partition);
}

int64_t kafka_in_first(const KafkaIn *in, int32_t partition)
{
    return kafka_group_first(in->group, partition);
}

int64_t kafka_in_last_poll_boot_ms(const KafkaIn *in)
{
    return in->last_poll_boot_ms;
}

int64_t kafka_in_session_timeout_ms(const KafkaIn *in)
{
    return in->consumer.session_timeout_ms;
}

int64_t kafka_in_memory_bytes(const KafkaIn *in)
{
    return in->consumer.memory_bytes;
}

void kafka_in_close(KafkaIn *in, void (*on_closed)(void *context))
{
    assert(in->phase == PHASE_OPEN);
    in->phase = PHASE_LEAVING;
    in->on_closed = on_closed;
    kafka_group_leave(in->group);
}

void kafka_in_free(KafkaIn *in)
{
    if (in != NULL) {
        assert(in->consumer.client == NULL);
        kafka_group_free(in->group);
        free(in->topic_name);
        free(in);
    }
}
