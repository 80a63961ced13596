#include "sys/settings_ini.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "sys/settings_source.h"

// inih 55 (Debian 12) as built there: INI_MAX_LINE 200 with room for "\r\n" and NUL, names of
// sections up to 49 bytes; the rest is cut or read as another line.
// https://github.com/benhoyt/inih/blob/r55/ini.c
enum { SECTION_BYTES_MAX = 48 };

typedef struct Reader {
    Settings *settings;
    const char *origin;
    Bytes rest;
    unsigned line;
    bool failed;
    Error *err;
} Reader;

static bool refuse(Reader *reader, const char *why)
{
    reader->failed = true;
    return error_set(reader->err, ERROR_INVALID, "SETTING_SYNTAX", "%s:%u: %s", reader->origin,
                     reader->line, why);
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\v' || byte == '\f';
}

// The next line without the white space around it: inih takes an indented line for a part of the
// one above.
static Bytes next_line(Reader *reader)
{
    const uint8_t *start = reader->rest.data;
    const uint8_t *end = memchr(start, '\n', reader->rest.size);
    size_t size = end == NULL ? reader->rest.size : (size_t)(end - start);
    size_t taken = end == NULL ? size : size + 1;
    Bytes line = {start, size};
    reader->rest = (Bytes){start + taken, reader->rest.size - taken};
    reader->line++;
    while (line.size > 0 && is_space(line.data[0])) {
        line = (Bytes){line.data + 1, line.size - 1};
    }
    while (line.size > 0 && is_space(line.data[line.size - 1])) {
        line.size--;
    }
    return line;
}

static bool is_comment(Bytes line)
{
    return line.size > 0 && (line.data[0] == ';' || line.data[0] == '#');
}

static bool has_inline_comment(Bytes line)
{
    for (size_t i = 1; i < line.size; i++) {
        if ((line.data[i] == ';' || line.data[i] == '#') && is_space(line.data[i - 1])) {
            return true;
        }
    }
    return false;
}

static bool check_line(Reader *reader, Bytes line)
{
    if (line.size > SETTINGS_SOURCE_LINE_BYTES) {
        return refuse(reader, "the line is longer than 198 bytes; a long secret goes into a file, "
                              "named by <setting>_file");
    }
    if (line.size > 0 && memchr(line.data, '\0', line.size) != NULL) {
        return refuse(reader, "the line has a NUL byte in it");
    }
    if (is_comment(line)) {
        return true;
    }
    bool section = line.size > 0 && line.data[0] == '[';
    if (section && (line.data[line.size - 1] != ']' || line.size - 2 > SECTION_BYTES_MAX)) {
        return refuse(reader, "a section is [name], and its name has at most 48 bytes");
    }
    if (has_inline_comment(line)) {
        return refuse(reader,
                      "a comment stands on a line of its own, and a value can't have ';' or "
                      "'#' after white space");
    }
    return true;
}

// In the form of fgets; `size` is inih's buffer.
static char *read_line(char *buffer, int size, void *context)
{
    Reader *reader = context;
    if (reader->failed || reader->rest.size == 0) {
        return NULL;
    }
    Bytes line = next_line(reader);
    if (!check_line(reader, line) || line.size >= (size_t)size) {
        return NULL;
    }
    size_t length = is_comment(line) ? 0 : line.size;
    memcpy(buffer, line.data, length);
    buffer[length] = '\0';
    return buffer;
}

static int take_pair(void *context, const char *section, const char *name, const char *value)
{
    Reader *reader = context;
    char full_name[SETTINGS_SOURCE_NAME_BYTES];
    char origin[SETTINGS_SOURCE_NAME_BYTES];
    (void)snprintf(full_name, sizeof full_name, "%s%s%s", section, section[0] == '\0' ? "" : ".",
                   name);
    (void)snprintf(origin, sizeof origin, "%.200s:%u", reader->origin, reader->line);
    if (!settings_source_set(reader->settings, full_name, value, origin, reader->err)) {
        reader->failed = true;
    }
    return 1;
}

bool settings_source_read_text(Settings *settings, Bytes text, const char *origin, Error *err)
{
    Error own = ERROR_INIT;
    Reader reader = {
        .settings = settings, .origin = origin, .rest = text, .err = err == NULL ? &own : err};
    int wrong_line = ini_parse_stream(read_line, &reader, take_pair, &reader);
    if (wrong_line > 0 && (!reader.failed || (unsigned)wrong_line < reader.line)) {
        reader.line = (unsigned)wrong_line;
        return refuse(&reader, "this is neither [section] nor name = value");
    }
    return !reader.failed;
}
