#include "ctl/role_changes.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"

enum { NAME_WIDTH_MAX = 40, SHOWN_MAX_BYTES = 160, LINE_MAX_BYTES = 4096 };

typedef struct Count {
    size_t changes;
    size_t blocked;
    size_t omitted;
} Count;

static void free_json(json_t **json)
{
    json_decref(*json);
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static Count count_of(const json_t *body)
{
    Count count = {.omitted = (size_t)json_integer_value(json_object_get(body, "omitted"))};
    size_t index = 0;
    const json_t *change = NULL;
    json_array_foreach(json_object_get(body, "changes"), index, change)
    {
        if (json_is_true(json_object_get(change, "blocked"))) {
            count.blocked++;
        } else {
            count.changes++;
        }
    }
    return count;
}

void role_changes_summary(Text *text, const json_t *body)
{
    Count count = count_of(body);
    bool planned = json_is_true(json_object_get(body, "plannedOnly"));
    if (count.changes + count.blocked + count.omitted == 0) {
        text_append(text, "as wanted");
        return;
    }
    text_printf(text, "%zu %s%s", count.changes, count.changes == 1 ? "change" : "changes",
                planned ? " planned" : "");
    if (count.blocked > 0) {
        text_printf(text, ", %zu blocked", count.blocked);
    }
    if (count.omitted > 0) {
        text_printf(text, ", %zu more", count.omitted);
    }
}

static json_t *body_of(json_t *event)
{
    return json_object_get(event, "rolesConfigured");
}

bool role_changes_any(const ProvisionEvent *event)
{
    json_t *json CLEANUP(free_json) = json_loads(event->json, 0, NULL);
    Count count = count_of(body_of(json));
    return count.changes + count.blocked + count.omitted > 0;
}

static const char *database_of(const json_t *change)
{
    const char *database = text_at(change, "database");
    return database[0] == '\0' ? "(all)" : database;
}

static size_t widest(const json_t *changes, const char *(*cell)(const json_t *change))
{
    size_t width = 0;
    size_t index = 0;
    const json_t *change = NULL;
    json_array_foreach(changes, index, change)
    {
        size_t own = screen_width(cell(change));
        width = own > width ? own : width;
    }
    return width > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : width;
}

static const char *object_of(const json_t *change)
{
    return text_at(change, "object");
}

// A statement about hundreds of tables is cut, at the start of a character.
static void append_shown(Text *text, const char *statement)
{
    size_t size = strlen(statement);
    if (size <= SHOWN_MAX_BYTES) {
        text_append(text, statement);
        return;
    }
    size = SHOWN_MAX_BYTES;
    while (size > 0 && ((unsigned char)statement[size] & 0xc0) == 0x80) {
        size--;
    }
    text_append_bytes(text, statement, size);
    text_append(text, "…");
}

static void print_change(const Screen *screen, const json_t *change, size_t database_width,
                         size_t object_width)
{
    bool blocked = json_is_true(json_object_get(change, "blocked"));
    Text shown CLEANUP(text_clear) = TEXT_INIT(LINE_MAX_BYTES);
    append_shown(&shown, text_at(change, "change"));
    (void)fputs("  ", screen->file);
    screen_print(screen, SCREEN_PLAIN, database_of(change), database_width + 2);
    screen_print(screen, SCREEN_PLAIN, object_of(change), object_width + 2);
    if (blocked) {
        screen_print(screen, SCREEN_YELLOW, "blocked: ", 0);
    } else {
        screen_print(screen, SCREEN_PLAIN, text_get(&shown), 0);
        (void)fputs("  ", screen->file);
    }
    screen_print(screen, SCREEN_DIM, text_at(change, "reason"), 0);
    (void)fputc('\n', screen->file);
}

void role_changes_list(const Screen *screen, const json_t *changes)
{
    size_t database_width = widest(changes, database_of);
    size_t object_width = widest(changes, object_of);
    size_t index = 0;
    const json_t *change = NULL;
    json_array_foreach(changes, index, change)
    {
        print_change(screen, change, database_width, object_width);
    }
}

void role_changes_print(const Screen *screen, const ProvisionEvent *event)
{
    json_t *json CLEANUP(free_json) = json_loads(event->json, 0, NULL);
    const json_t *body = body_of(json);
    Text summary CLEANUP(text_clear) = TEXT_INIT(LINE_MAX_BYTES);
    role_changes_summary(&summary, body);
    bool any = role_changes_any(event);
    screen_print(screen, SCREEN_PLAIN, text_at(body, "environment"), 0);
    (void)fputs(": ", screen->file);
    screen_print(screen, any ? SCREEN_YELLOW : SCREEN_GREEN, text_get(&summary), 0);
    (void)fputc('\n', screen->file);
    role_changes_list(screen, json_object_get(body, "changes"));
    (void)fflush(screen->file);
}
