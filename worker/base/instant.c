#include "base/instant.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { MS_PER_SECOND = 1000, SECONDS_PER_DAY = 86400, DAYS_TO_1970 = 719528 };

static const int64_t MS_PER_DAY = (int64_t)SECONDS_PER_DAY * MS_PER_SECOND;
static const int64_t FIRST_MS = -62167219200000; // 0000-01-01T00:00:00.000Z
static const int64_t LAST_MS = 253402300799999;  // 9999-12-31T23:59:59.999Z

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const uint8_t DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return DAYS[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

// Days from 0000-01-01 (proleptic Gregorian) to the first of January; years from 0 on.
static int64_t days_before_year(int64_t year)
{
    if (year == 0) {
        return 0;
    }
    int64_t last = year - 1;
    return year * 365 + last / 4 - last / 100 + last / 400 + 1; // year 0 is a leap year
}

static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t days = days_before_year(year);
    for (int64_t m = 1; m < month; m++) {
        days += days_in_month(year, m);
    }
    return days + day - 1;
}

void instant_format(int64_t instant_ms, char ret_text[INSTANT_TEXT_BYTES])
{
    int64_t bounded = instant_ms < FIRST_MS ? FIRST_MS : instant_ms;
    bounded = bounded > LAST_MS ? LAST_MS : bounded;
    int64_t since_year_0 = bounded - FIRST_MS;
    int64_t days = since_year_0 / MS_PER_DAY;
    int64_t ms = since_year_0 % MS_PER_DAY;
    int64_t year = days / 366; // never too late, and at most 7 years early
    while (days_before_year(year + 1) <= days) {
        year++;
    }
    days -= days_before_year(year);
    int64_t month = 1;
    while (days >= days_in_month(year, month)) {
        days -= days_in_month(year, month);
        month++;
    }
    char text[INSTANT_TEXT_BYTES * 3] = ""; // the compiler can't know how short the numbers are
    (void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)year, (int)month,
                   (int)days + 1, (int)(ms / 3600000), (int)(ms / 60000 % 60),
                   (int)(ms / MS_PER_SECOND % 60), (int)(ms % MS_PER_SECOND));
    memcpy(ret_text, text, INSTANT_TEXT_BYTES);
}

void instant_format_seconds(int64_t instant_ms, char ret_text[INSTANT_TEXT_BYTES])
{
    static const size_t SECONDS_BYTES = sizeof "2026-11-22T08:07:00" - 1;
    instant_format(instant_ms, ret_text);
    memcpy(ret_text + SECONDS_BYTES, "Z", 2);
}

// `count` digits at *text, which is moved behind them; -1 when they aren't digits.
static int64_t take_digits(const char **text, int count)
{
    int64_t number = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        if (**text < '0' || **text > '9') {
            return -1;
        }
        number = number * 10 + (**text - '0');
    }
    return number;
}

static bool take_one_of(const char **text, const char *allowed)
{
    for (; *allowed != '\0'; allowed++) {
        if (**text == *allowed) {
            (*text)++;
            return true;
        }
    }
    return false;
}

static bool take_number(const char **text, int count, int64_t first, int64_t last,
                        int64_t *ret_number)
{
    *ret_number = take_digits(text, count);
    return *ret_number >= first && *ret_number <= last;
}

static bool take_date(const char **text, int64_t *ret_days)
{
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    if (!take_number(text, 4, 0, 9999, &year) || !take_one_of(text, "-") ||
        !take_number(text, 2, 1, 12, &month) || !take_one_of(text, "-") ||
        !take_number(text, 2, 1, days_in_month(year, month), &day)) {
        return false;
    }
    *ret_days = days_from_date(year, month, day);
    return true;
}

// Digits after the third are below a millisecond.
static bool take_fraction(const char **text, int64_t *ret_ms)
{
    *ret_ms = 0;
    if (!take_one_of(text, ".")) {
        return true;
    }
    int64_t weight = 100;
    const char *first = *text;
    for (int64_t digit = take_digits(text, 1); digit >= 0; digit = take_digits(text, 1)) {
        *ret_ms += digit * weight;
        weight /= 10;
    }
    return *text > first;
}

// RFC 3339 §5.7 allows second 60; without leap seconds it is the next minute's first.
static bool take_time(const char **text, int64_t *ret_ms)
{
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    int64_t fraction_ms = 0;
    if (!take_number(text, 2, 0, 23, &hour) || !take_one_of(text, ":") ||
        !take_number(text, 2, 0, 59, &minute) || !take_one_of(text, ":") ||
        !take_number(text, 2, 0, 60, &second) || !take_fraction(text, &fraction_ms)) {
        return false;
    }
    *ret_ms = ((hour * 60 + minute) * 60 + second) * MS_PER_SECOND + fraction_ms;
    return true;
}

static bool take_offset(const char **text, int64_t *ret_ms)
{
    *ret_ms = 0;
    if (take_one_of(text, "Zz")) {
        return true;
    }
    int64_t sign = **text == '-' ? -1 : 1;
    int64_t hour = 0;
    int64_t minute = 0;
    if (!take_one_of(text, "+-") || !take_number(text, 2, 0, 23, &hour) ||
        !take_one_of(text, ":") || !take_number(text, 2, 0, 59, &minute)) {
        return false;
    }
    *ret_ms = sign * (hour * 60 + minute) * 60 * MS_PER_SECOND;
    return true;
}

bool instant_parse(const char *text, int64_t *ret_instant_ms)
{
    int64_t days = 0;
    int64_t time_ms = 0;
    int64_t offset_ms = 0;
    if (!take_date(&text, &days) || !take_one_of(&text, "Tt") || !take_time(&text, &time_ms) ||
        !take_offset(&text, &offset_ms) || *text != '\0') {
        return false;
    }
    *ret_instant_ms = (days - DAYS_TO_1970) * MS_PER_DAY + time_ms - offset_ms;
    return true;
}
