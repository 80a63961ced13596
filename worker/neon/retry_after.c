#include "neon/retry_after.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t")] == '\0';
}

static uint32_t bounded(int64_t ms)
{
    int64_t low = ms < 0 ? 0 : ms;
    return (uint32_t)(low > NEON_RETRY_AFTER_MS_MAX ? NEON_RETRY_AFTER_MS_MAX : low);
}

static bool read_seconds(const char *text, int64_t *ret_ms)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || !is_blank(text + digits)) {
        return false;
    }
    int64_t seconds = 0;
    for (size_t i = 0; i < digits && seconds < NEON_RETRY_AFTER_MS_MAX; i++) {
        seconds = seconds * 10 + (text[i] - '0');
    }
    *ret_ms = seconds * 1000;
    return true;
}

static bool read_date(const char *text, int64_t *ret_ms)
{
    static const char *const FORMS[] = {
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %e %H:%M:%S %Y",
    };
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++) {
        struct tm date = {.tm_isdst = 0};
        const char *end = strptime(text, FORMS[i], &date);
        if (end != NULL && is_blank(end)) {
            *ret_ms = (int64_t)timegm(&date) * 1000;
            return true;
        }
    }
    return false;
}

uint32_t neon_retry_after_ms(const char *header, int64_t now_ms)
{
    const char *text = header + strspn(header, " \t");
    int64_t ms = 0;
    if (*text == '\0') {
        return 0; // as nearly always, and trying the forms of a date is dear
    }
    if (read_seconds(text, &ms)) {
        return bounded(ms);
    }
    return read_date(text, &ms) ? bounded(ms - now_ms) : 0;
}
