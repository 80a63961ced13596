#include "saved.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "saved_file.h"
#include "saved_rows.h"

struct Saved {
    Sandbox *sandbox;
    SavedFile *file;
    uv_prepare_t each_turn;
    json_t *words;
    bool has_failed; /* and was logged */
};

static SavedTable table_of(Kind kind)
{
    switch (kind) {
    case KIND_PROJECT:
        return SAVED_PROJECTS;
    case KIND_BRANCH:
    case KIND_ROLE:
    case KIND_DATABASE:
        return SAVED_BRANCHES;
    case KIND_ENDPOINT:
        return SAVED_ENDPOINTS;
    case KIND_OPERATION:
    case KIND_COUNT:
        break;
    }
    return SAVED_OPERATIONS;
}

static uint64_t digest_of(const char *text)
{
    static const unsigned char KEY[crypto_shorthash_KEYBYTES] = {0};
    unsigned char bytes[crypto_shorthash_BYTES];
    uint64_t digest = 0;
    crypto_shorthash(bytes, (const unsigned char *)text, strlen(text), KEY);
    memcpy(&digest, bytes, sizeof(digest));
    return digest;
}

/* The transaction begins with the first row that differs. */
static bool put(Saved *saved, SavedTable table, int64_t row, const char *text, bool *has_begun)
{
    *has_begun = *has_begun || saved_file_begin(saved->file);
    return *has_begun && saved_file_put(saved->file, table, row, text);
}

/* The caller's, with passwords in it. */
static char *dump(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text == NULL) {
        abort();
    }
    return text;
}

static void wipe(char *text)
{
    sodium_memzero(text, strlen(text));
    free(text);
}

static bool put_mark(Saved *saved, StoreMark *mark, bool *has_begun)
{
    char *text = dump(saved_rows_write(mark));
    uint64_t digest = digest_of(text);
    bool is_put =
        digest == mark->digest || put(saved, table_of(mark->kind), mark->row, text, has_begun);
    mark->digest = digest;
    wipe(text);
    return is_put;
}

static bool put_things(Saved *saved, bool *has_begun)
{
    bool is_put = true;
    for (StoreMark *mark = saved->sandbox->store.touched; is_put && mark != NULL;
         mark = mark->next_touched) {
        is_put = put_mark(saved, mark, has_begun);
    }
    return is_put;
}

static bool put_keys(Saved *saved, bool *has_begun)
{
    Keys *keys = &saved->sandbox->keys;
    bool is_put = true;
    for (size_t i = 0; keys->is_touched && is_put && i < keys->count; i++) {
        if (keys->list[i].is_touched) {
            char *text = dump(saved_rows_write_key(&keys->list[i]));
            is_put = put(saved, SAVED_KEYS, keys->list[i].id, text, has_begun);
            wipe(text);
        }
    }
    return is_put;
}

static void forget_touched(Sandbox *sandbox)
{
    StoreMark *mark = sandbox->store.touched;
    while (mark != NULL) {
        StoreMark *next = mark->next_touched;
        mark->is_touched = false;
        mark->next_touched = NULL;
        mark = next;
    }
    sandbox->store.touched = NULL;
    for (size_t i = 0; sandbox->keys.is_touched && i < sandbox->keys.count; i++) {
        sandbox->keys.list[i].is_touched = false;
    }
    sandbox->keys.is_touched = false;
}

static bool fail(Saved *saved, bool has_begun)
{
    if (!saved->has_failed) {
        log_warn("the state can't be written: %s", saved_file_error(saved->file));
    }
    saved->has_failed = true;
    if (has_begun) {
        saved_file_roll_back(saved->file);
    }
    for (StoreMark *mark = saved->sandbox->store.touched; mark != NULL; mark = mark->next_touched) {
        mark->digest = 0;
    }
    return false;
}

bool saved_flush(Saved *saved)
{
    if (saved == NULL ||
        (saved->sandbox->store.touched == NULL && !saved->sandbox->keys.is_touched)) {
        return true;
    }
    bool has_begun = false;
    if (!put_things(saved, &has_begun) || !put_keys(saved, &has_begun) ||
        (has_begun && !saved_file_commit(saved->file))) {
        return fail(saved, has_begun);
    }
    saved->has_failed = false;
    forget_touched(saved->sandbox);
    return true;
}

/* What changes without a request: operations that end, computes that suspend. */
static void on_turn(uv_prepare_t *handle)
{
    saved_flush(handle->data);
}

/* A pass over a table. */
typedef struct Pass {
    Saved *saved;
    SavedRowRead read;
    SavedTable table;
    json_t *gone; /* rows of what is no more */
} Pass;

static bool read_row(void *argument, int64_t row, const char *text)
{
    Pass *pass = argument;
    Store *store = &pass->saved->sandbox->store;
    bool is_gone = false;
    json_t *json = text == NULL ? NULL : json_loads(text, 0, NULL);
    bool is_read = json != NULL && pass->read(store, json, row, &is_gone);
    json_decref(json);
    store->last_row = row > store->last_row ? row : store->last_row;
    if (is_gone) {
        json_array_append_new(pass->gone, json_integer(row));
    }
    return is_read;
}

