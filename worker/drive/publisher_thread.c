#include "drive/publisher_thread.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "drive/publisher_item.h"
#include "sys/clock.h"
#include "sys/random.h"

enum { BATCH_ITEMS = 1000, IDLE_MS = 1000 };
static const Backoff RETRY = {.first_ms = 100, .max_ms = 5000};

static size_t count_of(const List *items)
{
    size_t count = 0;
    LIST_EACH(items, link)
    {
        count++;
    }
    return count;
}

static void note_items(PublisherThread *thread, NoteKind kind, List *items, uint32_t took_ms)
{
    size_t count = count_of(items);
    if (count == 0) {
        return;
    }
    Note *note = note_new(kind, count);
    note->took_ms = took_ms;
    size_t i = 0;
    LIST_EACH(items, link)
    {
        Item *item = LIST_ENTRY(link, Item, link);
        note->ids[i++] = item->id;
        list_remove(link);
        item_free(item);
    }
    box_put_note(thread->box, note);
}

static void note_error(PublisherThread *thread, NoteKind kind, const Error *err)
{
    Note *note = note_new(kind, 0);
    note->err = *err;
    box_put_note(thread->box, note);
}

static void on_retry(void *context, const Error *err)
{
    PublisherThread *thread = context;
    thread->troubled = true;
    note_error(thread, NOTE_TROUBLE, err);
}

static void succeeded(PublisherThread *thread)
{
    thread->attempts = 0;
    thread->next_try_boot_ms = 0;
    if (thread->troubled) {
        thread->troubled = false;
        Error none = ERROR_INIT;
        note_error(thread, NOTE_TROUBLE, &none);
    }
}

static void failed(PublisherThread *thread, TxnResult result, const Error *err)
{
    if (result == TXN_FATAL) {
        thread->fatal = true;
        note_error(thread, NOTE_FATAL, err);
        return;
    }
    thread->next_try_boot_ms =
        clock_boot_ms() + backoff_delay_ms(RETRY, thread->attempts++, random_u32());
    on_retry(thread, err);
}

static bool is_revoked(const Revocation *revocation, const Item *item)
{
    for (size_t i = 0; i < revocation->count; i++) {
        if (revocation->ids[i] == item->assignment->id) {
            return true;
        }
    }
    return false;
}

static void drop_revoked(PublisherThread *thread, const Revocation *revocation)
{
    List dropped;
    list_init(&dropped);
    LIST_EACH(&thread->waiting, link)
    {
        if (is_revoked(revocation, LIST_ENTRY(link, Item, link))) {
            list_remove(link);
            list_append(&dropped, link);
        }
    }
    note_items(thread, NOTE_DROPPED, &dropped, 0);
    box_put_note(thread->box, note_new(NOTE_REVOKED, 0));
}

// The longest prefix that one transaction can carry: it takes the offsets of one generation.
static void take_batch(PublisherThread *thread, List *ret_batch)
{
    const Item *first = LIST_ENTRY(list_first(&thread->waiting), Item, link);
    uint64_t rebalance = first->assignment->rebalance;
    size_t count = 0;
    size_t size_bytes = 0;
    list_init(ret_batch);
    LIST_EACH(&thread->waiting, link)
    {
        const Item *item = LIST_ENTRY(link, Item, link);
        size_bytes += item->size_bytes;
        if (item->assignment->rebalance != rebalance || count == thread->batch_items ||
            (count > 0 && size_bytes > PUBLISHER_BATCH_BYTES)) {
            return;
        }
        list_remove(link);
        list_append(ret_batch, link);
        count++;
    }
}

// The group has gone on: what waits of the same generation would meet the same answer.
static void drop_generation(PublisherThread *thread, List *batch)
{
    uint64_t rebalance = LIST_ENTRY(list_first(batch), Item, link)->assignment->rebalance;
    LIST_EACH(&thread->waiting, link)
    {
        if (LIST_ENTRY(link, Item, link)->assignment->rebalance == rebalance) {
            list_remove(link);
            list_append(batch, link);
        }
    }
    note_items(thread, NOTE_DROPPED, batch, 0);
}

