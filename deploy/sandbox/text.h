/* Bounded text, times and encodings: what the rest of the sandbox formats with. Nothing here is cut
 * silently; where a result may not fit, the function says so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXT_TIME_BYTES = 40 };

/* Formats into `buffer`; false (and an empty string) when it does not fit. */
bool text_format(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As text_format, for what is made by this program and must fit: aborts when it does not. */
void text_build(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Copies; false when it does not fit. */
bool text_copy(char *buffer, size_t size, const char *text);
/* Cuts to at most `most` bytes, never within a UTF-8 character. */
void text_cut(char *text, size_t most);
/* How many characters (not bytes) a text in UTF-8 has. */
size_t text_length(const char *text);
/* Decodes %XX in place. False for a malformed escape or an embedded NUL. */
bool text_decode_percent(char *text);
/* Encodes everything but RFC 3986's unreserved characters; aborts when it does not fit. */
void text_encode_percent(char *buffer, size_t size, const char *text);

/* Milliseconds since the epoch. */
int64_t text_now_ms(void);
/* Monotonic microseconds, for measuring. */
int64_t text_monotonic_us(void);
/* RFC 3339 in UTC with whole seconds, as Neon writes times. */
void text_time(int64_t time_ms, char ret_text[TEXT_TIME_BYTES]);
/* The same with microseconds: the operations' cursor. */
void text_time_us(int64_t time_us, char ret_text[TEXT_TIME_BYTES]);
/* Reads what text_time_us wrote, and any RFC 3339 time. False when it is none. */
bool text_parse_time_us(const char *text, int64_t *ret_time_us);
