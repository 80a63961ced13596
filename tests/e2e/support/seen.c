#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/table.h"
#include "support/cmocka.h"
#include "support/reader.h"
#include "support/wait.h"

enum { POLL_MS = 20 };

const char *seen_header(const Seen *seen, const char *name)
{
    for (size_t i = 0; i < seen->header_count; i++) {
        if (strcmp(seen->headers[i].name, name) == 0) {
            return (const char *)seen->headers[i].value.data;
        }
    }
    return NULL;
}

const char *seen_type(const Seen *seen)
{
    static const char PACKAGE[] = "provisioning.v1.";
    const char *type = seen_header(seen, "ce_type");
    bool is_ours = type != NULL && strncmp(type, PACKAGE, sizeof(PACKAGE) - 1) == 0;
    return is_ours ? type + sizeof(PACKAGE) - 1 : "";
}

bool seen_is_replayed(const Seen *seen)
{
    return seen_header(seen, "replayed") != NULL;
}

bool seen_is_outcome(const Seen *seen)
{
    static const char *const OTHERS[] = {"", "CommandAccepted", "StepFinished", "DriftReported"};
    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++) {
        if (strcmp(seen_type(seen), OTHERS[i]) == 0) {
            return false;
        }
    }
    bool is_page = strcmp(seen_type(seen), "AccountInventory") == 0;
    return seen->topic == SEEN_EVENTS &&
           (!is_page || seen_number(seen, "accountInventory.page") ==
                            seen_number(seen, "accountInventory.pages"));
}

static const json_t *find(const json_t *json, const char *path)
{
    while (*path != '\0' && json != NULL) {
        char name[64];
        size_t length = strcspn(path, ".");
        assert_true(length < sizeof(name));
        memcpy(name, path, length);
        name[length] = '\0';
        json = json_is_array(json) ? json_array_get(json, strtoul(name, NULL, 10))
                                   : json_object_get(json, name);
        path += path[length] == '.' ? length + 1 : length;
    }
    return json;
}

const char *seen_text(const Seen *seen, const char *path)
{
    const char *text = json_string_value(find(seen->json, path));
    return text == NULL ? "" : text;
}

int64_t seen_number(const Seen *seen, const char *path)
{
    const json_t *value = find(seen->json, path);
    return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10)
                                 : json_integer_value(value);
}

bool seen_flag(const Seen *seen, const char *path)
{
    return json_is_true(find(seen->json, path));
}

// What is waited for: the first record behind `index` for which `fits` holds.
typedef struct Wanted {
    Reader *reader;
    bool (*fits)(const struct Wanted *wanted, const Seen *seen);
    const char *text;
    int32_t partition;
    int64_t offset;
    bool flag;
    size_t index;
    const Seen *found;
} Wanted;

static bool look(void *context)
{
    Wanted *wanted = context;
    reader_poll(wanted->reader, POLL_MS);
    while (wanted->found == NULL && wanted->index < reader_count(wanted->reader)) {
        const Seen *seen = reader_at(wanted->reader, wanted->index++);
        wanted->found = wanted->fits(wanted, seen) ? seen : NULL;
    }
    return wanted->found != NULL;
}

static bool is_outcome_of(const Wanted *wanted, const Seen *seen)
{
    return seen_is_outcome(seen) && seen_is_replayed(seen) == wanted->flag &&
           strcmp(seen_text(seen, "commandId"), wanted->text) == 0;
}

const Seen *reader_await_outcome(Reader *reader, const char *command_id, int seconds)
{
    return reader_await_outcome_behind(reader, command_id, 0, seconds);
}

const Seen *reader_await_outcome_behind(Reader *reader, const char *command_id, size_t index,
                                        int seconds)
{
    Wanted wanted = {.reader = reader, .fits = is_outcome_of, .text = command_id, .index = index};
    wait_until(look, &wanted, seconds, "the outcome of %s", command_id);
    return wanted.found;
}

const Seen *reader_await_replay(Reader *reader, const char *command_id, size_t index, int seconds)
{
    Wanted wanted = {
        .reader = reader, .fits = is_outcome_of, .text = command_id, .flag = true, .index = index};
    wait_until(look, &wanted, seconds, "the replayed outcome of %s", command_id);
    return wanted.found;
}

