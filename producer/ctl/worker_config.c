#include "ctl/worker_config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/settings.h"
#include "base/table.h"
#include "base/text.h"
#include "lib/fault.h"

enum { NAME_BYTES = 256, LINE_BYTES = 198, VARIABLE_BYTES = 512 };

typedef struct Reader {
    FILE *file;
    const char *path;
    unsigned line;
    Settings *scratch; // knows which names and values are right
    Table *ours;       // variables that the file has set: its later lines win
    bool failed;
    ProvisionError *err;
} Reader;

static bool refuse(Reader *reader, const char *code, const char *why)
{
    reader->failed = true;
    return fault_set(reader->err, PROVISION_ERROR_INVALID, code, "%s:%u: %s", reader->path,
                     reader->line, why);
}

static size_t trim(char *line)
{
    size_t start = strspn(line, " \t\r\v\f\n");
    size_t size = strlen(line + start);
    while (size > 0 && isspace((unsigned char)line[start + size - 1])) {
        size--;
    }
    memmove(line, line + start, size);
    line[size] = '\0';
    return size;
}

static bool has_inline_comment(const char *line)
{
    for (const char *c = line; *c != '\0'; c++) {
        if (isspace((unsigned char)c[0]) && (c[1] == ';' || c[1] == '#')) {
            return true;
        }
    }
    return false;
}

// In the form of fgets. inih would take an indented line for a part of the one above, and cut a
// long one.
static char *read_line(char *buffer, int size, void *context)
{
    Reader *reader = context;
    char line[NAME_BYTES];
    if (reader->failed || fgets(line, sizeof line, reader->file) == NULL) {
        return NULL;
    }
    reader->line++;
    bool whole = strchr(line, '\n') != NULL || feof(reader->file) != 0;
    size_t length = trim(line);
    bool is_comment = line[0] == ';' || line[0] == '#';
    if (is_comment) {
        for (int c = 0; !whole && c != '\n' && c != EOF;) {
            c = fgetc(reader->file);
        }
        line[0] = '\0';
    } else if (!whole || length > LINE_BYTES || length >= (size_t)size) {
        (void)refuse(reader, "SETTING_SYNTAX", "the line is longer than 198 bytes");
        return NULL;
    } else if (has_inline_comment(line)) {
        (void)refuse(reader, "SETTING_SYNTAX", "a comment stands on a line of its own");
        return NULL;
    }
    memcpy(buffer, line, strlen(line) + 1);
    return buffer;
}

// Whether the environment has the variable, and not from an earlier line.
static bool is_given(const Reader *reader, const char *variable)
{
    return getenv(variable) != NULL && table_get(reader->ours, variable) == NULL;
}

static void set_variable(Reader *reader, const char *name, const char *value)
{
    Text variable CLEANUP(text_clear) = TEXT_INIT(VARIABLE_BYTES);
    Text other CLEANUP(text_clear) = TEXT_INIT(VARIABLE_BYTES);
    char setting[NAME_BYTES];
    bool is_file = settings_is_file(name, setting, sizeof setting);
    settings_environment_name(is_file ? setting : name, is_file ? &other : &variable);
    text_append(is_file ? &variable : &other, text_get(is_file ? &other : &variable));
    text_append(is_file ? &variable : &other, "_FILE");
    if (is_given(reader, text_get(&variable)) || is_given(reader, text_get(&other))) {
        return;
    }
    (void)unsetenv(text_get(&other)); // of an earlier line
    if (setenv(text_get(&variable), value, 1) != 0) {
        abort();
    }
    (void)table_put(reader->ours, text_get(&variable), reader);
}

static int take_pair(void *context, const char *section, const char *name, const char *value)
{
    Reader *reader = context;
    char full_name[NAME_BYTES];
    char origin[NAME_BYTES];
    char setting[NAME_BYTES];
    Error error = ERROR_INIT;
    (void)snprintf(full_name, sizeof full_name, "%s%s%s", section, section[0] == '\0' ? "" : ".",
                   name);
    (void)snprintf(origin, sizeof origin, "%.200s:%u", reader->path, reader->line);
    if (settings_is_file(full_name, setting, sizeof setting) ||
        settings_set(reader->scratch, full_name, value, origin, &error)) {
        set_variable(reader, full_name, value);
    } else {
        reader->failed = true;
        (void)fault_from(reader->err, &error);
    }
    return 1;
}

static void close_file(FILE **file)
{
    (void)fclose(*file);
}

bool worker_config_read(const char *path, ProvisionError *err)
{
    FILE *opened = fopen(path, "re");
    if (opened == NULL) {
        return fault_set(err, PROVISION_ERROR_INVALID, "FILE_UNREADABLE", "%s: %s", path,
                         strerror(errno));
    }
    FILE *file CLEANUP(close_file) = opened;
    Settings *scratch CLEANUP(settings_free_at) = settings_new();
    Table *ours CLEANUP(table_free_at) = table_new();
    Reader reader = {.file = file, .path = path, .scratch = scratch, .ours = ours, .err = err};
    int wrong_line = ini_parse_stream(read_line, &reader, take_pair, &reader);
    if (ferror(file) != 0) {
        return fault_set(err, PROVISION_ERROR_INVALID, "FILE_UNREADABLE", "%s: %s", path,
                         strerror(errno));
    }
    if (wrong_line > 0 && !reader.failed) {
        reader.line = (unsigned)wrong_line;
        return refuse(&reader, "SETTING_SYNTAX", "this is neither [section] nor name = value");
    }
    return !reader.failed;
}
