#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "render.h"

typedef enum SortBy { SORT_NAME, SORT_CREATED, SORT_UPDATED } SortBy;

static const char *const SORT_NAMES[] = {"name", "created_at", "updated_at", NULL};
static const char *const ORDER_NAMES[] = {"asc", "desc", NULL};

enum { BRANCHES_CURSOR_BYTES = 2048 };

/* How a listing is ordered and where it goes on. */
typedef struct Listing {
    int sort_by;
    int order; /* index into ORDER_NAMES */
    bool include_deleted;
    bool has_cursor;
    char cursor_id[IDS_BYTES];
    char cursor_name[STORE_NAME_BYTES];
    int64_t cursor_ms;
} Listing;

static int64_t sort_time(const Branch *branch, int sort_by)
{
    return sort_by == SORT_CREATED ? branch->life.created_ms : branch->life.updated_ms;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_branches(const void *a, const void *b, void *argument)
{
    const Branch *left = *(const Branch *const *)a;
    const Branch *right = *(const Branch *const *)b;
    const Listing *listing = argument;
    int result = listing->sort_by == SORT_NAME
                     ? strcmp(left->name, right->name)
                     : compare_numbers(sort_time(left, listing->sort_by),
                                       sort_time(right, listing->sort_by));
    result = result != 0 ? result : strcmp(left->id, right->id);
    return listing->order == 0 ? result : -result;
}

/* Whether the branch comes after the cursor in the listing's order. */
static bool is_after_cursor(const Branch *branch, const Listing *listing)
{
    if (!listing->has_cursor) {
        return true;
    }
    int result = listing->sort_by == SORT_NAME
                     ? strcmp(branch->name, listing->cursor_name)
                     : compare_numbers(sort_time(branch, listing->sort_by), listing->cursor_ms);
    result = result != 0 ? result : strcmp(branch->id, listing->cursor_id);
    return listing->order == 0 ? result > 0 : result < 0;
}

static void build_cursor(const Branch *last, const Listing *listing,
                         char ret_cursor[BRANCHES_CURSOR_BYTES])
{
    char time[TEXT_TIME_BYTES];
    text_time_us(sort_time(last, listing->sort_by) * 1000, time);
    const char *value = listing->sort_by == SORT_NAME ? last->name : time;
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
    bool is_name = listing->sort_by == SORT_NAME;
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

static bool is_wanted(const Exchange *exchange, const Branch *branch, const Listing *listing,
                      const char *search)
{
    bool is_shown = store_is_listed(&branch->life, exchange->now_ms) ||
                    (listing->include_deleted && !store_is_alive(&branch->life));
    return is_shown && is_after_cursor(branch, listing) &&
           (search == NULL || strcasestr(branch->name, search) != NULL ||
            strcasestr(branch->id, search) != NULL);
}

/* Collects and sorts what the listing shows; the caller frees the array. */
static Branch **collect(const Exchange *exchange, Listing *listing, size_t *ret_count)
{
    size_t count = 0;
    size_t capacity = 0;
    const char *search = exchange_query(exchange, "search");
    Branch **found = NULL;
    for (Branch *branch = exchange->project->branches; branch != NULL; branch = branch->next) {
        if (!is_wanted(exchange, branch, listing, search)) {
            continue;
        }
        if (count == capacity) {
            capacity = capacity == 0 ? 16 : capacity * 2;
            found = realloc((void *)found, capacity * sizeof(Branch *));
            if (found == NULL) {
                abort();
            }
        }
        found[count++] = branch;
    }
    if (count > 0) {
        qsort_r((void *)found, count, sizeof(Branch *), compare_branches, listing);
    }
    *ret_count = count;
    return found;
}

static void reply_list(Exchange *exchange, Listing *listing, int64_t limit)
{
    size_t count = 0;
    Branch **found = collect(exchange, listing, &count);
    size_t shown = count < (size_t)limit ? count : (size_t)limit;
    json_t *list = json_array();
    json_t *annotations = json_object();
    for (size_t i = 0; i < shown; i++) {
        json_array_append_new(list, render_branch(found[i]));
        if (json_object_size(found[i]->annotation) > 0) {
            json_object_set_new(annotations, found[i]->id, render_annotation(found[i]));
        }
    }
    json_t *pagination = json_pack("{s:s, s:s}", "sort_by", SORT_NAMES[listing->sort_by],
                                   "sort_order", listing->order == 0 ? "ASC" : "DESC");
    if (shown > 0) {
        /* As Neon, also on the last page: readers stop at an empty one. */
        char cursor[BRANCHES_CURSOR_BYTES];
        build_cursor(found[shown - 1], listing, cursor);
        json_object_set_new(pagination, "next", json_string(cursor));
    }
    free((void *)found);
    exchange_reply(exchange, 200,
                   json_pack("{s:o, s:o, s:o}", "branches", list, "annotations", annotations,
                             "pagination", pagination));
}

void branches_list(Exchange *exchange)
{
    Listing listing = {.sort_by = SORT_UPDATED, .order = 1};
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
