#include "ctl/print_state.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/instant.h"
#include "base/text.h"
#include "ctl/enum_text.h"

enum {
    COLUMN_COUNT = 9,
    GAP = 2,
    NAME_WIDTH = 34,
    TEXT_MAX_BYTES = 4096,
    LIST_MAX_BYTES = 1 << 20
};

static const struct {
    const char *title;
    const char *key; // in the JSON form of EnvironmentState
} COLUMNS[COLUMN_COUNT] = {
    {"APPLICATION", NULL},    {"ENVIRONMENT", "environment"},
    {"STATUS", "status"},     {"ORIGIN", "origin"},
    {"ACCOUNT", "account"},   {"PROJECT", "projectId"},
    {"BRANCH", "branchName"}, {"PG", "pgVersion"},
    {"HOST", "host"},
};

typedef struct Row {
    char *cells[COLUMN_COUNT];
} Row;

struct StateTable {
    Row *rows;
    size_t count;
};

static void free_json(json_t **json)
{
    json_decref(*json);
}

StateTable *print_state_table_new(void)
{
    return alloc_zeroed(1, sizeof(StateTable));
}

void print_state_table_free(StateTable *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        for (size_t column = 0; column < COLUMN_COUNT; column++) {
            free(table->rows[i].cells[column]);
        }
    }
    free(table->rows);
    free(table);
}

static void append_scalar(Text *text, const json_t *value)
{
    static const char *const PREFIXES[] = {"ENVIRONMENT_STATUS_", "ORIGIN_", "KEY_KIND_",
                                           "ROLES_POLICY_", "ACCESS_"};
    if (json_is_integer(value)) {
        text_printf(text, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        text_printf(text, "%g", json_real_value(value));
    } else if (json_is_boolean(value)) {
        text_append(text, json_is_true(value) ? "true" : "false");
    } else if (json_is_string(value)) {
        const char *string = json_string_value(value);
        for (size_t i = 0; i < sizeof(PREFIXES) / sizeof(PREFIXES[0]); i++) {
            if (strncmp(string, PREFIXES[i], strlen(PREFIXES[i])) == 0) {
                enum_text_append(text, string, PREFIXES[i]);
                return;
            }
        }
        text_append(text, string);
    }
}

static char *cell_of(const ProvisionState *state, const json_t *body, const char *key)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(TEXT_MAX_BYTES);
    if (key == NULL) {
        text_append(&text, state->application_id);
    } else {
        append_scalar(&text, json_object_get(body, key));
    }
    return alloc_text(text.length == 0 ? "-" : text_get(&text));
}

void print_state_table_add(StateTable *table, const ProvisionState *state)
{
    if (state->kind != PROVISION_SUBJECT_ENVIRONMENT) {
        return;
    }
    json_t *json CLEANUP(free_json) = json_loads(state->json, 0, NULL);
    const json_t *body = json_object_get(json, "environment");
    table->rows = alloc_resize(table->rows, (table->count + 1) * sizeof(*table->rows));
    Row *row = &table->rows[table->count++];
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        row->cells[column] = cell_of(state, body, COLUMNS[column].key);
    }
}

static size_t column_width(const StateTable *table, size_t column)
{
    size_t widest = strlen(COLUMNS[column].title);
    for (size_t i = 0; i < table->count; i++) {
        size_t width = screen_width(table->rows[i].cells[column]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static ScreenColour cell_colour(size_t column, const char *cell)
{
    if (COLUMNS[column].key == NULL || strcmp(COLUMNS[column].key, "status") != 0) {
        return SCREEN_PLAIN;
    }
    return strcmp(cell, "ready") == 0 ? SCREEN_GREEN : SCREEN_RED;
}

static void print_cell(const Screen *screen, ScreenColour colour, const char *cell, size_t column,
                       const size_t *widths)
{
    bool last = column + 1 == COLUMN_COUNT;
    screen_print(screen, colour, cell, last ? 0 : widths[column] + GAP);
    if (last) {
        (void)fputc('\n', screen->file);
    }
}

void print_state_table(const Screen *screen, const StateTable *table)
{
    size_t widths[COLUMN_COUNT];
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        widths[column] = column_width(table, column);
    }
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        print_cell(screen, SCREEN_DIM, COLUMNS[column].title, column, widths);
    }
    for (size_t i = 0; i < table->count; i++) {
        for (size_t column = 0; column < COLUMN_COUNT; column++) {
            const char *cell = table->rows[i].cells[column];
            print_cell(screen, cell_colour(column, cell), cell, column, widths);
        }
    }
}

static void print_line(const Screen *screen, const char *name, const char *value)
{
    screen_print(screen, SCREEN_DIM, name, NAME_WIDTH);
    screen_print(screen, SCREEN_PLAIN, value, 0);
    (void)fputc('\n', screen->file);
}

// orders (main write, logs read)
static void append_service(Text *text, const json_t *service)
{
    const json_t *databases = json_object_get(service, "databases");
    size_t index = 0;
    const json_t *element = NULL;
    append_scalar(text, json_object_get(service, "name"));
    json_array_foreach(databases, index, element)
    {
        const json_t *access = json_object_get(element, "access");
        text_append(text, index == 0 ? " (" : ", ");
        append_scalar(text, json_object_get(element, "database"));
        text_append(text, " ");
        if (access == NULL) {
            text_append(text, "write");
        } else {
            append_scalar(text, access);
        }
    }
    text_append(text, json_array_size(databases) == 0 ? "" : ")");
}

static void append_list(Text *text, const json_t *array)
{
    size_t index = 0;
    const json_t *element = NULL;
    json_array_foreach(array, index, element)
    {
        text_append(text, index == 0 ? "" : ", ");
        if (json_is_object(element)) {
            append_service(text, element);
        } else {
            append_scalar(text, element);
        }
    }
}

static void print_object(const Screen *screen, json_t *object, const char *prefix)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        Text name CLEANUP(text_clear) = TEXT_INIT(TEXT_MAX_BYTES);
        text_printf(&name, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", key);
        if (json_is_object(value)) {
            print_object(screen, value, text_get(&name));
            continue;
        }
        Text shown CLEANUP(text_clear) = TEXT_INIT(LIST_MAX_BYTES);
        append_scalar(&shown, value);
        append_list(&shown, value);
        print_line(screen, text_get(&name), text_get(&shown));
    }
}

void print_state_whole(const Screen *screen, const ProvisionState *state)
{
    static const char *const KINDS[] = {
        [PROVISION_SUBJECT_ENVIRONMENT] = "environment",
        [PROVISION_SUBJECT_ACCOUNT] = "account",
        [PROVISION_SUBJECT_APPLICATION] = "application",
    };
    json_t *json CLEANUP(free_json) = json_loads(state->json, 0, NULL);
    char changed[INSTANT_TEXT_BYTES];
    char sequence[24];
    instant_format(state->changed_at_ms, changed);
    (void)snprintf(sequence, sizeof(sequence), "%lld", (long long)state->sequence);
    print_line(screen, "subject", state->subject);
    print_line(screen, "sequence", sequence);
    print_line(screen, "changedAt", changed);
    print_object(screen, json_object_get(json, KINDS[state->kind]), "");
}

void print_state_json(FILE *file, const ProvisionState *state)
{
    (void)fprintf(file, "%s\n", state->json);
}
