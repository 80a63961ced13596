#include "sys/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/utf8.h"
#include "sys/clock.h"

enum {
    WORKER_BYTES = 64,
    // Longest output of each part; together with the fixed text they stay below a line.
    MESSAGE_LIMIT = 4096,
    ERROR_LIMIT = 1200,
    FIELD_LIMIT = 320,
    FIELD_COUNT = 7, // the worker, five of LogFields, the error's field
    CODE_LIMIT = 96,
    KIND_LIMIT = 16,
    FIXED_TEXT_BYTES = 320,
};

static_assert(MESSAGE_LIMIT + ERROR_LIMIT + FIELD_COUNT * FIELD_LIMIT + CODE_LIMIT + KIND_LIMIT +
                      FIXED_TEXT_BYTES <=
                  LOG_LINE_BYTES,
              "a line is bounded");

typedef struct Sink {
    LogLevel level;
    bool json;
    bool colour;
    char worker[WORKER_BYTES];
} Sink;

static Sink sink = {.level = LOG_LEVEL_INFO, .json = true};

static const char *const LEVEL_NAMES[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_ERROR] = "error",
};

static const char *const LEVEL_COLOURS[] = {
    [LOG_LEVEL_DEBUG] = "\x1b[2m",
    [LOG_LEVEL_INFO] = "\x1b[32m",
    [LOG_LEVEL_WARNING] = "\x1b[33m",
    [LOG_LEVEL_ERROR] = "\x1b[31m",
};

void log_install(LogLevel level, LogFormat format, const char *worker)
{
    bool terminal = isatty(STDERR_FILENO) == 1;
    const char *no_color = getenv("NO_COLOR");
    sink.level = level;
    sink.json = format == LOG_FORMAT_JSON || (format == LOG_FORMAT_AUTO && !terminal);
    sink.colour = !sink.json && terminal && (no_color == NULL || no_color[0] == '\0');
    (void)snprintf(sink.worker, sizeof sink.worker, "%s", worker);
}

bool log_level_parse(const char *name, LogLevel *ret_level)
{
    for (size_t i = 0; i < sizeof LEVEL_NAMES / sizeof LEVEL_NAMES[0]; i++) {
        if (strcmp(name, LEVEL_NAMES[i]) == 0) {
            *ret_level = (LogLevel)i;
            return true;
        }
    }
    return false;
}

bool log_format_parse(const char *name, LogFormat *ret_format)
{
    static const char *const NAMES[] = {
        [LOG_FORMAT_AUTO] = "auto",
        [LOG_FORMAT_JSON] = "json",
        [LOG_FORMAT_TEXT] = "text",
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *ret_format = (LogFormat)i;
            return true;
        }
    }
    return false;
}

bool log_is_enabled(LogLevel level)
{
    return level >= sink.level;
}

typedef struct Line {
    char data[LOG_LINE_BYTES];
    size_t length;
} Line;

static void put_bytes(Line *line, const char *bytes, size_t size)
{
    assert(size < sizeof line->data - line->length);
    memcpy(line->data + line->length, bytes, size);
    line->length += size;
}

static void put(Line *line, const char *text)
{
    put_bytes(line, text, strlen(text));
}

typedef struct Piece {
    char data[8];
    size_t size;
} Piece;

// One character as it may stand in a line. Quotes matter to JSON only.
static Piece safe_piece(Bytes rest, size_t size, uint32_t code_point)
{
    Piece piece = {.size = size};
    bool control = code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f);
    if (size == 0) {
        piece.size = (size_t)snprintf(piece.data, sizeof piece.data, "\xef\xbf\xbd");
    } else if (code_point == '\n') {
        piece.size = (size_t)snprintf(piece.data, sizeof piece.data, "\\n");
    } else if (control) {
        piece.size =
            (size_t)snprintf(piece.data, sizeof piece.data, "\\u%04x", (unsigned)code_point & 0xff);
    } else if (sink.json && (code_point == '"' || code_point == '\\')) {
        piece.size = (size_t)snprintf(piece.data, sizeof piece.data, "\\%c", (char)code_point);
    } else {
        memcpy(piece.data, rest.data, size);
    }
    return piece;
}

