#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "render.h"

static const char *const SORT_NAMES[] = {[ORDER_NAME] = "name",
                                         [ORDER_CREATED] = "created_at",
                                         [ORDER_UPDATED] = "updated_at",
                                         [ORDER_KEYS] = NULL};
static const char *const ORDER_NAMES[] = {"asc", "desc", NULL};

enum { BRANCHES_CURSOR_BYTES = 4096 };

/* How a listing is ordered and where it goes on. */
typedef struct Listing {
    int sort_by; /* an OrderKey */
    int order;   /* index into ORDER_NAMES */
    bool include_deleted;
    bool has_cursor;
    char cursor_id[IDS_BYTES];
    char cursor_name[STORE_NAME_BYTES];
    int64_t cursor_ms;
} Listing;

static void build_cursor(const Branch *last, const Listing *listing,
                         char ret_cursor[BRANCHES_CURSOR_BYTES])
{
    char time[TEXT_TIME_BYTES];
    text_time_us(order_place(last, (OrderKey)listing->sort_by).time_ms * 1000, time);
    const char *value = listing->sort_by == ORDER_NAME ? last->name : time;
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "branch_id", last->id, "sort_by",
                             SORT_NAMES[listing->sort_by], "sort_by_value", value, "sort_order",
                             listing->order == 0 ? "ASC" : "DESC");
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    size_t length = strlen(text);
    if (sodium_base64_encoded_len(length, sodium_base64_VARIANT_ORIGINAL) > BRANCHES_CURSOR_BYTES) {
        abort();
    }
    sodium_bin2base64(ret_cursor, BRANCHES_CURSOR_BYTES, (const unsigned char *)text, length,
                      sodium_base64_VARIANT_ORIGINAL);
    free(text);
}

/* Takes order and place from a cursor that build_cursor made. */
static bool parse_cursor(json_t *json, Listing *listing)
{
    const char *id = NULL;
    const char *sort_by = NULL;
    const char *value = NULL;
    const char *order = NULL;
    if (json_unpack(json, "{s:s, s:s, s:s, s:s}", "branch_id", &id, "sort_by", &sort_by,
                    "sort_by_value", &value, "sort_order", &order) != 0) {
        return false;
    }
    listing->order = strcmp(order, "ASC") == 0 ? 0 : 1;
    listing->sort_by = -1;
    for (int i = 0; SORT_NAMES[i] != NULL; i++) {
        listing->sort_by = strcmp(SORT_NAMES[i], sort_by) == 0 ? i : listing->sort_by;
    }
    int64_t time_us = 0;
    bool is_name = listing->sort_by == ORDER_NAME;
    if (listing->sort_by < 0 || (!is_name && !text_parse_time_us(value, &time_us)) ||
        !text_copy(listing->cursor_id, sizeof(listing->cursor_id), id) ||
        !text_copy(listing->cursor_name, sizeof(listing->cursor_name), value)) {
        return false;
    }
    listing->cursor_ms = time_us / 1000;
    listing->has_cursor = true;
    return true;
}

static bool read_cursor(Exchange *exchange, Listing *listing)
{
    const char *text = exchange_query(exchange, "cursor");
    if (text == NULL || text[0] == '\0') {
        return true;
    }
    unsigned char decoded[BRANCHES_CURSOR_BYTES];
    size_t length = 0;
    bool valid = sodium_base642bin(decoded, sizeof(decoded), text, strlen(text), NULL, &length,
                                   NULL, sodium_base64_VARIANT_ORIGINAL) == 0;
    json_t *json = valid ? json_loadb((const char *)decoded, length, 0, NULL) : NULL;
    valid = json != NULL && parse_cursor(json, listing);
    json_decref(json);
    if (!valid) {
        exchange_fail(exchange, 400, "", "invalid request: query parameter \"cursor\"");
    }
    return valid;
}

/* What a listing looks for; a text is looked for in names and ids. */
typedef struct Search {
    const char *text; /* NULL: everything */
    OrderHint hint;
    bool include_deleted;
    int64_t now_ms;
} Search;

static Search read_search(const Exchange *exchange, bool include_deleted)
{
    const char *text = exchange_query(exchange, "search");
    return (Search){text, order_hint(text == NULL ? "" : text), include_deleted, exchange->now_ms};
}

static bool is_wanted(const Search *search, const OrderEntry *entry)
{
    if (search->text != NULL && !order_has_part(entry, search->text, &search->hint)) {
        return false;
    }
    const Lifetime *life = &entry->branch->life;
    return store_is_listed(life, search->now_ms) ||
           (search->include_deleted && entry->branch->is_recoverable);
}

/* The way through one order, from the cursor on. */
typedef struct Walk {
    const Order *order;
    size_t before; /* entries that come earlier in the order; descending ones are to come */
    bool is_descending;
} Walk;

static Walk begin_walk(const Orders *orders, const Listing *listing)
{
    Walk walk = {.order = &orders->by[listing->sort_by], .is_descending = listing->order != 0};
    walk.before = walk.is_descending ? walk.order->count : 0;
    if (listing->has_cursor) {
        OrderPlace place = {listing->cursor_id, listing->cursor_name, listing->cursor_ms};
        walk.before =
            order_count_before(walk.order, (OrderKey)listing->sort_by, &place, !walk.is_descending);
    }
    return walk;
}

