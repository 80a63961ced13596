#include "drive/publisher_box.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "drive/publisher_item.h"

static const uint64_t NS_PER_MS = 1000000;

void box_move_all(List *to, List *from)
{
    ListLink *link = NULL;
    while ((link = list_first(from)) != NULL) {
        list_remove(link);
        list_append(to, link);
    }
}

void box_init(Box *box, uv_async_t *async)
{
    int failed = uv_mutex_init(&box->mutex);
    failed |= uv_cond_init(&box->wake);
    assert(failed == 0);
    (void)failed;
    box->async = async;
    box->closing = false;
    list_init(&box->items);
    list_init(&box->revocations);
    list_init(&box->notes);
}

void box_clear(Box *box)
{
    LIST_EACH(&box->items, link)
    {
        item_free(LIST_ENTRY(link, Item, link));
    }
    LIST_EACH(&box->revocations, link)
    {
        free(LIST_ENTRY(link, Revocation, link));
    }
    LIST_EACH(&box->notes, link)
    {
        note_free(LIST_ENTRY(link, Note, link));
    }
    uv_cond_destroy(&box->wake);
    uv_mutex_destroy(&box->mutex);
}

static void put(Box *box, List *list, ListLink *link)
{
    uv_mutex_lock(&box->mutex);
    list_append(list, link);
    uv_cond_signal(&box->wake);
    uv_mutex_unlock(&box->mutex);
}

void box_put_item(Box *box, ListLink *item)
{
    put(box, &box->items, item);
}

void box_put_revocation(Box *box, const uint64_t *ids, size_t count)
{
    Revocation *revocation = alloc_bytes(sizeof(*revocation) + count * sizeof(ids[0]));
    list_link_init(&revocation->link);
    revocation->count = count;
    if (count > 0) {
        memcpy(revocation->ids, ids, count * sizeof(ids[0]));
    }
    put(box, &box->revocations, &revocation->link);
}

static void tell(Box *box, bool *flag)
{
    uv_mutex_lock(&box->mutex);
    *flag = true;
    box->is_told = false;
    uv_cond_signal(&box->wake);
    uv_mutex_unlock(&box->mutex);
}

void box_close(Box *box)
{
    tell(box, &box->closing);
}

void box_hurry(Box *box)
{
    tell(box, &box->hurrying);
}

void box_take_notes(Box *box, List *ret_notes)
{
    list_init(ret_notes);
    uv_mutex_lock(&box->mutex);
    box_move_all(ret_notes, &box->notes);
    uv_mutex_unlock(&box->mutex);
}

static bool has_news(const Box *box)
{
    return !list_is_empty(&box->items) || !list_is_empty(&box->revocations) ||
           ((box->closing || box->hurrying) && !box->is_told);
}

void box_take(Box *box, uint64_t wait_ms, BoxTaken *ret_taken)
{
    list_init(&ret_taken->items);
    list_init(&ret_taken->revocations);
    uint64_t until_ns = uv_hrtime() + wait_ms * NS_PER_MS;
    uv_mutex_lock(&box->mutex);
    while (!has_news(box)) {
        uint64_t now_ns = uv_hrtime();
        if (now_ns >= until_ns) {
            break;
        }
        uv_cond_timedwait(&box->wake, &box->mutex, until_ns - now_ns);
    }
    box_move_all(&ret_taken->items, &box->items);
    box_move_all(&ret_taken->revocations, &box->revocations);
    ret_taken->closing = box->closing;
    ret_taken->hurrying = box->hurrying;
    box->is_told = true;
    uv_mutex_unlock(&box->mutex);
}

Note *note_new(NoteKind kind, size_t id_count)
{
    Note *note = alloc_zeroed(1, sizeof(*note));
    list_link_init(&note->link);
    note->kind = kind;
    note->ids = alloc_zeroed(id_count, sizeof(note->ids[0]));
    note->count = id_count;
    return note;
}

void note_free(Note *note)
{
    free(note->ids);
    free(note);
}

void box_put_note(Box *box, Note *note)
{
    uv_mutex_lock(&box->mutex);
    list_append(&box->notes, &note->link);
    uv_mutex_unlock(&box->mutex);
    uv_async_send(box->async);
}
