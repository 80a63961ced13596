#include "ctl/span.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/instant.h"

static const int64_t LONGEST_MS = INT64_C(365) * 86400 * 1000;

static int64_t unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        int64_t ms;
    } UNITS[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (strcmp(unit, UNITS[i].name) == 0) {
            return UNITS[i].ms;
        }
    }
    return 0;
}

bool span_parse(const char *text, int64_t *ret_span_ms)
{
    if (text[0] < '0' || text[0] > '9') {
        return false;
    }
    char *unit = NULL;
    errno = 0;
    long long number = strtoll(text, &unit, 10);
    int64_t factor_ms = unit_ms(unit);
    if (errno != 0 || factor_ms == 0 || number > LONGEST_MS / factor_ms) {
        return false;
    }
    *ret_span_ms = number * factor_ms;
    return true;
}

int64_t span_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool span_parse_instant(const char *text, int direction, int64_t *ret_instant_ms)
{
    int64_t span_ms = 0;
    if (!span_parse(text, &span_ms)) {
        return instant_parse(text, ret_instant_ms);
    }
    *ret_instant_ms = span_now_ms() + direction * span_ms;
    return true;
}

int64_t span_parse_seconds(const char *option, const char *text, struct argp_state *state)
{
    int64_t span_ms = 0;
    if (!span_parse(text, &span_ms) || span_ms % 1000 != 0) {
        argp_error(state, "--%s takes whole seconds such as 86400s, 6h or 7d", option);
    }
    return span_ms / 1000;
}
