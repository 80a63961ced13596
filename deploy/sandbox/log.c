#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static FILE *log_stream;
static bool log_is_quiet;

bool log_open(const char *path, bool quiet)
{
    log_is_quiet = quiet;
    log_stream = path == NULL ? stderr : fopen(path, "ae");
    if (log_stream == NULL) {
        log_stream = stderr;
        return false;
    }
    setvbuf(log_stream, NULL, _IOLBF, 0);
    return true;
}

void log_close(void)
{
    if (log_stream != NULL && log_stream != stderr) {
        fclose(log_stream);
    }
    log_stream = NULL;
}

__attribute__((format(printf, 1, 0))) static void write_line(const char *format, va_list arguments)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm parts;
    localtime_r(&now.tv_sec, &parts);
    char text[1024];
    vsnprintf(text, sizeof(text), format, arguments);
    /* Names that clients chose begin no lines of their own. */
    for (char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == '\x7f') {
            *c = '?';
        }
    }
    fprintf(log_stream != NULL ? log_stream : stderr, "%04d-%02d-%02d %02d:%02d:%02d.%03d %s\n",
            parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
            parts.tm_sec, (int)(now.tv_nsec / 1000000), text);
}

void log_line(const char *format, ...)
{
    if (log_is_quiet) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}

void log_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line(format, arguments);
    va_end(arguments);
}
