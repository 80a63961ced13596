/* Log lines a person can read, to stderr or a file. Nothing secret is ever handed to these
 * functions: no body, no query, no header. */
#pragma once

#include <stdbool.h>

/* Opens `path` for appending; NULL means stderr. False (errno set) when it can't be opened. */
bool log_open(const char *path, bool quiet);
void log_close(void);
/* One line with the time of day in front; unless --quiet. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* As log_line, also with --quiet: for what an operator must see. */
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