static const OrderEntry *find_wanted(Walk *walk, const Search *search)
{
    const OrderEntry *entries = walk->order->entries;
    if (walk->is_descending) {
        while (walk->before > 0 && !is_wanted(search, &entries[walk->before - 1])) {
            walk->before--;
        }
        return walk->before == 0 ? NULL : &entries[walk->before - 1];
    }
    while (walk->before < walk->order->count && !is_wanted(search, &entries[walk->before])) {
        walk->before++;
    }
    return walk->before == walk->order->count ? NULL : &entries[walk->before];
}

static void step(Walk *walk)
{
    if (walk->is_descending) {
        walk->before--;
    } else {
        walk->before++;
    }
}

/* Whether deleted branches may be in the listing: asked for, or it lags. */
static bool shows_deleted(const Exchange *exchange, const Listing *listing)
{
    return listing->include_deleted || exchange->now_ms < exchange->project->settled_ms;
}

/* The next one of both ways, or NULL. */
static const Branch *take_next(Walk *present, Walk *gone, const Search *search,
                               const Listing *listing)
{
    const OrderEntry *entry = find_wanted(present, search);
    const OrderEntry *deleted = gone == NULL ? NULL : find_wanted(gone, search);
    Walk *walk = present;
    if (deleted != NULL) {
        OrderKey key = (OrderKey)listing->sort_by;
        OrderPlace place = order_place(deleted->branch, key);
        int result = entry == NULL ? 0 : order_compare(entry->branch, key, &place);
        bool is_first = entry == NULL || (listing->order == 0 ? result > 0 : result < 0);
        walk = is_first ? gone : present;
        entry = is_first ? deleted : entry;
    }
    if (entry != NULL) {
        step(walk);
    }
    return entry == NULL ? NULL : entry->branch;
}

/* Lists up to `limit` branches; the last one, or NULL. */
static const Branch *add_branches(const Exchange *exchange, const Listing *listing, int64_t limit,
                                  json_t *list, json_t *annotations)
{
    const Project *project = exchange->project;
    Search search = read_search(exchange, listing->include_deleted);
    Walk present = begin_walk(&project->orders, listing);
    Walk gone = begin_walk(&project->gone, listing);
    Walk *gone_too = shows_deleted(exchange, listing) ? &gone : NULL;
    const Branch *last = NULL;
    for (int64_t shown = 0; shown < limit; shown++) {
        const Branch *branch = take_next(&present, gone_too, &search, listing);
        if (branch == NULL) {
            break;
        }
        last = branch;
        json_array_append_new(list, render_branch(branch));
        if (json_object_size(branch->annotation) > 0) {
            json_object_set_new(annotations, branch->id, render_annotation(branch));
        }
    }
    return last;
}

static void reply_list(Exchange *exchange, const Listing *listing, int64_t limit)
{
    json_t *list = json_array();
    json_t *annotations = json_object();
    const Branch *last = add_branches(exchange, listing, limit, list, annotations);
    json_t *pagination = json_pack("{s:s, s:s}", "sort_by", SORT_NAMES[listing->sort_by],
                                   "sort_order", listing->order == 0 ? "ASC" : "DESC");
    if (last != NULL) {
        /* As Neon, also on the last page: readers stop at an empty one. */
        char cursor[BRANCHES_CURSOR_BYTES];
        build_cursor(last, listing, cursor);
        json_object_set_new(pagination, "next", json_string(cursor));
    }
    exchange_reply(exchange, 200,
                   json_pack("{s:o, s:o, s:o}", "branches", list, "annotations", annotations,
                             "pagination", pagination));
}

void branches_list(Exchange *exchange)
{
    Listing listing = {.sort_by = ORDER_UPDATED, .order = 1};
    int64_t limit = 10000;
    if (!exchange_query_integer(exchange, "limit", 1, 10000, &limit) ||
        !exchange_query_choice(exchange, "sort_by", SORT_NAMES, &listing.sort_by) ||
        !exchange_query_choice(exchange, "sort_order", ORDER_NAMES, &listing.order) ||
        !exchange_query_boolean(exchange, "include_deleted", &listing.include_deleted) ||
        !read_cursor(exchange, &listing)) {
        return;
    }
    reply_list(exchange, &listing, limit);
}

static json_int_t count_wanted(const Order *order, const Search *search)
{
    json_int_t count = 0;
    for (size_t i = 0; i < order->count; i++) {
        count += is_wanted(search, &order->entries[i]) ? 1 : 0;
    }
    return count;
}

void branches_count(Exchange *exchange)
{
    const Project *project = exchange->project;
    Search search = read_search(exchange, false);
    bool is_settled = exchange->now_ms >= project->settled_ms;
    json_int_t count = project->branch_count;
    if (search.text != NULL || !is_settled) {
        count = count_wanted(&project->orders.by[ORDER_CREATED], &search);
    }
    if (!is_settled) {
        count += count_wanted(&project->gone.by[ORDER_CREATED], &search);
    }
    exchange_reply(exchange, 200, json_pack("{s:I}", "count", count));
}