static bool remove_gone(const Pass *pass)
{
    size_t i = 0;
    const json_t *row = NULL;
    SavedFile *file = pass->saved->file;
    bool removed = json_array_size(pass->gone) == 0 || saved_file_begin(file);
    json_array_foreach(pass->gone, i, row)
    {
        removed = removed && saved_file_remove(file, pass->table, json_integer_value(row));
    }
    return removed && (json_array_size(pass->gone) == 0 || saved_file_commit(file));
}

static bool read_table(Saved *saved, SavedTable table, SavedRowRead read, char *ret_error,
                       size_t error_bytes)
{
    Pass pass = {saved, read, table, json_array()};
    bool is_read = saved_file_each(saved->file, table, read_row, &pass, ret_error, error_bytes);
    if (is_read && !remove_gone(&pass)) {
        text_format(ret_error, error_bytes, "%s", saved_file_error(saved->file));
        is_read = false;
    }
    json_decref(pass.gone);
    return is_read;
}

static bool read_key(void *argument, int64_t row, const char *text)
{
    Saved *saved = argument;
    (void)row;
    Key key = {0};
    json_t *json = text == NULL ? NULL : json_loads(text, 0, NULL);
    bool is_read = saved_rows_read_key(json, &key) && keys_take_back(&saved->sandbox->keys, &key);
    json_decref(json);
    sodium_memzero(&key, sizeof(key));
    return is_read;
}

static bool read_word(void *argument, int64_t row, const char *text)
{
    Saved *saved = argument;
    (void)row;
    json_t *json = text == NULL ? NULL : json_loads(text, 0, NULL);
    json_decref(saved->words);
    saved->words = json;
    return json_is_object(json);
}

static bool read_all(Saved *saved, char *ret_error, size_t error_bytes)
{
    static const struct {
        SavedTable table;
        SavedRowRead read;
    } PASSES[] = {
        {SAVED_PROJECTS, saved_rows_read_project},   {SAVED_BRANCHES, saved_rows_read_branch},
        {SAVED_BRANCHES, saved_rows_join_branch},    {SAVED_PROJECTS, saved_rows_join_project},
        {SAVED_ENDPOINTS, saved_rows_read_endpoint}, {SAVED_OPERATIONS, saved_rows_read_operation},
    };
    for (size_t i = 0; i < sizeof(PASSES) / sizeof(PASSES[0]); i++) {
        if (!read_table(saved, PASSES[i].table, PASSES[i].read, ret_error, error_bytes)) {
            return false;
        }
    }
    return saved_file_each(saved->file, SAVED_KEYS, read_key, saved, ret_error, error_bytes) &&
           saved_file_each(saved->file, SAVED_WORDS, read_word, saved, ret_error, error_bytes);
}

void saved_get(Saved *saved, const char *name, char *ret_value, size_t value_bytes)
{
    const char *value = json_string_value(json_object_get(saved->words, name));
    text_format(ret_value, value_bytes, "%s", value == NULL ? "" : value);
}

bool saved_set(Saved *saved, const char *name, const char *value)
{
    json_object_set_new(saved->words, name, json_string(value));
    char *text = dump(json_incref(saved->words));
    bool is_set = saved_file_put(saved->file, SAVED_WORDS, 1, text);
    wipe(text);
    return is_set;
}

/* A sandbox with clusters can't go on without them, nor the other way round. */
static bool check_mode(Saved *saved, char *ret_error, size_t error_bytes)
{
    char was[16];
    const Options *options = &saved->sandbox->options;
    const char *mode = options->compute ? "compute" : "no-compute";
    saved_get(saved, "mode", was, sizeof(was));
    if (was[0] != '\0' && strcmp(was, mode) != 0) {
        text_format(ret_error, error_bytes,
                    "--state %s was begun with%s --no-compute; start it so, or choose another",
                    options->state_dir, options->compute ? "" : "out");
        return false;
    }
    if (!saved_set(saved, "mode", mode)) {
        text_format(ret_error, error_bytes, "%s", saved_file_error(saved->file));
        return false;
    }
    return true;
}

Saved *saved_open(Sandbox *sandbox, char *ret_error, size_t error_bytes)
{
    SavedFile *file = saved_file_open(sandbox->options.state_dir, ret_error, error_bytes);
    if (file == NULL) {
        return NULL;
    }
    Saved *saved = calloc(1, sizeof(*saved));
    if (saved == NULL) {
        abort();
    }
    *saved = (Saved){.sandbox = sandbox, .file = file, .words = json_object()};
    if (!read_all(saved, ret_error, error_bytes) || !check_mode(saved, ret_error, error_bytes)) {
        saved_file_close(file);
        json_decref(saved->words);
        free(saved);
        return NULL;
    }
    sandbox->store.is_kept = true;
    uv_prepare_init(&sandbox->loop, &saved->each_turn);
    saved->each_turn.data = saved;
    uv_prepare_start(&saved->each_turn, on_turn);
    return saved;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void saved_close(Saved *saved)
{
    saved_flush(saved);
    saved->sandbox->store.is_kept = false;
    saved_file_close(saved->file);
    json_decref(saved->words);
    uv_close((uv_handle_t *)&saved->each_turn, on_closed);
}
