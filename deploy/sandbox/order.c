#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "store.h"

enum { ORDER_LEAST_CAPACITY = 4, ORDER_WORD_BITS = 64 };

OrderPlace order_place(const Branch *branch, OrderKey key)
{
    return (OrderPlace){
        .id = branch->id,
        .name = branch->name,
        .time_ms = key == ORDER_CREATED ? branch->life.created_ms : branch->life.updated_ms,
    };
}

int order_compare(const Branch *branch, OrderKey key, const OrderPlace *place)
{
    OrderPlace own = order_place(branch, key);
    int result = key == ORDER_NAME
                     ? strcmp(own.name, place->name)
                     : (own.time_ms > place->time_ms) - (own.time_ms < place->time_ms);
    return result != 0 ? result : strcmp(own.id, place->id);
}

size_t order_count_before(const Order *order, OrderKey key, const OrderPlace *place, bool inclusive)
{
    size_t low = 0;
    size_t high = order->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int result = order_compare(order->entries[middle].branch, key, place);
        if (result < 0 || (inclusive && result == 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static unsigned lower(char c)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 'A' && byte <= 'Z' ? byte + 32U : byte;
}

OrderHint order_hint(const char *text)
{
    enum { MULTIPLIER = 37, BITS = ORDER_HINT_WORDS * ORDER_WORD_BITS };
    OrderHint hint = {0};
    for (size_t i = 0; text[0] != '\0' && text[i + 1] != '\0'; i++) {
        unsigned bit = (lower(text[i]) * MULTIPLIER + lower(text[i + 1])) % BITS;
        hint.words[bit / ORDER_WORD_BITS] |= 1ULL << bit % ORDER_WORD_BITS;
    }
    return hint;
}

static bool has_part(const char *text, const char *part, size_t part_bytes)
{
    for (; *text != '\0' || part_bytes == 0; text++) {
        size_t i = 0;
        while (i < part_bytes && lower(text[i]) == lower(part[i])) {
            i++;
        }
        if (i == part_bytes) {
            return true;
        }
    }
    return false;
}

bool order_has_part(const OrderEntry *entry, const char *part, const OrderHint *hint)
{
    for (size_t i = 0; i < ORDER_HINT_WORDS; i++) {
        if ((entry->hint.words[i] & hint->words[i]) != hint->words[i]) {
            return false;
        }
    }
    size_t bytes = strlen(part);
    return has_part(entry->branch->name, part, bytes) || has_part(entry->branch->id, part, bytes);
}

static void make_room(Order *order)
{
    if (order->count < order->capacity) {
        return;
    }
    order->capacity = order->capacity == 0 ? ORDER_LEAST_CAPACITY : order->capacity * 2;
    order->entries = realloc(order->entries, order->capacity * sizeof(*order->entries));
    if (order->entries == NULL) {
        abort();
    }
}

void order_add(Orders *orders, OrderKey key, Branch *branch)
{
    if (orders->is_closed) {
        return;
    }
    Order *order = &orders->by[key];
    OrderPlace place = order_place(branch, key);
    make_room(order);
    size_t at = order_count_before(order, key, &place, false);
    OrderHint of_name = order_hint(branch->name);
    OrderEntry entry = {.branch = branch, .hint = order_hint(branch->id)};
    for (size_t i = 0; i < ORDER_HINT_WORDS; i++) {
        entry.hint.words[i] |= of_name.words[i];
    }
    memmove(order->entries + at + 1, order->entries + at,
            (order->count - at) * sizeof(*order->entries));
    order->entries[at] = entry;
    order->count++;
}

void order_remove(Orders *orders, OrderKey key, const Branch *branch)
{
    if (orders->is_closed) {
        return;
    }
    Order *order = &orders->by[key];
    OrderPlace place = order_place(branch, key);
    size_t at = order_count_before(order, key, &place, false);
    /* Not there: its name or its times were changed while it was in. */
    if (at == order->count || order->entries[at].branch != branch) {
        abort();
    }
    order->count--;
    memmove(order->entries + at, order->entries + at + 1,
            (order->count - at) * sizeof(*order->entries));
}

void order_add_all(Orders *orders, Branch *branch)
{
    for (int key = 0; key < ORDER_KEYS; key++) {
        order_add(orders, (OrderKey)key, branch);
    }
}

void order_remove_all(Orders *orders, const Branch *branch)
{
    for (int key = 0; key < ORDER_KEYS; key++) {
        order_remove(orders, (OrderKey)key, branch);
    }
}

void order_close(Orders *orders)
{
    for (int key = 0; key < ORDER_KEYS; key++) {
        free(orders->by[key].entries);
    }
    *orders = (Orders){.is_closed = true};
}

static void wait_for(Project *project, int64_t time_ms)
{
    project->settled_ms = time_ms > project->settled_ms ? time_ms : project->settled_ms;
}

void order_link_branch(Branch *branch)
{
    Project *project = branch->project;
    order_add_all(store_is_alive(&branch->life) ? &project->orders : &project->gone, branch);
    wait_for(project, branch->life.listed_ms);
    wait_for(project, branch->life.unlisted_ms);
}

void order_link_operation(Operation *operation)
{
    History *history = &operation->project->history;
    if (history->count == history->capacity) {
        history->capacity = history->capacity == 0 ? ORDER_LEAST_CAPACITY : history->capacity * 2;
        history->list = realloc((void *)history->list, history->capacity * sizeof(Operation *));
        if (history->list == NULL) {
            abort();
        }
    }
    history->list[history->count++] = operation;
}

size_t order_count_operations(const History *history, int64_t before_us)
{
    size_t low = 0;
    size_t high = history->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (history->list[middle]->created_us < before_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}
