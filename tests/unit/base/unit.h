/*
 * What every unit test of base includes: cmocka, with the headers it asks for.
 */
#ifndef BASE_UNIT_H
#define BASE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// Whether the address sanitizer watches: GCC says so in one way, clang in another.
#if defined(__has_feature)
#define UNIT_SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define UNIT_SANITIZED 1
#else
#define UNIT_SANITIZED 0
#endif

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
