#include "ctl/status_print.h"

#include <inttypes.h>
#include <string.h>

#include "base/attr.h"

enum { NAME_WIDTH = 11, LINE_MAX_BYTES = 4096, MINUTE = 60, HOUR = 3600, DAY = 86400 };

static const char *get(const json_t *command, const char *key)
{
    const char *text = json_string_value(json_object_get(command, key));
    return text == NULL ? "" : text;
}

static bool has(const json_t *command, const char *key)
{
    return json_object_get(command, key) != NULL;
}

static json_int_t number(const json_t *command, const char *key)
{
    return json_integer_value(json_object_get(command, key));
}

void status_append_span(Text *text, json_int_t seconds)
{
    if (seconds < 0) {
        return;
    }
    if (seconds < MINUTE) {
        text_printf(text, "%llds", (long long)seconds);
    } else if (seconds < HOUR) {
        text_printf(text, "%lldm%02llds", (long long)(seconds / MINUTE),
                    (long long)(seconds % MINUTE));
    } else if (seconds < DAY) {
        text_printf(text, "%lldh%02lldm", (long long)(seconds / HOUR),
                    (long long)(seconds % HOUR / MINUTE));
    } else {
        text_printf(text, "%lldd%02lldh", (long long)(seconds / DAY),
                    (long long)(seconds % DAY / HOUR));
    }
}

static void print_line(const Screen *screen, const char *name, const Text *value)
{
    (void)fputs("  ", screen->file);
    screen_print(screen, SCREEN_DIM, name, NAME_WIDTH);
    screen_print(screen, SCREEN_PLAIN, text_get(value), 0);
    (void)fputc('\n', screen->file);
}

static void append_state(Text *text, const json_t *command)
{
    text_append(text, get(command, "state"));
    if (has(command, "idleSeconds") && strcmp(get(command, "state"), "finished") != 0) {
        text_append(text, ", no progress for ");
        status_append_span(text, number(command, "idleSeconds"));
        text_printf(text, " (since %s)", get(command, "progressAt"));
    }
}

static void append_step(Text *text, const json_t *command)
{
    if (has(command, "step")) {
        text_append(text, get(command, "step"));
    } else if (has(command, "lastCall") && !has(command, "finishedAt")) {
        text_printf(text, "behind %s, its last call that changes something",
                    get(command, "lastCall"));
    }
}

static void append_wait(Text *text, const json_t *command)
{
    if (!has(command, "waitingFor")) {
        return;
    }
    text_append(text, get(command, "waitingText"));
    if (has(command, "waitingSince")) {
        text_append(text, ", for ");
        status_append_span(text, number(command, "waitingSeconds"));
        text_printf(text, " (since %s)", get(command, "waitingSince"));
    }
}

static void append_intent(Text *text, const json_t *command)
{
    if (!has(command, "intentOpen")) {
        return;
    }
    text_printf(text, "%s; ", get(command, "intentStep"));
    if (!has(command, "settledAt")) {
        text_append(text, "a deletion by exact id");
    } else if (number(command, "settledInSeconds") > 0) {
        text_append(text, "what it did is settled in ");
        status_append_span(text, number(command, "settledInSeconds"));
        text_printf(text, " (at %s)", get(command, "settledAt"));
    } else {
        text_printf(text, "what it did is settled since %s", get(command, "settledAt"));
    }
}

static void append_error(Text *text, const json_t *command)
{
    const json_t *error = json_object_get(command, "firstError");
    if (error == NULL) {
        return;
    }
    text_append(text, get(error, "code"));
    if (has(error, "text")) {
        text_printf(text, ": %s", get(error, "text"));
    }
    if (has(error, "step")) {
        text_printf(text, " (step %s)", get(error, "step"));
    }
}

static void append_stop(Text *text, const json_t *command)
{
    if (has(command, "stop")) {
        text_printf(text, "%s by %s", get(command, "stop"), get(command, "stoppedBy"));
    }
}

static void append_worker(Text *text, const json_t *command)
{
    if (has(command, "worker")) {
        text_append(text, get(command, "worker"));
        text_append(text, has(command, "claimedAt") ? ", since " : "");
        text_append(text, get(command, "claimedAt"));
    }
    if (number(command, "attempts") > 1) {
        text_printf(text, "%sclaimed %lld times", text->length == 0 ? "" : ", ",
                    (long long)number(command, "attempts"));
    }
    if (has(command, "abandoned")) {
        text_printf(text, ", %lld calls left open by workers that stopped",
                    (long long)number(command, "abandoned"));
    }
}

static void append_record(Text *text, const json_t *command)
{
    if (has(command, "offset")) {
        text_printf(text, "partition %lld, offset %lld", (long long)number(command, "partition"),
                    (long long)number(command, "offset"));
    }
    if (has(command, "sentAt")) {
        text_printf(text, ", sent at %s", get(command, "sentAt"));
    }
}