// At most `limit` bytes; what doesn't fit is replaced by dots.
static void put_safe(Line *line, const char *value, size_t limit)
{
    static const char DOTS[] = "...";
    size_t end = line->length + limit - (sizeof DOTS - 1);
    Bytes rest = bytes_of(value);
    while (rest.size > 0) {
        uint32_t code_point = 0;
        size_t size = utf8_next(rest, &code_point);
        Piece piece = safe_piece(rest, size, code_point);
        if (line->length + piece.size > end) {
            put(line, DOTS);
            return;
        }
        put_bytes(line, piece.data, piece.size);
        size = size == 0 ? 1 : size;
        rest = (Bytes){rest.data + size, rest.size - size};
    }
}

static void put_field(Line *line, const char *name, const char *value, size_t limit)
{
    if (value == NULL || value[0] == '\0') {
        return;
    }
    put(line, sink.json ? ",\"" : " ");
    put(line, name);
    put(line, sink.json ? "\":\"" : "=");
    put_safe(line, value, limit);
    put(line, sink.json ? "\"" : "");
}

static void put_fields(Line *line, const LogFields *fields)
{
    put_field(line, "application", fields->application_id, FIELD_LIMIT);
    put_field(line, "command", fields->command_id, FIELD_LIMIT);
    put_field(line, "subject", fields->subject, FIELD_LIMIT);
    put_field(line, "step", fields->step, FIELD_LIMIT);
    put_field(line, "record", fields->record, FIELD_LIMIT);
    if (fields->error != NULL && fields->error->kind != ERROR_NONE) {
        put_field(line, "kind", error_kind_name(fields->error->kind), KIND_LIMIT);
        put_field(line, "code", fields->error->code, CODE_LIMIT);
        put_field(line, "field", fields->error->field, FIELD_LIMIT);
        put_field(line, "error", fields->error->text, ERROR_LIMIT);
    }
}

static void put_start(Line *line, LogLevel level, const char *message)
{
    char time[INSTANT_TEXT_BYTES];
    instant_format(clock_wall_ms(), time);
    if (sink.json) {
        put(line, "{\"time\":\"");
        put(line, time);
        put(line, "\",\"level\":\"");
        put(line, LEVEL_NAMES[level]);
        put(line, "\",\"message\":\"");
        put_safe(line, message, MESSAGE_LIMIT);
        put(line, "\"");
        return;
    }
    put(line, time);
    put(line, " ");
    put(line, sink.colour ? LEVEL_COLOURS[level] : "");
    put(line, LEVEL_NAMES[level]);
    put(line, sink.colour ? "\x1b[0m" : "");
    put(line, " ");
    put_safe(line, message, MESSAGE_LIMIT);
}

// A pipe may take a part; where nobody reads, the line is dropped.
static void write_whole(const char *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDERR_FILENO, data, size);
        if (written < 0 && errno != EINTR) {
            return;
        }
        size_t taken = written < 0 ? 0 : (size_t)written;
        data += taken;
        size -= taken;
    }
}

void log_write(LogLevel level, const LogFields *fields, const char *format, ...)
{
    if (!log_is_enabled(level)) {
        return;
    }
    int saved_errno = errno;
    char message[MESSAGE_LIMIT + 1];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    Line line;
    line.length = 0;
    put_start(&line, level, message);
    if (fields != NULL) {
        put_fields(&line, fields);
    }
    put_field(&line, "worker", sink.worker, FIELD_LIMIT);
    put(&line, sink.json ? "}\n" : "\n");
    write_whole(line.data, line.length);
    errno = saved_errno;
}