static bool has_number(const Seen *seen, const char *header, int64_t number)
{
    const char *text = seen_header(seen, header);
    return text != NULL && strtoll(text, NULL, 10) == number;
}

static bool is_dead_letter_of(const Wanted *wanted, const Seen *seen)
{
    return seen->topic == SEEN_DEAD_LETTERS &&
           has_number(seen, "dlq-partition", wanted->partition) &&
           has_number(seen, "dlq-offset", wanted->offset);
}

const Seen *reader_await_dead_letter(Reader *reader, int32_t partition, int64_t offset, int seconds)
{
    Wanted wanted = {
        .reader = reader, .fits = is_dead_letter_of, .partition = partition, .offset = offset};
    wait_until(look, &wanted, seconds, "the dead letter of %" PRId32 ":%" PRId64, partition,
               offset);
    return wanted.found;
}

const Seen *reader_last_state(const Reader *reader, const char *subject)
{
    for (size_t i = reader_count(reader); i > 0; i--) {
        const Seen *seen = reader_at(reader, i - 1);
        if (seen->topic == SEEN_STATES && strcmp((const char *)seen->key.data, subject) == 0) {
            return seen;
        }
    }
    return NULL;
}

static bool look_at_state(void *context)
{
    Wanted *wanted = context;
    reader_poll(wanted->reader, POLL_MS);
    const Seen *last = reader_last_state(wanted->reader, wanted->text);
    wanted->found = last != NULL && last->is_tombstone == wanted->flag ? last : NULL;
    return wanted->found != NULL;
}

const Seen *reader_await_state(Reader *reader, const char *subject, bool tombstone, int seconds)
{
    Wanted wanted = {.reader = reader, .text = subject, .flag = tombstone};
    wait_until(look_at_state, &wanted, seconds, "%s of %s", tombstone ? "a tombstone" : "a state",
               subject);
    return wanted.found;
}

size_t reader_count_outcomes(const Reader *reader, const char *command_id)
{
    size_t count = 0;
    for (size_t i = 0; i < reader_count(reader); i++) {
        const Seen *seen = reader_at(reader, i);
        count += seen_is_outcome(seen) && !seen_is_replayed(seen) &&
                 strcmp(seen_text(seen, "commandId"), command_id) == 0;
    }
    return count;
}

// What is known of an id or a subject: its last sequence.
typedef struct Known {
    int64_t sequence;
} Known;

static Known *known_of(Table *table, const char *key)
{
    Known *known = table_get(table, key);
    if (known == NULL) {
        known = alloc_zeroed(1, sizeof(*known));
        (void)table_put(table, key, known);
    }
    return known;
}

static void assert_new(Table *ids, const Seen *seen)
{
    const char *id = seen_header(seen, "ce_id");
    assert_non_null(id);
    if (table_get(ids, id) != NULL) {
        fail_msg("event %s (%s) was published twice", id, seen_type(seen));
    }
    (void)known_of(ids, id);
}

static void assert_next(Table *sequences, const Seen *seen)
{
    const char *subject = seen_text(seen, "subject");
    int64_t sequence = seen_number(seen, "sequence");
    Known *known = known_of(sequences, subject);
    if (sequence != known->sequence + 1) {
        fail_msg("%s: sequence %" PRId64 " (%s) follows %" PRId64, subject, sequence,
                 seen_type(seen), known->sequence);
    }
    known->sequence = sequence;
}

static void free_known(void *context, const char *key, void *value)
{
    (void)context;
    (void)key;
    free(value);
}

static void free_table(Table *table)
{
    table_each(table, free_known, NULL);
    table_free(table);
}

void reader_assert_sequences(const Reader *reader)
{
    Table *ids = table_new();
    Table *sequences = table_new();
    for (size_t i = 0; i < reader_count(reader); i++) {
        const Seen *seen = reader_at(reader, i);
        if (seen->topic != SEEN_EVENTS || seen_is_replayed(seen)) {
            continue;
        }
        assert_new(ids, seen);
        if (seen_number(seen, "sequence") != 0) {
            assert_next(sequences, seen);
        }
    }
    free_table(ids);
    free_table(sequences);
}