// Halves the batch until the refused outcome is alone. Of that one, events and states wait until
// the limit is raised, or they would be lost; a dead letter gives way, as everything behind it
// would wait for a record that anybody can write.
static void refused_for_size(PublisherThread *thread, size_t count, Error *err)
{
    thread->batch_items = count > 1 ? count / 2 : 1;
    if (count > 1) {
        return;
    }
    Item *item = LIST_ENTRY(list_first(&thread->waiting), Item, link);
    if (item_shrink(item, thread->dead_letters_topic)) {
        error_context(err, "a dead letter for partition %" PRId32 " loses what is too large",
                      item->assignment->partition);
        on_retry(thread, err);
    } else {
        failed(thread, TXN_TOO_LARGE, err);
    }
}

static void publish(PublisherThread *thread)
{
    Error err = ERROR_INIT;
    List batch;
    take_batch(thread, &batch);
    int64_t started_boot_ms = clock_boot_ms();
    size_t count = count_of(&batch);
    TxnResult result = txn_run(&thread->txn, &batch, &err);
    if (result == TXN_DONE) {
        thread->batch_items =
            thread->batch_items < BATCH_ITEMS / 2 ? thread->batch_items * 2 : BATCH_ITEMS;
        succeeded(thread);
        note_items(thread, NOTE_PUBLISHED, &batch, (uint32_t)(clock_boot_ms() - started_boot_ms));
    } else if (result == TXN_STALE) {
        succeeded(thread);
        drop_generation(thread, &batch);
    } else {
        box_move_all(&batch, &thread->waiting); // goes first again
        box_move_all(&thread->waiting, &batch);
        if (result == TXN_TOO_LARGE) {
            refused_for_size(thread, count, &err);
        } else {
            failed(thread, result, &err);
        }
    }
}

static void prepare(PublisherThread *thread)
{
    Error err = ERROR_INIT;
    TxnResult result = txn_prepare(&thread->txn, &err);
    if (result == TXN_DONE) {
        thread->prepared = true;
        succeeded(thread);
        box_put_note(thread->box, note_new(NOTE_READY, 0));
    } else {
        failed(thread, result, &err);
    }
}

// How long there is nothing to do unless something new comes.
static uint64_t idle_ms(const PublisherThread *thread)
{
    ListLink *first = list_first(&thread->waiting);
    if (thread->fatal || (thread->prepared && first == NULL)) {
        return IDLE_MS;
    }
    int64_t until_boot_ms = thread->next_try_boot_ms;
    if (thread->prepared && !thread->closing && !thread->hurrying) {
        int64_t lingers_ms = LIST_ENTRY(first, Item, link)->put_boot_ms + thread->linger_ms;
        until_boot_ms = lingers_ms > until_boot_ms ? lingers_ms : until_boot_ms;
    }
    int64_t left_ms = until_boot_ms - clock_boot_ms();
    return left_ms > 0 ? (uint64_t)left_ms : 0;
}

static void take_news(PublisherThread *thread)
{
    BoxTaken taken;
    box_take(thread->box, idle_ms(thread), &taken);
    thread->closing = taken.closing;
    thread->hurrying = taken.hurrying;
    rd_kafka_poll(thread->txn.client, 0); // or its queue of errors would grow
    box_move_all(&thread->waiting, &taken.items);
    LIST_EACH(&taken.revocations, link)
    {
        Revocation *revocation = LIST_ENTRY(link, Revocation, link);
        drop_revoked(thread, revocation);
        free(revocation);
    }
}

static void work(PublisherThread *thread)
{
    if (thread->fatal || idle_ms(thread) != 0) {
        return;
    }
    if (!thread->prepared) {
        prepare(thread);
    } else {
        publish(thread);
    }
}

static bool is_over(const PublisherThread *thread)
{
    return thread->closing &&
           (thread->fatal || !thread->prepared || list_is_empty(&thread->waiting));
}

void publisher_thread_run(void *argument)
{
    PublisherThread *thread = argument;
    while (!is_over(thread)) {
        take_news(thread);
        work(thread);
    }
    txn_close(&thread->txn);
    LIST_EACH(&thread->waiting, link)
    {
        item_free(LIST_ENTRY(link, Item, link));
    }
    box_put_note(thread->box, note_new(NOTE_CLOSED, 0));
}

bool publisher_thread_open(PublisherThread *thread, Box *box, const Settings *settings, Error *err)
{
    *thread = (PublisherThread){.box = box, .batch_items = BATCH_ITEMS};
    thread->dead_letters_topic = settings_text(settings, SETTING_TOPIC_DEAD_LETTERS);
    thread->linger_ms = settings_number(settings, SETTING_PUBLISH_LINGER);
    list_init(&thread->waiting);
    return txn_open(&thread->txn, settings, on_retry, thread, err);
}
