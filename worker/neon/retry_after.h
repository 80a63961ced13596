/*
 * The Retry-After header (RFC 9110 §10.2.3): seconds, or a date in one of the three forms of
 * §5.6.7.
 */
#ifndef NEON_RETRY_AFTER_H
#define NEON_RETRY_AFTER_H

#include <stdint.h>

enum { NEON_RETRY_AFTER_MS_MAX = 3600 * 1000 };

// 0 when it says nothing, can't be read, or has passed; never more than NEON_RETRY_AFTER_MS_MAX.
uint32_t neon_retry_after_ms(const char *header, int64_t now_ms);

#endif
