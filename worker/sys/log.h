/*
 * The one sink of log lines: stderr, one write(2) a line, so that lines of several threads don't
 * mix. A line is JSON for machines or text for people, at most 8 KiB, and has no control characters
 * and no broken UTF-8 whatever it is given. Secrets have no way in: no formatter takes a Secret.
 *
 * The sink's settings are the one global of the program; they are set once, before other threads.
 */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

enum { LOG_LINE_BYTES = 8192 };

typedef enum LogLevel {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
} LogLevel;

typedef enum LogFormat { LOG_FORMAT_AUTO, LOG_FORMAT_JSON, LOG_FORMAT_TEXT } LogFormat;

// What a line is about; NULL or empty: left out.
typedef struct LogFields {
    const char *application_id;
    const char *command_id;
    const char *subject;
    const char *step;
    const char *record; // its coordinates: "provisioning.commands/3@17"
    const Error *error; // kind, code, field and text
} LogFields;

// Lines below `level` are left out. AUTO: text on a terminal, coloured unless NO_COLOR is set
// (https://no-color.org), else JSON. `worker` is copied (63 bytes); every line names it.
void log_install(LogLevel level, LogFormat format, const char *worker);
// Names as in the settings log.level and log.format.
bool log_level_parse(const char *name, LogLevel *ret_level);
bool log_format_parse(const char *name, LogFormat *ret_format);

bool log_is_enabled(LogLevel level);
// `fields` may be NULL. The message is for people; what machines look for stands in the fields.
void log_write(LogLevel level, const LogFields *fields, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
