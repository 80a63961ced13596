#include "text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

__attribute__((format(printf, 3, 0))) static bool format_list(char *buffer, size_t size,
                                                              const char *format, va_list arguments)
{
    int length = vsnprintf(buffer, size, format, arguments);
    if (length < 0 || (size_t)length >= size) {
        buffer[0] = '\0';
        return false;
    }
    return true;
}

bool text_format(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool fits = format_list(buffer, size, format, arguments);
    va_end(arguments);
    return fits;
}

void text_build(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool fits = format_list(buffer, size, format, arguments);
    va_end(arguments);
    if (!fits) {
        abort();
    }
}

bool text_copy(char *buffer, size_t size, const char *text)
{
    return text_format(buffer, size, "%s", text);
}

void text_cut(char *text, size_t most)
{
    if (strlen(text) <= most) {
        return;
    }
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80) {
        most--;
    }
    text[most] = '\0';
}

size_t text_length(const char *text)
{
    size_t length = 0;
    for (; *text != '\0'; text++) {
        length += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
    }
    return length;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool text_decode_percent(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        if (*in != '%') {
            *out++ = *in;
            continue;
        }
        int high = hex_value(in[1]);
        int low = high < 0 ? -1 : hex_value(in[2]);
        if (low < 0 || (high == 0 && low == 0)) {
            return false;
        }
        *out++ = (char)(high * 16 + low);
        in += 2;
    }
    *out = '\0';
    return true;
}

void text_encode_percent(char *buffer, size_t size, const char *text)
{
    size_t used = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        bool plain = isalnum(*c) || strchr("-._~", *c) != NULL;
        if (used + (plain ? 1 : 3) >= size) {
            abort();
        }
        if (plain) {
            buffer[used++] = (char)*c;
            continue;
        }
        text_build(buffer + used, size - used, "%%%02X", *c);
        used += 3;
    }
    buffer[used] = '\0';
}

int64_t text_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t text_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void text_time(int64_t time_ms, char ret_text[TEXT_TIME_BYTES])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(ret_text, TEXT_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void text_time_us(int64_t time_us, char ret_text[TEXT_TIME_BYTES])
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t used = strftime(ret_text, TEXT_TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    text_build(ret_text + used, TEXT_TIME_BYTES - used, ".%06dZ", (int)(time_us % 1000000));
}

/* `Z` or `+hh:mm`, in seconds. */
static bool parse_offset(const char *text, int64_t *ret_seconds)
{
    static const char DIGITS[] = "0123456789";
    *ret_seconds = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        return true;
    }
    bool has_sign = text[0] == '+' || text[0] == '-';
    if (!has_sign || strlen(text) != 6 || strspn(text + 1, DIGITS) != 2 || text[3] != ':' ||
        strspn(text + 4, DIGITS) != 2) {
        return false;
    }
    long hours = strtol(text + 1, NULL, 10);
    long minutes = strtol(text + 4, NULL, 10);
    *ret_seconds = (text[0] == '-' ? -60LL : 60LL) * (hours * 60 + minutes);
    return hours <= 23 && minutes <= 59;
    return true;
}

bool text_parse_time_us(const char *text, int64_t *ret_time_us)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == NULL) {
        return false;
    }
    int64_t fraction = 0;
    if (*rest == '.') {
        int64_t unit = 100000;
        for (rest++; *rest >= '0' && *rest <= '9'; rest++) {
            fraction += (*rest - '0') * unit;
            unit /= 10;
        }
    }
    int64_t offset_seconds = 0;
    if (!parse_offset(rest, &offset_seconds)) {
        return false;
    }
    *ret_time_us = ((int64_t)timegm(&parts) - offset_seconds) * 1000000 + fraction;
    return true;
}