static void append_outcome(Text *text, const json_t *command)
{
    if (!has(command, "outcome")) {
        return;
    }
    text_append(text, get(command, "outcome"));
    if (has(command, "code")) {
        text_printf(text, " %s", get(command, "code"));
        text_append(text, has(command, "message") ? ": " : "");
        text_append(text, get(command, "message"));
    }
    text_append(text, has(command, "finishedAt") ? ", at " : "");
    text_append(text, get(command, "finishedAt"));
    if (strcmp(get(command, "source"), "ledger") == 0) {
        text_append(text, has(command, "publishedAt") ? ", published at " : ", not published yet");
        text_append(text, get(command, "publishedAt"));
    }
}

static void append_subject(Text *text, const json_t *command)
{
    text_append(text, get(command, "subject"));
}

static void append_queue(Text *text, const json_t *command)
{
    if (has(command, "aheadOfIt")) {
        text_printf(text, "unfinished commands of the application before it: %lld",
                    (long long)number(command, "aheadOfIt"));
    }
}

static void append_unknown(Text *text, const json_t *command)
{
    text_append(text, get(command, "unknown"));
}

static const struct {
    const char *name;
    void (*append)(Text *text, const json_t *command);
} LINES[] = {
    {"subject", append_subject}, {"state", append_state},      {"step", append_step},
    {"waits for", append_wait},  {"open call", append_intent}, {"queue", append_queue},
    {"turned by", append_error}, {"stop", append_stop},        {"outcome", append_outcome},
    {"worker", append_worker},   {"record", append_record},    {"unknown", append_unknown},
};

void status_print_whole(const Screen *screen, const json_t *command)
{
    const char *action = get(command, "action");
    screen_print(screen, SCREEN_PLAIN, action[0] == '\0' ? "Command" : action, 0);
    (void)fputc(' ', screen->file);
    screen_print(screen, SCREEN_PLAIN, get(command, "commandId"), 0);
    (void)fputs(" of ", screen->file);
    screen_print(screen, SCREEN_PLAIN, get(command, "applicationId"), 0);
    (void)fputc('\n', screen->file);
    for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
        Text value CLEANUP(text_clear) = TEXT_INIT(LINE_MAX_BYTES);
        LINES[i].append(&value, command);
        if (value.length > 0) {
            print_line(screen, LINES[i].name, &value);
        }
    }
}

// ---- the table

static const struct {
    const char *title;
    const char *key;
} COLUMNS[] = {
    {"IDLE", "idleSeconds"}, {"SUBJECT", "subject"},   {"ACTION", "action"},
    {"STATE", "state"},      {"STEP", "step"},         {"WAITS FOR", "waitingFor"},
    {"WORKER", "worker"},    {"COMMAND", "commandId"},
};

enum { COLUMN_COUNT = sizeof(COLUMNS) / sizeof(COLUMNS[0]), GAP = 2 };

// shop/environments/live: every subject begins with the same word.
static const char *short_subject(const json_t *command)
{
    static const char PREFIX[] = "applications/";
    const char *subject = get(command, "subject");
    if (strncmp(subject, PREFIX, sizeof(PREFIX) - 1) == 0) {
        return subject + sizeof(PREFIX) - 1;
    }
    return get(command, "applicationId");
}

static void append_cell(Text *text, const json_t *command, size_t column)
{
    if (column == 0) {
        status_append_span(text, number(command, COLUMNS[column].key));
    } else {
        const char *cell = get(command, COLUMNS[column].key);
        cell = column == 1 ? short_subject(command) : cell;
        text_append(text, cell[0] == '\0' ? "-" : cell);
    }
}

static void measure(const json_t *commands, size_t widths[COLUMN_COUNT])
{
    size_t row;
    const json_t *command;
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        widths[column] = strlen(COLUMNS[column].title);
        json_array_foreach(commands, row, command)
        {
            Text cell CLEANUP(text_clear) = TEXT_INIT(LINE_MAX_BYTES);
            append_cell(&cell, command, column);
            size_t width = screen_width(text_get(&cell));
            widths[column] = width > widths[column] ? width : widths[column];
        }
    }
}

static void print_row(const Screen *screen, const json_t *command,
                      const size_t widths[COLUMN_COUNT])
{
    for (size_t column = 0; column < COLUMN_COUNT; column++) {
        Text cell CLEANUP(text_clear) = TEXT_INIT(LINE_MAX_BYTES);
        if (command == NULL) {
            text_append(&cell, COLUMNS[column].title);
        } else {
            append_cell(&cell, command, column);
        }
        size_t width = column + 1 < COLUMN_COUNT ? widths[column] + GAP : 0;
        screen_print(screen, command == NULL ? SCREEN_DIM : SCREEN_PLAIN, text_get(&cell), width);
    }
    (void)fputc('\n', screen->file);
}

void status_print_table(const Screen *screen, const json_t *commands)
{
    if (json_array_size(commands) == 0) {
        (void)fputs("none\n", screen->file);
        return;
    }
    size_t widths[COLUMN_COUNT];
    measure(commands, widths);
    print_row(screen, NULL, widths);
    size_t row;
    const json_t *command;
    json_array_foreach(commands, row, command)
    {
        print_row(screen, command, widths);
    }
}
