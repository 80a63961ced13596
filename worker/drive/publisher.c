#include "drive/publisher.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "drive/publisher_box.h"
#include "drive/publisher_item.h"
#include "drive/publisher_thread.h"

struct Publisher {
    PublisherHandler handler;
    void *context;
    Box box;
    uv_async_t async;
    uv_thread_t id;
    PublisherThread thread; // belongs to the thread while it runs
    bool ready;
    size_t waiting;
    uint64_t revoked_up_to; // the highest id of a revoked assignment
    void (*on_closed)(void *context);
};

static void on_async_closed(uv_handle_t *handle)
{
    Publisher *publisher = handle->data;
    publisher->on_closed(publisher->context);
}

static void closed(Publisher *publisher)
{
    int failed = uv_thread_join(&publisher->id);
    assert(failed == 0);
    (void)failed;
    uv_close((uv_handle_t *)&publisher->async, on_async_closed);
}

static void take_note(Publisher *publisher, const Note *note)
{
    const PublisherHandler *handler = &publisher->handler;
    void *context = publisher->context;
    publisher->waiting -= note->count;
    switch (note->kind) {
    case NOTE_READY:
        publisher->ready = true;
        break;
    case NOTE_PUBLISHED:
        handler->on_published(context, note->ids, note->count, note->took_ms);
        break;
    case NOTE_DROPPED:
        handler->on_dropped(context, note->ids, note->count);
        break;
    case NOTE_REVOKED:
        handler->on_revoked(context);
        break;
    case NOTE_TROUBLE:
        handler->on_trouble(context, &note->err);
        break;
    case NOTE_FATAL:
        publisher->ready = false;
        handler->on_fatal(context, &note->err);
        break;
    case NOTE_CLOSED:
        closed(publisher);
        break;
    }
}

static void on_async(uv_async_t *async)
{
    Publisher *publisher = async->data;
    List notes;
    box_take_notes(&publisher->box, &notes);
    LIST_EACH(&notes, link)
    {
        Note *note = LIST_ENTRY(link, Note, link);
        take_note(publisher, note);
        note_free(note);
    }
}

Publisher *publisher_open(Loop *loop, const Settings *settings, const PublisherHandler *handler,
                          void *context, Error *err)
{
    Publisher *publisher = alloc_zeroed(1, sizeof(*publisher));
    publisher->handler = *handler;
    publisher->context = context;
    box_init(&publisher->box, &publisher->async);
    if (!publisher_thread_open(&publisher->thread, &publisher->box, settings, err)) {
        publisher_free(publisher);
        return NULL;
    }
    int failed = uv_async_init(loop_uv(loop), &publisher->async, on_async);
    assert(failed == 0);
    publisher->async.data = publisher;
    failed = uv_thread_create(&publisher->id, publisher_thread_run, &publisher->thread);
    assert(failed == 0);
    (void)failed;
    return publisher;
}

bool publisher_is_ready(const Publisher *publisher)
{
    return publisher->ready;
}

// What is over is answered from the loop's next turn, as everything else is.
void publisher_put(Publisher *publisher, const PublisherItem *item)
{
    publisher->waiting++;
    if (item->assignment->id <= publisher->revoked_up_to) {
        Note *note = note_new(NOTE_DROPPED, 1);
        note->ids[0] = item->id;
        box_put_note(&publisher->box, note);
    } else {
        box_put_item(&publisher->box, &item_new(item)->link);
    }
}

void publisher_hurry(Publisher *publisher)
{
    box_hurry(&publisher->box);
}

void publisher_revoke(Publisher *publisher, const uint64_t *assignment_ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (assignment_ids[i] > publisher->revoked_up_to) {
            publisher->revoked_up_to = assignment_ids[i];
        }
    }
    box_put_revocation(&publisher->box, assignment_ids, count);
}

void publisher_close(Publisher *publisher, void (*on_closed)(void *context))
{
    publisher->on_closed = on_closed;
    publisher->ready = false;
    box_close(&publisher->box);
}

void publisher_free(Publisher *publisher)
{
    if (publisher != NULL) {
        box_clear(&publisher->box);
        free(publisher);
    }
}

size_t publisher_waiting(const Publisher *publisher)
{
    return publisher->waiting;
}
