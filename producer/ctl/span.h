/*
 * Durations and points in time as people write them.
 */
#ifndef CTL_SPAN_H
#define CTL_SPAN_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

// 250ms, 30s, 5m, 2h, 1d; a plain number is seconds. false when it is none, negative, or longer
// than 365 days.
bool span_parse(const char *text, int64_t *ret_span_ms);
// RFC 3339, or a duration: `direction` 1 = from now, -1 = ago.
bool span_parse_instant(const char *text, int direction, int64_t *ret_instant_ms);
// Whole seconds, of an option; what is none ends the program (argp_error).
int64_t span_parse_seconds(const char *option, const char *text, struct argp_state *state);
int64_t span_now_ms(void);

#endif
