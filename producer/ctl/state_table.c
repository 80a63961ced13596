#include "ctl/state_table.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "base/text.h"
#include "ctl/print_state.h"
#include "ctl/state_text.h"

enum { COLUMNS_MAX = 11, GAP = 2, CELL_MAX_BYTES = 4096, MINUTE_BYTES = 16 };

typedef enum Show {
    SHOW_VALUE,
    SHOW_APPLICATION,
    SHOW_MINUTE, // of a time
    SHOW_BASE,   // whether previews branch off it
} Show;

typedef struct Column {
    const char *title;
    const char *key; // in the JSON form
    Show show;
    bool optional; // left out where it is empty
} Column;

static const Column ENVIRONMENTS[COLUMNS_MAX] = {
    {"APPLICATION", NULL, SHOW_APPLICATION, false},
    {"ENVIRONMENT", "environment", SHOW_VALUE, false},
    {"STATUS", "status", SHOW_VALUE, false},
    {"ORIGIN", "origin", SHOW_VALUE, false},
    {"ACCOUNT", "account", SHOW_VALUE, false},
    {"PROJECT", "projectId", SHOW_VALUE, false},
    {"BRANCH", "branchName", SHOW_VALUE, false},
    {"PG", "pgVersion", SHOW_VALUE, false},
    {"PREVIEWS", "environment", SHOW_BASE, true},
    {"EXPIRES", "expiresAt", SHOW_MINUTE, true},
    {"HOST", "host", SHOW_VALUE, false},
};

static const Column ACCOUNTS[] = {
    {"APPLICATION", NULL, SHOW_APPLICATION, false}, {"ACCOUNT", "account", SHOW_VALUE, false},
    {"KEY", "keyKind", SHOW_VALUE, false},          {"ORGANIZATION", "orgId", SHOW_VALUE, false},
    {"PROJECT", "projectId", SHOW_VALUE, true},     {"NEON", "neonAccountId", SHOW_VALUE, false},
};

typedef struct Row {
    char *cells[COLUMNS_MAX];
} Row;

struct StateTable {
    ProvisionSubjectKind kind;
    const Column *columns;
    size_t column_count;
    Row *rows;
    size_t count;
    char *application_id; // whose base that is; NULL: none yet
    char *base;
};

StateTable *state_table_new(ProvisionSubjectKind kind)
{
    StateTable *table = alloc_zeroed(1, sizeof(*table));
    bool accounts = kind == PROVISION_SUBJECT_ACCOUNT;
    table->kind = kind;
    table->columns = accounts ? ACCOUNTS : ENVIRONMENTS;
    table->column_count = accounts ? sizeof(ACCOUNTS) / sizeof(ACCOUNTS[0]) : COLUMNS_MAX;
    return table;
}

static void forget_base(StateTable *table)
{
    free(table->application_id);
    free(table->base);
}

void state_table_free_at(StateTable **pointer)
{
    StateTable *table = *pointer;
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        for (size_t column = 0; column < table->column_count; column++) {
            free(table->rows[i].cells[column]);
        }
    }
    forget_base(table);
    free(table->rows);
    free(table);
}

static void free_json(json_t **json)
{
    json_decref(*json);
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

// 2026-11-22T08:07:00.000Z → 2026-11-22 08:07
static void append_minute(Text *text, const char *instant)
{
    for (size_t i = 0; i < MINUTE_BYTES && instant[i] != '\0'; i++) {
        text_append_char(text, (char)(instant[i] == 'T' ? ' ' : instant[i]));
    }
}

static bool is_base(const StateTable *table, const ProvisionState *state)
{
    return table->base != NULL && strcmp(table->application_id, state->application_id) == 0 &&
           strcmp(table->base, state->name) == 0;
}

static char *cell_of(const StateTable *table, const Column *column, const ProvisionState *state,
                     const json_t *body)
{
    Text text CLEANUP(text_clear) = TEXT_INIT(CELL_MAX_BYTES);
    switch (column->show) {
    case SHOW_APPLICATION:
        text_append(&text, state->application_id);
        break;
    case SHOW_MINUTE:
        append_minute(&text, text_at(body, column->key));
        break;
    case SHOW_BASE:
        text_append(&text, is_base(table, state) ? "base" : "");
        break;
    case SHOW_VALUE:
    default:
        state_text_append(&text, json_object_get(body, column->key));
        break;
    }
    return alloc_text(text.length == 0 ? "-" : text_get(&text));
}

static void note_base(StateTable *table, const ProvisionState *state, const json_t *body)
{
    forget_base(table);
    table->application_id = alloc_text(state->application_id);
    table->base = alloc_text(text_at(body, "previewBase"));
}

void state_table_add(StateTable *table, const ProvisionState *state)
{
    json_t *json CLEANUP(free_json) = json_loads(state->json, 0, NULL);
    const json_t *body = json_object_get(json, print_state_kind(state->kind));
    if (state->kind == PROVISION_SUBJECT_APPLICATION) {
        note_base(table, state, body);
    }
    if (state->kind != table->kind) {
        return;
    }
    table->rows = alloc_resize(table->rows, (table->count + 1) * sizeof(*table->rows));
    Row *row = &table->rows[table->count++];
    for (size_t i = 0; i < table->column_count; i++) {
        row->cells[i] = cell_of(table, &table->columns[i], state, body);
    }
}

// 0: the column is left out.
static size_t column_width(const StateTable *table, size_t column)
{
    size_t widest = strlen(table->columns[column].title);
    bool empty = true;
    for (size_t i = 0; i < table->count; i++) {
        const char *cell = table->rows[i].cells[column];
        size_t width = screen_width(cell);
        widest = width > widest ? width : widest;
        empty = empty && strcmp(cell, "-") == 0;
    }
    return empty && table->columns[column].optional ? 0 : widest;
}

static ScreenColour cell_colour(const Column *column, const char *cell)
{
    if (column->key == NULL || strcmp(column->key, "status") != 0) {
        return SCREEN_PLAIN;
    }
    return strcmp(cell, "ready") == 0 ? SCREEN_GREEN : SCREEN_RED;
}

// `row` NULL: the titles.
static void print_row(const Screen *screen, const StateTable *table, const Row *row,
                      const size_t *widths)
{
    for (size_t i = 0; i < table->column_count; i++) {
        const Column *column = &table->columns[i];
        const char *cell = row == NULL ? column->title : row->cells[i];
        bool last = i + 1 == table->column_count;
        if (widths[i] > 0) {
            screen_print(screen, row == NULL ? SCREEN_DIM : cell_colour(column, cell), cell,
                         last ? 0 : widths[i] + GAP);
        }
    }
    (void)fputc('\n', screen->file);
}

void state_table_print(const Screen *screen, const StateTable *table)
{
    size_t widths[COLUMNS_MAX];
    for (size_t column = 0; column < table->column_count; column++) {
        widths[column] = column_width(table, column);
    }
    print_row(screen, table, NULL, widths);
    for (size_t i = 0; i < table->count; i++) {
        print_row(screen, table, &table->rows[i], widths);
    }
    (void)fflush(screen->file);
}
